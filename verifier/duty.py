"""Duty: a check-up that comes back every day, week, month, quarter or year, and the record of its
runs. `duties.yml` of a project says which items each looks at; the record is one JSON line for each
run. Times are UTC. It runs nothing and knows no checklist.
"""

from __future__ import annotations

import calendar
import contextlib
import datetime as dt
import difflib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pydantic

from verifier.document import Document, from_json, from_plain, read_document, read_text, to_plain
from verifier.errors import DocumentError, InfrastructureError, UsageError

FILE = "duties.yml"
NAME = r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?"

Every = Literal["day", "week", "month", "quarter", "year"]
State = Literal["ok", "due", "overdue", "never"]
Weekday = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
Words = Annotated[
    str, pydantic.StringConstraints(strip_whitespace=True, pattern=r"^[^\r\n]*$")  # one line
]

# How long after its time a duty may be done before it counts as left undone.
GRACE: Mapping[Every, dt.timedelta] = {
    "day": dt.timedelta(hours=6),
    "week": dt.timedelta(days=1),
    "month": dt.timedelta(days=3),
    "quarter": dt.timedelta(days=7),
    "year": dt.timedelta(days=14),
}
_MONTHS: Mapping[Every, int] = {"month": 1, "quarter": 3, "year": 12}
_CLOCKS_DIFFER = dt.timedelta(minutes=5)
_MAX_RECORD_BYTES = 64 * 1024 * 1024


