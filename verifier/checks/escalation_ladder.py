"""Who is called, how, and after how long, is defined without a gap.

    - id: escalation-is-defined
      check: escalation_ladder
      from: controller
      with:
        path: docs/contacts.md
        levels: [L1, L2, L3]
        after_min: {L1: 0, L2: 15, L3: 30}

`path` is a Markdown file (.md) with a table, or a YAML file (.yml) with a list below `levels`. Its
columns, or keys, are the level (`level`, `단계`), who (`role`, `name`, `who`, `team`, `담당`), the
channel (`channel`, `contact`, `reached`, `연락`) and the delay (`after`, `delay`, `시점`, `시간`), such
as `at once`, `즉시`, `15 min`, `15분` or `1 h`; a bare number is minutes.

Red: no such file, no such table, a level missing or there twice, one without somebody, without a
channel that leads somewhere (an address, a number, a `#channel`, a URL) or without a delay, what was
left to be filled in (`TBD`, `?`, `-`, `미정`, `홍길동`, an address at an example domain), a delay that is
not longer than the one of the level before, or not the one of `after_min`. Whether somebody answers
there, it cannot see.
"""

from __future__ import annotations

import dataclasses
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from verifier.checks.base import Check, Host, Mismatch
from verifier.document import parse_yaml
from verifier.errors import CannotObserve, DocumentError

_MAX_BYTES = 500_000
_COLUMNS = {
    "level": r"\blevel\b|단계|등급",
    "who": r"\b(role|name|who|team|person)\b|담당|역할|이름",
    "channel": r"\b(channel|contact|reached|phone|mail|e-mail)\b|연락|채널",
    "after": r"\b(after|delay|when|within)\b|after_min|시점|시간|지연",
}
_LEFT = re.compile(
    r"(?i)^$|^[-?\u2013\u2014_.\s]+$|\b(tbd|todo|fixme|n/?a|none|unknown|your[-_ ]?\w*|john doe|jane doe)\b"
    r"|미정|추후|작성 ?예정|없음|홍길동|<[^>@:]+>|x{3,}|000-?0{3,}|[@.]example\b|[@/]example\.(com|org|net)\b"
)
_LEADS = re.compile(r"[^\s@]+@[^\s@]+\.\w+|#[\w-]{2,}|\w+://\S+|(?:\d[\s()./-]?){4,}")
_AT_ONCE = re.compile(r"(?i)\b(at once|immediate(ly)?|now|instant(ly)?)\b|즉시|바로")
_TIME = re.compile(
    r"(?i)(\d+(?:\.\d+)?)\s*(minutes?|mins?|m\b|분|hours?|h\b|시간|seconds?|s\b|초)?"
)


@dataclass(frozen=True, slots=True)
class Params:
    path: Annotated[str, Field(min_length=1)]
    levels: Annotated[tuple[str, ...], Field(min_length=2)] = ("L1", "L2", "L3")
    after_min: Mapping[str, Annotated[float, Field(ge=0)]] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if posixpath.splitext(self.path)[1].lower() not in (".md", ".markdown", ".yml", ".yaml"):
            raise ValueError("path: a Markdown (.md) or YAML (.yml) file")
        if odd := sorted(set(self.after_min) - set(self.levels)):
            raise ValueError(f"after_min: '{odd[0]}' is none of levels")


@dataclass(frozen=True, slots=True)
class Rung:
    """One level as it is written; `after_min` is None where no time is understood."""

    level: str
    who: str
    channel: str
    after: str
    after_min: float | None


@dataclass(frozen=True, slots=True)
class Seen:
    """`wrong` says why there are no rungs."""

    rungs: tuple[Rung, ...]
    wrong: str = ""


