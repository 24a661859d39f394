"""A duty is done as often as it must be, and its next run is scheduled.

    - id: restore-is-tested
      check: duty
      with:
        name: quarterly
        every: quarter
        record: .verifier/duties/prod.jsonl
        schedule: [/etc/cron.d/*, /etc/systemd/system/verifier-duty-*.timer]
      from: controller

`record` is what `verifier duty run` writes: one line for each run, in a file named after the
inventory. Red when the duty never succeeded; when its last success is older than one period (`every`:
`day`, `week`, `month`, `quarter` or `year`, by the calendar, in UTC) and `grace_s`, by default 6
hours, 1, 3, 7 or 14 days; when a later run failed; and when no file of `schedule` runs it again. A
success is a run of the whole duty with an open gate: one with `--limit`, or one that ended in the
future, is none. Lines of the record that are damaged count for nothing, and are named.

A file of `schedule` is a cron file, or a systemd timer whose service lies beside it, and it must run
`verifier duty run <name>`, the name right behind `run`, with the inventory of the record. What is
commented out, `@reboot`, a service without a timer, and a timer without a time are no schedule. Of
these files only lines about duties and times are looked at.

A record or a schedule that is there and cannot be read is no verdict. It does not see whether cron
or systemd takes the file up (ask `cron_job`), nor whether the times in it are often enough: that
shows when the duty becomes overdue. It needs python3 where it looks.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import Field

from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.duty import GRACE, NAME, DutyRun, Every, is_overdue, next_due, read_record, stand
from verifier.errors import CannotObserve
from verifier.schedule import File, Found, find_jobs


@dataclass(frozen=True, slots=True)
class Params:
    name: Annotated[str, Field(pattern=f"^{NAME}$")]
    every: Every
    record: Annotated[str, Field(pattern=r"\.jsonl$")]
    schedule: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
    grace_s: Annotated[float, Field(ge=0)] | None = None

    @property
    def inventory(self) -> str:
        return PurePosixPath(self.record).stem

    @property
    def command(self) -> str:
        return f"verifier duty run {self.name} --inventory {self.inventory}"


@dataclass(frozen=True, slots=True)
class Seen:
    """`success` is the last one, `failure` a later run that failed. `jobs` and `disabled` are places
    of the schedule, `files` is how many there were to look in.
    """

    now: dt.datetime
    recorded: bool
    runs: int
    success: DutyRun | None
    failure: DutyRun | None
    torn: tuple[int, ...]
    jobs: tuple[str, ...]
    disabled: tuple[str, ...]
    files: int


def observe(host: Host, want: Params) -> Seen:
    printed = ask(
        host,
        "python3 -I -c %s %s %s %s",
        _PROGRAM,
        want.name,
        want.record,
        json.dumps(want.schedule),
    )
    try:
        raw = json.loads(printed)
        now = dt.datetime.fromtimestamp(float(raw["now"]), dt.UTC)
        lines = [(int(number), str(line)) for number, line in raw["lines"]]
        torn = [int(number) for number in raw["torn"]]
        files = [_file(one) for one in raw["files"]]
        unread = [str(one) for one in raw["unread"]]
        recorded, whole = bool(raw["recorded"]), int(raw["whole"])
    except (KeyError, TypeError, ValueError) as error:
        raise CannotObserve("the program on the host printed something else") from error
    record = read_record(line for _, line in lines)
    torn += [lines[at - 1][0] for at in record.torn]
    if torn and whole <= len(record.torn):
        raise CannotObserve(f"{want.record}: no line of it can be read")
    standing = stand(want.name, want.every, record.runs, now)
    found = _scheduled(want, files, unread)
    return Seen(
        now, recorded, len(record.runs), standing.success, standing.failure, tuple(sorted(torn)),
        found.jobs, found.disabled, len(files),
    )  # fmt: skip


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    found = []
    if is_overdue(want.every, seen.success, seen.now, _grace(want)):
        found.append(_overdue(want, seen))
    if seen.failure:
        since = f" after the success of {_time(seen.success.finished_at)}" if seen.success else ""
        found.append(
            Mismatch(
                f"latest run of duty {want.name}",
                "an open gate",
                f"failed on {_time(seen.failure.finished_at)}{since}: {_words(seen.failure)}",
            )
        )
    if not seen.jobs:
        found.append(_unscheduled(want, seen))
    return found


def _impossible(want: Params) -> Params:
    return replace(want, name="verifier-no-such-thing")


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _file(raw: dict[str, list[tuple[int, str]]]) -> File:
    def lines(key: str) -> tuple[tuple[int, str], ...]:
        return tuple((int(number), str(line)) for number, line in raw[key])

    return File(str(raw["path"]), lines("lines"), lines("service"))


def _scheduled(want: Params, files: list[File], unread: list[str]) -> Found:
    found = find_jobs(files, want.name, want.inventory)
    if unread and not found.jobs:  # the job may stand in what was not read
        raise CannotObserve(f"not all of the schedule can be read: {'; '.join(unread)}")
    return found


def _grace(want: Params) -> dt.timedelta:
    return GRACE[want.every] if want.grace_s is None else dt.timedelta(seconds=want.grace_s)


def _overdue(want: Params, seen: Seen) -> Mismatch:
    damaged = (
        f"; damaged lines in the record: {', '.join(map(str, seen.torn))}" if seen.torn else ""
    )
    advice = f"{damaged} (`{want.command}`)"
    what, wanted = f"duty {want.name}", f"a success every {want.every}"
    if not seen.recorded:
        return Mismatch(what, wanted, f"none ever: there is no {want.record}{advice}")
    if seen.success is None:
        return Mismatch(what, wanted, f"none ever, runs recorded: {seen.runs}{advice}")
    due = next_due(want.every, seen.success, seen.now)
    last = f"the last one on {_time(seen.success.finished_at)} (run {seen.success.run})"
    return Mismatch(what, wanted, f"{last}, overdue since {_time(due)}{advice}")


def _unscheduled(want: Params, seen: Seen) -> Mismatch:
    what, wanted = f"next run of duty {want.name}", f"a job that runs `{want.command}`"
    if seen.disabled:
        return Mismatch(what, wanted, f"only what does not run: {', '.join(seen.disabled)}")
    where = ", ".join(want.schedule)
    saw = f"none in {seen.files} files ({where})" if seen.files else f"no file at {where}"
    return Mismatch(what, wanted, f"{saw}; see `verifier duty schedule`")


def _words(run: DutyRun) -> str:
    name = f", `verifier report --run {run.run}`" if run.run else ", before it looked"
    return f"gate {run.verdict}, exit {run.exit_code}{name}"


def _time(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M UTC")


_PROGRAM = r"""
import glob, json, os, re, sys, time

