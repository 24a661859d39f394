"""A command that only reads says what it should.

    - id: no-failed-units
      check: command
      with: {argv: [systemctl, list-units, --state=failed, --no-legend], silent: true}
    - id: configuration-accepted
      check: command
      with: {argv: [nginx, -t], matches: ["syntax is ok", "test is successful"]}

The last resort, for a program that has its own way of looking. `argv` is the program and its words,
one by one; there is no shell, so no pipe and no variable. It must only read: it is run at every look
and nothing undoes it. The end of what it says is kept as evidence, so it must not print a secret.
`chdir` is the folder it is started in. What it says is standard output and
standard error together. `matches` are regular expressions that must be found there, `lacks` ones
that must not (`^` and `$` being the ends of a line); `silent: true` asks that it says nothing at
all. One of the three is required: an exit status alone proves nothing, for it does not tell what was
looked at. With `lacks` it must say something, for in no words nothing can be found. `exit` is the
exit status it must end with as well. A program that cannot be found (127) or started (126), a folder
that cannot be entered, and an output of more than 1 MiB are no answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from verifier.checks._pattern import refuse_bad_patterns
from verifier.checks.base import Check, Host, Mismatch
from verifier.errors import CannotObserve

_MAX_CHARACTERS = 1_048_576
_KEPT = 2000
_NOT_STARTED = (126, 127)


@dataclass(frozen=True, slots=True)
class Params:
    argv: Annotated[tuple[str, ...], Field(min_length=1)]
    chdir: str = ""
    matches: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    silent: bool = False
    exit: Annotated[int, Field(ge=0, le=125)] = 0

    def __post_init__(self) -> None:
        if not self.argv[0].strip():
            raise ValueError("argv begins with the name of a program")
        if not (self.matches or self.lacks or self.silent):
            raise ValueError(
                "one of matches, lacks and silent is required: an exit status alone proves nothing"
            )
        if self.silent and (self.matches or self.lacks):
            raise ValueError("`silent: true` wants no output, and matches and lacks want some")
        refuse_bad_patterns("matches", self.matches)
        refuse_bad_patterns("lacks", self.lacks)


@dataclass(frozen=True, slots=True)
class Seen:
    """`unmatched` are the patterns of `matches` that were not found and `hits` those of `lacks`
    that were, each with its line; `output` is the end of what was said.
    """

    status: int
    said: bool
    unmatched: tuple[str, ...]
    hits: tuple[tuple[str, str], ...]
    output: str


def observe(host: Host, want: Params) -> Seen:
    # exec: a word like `exit` or `test` must be a program, not the shell's own.
    words = f"exec {' '.join(['%s'] * len(want.argv))} </dev/null"
    enter = "CDPATH= cd -- %s >/dev/null || exit 126; " if want.chdir else ""
    folder = (want.chdir,) if want.chdir else ()
    answer = host.run(f"{enter}export LC_ALL=C.UTF-8; {words}", *folder, *want.argv)
    output = "\n".join(text for text in (answer.stdout, answer.stderr) if text)
    if answer.rc in _NOT_STARTED:
        raise CannotObserve(f"{_shown(want)} cannot be run ({answer.rc}): {_last(output)}")
    if len(output) > _MAX_CHARACTERS:
        raise CannotObserve(f"{_shown(want)} said more than {_MAX_CHARACTERS} characters")
    found = [(pattern, re.search(pattern, output, re.MULTILINE)) for pattern in want.lacks]
    return Seen(
        answer.rc,
        bool(output.strip()),
        tuple(p for p in want.matches if not re.search(p, output, re.MULTILINE)),
        tuple((pattern, _line_of(output, match)) for pattern, match in found if match),
        output[-_KEPT:],
    )


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    what = _shown(want)
    wrong = []
    if seen.status != want.exit:
        saw = f"{seen.status}: {_last(seen.output)}"
        wrong.append(Mismatch(what, f"to end with {want.exit}", saw))
    if want.silent and seen.said:
        wrong.append(Mismatch(what, "to say nothing", _last(seen.output)))
    if not want.silent and not seen.said:
        return [*wrong, Mismatch(what, "to say something", "no output")]
    said = _last(seen.output)
    wrong += [Mismatch(what, f"to say /{pattern}/", said) for pattern in seen.unmatched]
    return wrong + [Mismatch(what, f"not to say /{p}/", line) for p, line in seen.hits]


def _impossible(want: Params) -> Params:
    return replace(want, matches=("^verifier-no-such-thing$",), silent=False)


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _shown(want: Params) -> str:
    words = " ".join(want.argv)
    return f"`{words if len(words) <= 120 else words[:120] + '...'}`"  # noqa: PLR2004  a line's worth


def _last(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return f"'{lines[-1][:200]}'" if lines else "no output"


def _line_of(output: str, match: re.Match[str]) -> str:
    begin = output.rfind("\n", 0, match.start()) + 1
    return f"'{output[begin:].partition(chr(10))[0].strip()[:200]}'"
