"""Environment files (`KEY=value` lines): a strict reader that finds everything two readers could
understand differently. Values stay in memory: a complaint names the line and the key, never what
stands behind the `=`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from verifier.checks.base import Host, ask
from verifier.errors import CannotObserve

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Invisible or line-breaking characters that only some readers treat as blanks or line ends.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\x85\xa0\u200b-\u200f\u2028-\u202e\ufeff]")


@dataclass(frozen=True)
class Entry:
    """One `KEY=value` line; `value` is what the writer meant by it, quotes around the whole taken
    off.
    """

    key: str
    line: int
    value: str = field(repr=False)


@dataclass(frozen=True)
class EnvFile:
    """What stands in an environment file, and whatever in it is not the one canonical form."""

    entries: tuple[Entry, ...]
    complaints: tuple[str, ...]

    @property
    def values(self) -> dict[str, str]:
        """Key -> value; the last of two equal keys counts, as in every reader."""
        return {entry.key: entry.value for entry in self.entries}


def read_env(host: Host, path: str) -> EnvFile:
    """The environment file at `path` on the host. CannotObserve when it cannot be read or has no
    key at all.
    """
    env = parse_env(ask(host, "cat -- %s", path))
    if not env.entries:
        raise CannotObserve(f"{path} has no KEY=value line")
    return env


def parse_env(text: str) -> EnvFile:
    """The text of an environment file. Never raises: what is not understood is a complaint."""
    complaints = _about_the_whole(text)
    if "\0" in text:
        return EnvFile((), tuple(complaints))
    entries: list[Entry] = []
    first: dict[str, int] = {}
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        entry, said = _read_line(line.removesuffix("\r"), number)
        complaints += [f"line {number}: {words}" for words in said]
        if entry and entry.key in first:
            complaints.append(
                f"line {number}: {entry.key} stands already in line {first[entry.key]}"
            )
        if entry:
            first.setdefault(entry.key, number)
            entries.append(entry)
    return EnvFile(tuple(entries), tuple(complaints))


def whole_number(text: str) -> int | None:
    """`text` as a whole number of at least 0 in plain digits, or None."""
    return int(text) if re.fullmatch(r"[0-9]{1,12}", text) else None


def _about_the_whole(text: str) -> list[str]:
    if "\0" in text:
        return ["the file is UTF-16 or binary: save it as UTF-8"]
    found = []
    if text.startswith("\ufeff"):
        found.append("line 1: a byte order mark stands before the first key")
    if "\ufffd" in text:
        line = text[: text.index("\ufffd")].count("\n") + 1
        found.append(f"line {line}: is not UTF-8")
    if "\r" in text:
        line = text[: text.index("\r")].count("\n") + 1
        found.append(f"line {line}: carriage return (CRLF line ends): save it with LF line ends")
    if text and not text.endswith("\n"):
        found.append(f"line {text.count(chr(10)) + 1}: no line end after the last line")
    return found


def _read_line(line: str, number: int) -> tuple[Entry | None, list[str]]:
    stripped = line.strip()
    if not stripped or stripped.startswith("#"):
        return None, []
    name, equals, raw = stripped.partition("=")
    said = ["blanks before the key"] if line[:1].isspace() else []
    if re.match(r"export\s", name):
        said.append("`export` is the shell's word and not part of an environment file")
        name = name[6:].lstrip()
    key = name.rstrip()
    if not equals or not _KEY.fullmatch(key):
        # Not shown: it may be the second line of a secret.
        return None, [*said, "is neither KEY=value nor a comment"]
    if key != name or raw != raw.lstrip():
        said.append(f"{key}: blanks around `=`")
    if line != line.rstrip():
        said.append(f"{key}: blanks after the value")
    value, about = _read_value(raw.strip())
    return Entry(key, number, value), [*said, *(f"{key}: {words}" for words in about)]


def _read_value(raw: str) -> tuple[str, list[str]]:
    said = ["holds an invisible character"] if _UNSEEN.search(raw) else []
    inner = raw[1:-1]
    if len(raw) > 1 and raw[0] == raw[-1] == "'":
        if "'" in inner or "\\" in inner:
            said.append("a quote or backslash inside single quotes is read differently")
        return inner, said
    if len(raw) > 1 and raw[0] == raw[-1] == '"':
        said.append("double quotes: readers differ in what they change inside them")
        return inner, said
    return raw.partition(" #")[0].rstrip(), [*said, *_about_plain(raw)]


def _about_plain(raw: str) -> list[str]:
    said = []
    if "'" in raw or '"' in raw:
        said.append("a quote that does not surround the whole value")
    if "$" in raw:
        said.append("`$` starts a variable: compose would put another value in its place")
    if raw.startswith("#") or re.search(r"\s#", raw):
        said.append("`#` starts a comment: what follows is cut off")
    if "\\" in raw:
        said.append("a backslash is read differently by different readers")
    return said
