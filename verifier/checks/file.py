"""A file or a directory is there, or is not there, is of a kind, and holds or does not hold texts.

    - id: app-listens-on-8000
      check: file
      with:
        path: /etc/app/app.conf
        kind: file
        contains: ["[server]"]
        matches: ["^port *= *8000$"]
        lacks: ["debug = true"]
        mode: "0640"
        owner: root

`exists: false` asks that nothing is at `path`, not even a symbolic link to nothing; it stands alone.
`kind` is file, directory or any; a symbolic link is followed and judged as what it leads to.
`contains` are texts that must occur as they are written, `lacks` texts that must not; `matches` are
regular expressions that must be found, `^` and `$` being the ends of a line. Ask for a whole line
with `matches`: the text `PORT=80` also occurs in `#PORT=8080`. `executable` asks for a permission to
execute, for anyone. `not_empty: false` accepts a file without a byte or a directory without an entry.
`mode` is four octal digits in quotes, `owner` a user's name. `max_age_s` is the age of a file since
it was last written, or of the newest entry of a directory; a date in the future is red as well.

The texts are looked for on the host and only their line numbers leave it: what the file says may be
secret. A file of more than 1 MiB, or one that is no UTF-8 text, cannot be looked into, and neither
can a folder that is closed to the user who looks: that is never taken for a missing file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field

from verifier.checks._pattern import refuse_bad_patterns
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_MAX_BYTES = 1_048_576
_TEXTS = ("contains", "lacks", "matches")
_CLOCKS_DIFFER_S = 120  # a file server's clock may be a little ahead of the host's


@dataclass(frozen=True, slots=True)
class Params:
    path: Annotated[str, Field(min_length=1)]
    exists: bool = True
    kind: Literal["file", "directory", "any"] = "any"
    contains: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    matches: tuple[str, ...] = ()
    executable: bool = False
    not_empty: bool = True
    mode: Annotated[str, Field(pattern="^([0-7]{4})?$")] = ""
    owner: str = ""
    max_age_s: Annotated[int, Field(gt=0)] | None = None

    def __post_init__(self) -> None:
        texts = bool(self.contains or self.lacks or self.matches)
        more = texts or self.executable or self.mode or self.owner or self.kind != "any"
        if not self.exists and (more or self.max_age_s is not None):
            raise ValueError("`exists: false` stands alone: nothing else is true of a missing file")
        if texts and self.kind == "directory":
            raise ValueError("contains, lacks and matches ask for a file, and kind says directory")
        if not all((*self.contains, *self.lacks)):
            raise ValueError("an empty text in contains or lacks occurs in any file")
        refuse_bad_patterns("matches", self.matches)


@dataclass(frozen=True, slots=True)
class Seen:
    """`kind` is "" when nothing is there and `link to nothing` for a link that leads nowhere.
    `entries` counts the bytes of a file (bounded) or the entries of a directory; -1 is neither.
    The last three hold, for each text asked for, the line it was first found in; 0 is nowhere.
    """

    kind: str = ""
    mode: str = ""
    owner: str = ""
    entries: int = -1
    age_s: int | None = None
    contains: tuple[int, ...] = ()
    lacks: tuple[int, ...] = ()
    matches: tuple[int, ...] = ()


def observe(host: Host, want: Params) -> Seen:
    asked = {
        "path": want.path,
        "dated": want.max_age_s is not None,
        "contains": want.contains,
        "lacks": want.lacks,
        "matches": want.matches,
        "max_bytes": _MAX_BYTES,
    }
    printed = ask(host, "python3 -I -c %s %s", _PROGRAM, json.dumps(asked))
    try:
        raw = json.loads(printed)
        for name in _TEXTS:
            raw[name] = tuple(raw[name])
        seen = Seen(**raw)
    except (KeyError, TypeError, ValueError) as error:
        raise CannotObserve("the program on the host printed something else") from error
    if seen.kind == "file" and any(len(getattr(seen, n)) != len(getattr(want, n)) for n in _TEXTS):
        raise CannotObserve("not every text was looked for")
    return seen


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if not want.exists:
        there = f"a {seen.kind}"
        return [Mismatch(want.path, "nothing there", there)] if seen.kind else []
    if seen.kind in ("", "link to nothing"):
        saw = "a symbolic link to nothing" if seen.kind else "no such file or directory"
        return [Mismatch(want.path, "to be there" if want.kind == "any" else _a(want.kind), saw)]
    texts = want.contains or want.lacks or want.matches
    kind = "file" if texts else want.kind
    if kind not in ("any", seen.kind):
        return [Mismatch(want.path, _a(kind), _a(seen.kind))]
    return [*_judge_state(want, seen), *_judge_texts(want, seen), *_judge_age(want, seen)]


def _impossible(want: Params) -> Params:
    if not want.exists:
        return replace(want, path="/")
    if want.contains or want.lacks or want.matches:
        return replace(want, contains=(*want.contains, "verifier-no-such-text"))
    return replace(want, owner="verifier-no-such-user")


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _a(kind: str) -> str:
    return f"a {kind}"


def _judge_state(want: Params, seen: Seen) -> list[Mismatch]:
    found = []
    if want.not_empty and seen.entries == 0:
        wanted = "a file that is not empty" if seen.kind == "file" else "a directory with entries"
        found.append(Mismatch(want.path, wanted, "an empty one"))
    if want.executable and not int(seen.mode, 8) & 0o111:
        found.append(Mismatch(want.path, "executable", f"mode {seen.mode}"))
    if want.mode and seen.mode != want.mode:
        found.append(Mismatch(f"mode of {want.path}", want.mode, seen.mode))
    if want.owner and seen.owner != want.owner:
        found.append(Mismatch(f"owner of {want.path}", want.owner, seen.owner))
    return found


def _judge_texts(want: Params, seen: Seen) -> list[Mismatch]:
    absent = [
        Mismatch(want.path, f"to contain '{text}'", "no such text")
        for text, line in zip(want.contains, seen.contains, strict=True)
        if not line
    ]
    unmatched = [
        Mismatch(want.path, f"to match /{pattern}/", "no match")
        for pattern, line in zip(want.matches, seen.matches, strict=True)
        if not line
    ]
    present = [
        Mismatch(want.path, f"not to contain '{text}'", f"it in line {line}")
        for text, line in zip(want.lacks, seen.lacks, strict=True)
        if line
    ]
    return [*absent, *unmatched, *present]


def _judge_age(want: Params, seen: Seen) -> list[Mismatch]:
    if want.max_age_s is None:
        return []
    what = f"newest entry of {want.path}" if seen.kind == "directory" else want.path
    wanted = f"at most {want.max_age_s} s old"
    if seen.age_s is None:
        return [Mismatch(what, wanted, "nothing that has an age")]
    if seen.age_s < -_CLOCKS_DIFFER_S:
        return [Mismatch(what, wanted, f"a date {-seen.age_s} s in the future")]
    return [Mismatch(what, wanted, f"{seen.age_s} s")] if seen.age_s > want.max_age_s else []


_PROGRAM = """
import json, os, pwd, re, stat, sys, time