name, record, patterns = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
MOST = 2000
lines, torn, files, unread, whole, recorded = [], [], [], [], 0, True

def text_of(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read(262144)

def wanted(path):
    # Other jobs in these files are nobody's business.
    unit = path.endswith((".timer", ".service"))
    keep = re.compile(r"\s*(\[|On\w+\s*=|Unit\s*=|ExecStart\s*=.*\bduty\b)" if unit
                      else r".*\bduty\s+run\b")
    text = text_of(path)
    if unit:
        text = re.sub(r"\\\n\s*", " ", text)
    return [[number, line] for number, line in enumerate(text.splitlines(), 1) if keep.match(line)]

def service_of(path, found):
    named = [line.split("=", 1)[1].strip() for _, line in found if re.match(r"\s*Unit\s*=", line)]
    unit = named[-1] if named else os.path.basename(path)[:-len(".timer")] + ".service"
    beside = os.path.join(os.path.dirname(path), os.path.basename(unit))
    return wanted(beside) if os.path.isfile(beside) else []

try:
    with open(record, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                duty = json.loads(line)["duty"]
            except (ValueError, TypeError, KeyError):
                torn.append(number)
                continue
            whole += 1
            if duty == name:
                lines.append([number, line.strip()])
except FileNotFoundError:
    recorded = False
except OSError as error:
    sys.stderr.write("%s: %s\n" % (record, error.strerror))
    sys.exit(1)

for pattern in patterns:
    folder = os.path.dirname(pattern) or "."
    if not glob.has_magic(folder) and os.path.isdir(folder) and not os.access(folder, os.R_OK | os.X_OK):
        unread.append("%s: Permission denied" % folder)
    for path in sorted(glob.glob(pattern)):
        try:
            if not os.path.isdir(path):
                found = wanted(path)
                service = service_of(path, found) if path.endswith(".timer") else []
                files.append({"path": path, "lines": found, "service": service})
        except OSError as error:
            unread.append("%s: %s" % (path, error.strerror))

print(json.dumps({"now": time.time(), "recorded": recorded, "whole": whole, "lines": lines[-MOST:],
                  "torn": torn, "files": files, "unread": unread}))
"""
