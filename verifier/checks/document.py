"""A document is there and says something: its headings, enough words, nothing left to fill in, no
link to a file that is not there.

    - id: runbook-is-written
      check: document
      with:
        path: docs/runbook.md
        headings: [Rollback, 장애 대응]
        min_words: 100
        max_age_days: 180
      from: controller

`path` is a file of Markdown (.md), reStructuredText (.rst), AsciiDoc (.adoc), HTML (.html) or plain
text (.txt, or no suffix). Each of `headings` must occur in a heading, in whatever case, and words
must stand below it; in plain text a line that stands alone counts as a heading, too. `min_words`
counts words outside of headings. With `placeholders` it is red for what was left to be filled in:
TODO, TBD, FIXME, lorem ipsum, 작성 예정, 추후 작성, and `<your-...>`; the first ones may be spoken of
in back quotes. With `links` it is red for relative links to files that are not there; code blocks,
absolute paths and addresses are not followed. `max_age_days` counts from the last commit that
changed the document, or from when the file was written when git does not know it or it has changed
since: a fresh clone is not a fresh document. In a shallow clone the last commit is not known, and so
neither is the age. `newer_than` are files or folders that it describes: red when one of them was
changed, dated in the same way, more than `lag_days` after the document, or is not there. A file of
more than 1 MiB, or one that is no UTF-8 text, cannot be read.
"""

from __future__ import annotations

import json
import posixpath
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from verifier.checks._markup import KINDS, Heading, Markup, plain, read_markup
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_MAX_BYTES = 1_048_576
_DAY_S = 86_400
_SHALLOW = "shallow"


@dataclass(frozen=True, slots=True)
class Params:
    path: Annotated[str, Field(min_length=1)]
    headings: tuple[str, ...] = ()
    min_words: Annotated[int, Field(ge=1)] = 20
    max_age_days: Annotated[int, Field(gt=0)] | None = None
    placeholders: bool = True
    links: bool = True
    newer_than: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    lag_days: Annotated[float, Field(ge=0)] = 1

    def __post_init__(self) -> None:
        if _suffix(self.path) not in KINDS:
            known = ", ".join(kind for kind in KINDS if kind)
            raise ValueError(f"path: a document ends with one of {known}; ask `file` for others")
        if not all(plain(heading) for heading in self.headings):
            raise ValueError("headings: an empty text occurs in any heading")


@dataclass(frozen=True, slots=True)
class Seen:
    """`kind` is "" when nothing is there. `left` and `broken` are lines with what stands there;
    `age_days` is only looked for when it was asked for, and `dated_by` says by what. `described` are
    the things it describes and how old their last change is, None for one that is not there.
    """

    kind: str
    words: int = 0
    headings: tuple[Heading, ...] = ()
    left: tuple[tuple[int, str], ...] = ()
    broken: tuple[tuple[int, str], ...] = ()
    age_days: float = 0
    dated_by: str = ""
    described: tuple[tuple[str, float | None], ...] = ()


def observe(host: Host, want: Params) -> Seen:
    kind, text = _read(host, want.path)
    if kind != "file":
        return Seen(kind)
    markup = read_markup(text, _suffix(want.path))
    dated = want.max_age_days is not None or want.newer_than
    age, dated_by = _age(host, want.path) if dated else (0.0, "")
    return Seen(
        kind,
        markup.words,
        markup.headings,
        markup.left,
        _broken(host, want.path, markup) if want.links else (),
        age,
        dated_by,
        tuple((path, _age_of_described(host, path)) for path in want.newer_than),
    )


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if seen.kind != "file":
        saw = f"a {seen.kind}" if seen.kind else "no such file"
        return [Mismatch(want.path, "a document", saw)]
    found = []
    if seen.words < want.min_words:
        found.append(Mismatch(want.path, f"{want.min_words} words or more", f"{seen.words}"))
    for heading in want.headings:
        found += _judge_heading(want, seen, heading)
    if want.placeholders:
        what = "nothing left to fill in"
        found += [Mismatch(f"{want.path} line {at}", what, f"'{text}'") for at, text in seen.left]
    for at, target in seen.broken:
        found.append(Mismatch(f"{want.path} line {at}", f"the file '{target}'", "no such file"))
    if want.max_age_days is not None and seen.age_days > want.max_age_days:
        saw = f"{seen.age_days:.0f} days, by its {seen.dated_by}"
        found.append(Mismatch(want.path, f"at most {want.max_age_days} days old", saw))
    return found + _judge_described(want, seen)


def _impossible(want: Params) -> Params:
    return replace(want, headings=("verifier-no-such-thing",))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _suffix(path: str) -> str:
    return posixpath.splitext(path)[1].lower()