class Duty(Document):
    """One duty. `at`, and the day it falls on, are for its schedule; `items` are ids or source ids."""

    title: Words = pydantic.Field(min_length=1)
    title_ko: Words = ""
    every: Every
    at: str
    weekday: Weekday | None = None
    day: int | None = pydantic.Field(default=None, ge=1, le=28)  # every month has such a day
    month: int | None = pydantic.Field(default=None, ge=1, le=12)
    items: tuple[Words, ...] = pydantic.Field(min_length=1)
    load: bool = False

    @pydantic.field_validator("at", mode="before")
    @classmethod
    def _is_a_time(cls, at: object) -> object:
        # YAML reads a bare 16:30 as 990, the minutes since midnight.
        if not isinstance(at, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", at):
            raise ValueError('wants a time of day in quotes, such as "06:00"')
        return at

    @pydantic.model_validator(mode="after")
    def _falls_on_a_day_that_makes_sense(self) -> Duty:
        for key, fits in (
            ("weekday", ("week",)),
            ("day", ("month", "quarter", "year")),
            ("month", ("year",)),
        ):
            if getattr(self, key) is not None and self.every not in fits:
                raise ValueError(f"'{key}' makes no sense for a duty of every {self.every}")
        return self


Name = Annotated[str, pydantic.StringConstraints(pattern=f"^{NAME}$")]


class DutyDocument(Document):
    """`duties.yml` of a project."""

    version: Literal[1]
    duties: dict[Name, Duty] = pydantic.Field(min_length=1)


@dataclass(frozen=True, slots=True)
class DutyRun:
    """One line of the record. A run that ended before it looked has no id; one with a `limit` left
    hosts out, and is not the whole duty.
    """

    duty: str
    run: str
    started_at: pydantic.AwareDatetime
    finished_at: pydantic.AwareDatetime
    verdict: Literal["open", "closed"]
    exit_code: int
    limit: str = ""

    @property
    def is_open(self) -> bool:
        return self.verdict == "open" and self.exit_code == 0 and bool(self.run)

    @property
    def is_success(self) -> bool:
        return self.is_open and not self.limit


@dataclass(frozen=True, slots=True)
class Record:
    """What was run, oldest first as written. `torn` are the lines that cannot be read, from 1."""

    runs: tuple[DutyRun, ...] = ()
    torn: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """How a duty stands now. `success` is the last whole one, `failure` a run after it that was not
    open.
    """

    duty: str
    every: Every
    state: State
    success: DutyRun | None
    failure: DutyRun | None
    next_due: dt.datetime


def load_duties(project: Path) -> Mapping[str, Duty]:
    """The duties in `duties.yml`, by name. Raises UsageError without one, and DocumentError."""
    path = project / FILE
    stray = path.with_suffix(".yaml")
    if stray.exists():
        raise DocumentError("is not read", where=str(stray), do=f"name it {FILE}")
    if not path.exists():
        raise UsageError(
            "no duties", where=str(path), do="write it, see docs/reference/duties-file.md"
        )
    return read_document(path, DutyDocument).duties


def refuse_strangers(duties: Mapping[str, Duty], items: AbstractSet[str]) -> None:
    """UsageError for an item that no checklist has: a duty that looks at nothing proves nothing."""
    for name, duty in duties.items():
        for item in duty.items:
            if item not in items:
                near = difflib.get_close_matches(item, items, 1)
                raise UsageError(
                    f"duty '{name}' names '{item}', which is no item of any checklist",
                    where=FILE,
                    do=f"did you mean '{near[0]}'?" if near else "use its id or source id",
                )


def choose(duties: Mapping[str, Duty], names: Sequence[str]) -> Mapping[str, Duty]:
    """Those called so; all of them without a name. UsageError for a name that is none."""
    for name in names:
        if name not in duties:
            known = f"known: {', '.join(duties)}"
            raise UsageError(f"no duty '{name}'", where=FILE, do=known)
    return {name: duties[name] for name in names or duties}


def record_path(project: Path, inventory: str) -> Path:
    """Where the runs on an inventory are recorded; `inventory` may be a path."""
    return project / ".verifier" / "duties" / f"{record_name(inventory)}.jsonl"


def record_name(inventory: str) -> str:
    return re.sub(r"[^\w.-]", "_", Path(inventory).name)


def load_record(path: Path) -> Record:
    """The record in a file, empty when there is none. DocumentError when it cannot be read, or no
    line of it can.
    """
    if not path.exists():
        return Record()
    record = read_record(read_text(path, at_most=_MAX_RECORD_BYTES).splitlines())
    if record.torn and not record.runs:
        raise DocumentError(
            "no line of it can be read", where=str(path), do="move it away, and run the duties"
        )
    return record


def read_record(lines: Iterable[str]) -> Record:
    """Lines as they were written. One that was cut while it was written is named, and counts for
    nothing.
    """
    runs: list[DutyRun] = []
    torn: list[int] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            runs.append(from_plain(DutyRun, from_json(line)))
        except DocumentError:
            torn.append(number)
    return Record(tuple(runs), tuple(torn))


def append_run(path: Path, run: DutyRun) -> None:
    """Adds one line, and returns when the disk has it. InfrastructureError when it cannot."""
    line = json.dumps(to_plain(run), ensure_ascii=False) + "\n"
    try:
        _make_folders(path)
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            # What was cut off before must not take this line with it.
            start = "" if _ends_a_line(handle) else "\n"
            os.write(handle, (start + line).encode())  # one write: lines of two runs do not mix
            os.fsync(handle)
        finally:
            os.close(handle)
        _sync(path.parent)
    except OSError as error:
        raise InfrastructureError(
            f"the run cannot be recorded: {error.strerror}", where=str(path)
        ) from error


def stand(name: str, every: Every, runs: Sequence[DutyRun], now: dt.datetime) -> Standing:
    """How the duty stands at `now`, by the runs of a record. A run that ended later than now proves
    a wrong clock and nothing else.
    """
    own = [r for r in runs if r.duty == name and r.finished_at <= now + _CLOCKS_DIFFER]
    own.sort(key=lambda run: run.finished_at)
    success = last_success(own)
    later = [r for r in own if not success or r.finished_at > success.finished_at]
    failure = next((r for r in reversed(later) if not r.is_open), None)
    due = next_due(every, success, now)
    state: State = "ok" if now < due else "due"
    if is_overdue(every, success, now, GRACE[every]):
        state = "overdue" if success else "never"
    return Standing(name, every, state, success, failure, due)


def last_success(runs: Iterable[DutyRun]) -> DutyRun | None:
    """The latest whole run whose gate was open."""
    return max((r for r in runs if r.is_success), key=lambda run: run.finished_at, default=None)


def next_due(every: Every, last: DutyRun | None, now: dt.datetime) -> dt.datetime:
    """When it must be done again; at once when it never was."""
    return after(last.finished_at, every) if last else now


def is_overdue(every: Every, last: DutyRun | None, now: dt.datetime, grace: dt.timedelta) -> bool:
    """It never succeeded, or not within its period and the grace."""
    return last is None or now > after(last.finished_at, every) + grace


def after(moment: dt.datetime, every: Every) -> dt.datetime:
    """One period later, in UTC. The last day of a month that is too short stands in for its 31st."""
    utc = moment.astimezone(dt.UTC)
    if every in ("day", "week"):
        return utc + dt.timedelta(days=1 if every == "day" else 7)
    months = utc.year * 12 + (utc.month - 1) + _MONTHS[every]
    year, month = months // 12, months % 12 + 1
    return utc.replace(
        year=year, month=month, day=min(utc.day, calendar.monthrange(year, month)[1])
    )


def _make_folders(path: Path) -> None:
    home = path.parent.parent
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    ignored = home / ".gitignore"
    if not ignored.exists():
        ignored.write_text("*\n")  # as beside the runs: no source


def _ends_a_line(handle: int) -> bool:
    size = os.fstat(handle).st_size
    return size == 0 or os.pread(handle, 1, size - 1) == b"\n"


def _sync(folder: Path) -> None:
    with contextlib.suppress(OSError):  # not every file system syncs a folder
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
