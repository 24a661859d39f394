"""Schedule: the systemd units or the cron file that run duties at their times, and the reading of
such files: which of their lines really run a duty. Writes only files of its own; starts nothing.
"""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from verifier.duty import Duty, record_name
from verifier.errors import GuardRefused, UsageError

_MARK = "# Written by `verifier duty schedule`"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_WEEKDAYS = {"Mon": 1, "Tue": 2, "Wed": 3, "Thu": 4, "Fri": 5, "Sat": 6, "Sun": 0}


@dataclass(frozen=True, slots=True)
class Job:
    """A duty and how it is run: `command` in the folder `project` as `user`."""

    name: str
    duty: Duty
    inventory: str
    project: Path
    command: tuple[str, ...]
    user: str


def systemd_units(job: Job) -> dict[str, str]:
    """A service and the timer that starts it, by file name."""
    unit = f"verifier-duty-{job.name}"
    what = _percent(f"verifier: {job.duty.title} ({record_name(job.inventory)})")
    return {
        f"{unit}.service": _SERVICE.format(
            mark=_mark(job),
            what=what,
            user=job.user,
            project=_percent(str(job.project)),
            writes=_systemd_word(str(job.project)),
            command=" ".join(map(_systemd_word, job.command)),
        ),
        f"{unit}.timer": _TIMER.format(mark=_mark(job), what=what, calendar=on_calendar(job.duty)),
    }


def cron_file(jobs: Sequence[Job]) -> dict[str, str]:
    """One file for /etc/cron.d with a line for each job. Cron reads no file with a dot in its name."""
    name = f"verifier-duties-{re.sub(r'[^A-Za-z0-9_-]', '-', record_name(jobs[0].inventory))}"
    lines = [_mark(jobs[0]), f"PATH={_PATH}"]
    for job in jobs:
        folder, words = shlex.quote(str(job.project)), " ".join(map(shlex.quote, job.command))
        command = f"cd {folder} && {words}".replace("%", r"\%")  # a bare % ends the command
        lines += [f"# {job.duty.title}", f"{cron_fields(job.duty)} {job.user} {command}"]
    return {name: "\n".join(lines) + "\n"}


def on_calendar(duty: Duty) -> str:
    """The time of a duty as systemd's OnCalendar, in the machine's time zone."""
    time = f"{duty.at}:00"
    day = f"{duty.day or 1:02}"
    return {
        "day": f"*-*-* {time}",
        "week": f"{duty.weekday or 'Mon'} *-*-* {time}",
        "month": f"*-*-{day} {time}",
        "quarter": f"*-01,04,07,10-{day} {time}",
        "year": f"*-{duty.month or 1:02}-{day} {time}",
    }[duty.every]


def cron_fields(duty: Duty) -> str:
    """The same as cron's five fields."""
    hour, minute = map(int, duty.at.split(":"))
    day = duty.day or 1
    return {
        "day": f"{minute} {hour} * * *",
        "week": f"{minute} {hour} * * {_WEEKDAYS[duty.weekday or 'Mon']}",
        "month": f"{minute} {hour} {day} * *",
        "quarter": f"{minute} {hour} {day} 1,4,7,10 *",
        "year": f"{minute} {hour} {day} {duty.month or 1} *",
    }[duty.every]


def write_schedule(folder: Path, files: Mapping[str, str]) -> tuple[Path, ...]:
    """Writes the files, each whole or not at all. GuardRefused when one stands there that was not
    written for the same project and inventory; nothing is written then.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            _refuse_foreign(folder / name, text.splitlines()[0])
        return tuple(_write(folder / name, text) for name, text in files.items())
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where=str(folder)) from error


@dataclass(frozen=True, slots=True)
class File:
    """A file that may hold a schedule: those of its lines that matter, numbered from 1; of a timer
    also those of its service.
    """

    path: str
    lines: tuple[tuple[int, str], ...]
    service: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """Where a duty is scheduled, and where it stands without being run."""

    jobs: tuple[str, ...]
    disabled: tuple[str, ...]


def find_jobs(files: Iterable[File], name: str, inventory: str) -> Found:
    """The jobs that run `verifier duty run <name>` on the inventory."""
    found = [one for file in files for one in _jobs_of(file, name, inventory)]
    return Found(
        tuple(place for place, why in found if not why),
        tuple(f"{place}: {why}" for place, why in found if why),
    )


_SERVICE = """{mark}
[Unit]
Description={what}
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
User={user}
WorkingDirectory={project}
ExecStart={command}
TimeoutStartSec=3h
UMask=0077
NoNewPrivileges=true
PrivateTmp=true
ProtectSystem=full
ReadWritePaths={writes}
ProtectControlGroups=true
ProtectKernelModules=true
ProtectKernelTunables=true
RestrictSUIDSGID=true
LockPersonality=true
"""

_TIMER = """{mark}
[Unit]
Description={what}