want = json.loads(sys.argv[1])
path = want["path"]
seen = {"contains": [], "lacks": [], "matches": []}

def fail(text):
    sys.stderr.write(path + ": " + text + "\\n")
    sys.exit(1)

def kind_of(mode):
    kinds = ((stat.S_ISREG, "file"), (stat.S_ISDIR, "directory"), (stat.S_ISFIFO, "pipe"),
             (stat.S_ISSOCK, "socket"), (stat.S_ISCHR, "device"), (stat.S_ISBLK, "device"))
    return next((name for is_it, name in kinds if is_it(mode)), "thing of no known kind")

def owner_of(uid):
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return "user %d without a name" % uid

def directory():
    names = os.listdir(path)
    seen["entries"] = len(names)
    if want["dated"] and names:
        newest = max(os.lstat(os.path.join(path, name)).st_mtime for name in names)
        seen["age_s"] = int(time.time() - newest)

def file(state):
    if want["dated"]:
        seen["age_s"] = int(time.time() - state.st_mtime)
    seen["entries"] = state.st_size
    if want["contains"] or want["lacks"] or want["matches"]:
        texts()
    elif state.st_size == 0 and path.startswith(("/proc/", "/sys/")):
        with open(path, "rb") as opened:
            seen["entries"] = len(opened.read(1))

def texts():
    with open(path, "rb") as opened:
        raw = opened.read(want["max_bytes"] + 1)
    if len(raw) > want["max_bytes"]:
        fail("more than %d bytes, too much to look into" % want["max_bytes"])
    if b"\\0" in raw:
        fail("is no text, it holds NUL bytes")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        fail("is no UTF-8 text")
    seen["entries"] = len(raw)
    line_at = lambda place: text.count("\\n", 0, place) + 1 if place >= 0 else 0
    for name in ("contains", "lacks"):
        seen[name] = [line_at(text.find(wanted)) for wanted in want[name]]
    for pattern in want["matches"]:
        match = re.search(pattern, text, re.MULTILINE)
        seen["matches"].append(line_at(match.start() if match else -1))

try:
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        seen["kind"] = ""
    else:
        try:
            state = os.stat(path)
        except FileNotFoundError:
            seen["kind"] = "link to nothing"
        else:
            seen.update(kind=kind_of(state.st_mode), owner=owner_of(state.st_uid),
                        mode="%04o" % stat.S_IMODE(state.st_mode))
            if seen["kind"] == "directory":
                directory()
            elif seen["kind"] == "file":
                file(state)
    print(json.dumps(seen))
except OSError as error:
    fail(error.strerror or str(error))
except re.error as error:
    fail("the host's Python does not understand a pattern: %s" % error)
"""