def observe(host: Host, want: Params) -> Seen:
    read = host.run("LC_ALL=C head -c %s %s", str(_MAX_BYTES), want.path)
    if read.rc != 0 and "No such file" in read.stderr:
        return Seen((), "no such file")
    if read.rc != 0:
        raise CannotObserve(f"{want.path}: {read.stderr.strip()[:200]}")
    is_yaml = want.path.lower().endswith((".yml", ".yaml"))
    try:
        rows = list(_rows_of_yaml(read.stdout) if is_yaml else _rows_of_table(read.stdout))
    except DocumentError as error:
        return Seen((), str(error))
    if not rows:
        what = "no list below 'levels'" if is_yaml else "no table with a column for each"
        return Seen((), f"{what}: level, who, channel, after")
    return Seen(tuple(_rung(row) for row in rows))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if not seen.rungs:
        wanted = f"who is called at {', '.join(want.levels)}"
        return [Mismatch(want.path, wanted, seen.wrong or "nothing")]
    found: list[Mismatch] = []
    before: tuple[str, float] | None = None
    for level in want.levels:
        fitting = [rung for rung in seen.rungs if _is_level(rung, level)]
        if len(fitting) != 1:
            saw = f"{len(fitting)} of them" if fitting else "no such level"
            found.append(Mismatch(f"{want.path} {level}", "one line", saw))
            continue
        found += _judge_rung(want, fitting[0], level)
        delay = fitting[0].after_min
        if before and delay is not None and delay <= before[1]:
            wanted = f"later than {before[0]} ({before[1]:g} min)"
            found.append(Mismatch(f"{want.path} {level} after", wanted, f"{delay:g} min"))
        before = (level, delay) if delay is not None else before
    return found


def _impossible(want: Params) -> Params:
    return replace(want, levels=(*want.levels, "verifier-no-such-level"))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _is_level(rung: Rung, level: str) -> bool:
    return re.search(rf"(?i)(?<!\w){re.escape(level)}(?!\w)", rung.level) is not None


def _judge_rung(want: Params, rung: Rung, level: str) -> Iterator[Mismatch]:
    what = f"{want.path} {level}"
    if _LEFT.search(rung.who):
        yield Mismatch(f"{what} who", "a role, a team or a name", f"'{rung.who}'")
    if _LEFT.search(rung.channel) or not _LEADS.search(rung.channel):
        wanted = "an address, a number, a #channel or a URL"
        yield Mismatch(f"{what} channel", wanted, f"'{rung.channel}'")
    if rung.after_min is None:
        yield Mismatch(f"{what} after", "a time, such as 15 min", f"'{rung.after}'")
    elif level in want.after_min and rung.after_min != want.after_min[level]:
        wanted = f"{want.after_min[level]:g} min"
        yield Mismatch(f"{what} after", wanted, f"{rung.after_min:g} min")


def _rung(row: Mapping[str, str]) -> Rung:
    after = row["after"]
    return Rung(row["level"], row["who"], row["channel"], after, _minutes(after))


def _minutes(text: str) -> float | None:
    if _AT_ONCE.search(text):
        return 0
    match = _TIME.search(text)
    if not match:
        return None
    unit = (match[2] or "m").lower()
    scale = 60 if unit[0] == "h" or unit == "시간" else 1 / 60 if unit[0] in "s초" else 1
    return float(match[1]) * scale


def _column(title: str) -> str:
    return next((name for name, words in _COLUMNS.items() if re.search(rf"(?i){words}", title)), "")


def _rows_of_yaml(text: str) -> Iterator[dict[str, str]]:
    whole = parse_yaml(text, where="contacts")
    listed = whole.get("levels") if isinstance(whole, Mapping) else None
    for entry in listed if isinstance(listed, list) else []:
        if isinstance(entry, Mapping):
            named = {_column(str(key)): str(value) for key, value in entry.items()}
            yield {name: named.get(name, "") for name in _COLUMNS}


def _rows_of_table(text: str) -> Iterator[dict[str, str]]:
    """The rows of every table that has a column for each of level, who, channel and after."""
    columns: list[str] = []
    for line in text.splitlines():
        if not line.lstrip().startswith("|"):
            columns = []
            continue
        cells = [cell.strip().strip("`*") for cell in line.strip().strip("|").split("|")]
        if not columns:
            columns = [_column(cell) for cell in cells]
        elif set(_COLUMNS) <= set(columns) and not all(re.fullmatch(r":?-+:?", c) for c in cells):
            named = dict(zip(columns, cells, strict=False))
            yield {name: named.get(name, "") for name in _COLUMNS}