[Timer]
OnCalendar={calendar}
Persistent=true

[Install]
WantedBy=timers.target
"""


def _mark(job: Job) -> str:
    return f"{_MARK} for {record_name(job.inventory)} of {job.project}"


def _percent(text: str) -> str:
    return text.replace("%", "%%")


def _systemd_word(word: str) -> str:
    word = _percent(word).replace("$", "$$")
    if re.fullmatch(r"[\w@%+=:,./$-]+", word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _refuse_foreign(path: Path, mark: str) -> None:
    if not path.exists() and not path.is_symlink():
        return
    first = path.read_bytes()[:4096].decode(errors="replace").splitlines()[:1]
    if first != [mark]:
        raise GuardRefused(
            "was not written by this command for this project and inventory",
            where=str(path),
            do="move it away, or write to another folder",
        )


def _write(path: Path, text: str) -> Path:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")  # cron reads no such name
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


_FIELD = r"[\d*~][\d*/,~-]*"
_MONTH = rf"(?:{_FIELD}|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|[\d,/-])+)"
_DAY = rf"(?:{_FIELD}|(?:sun|mon|tue|wed|thu|fri|sat|[\d,/-])+)"
_CRON_LINE = re.compile(
    rf"\s*(?:@(?!reboot)[a-z]+|(?:{_FIELD}\s+){{3}}{_MONTH}\s+{_DAY})\s+(\S.*)", re.IGNORECASE
)
_TRIGGER = re.compile(r"On(Calendar|\w+Sec)\s*=\s*\S")
_COMMAND = re.compile(r"ExecStart\s*=\s*[-@:+!|]*(.*)")
_DOES_NOTHING = frozenset({"echo", "printf", "true", "false", ":"})


def _jobs_of(file: File, name: str, inventory: str) -> Iterator[tuple[str, str]]:
    if file.path.endswith(".service"):
        return  # runs when something starts it; its timer says when
    if file.path.endswith(".timer"):
        yield from _timer_jobs(file, name, inventory)
        return
    for number, line in file.lines:
        bare = line.lstrip("# \t")
        entry = _CRON_LINE.fullmatch(bare)
        if not entry:
            continue
        command = re.split(r"(?<!\\)%", entry[1])[0].replace(r"\%", "%")
        if _runs(command, name, inventory):
            why = "" if bare == line.lstrip() else "a comment"
            yield f"{file.path}:{number}", why


def _timer_jobs(file: File, name: str, inventory: str) -> Iterator[tuple[str, str]]:
    commands = [m[1] for _, line in file.service if (m := _COMMAND.fullmatch(line.strip()))]
    if not any(_runs(c.replace("%%", "%").replace("$$", "$"), name, inventory) for c in commands):
        return
    triggers = [line for _, line in file.lines if _TRIGGER.match(line.strip())]
    yield file.path, "" if triggers else "the timer names no time"


def _runs(command: str, name: str, inventory: str) -> bool:
    """Whether a command line runs the duty, on this inventory."""
    for words in _commands(command):
        places = [
            at
            for at, word in enumerate(words[:-3])
            if Path(word).name == "verifier" and words[at + 1 : at + 4] == ["duty", "run", name]
        ]
        if places and not _DOES_NOTHING & {Path(word).name for word in words[: places[0]]}:
            return _inventory_of(words[places[0] + 4 :]) == inventory
    return False


def _commands(line: str) -> Iterator[list[str]]:
    """The simple commands of a shell line, as words; none of a line that is no such thing."""
    reader = shlex.shlex(line, posix=True, punctuation_chars="();<>|&")
    reader.whitespace_split = True
    try:
        words = list(reader)
    except ValueError:
        return
    simple: list[str] = []
    for word in (*words, ";"):
        if word and not set(word) <= set("();|&"):
            simple.append(word)
        elif simple:
            yield simple
            simple = []


def _inventory_of(words: Sequence[str]) -> str:
    for at, word in enumerate(words):
        flag, equals, value = word.partition("=")
        if flag in ("--inventory", "-i"):
            return record_name(value if equals else "".join(words[at + 1 : at + 2]))
    return ""
