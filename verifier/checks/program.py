"""A program is installed on a host, and is of a version.

    - id: node-18-or-newer
      check: program
      with: {name: node, version: "18+"}
    - id: java-17
      check: program
      with: {name: java, argv: ["-version"], version: ">=17, <18"}

`name` is looked for in the folders of PATH and in /usr/local/sbin, /usr/sbin and /sbin, which an
ordinary user's PATH leaves out; a name with a slash is the program's place. Without a `version` it
is enough that it may be executed, and it is not started. With one it is started with `argv`, and its
version is the first dotted number it prints (on standard output, else on standard error). `version`
is one or more conditions with commas between them, and all must hold: `18`, `20.x` and `3.10` accept
whatever begins with these numbers, `3.10+` and `>=3.10` this one and newer; `<`, `<=`, `>`, `==` and
`!=` compare as many numbers as are written, so `<=18` accepts 18.20. Put it in quotes: to YAML 3.10
is the number 3.1. A program that ends with an error, or prints no number, told no version: that is
no answer.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import BeforeValidator, Field

from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_CONDITION = re.compile(r"(>=|<=|==|!=|=|>|<)?\s*v?(\d+(?:\.\d+)*)(?:\.[xX*])?(\+)?")
_COMPARE: dict[str, Callable[[list[int], list[int]], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "!=": operator.ne,
    "==": operator.eq,
}


def _no_number(given: object) -> object:
    if isinstance(given, float):
        raise ValueError(f"{given} is a number; put the version in quotes")  # noqa: TRY004  for pydantic
    return given


@dataclass(frozen=True, slots=True)
class Params:
    name: Annotated[str, Field(pattern=r"^[\w./+][\w./+@-]*$")]
    version: Annotated[str, BeforeValidator(_no_number)] = ""
    argv: tuple[str, ...] = ("--version",)

    def __post_init__(self) -> None:
        _conditions(self.version)


@dataclass(frozen=True, slots=True)
class Seen:
    """`place` is "" when it is not installed; `searched` is where it was looked for."""

    place: str
    searched: str = ""
    version: str = ""


def observe(host: Host, want: Params) -> Seen:
    first, _, rest = ask(host, "sh -c %s sh %s", _SEARCH, want.name).strip().partition(" ")
    if first == "missing" and rest:
        return Seen("", rest)
    if first != "at" or not rest:
        raise CannotObserve(f"the search for {want.name} is not understood: {first[:100]}")
    return Seen(rest, version=_version(host, rest, want.argv) if want.version else "")


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if not seen.place:
        return [Mismatch(want.name, "installed", f"not installed (not in {seen.searched})")]
    wrong = [text for text, holds in _conditions(want.version) if not holds(seen.version)]
    saw = f"{seen.version} at {seen.place}"
    return [Mismatch(want.name, f"version {text}", saw) for text in wrong]


def _impossible(want: Params) -> Params:
    if want.version:
        return replace(want, version=">=1000000000")
    return replace(want, name="verifier-no-such-program")


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _conditions(version: str) -> list[tuple[str, Callable[[str], bool]]]:
    """Each condition as it is written, and the question it asks. ValueError for one that is none."""
    written = [part.strip() for part in version.split(",")] if version.strip() else []
    return [(text, _condition(text)) for text in written]


def _condition(text: str) -> Callable[[str], bool]:
    match = _CONDITION.fullmatch(text)
    if not match or (match[1] and match[3]):
        raise ValueError(
            f"version: '{text}' is no condition; write 18, 20.x, 3.10+, or >=3.10, <4 with commas"
        )
    sign = ">=" if match[3] else (match[1] or "==")
    compare, wanted = _COMPARE["==" if sign == "=" else sign], _numbers(match[2])

    def holds(seen: str) -> bool:
        # 18 speaks of every 18.something: only as many numbers are compared as were asked for.
        padded = [*_numbers(seen), *[0] * len(wanted)]
        return compare(padded[: len(wanted)], wanted)

    return holds


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


# Says in words what was found: a status alone could also be a shell that did not get that far.
_SEARCH = """
case $1 in
*/*) if [ -f "$1" ] && [ -x "$1" ]; then echo "at $1"; else echo "missing $1"; fi; exit;;
esac
all=$PATH:/usr/local/sbin:/usr/sbin:/sbin IFS=:
for folder in $all; do
  if [ -f "${folder:-.}/$1" ] && [ -x "${folder:-.}/$1" ]; then
    echo "at ${folder:-.}/$1"; exit
  fi
done
echo "missing $all"
"""


def _version(host: Host, place: str, argv: tuple[str, ...]) -> str:
    words = " ".join(["%s"] * (1 + len(argv)))
    answer = host.run(f"LC_ALL=C {words} </dev/null", place, *argv)
    shown = " ".join((place, *argv))
    if answer.rc != 0:
        said = (answer.stderr.strip() or answer.stdout.strip() or "no output").splitlines()[-1]
        raise CannotObserve(f"`{shown}` told no version, it ended with {answer.rc}: {said[:200]}")
    for text in (answer.stdout, answer.stderr):
        match = re.search(r"\d+(?:\.\d+)+", text) or re.search(
            r"\b(?:version |v)(\d+)\b", text, re.IGNORECASE
        )
        if match:
            return match[match.lastindex or 0]
    raise CannotObserve(f"`{shown}` printed no version number")