def _judge_heading(want: Params, seen: Seen, heading: str) -> list[Mismatch]:
    fitting = [one for one in seen.headings if plain(heading) in plain(one.text)]
    if not fitting:
        return [Mismatch(want.path, f"a heading '{heading}'", "no such heading")]
    if not any(one.words for one in fitting):
        return [Mismatch(want.path, f"something said below '{heading}'", "nothing")]
    return []


def _judge_described(want: Params, seen: Seen) -> list[Mismatch]:
    found = []
    for path, age in seen.described:
        if age is None:
            found.append(Mismatch(want.path, f"what it describes, '{path}'", "no such file"))
        elif seen.age_days - age > want.lag_days:
            saw = f"'{path}' was changed {seen.age_days - age:.1f} days after it"
            found.append(Mismatch(want.path, "newer than what it describes", saw))
    return found


_READ = """
import json, os, stat, sys

path, most = sys.argv[1], int(sys.argv[2])

def fail(text):
    sys.stderr.write(path + ": " + text + "\\n")
    sys.exit(1)

try:
    mode = os.stat(path).st_mode
    kind = "file" if stat.S_ISREG(mode) else "directory" if stat.S_ISDIR(mode) else "special file"
    raw = b""
    if kind == "file":
        with open(path, "rb") as file:
            raw = file.read(most + 1)
    if len(raw) > most:
        fail("more than %d bytes, too much to read" % most)
    print(json.dumps({"kind": kind, "text": raw.decode("utf-8-sig")}))
except (FileNotFoundError, NotADirectoryError):
    print(json.dumps({"kind": "", "text": ""}))
except UnicodeDecodeError:
    fail("is no UTF-8 text")
except OSError as error:
    fail(error.strerror)
"""


def _read(host: Host, path: str) -> tuple[str, str]:
    printed = ask(host, "python3 -I -c %s %s %s", _READ, path, str(_MAX_BYTES))
    try:
        raw = json.loads(printed)
        return str(raw["kind"]), str(raw["text"])
    except (KeyError, TypeError, ValueError) as error:
        raise CannotObserve("the program on the host printed something else") from error


# Where git knows the document and it was not changed since, its commit dates it.
_AGE = """
CDPATH='' cd -- "$(dirname -- "$1")" || exit 1
name=$(basename -- "$1")
git_() { GIT_OPTIONAL_LOCKS=0 LC_ALL=C git -c 'safe.directory=*' -c core.fsmonitor=false "$@"; }
if git_ ls-files --error-unmatch -- "./$name" >/dev/null 2>&1 &&
   git_ diff --no-ext-diff --quiet HEAD -- "./$name" 2>/dev/null; then
  if [ "$(git_ rev-parse --is-shallow-repository)" = true ]; then echo shallow; exit; fi
  made=$(git_ log -1 --format=%ct -- "./$name") by="last commit"
else
  made=$(find -L "./$name" -type f -printf '%T@\\n' | sort -n | tail -n 1 | cut -d . -f 1) by="file time"
fi
echo "$made $(date +%s) $by"
"""


def _age(host: Host, path: str) -> tuple[float, str]:
    answer = ask(host, "sh -c %s sh %s", _AGE, path).strip()
    if answer == _SHALLOW:
        raise CannotObserve(
            f"the age of {path} is not known: the clone is shallow (git fetch --unshallow)"
        )
    made, _, rest = answer.partition(" ")
    now, _, dated_by = rest.partition(" ")
    if not (made.isdigit() and now.isdigit() and dated_by):
        raise CannotObserve(f"the age of {path} is not understood: {answer[:100]}")
    return (int(now) - int(made)) / _DAY_S, dated_by


def _age_of_described(host: Host, path: str) -> float | None:
    there = host.run("LC_ALL=C stat -L %s", path)
    if there.rc != 0 and "No such file" in there.stderr:
        return None
    return _age(host, path)[0]


_LOOK_FOR = """
import json, os, sys

os.chdir(os.path.dirname(sys.argv[1]) or ".")
answers = []
for target in json.loads(sys.argv[2]):
    try:
        os.stat(target)
        answers.append(True)
    except (FileNotFoundError, NotADirectoryError):
        answers.append(False)
    except OSError as error:
        sys.stderr.write("%s: %s\\n" % (target, error.strerror))
        sys.exit(1)
print(json.dumps(answers))
"""


def _broken(host: Host, path: str, markup: Markup) -> tuple[tuple[int, str], ...]:
    if not markup.links:
        return ()
    targets = sorted({target for _, target in markup.links})
    printed = ask(host, "python3 -I -c %s %s %s", _LOOK_FOR, path, json.dumps(targets))
    try:
        there = dict(zip(targets, json.loads(printed), strict=True))
    except (TypeError, ValueError) as error:
        raise CannotObserve("the program on the host printed something else") from error
    return tuple((at, target) for at, target in markup.links if there[target] is False)
