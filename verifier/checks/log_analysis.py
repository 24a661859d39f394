"""Errors, slowness and attacks in the logs, grouped, counted, and compared with the window before.

    - id: errors-are-few-and-do-not-rise
      check: log_analysis
      with: {project: "{{ compose_project }}", services: [app, db], limits: {errors: 10}}
    - id: nobody-knocks
      check: log_analysis
      with:
        files: ["{{ release_dir }}/logs/app*.log"]
        limits: {security: 30, errors: null}
        window_s: 900
        max_rise: 3
        floor: 10

The lines of the last `window_s` seconds are counted by kind; one line may be of several. `errors`:
the level of a JSON line, or the first level word of any other (English and Korean). `performance`:
a duration above `slow_ms`, or words such as slow query, timeout, deadlock, out of memory, 시간 초과.
`security`: failed logins (access denied, authentication failed, 인증 실패 ...), a status of `refused`
(401 and 403), and requests that nobody makes who means well (/wp-admin, /.env, ../, <script ...).
`patterns` adds regular expressions to a kind, `ignore` takes known lines out. Lines that differ only
in numbers, times, ids and addresses are one group; the largest groups are told with their first lines.

Red: more lines of a kind in one log than `limits` allows (`null`: grouped and told, not judged); more
than `max_rise` times as many as in the window before, from `floor` lines on; a file pattern that
matches nothing; with `must_log` a service, or all of the files together, that never wrote a line.
No verdict: a log that cannot be read, a logging driver that keeps nothing, and more than `most_bytes`
of one window.

A container's log counts from its last start, or from its creation with `earlier_starts`; a log that
does not reach back over both windows has no rise, only its number. A line of a file without a time
has that of the line before it, or else of the file's last change. What a program does not log cannot
be seen: at level WARNING a scan may leave no trace.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from pydantic import Field

from verifier.checks import _log_lines
from verifier.checks._compose import Container, containers
from verifier.checks._log_lines import Asked
from verifier.checks._pattern import refuse_bad_patterns
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

Name = Literal["errors", "performance", "security"]

_PROGRAM = inspect.getsource(_log_lines) + "\non_the_host()\n"
_TOLD = 3


@dataclass(frozen=True)
class Params:
    limits: Mapping[Name, int | None]
    project: str = ""
    services: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    window_s: Annotated[int, Field(ge=1)] = 900
    max_rise: Annotated[float, Field(ge=1)] = 3.0
    floor: Annotated[int, Field(ge=1)] = 10
    slow_ms: float = 500
    refused: tuple[int, ...] = (401, 403)
    patterns: Mapping[Name, tuple[str, ...]] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    must_log: bool = True
    earlier_starts: bool = False
    most_bytes: int = 30_000_000

    def __post_init__(self) -> None:
        if all(limit is None for limit in self.limits.values()):
            raise ValueError("limits judges at least one kind")
        if not self.project and not self.files:
            raise ValueError("give a project, or files")
        if self.services and not self.project:
            raise ValueError("`services` needs the project they belong to")
        refuse_bad_patterns("ignore", self.ignore)
        for kind, patterns in self.patterns.items():
            refuse_bad_patterns(f"patterns.{kind}", patterns)


@dataclass(frozen=True)
class Group:
    """Lines that say the same: how many now and in the window before, and the first of them."""

    pattern: str
    now: int
    before: int
    first: tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """`groups` are the largest of all its `patterns`."""

    name: str
    now: int
    before: int
    patterns: int
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Log:
    """`recent` lines stand in the window; `ever` says that anything was written at all, `reaches_back`
    that both windows are in the log.
    """

    source: str
    recent: int
    ever: bool
    reaches_back: bool
    kinds: tuple[Kind, ...]


@dataclass(frozen=True)
class Seen:
    logs: tuple[Log, ...]
    unmatched: tuple[str, ...]


def observe(host: Host, want: Params) -> Seen:
    found = _containers(host, want) if want.project else ()
    if not found and not want.files:
        return Seen((), ())
    asked = Asked(
        containers=[_asked(one, earlier_starts=want.earlier_starts) for one in found],
        files=list(want.files),
        window_s=want.window_s,
        slow_ms=want.slow_ms,
        refused=list(want.refused),
        ignore=list(want.ignore),
        patterns={kind: list(patterns) for kind, patterns in want.patterns.items()},
        most_bytes=want.most_bytes,
    )
    printed = ask(host, "python3 -c %s %s", _PROGRAM, json.dumps(asked._asdict()))
    try:
        raw = json.loads(printed)
        return Seen(tuple(_log(one) for one in raw["logs"]), tuple(raw["unmatched"]))
    except (KeyError, TypeError, ValueError) as error:
        raise CannotObserve("the program on the host printed something else") from error


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    wrong = [Mismatch(pattern, "a file", "none") for pattern in seen.unmatched]
    if not seen.logs and not wrong:
        return [Mismatch(f"project {want.project}", "containers with a log", "none")]
    if want.must_log:
        wrong += _silent(want, seen)
    return wrong + [
        one for log in seen.logs for kind in log.kinds for one in _judge_kind(want, log, kind)
    ]


def _impossible(want: Params) -> Params:
    return replace(want, limits={"errors": -1, "performance": -1, "security": -1})


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _containers(host: Host, want: Params) -> tuple[Container, ...]:
    """Stopped ones too: what a program said last is in the log of its stopped container."""
    found = containers(host, want.project)
    missing = set(want.services) - {one.service for one in found}
    if missing:
        raise CannotObserve(f"no container of {', '.join(sorted(missing))}, so no log")
    return tuple(one for one in found if not want.services or one.service in want.services)


def _asked(one: Container, *, earlier_starts: bool) -> dict[str, str]:
    since = str(one.raw.get("Created") or "") if earlier_starts else one.started_at
    return {"id": one.id, "name": one.name, "since": since}


def _log(raw: Mapping[str, Any]) -> Log:
    kinds = (
        Kind(
            str(kind["name"]),
            int(kind["now"]),
            int(kind["before"]),
            int(kind["patterns"]),
            tuple(Group(**{**one, "first": tuple(one["first"])}) for one in kind["groups"]),
        )
        for kind in raw["kinds"]
    )
    return Log(raw["source"], raw["recent"], raw["ever"], raw["reaches_back"], tuple(kinds))


def _silent(want: Params, seen: Seen) -> list[Mismatch]:
    """Containers one by one; files together, as the log of the errors alone may well be empty."""
    files = [log for log in seen.logs if log.source.startswith("/")]
    silent = [log.source for log in seen.logs if log not in files and not log.ever]
    if files and not any(log.ever for log in files):
        silent.append(", ".join(want.files))
    return [Mismatch(f"log of {source}", "at least one line", "nothing") for source in silent]


def _judge_kind(want: Params, log: Log, kind: Kind) -> list[Mismatch]:
    limit = want.limits.get(kind.name)  # type: ignore[call-overload]  # its names are these
    if limit is None:
        return []
    what = f"{kind.name} in the log of {log.source}"
    if kind.now > limit:
        wanted = f"at most {limit} lines in {want.window_s} s"
        return [Mismatch(what, wanted, _told(want, log, kind))]
    if log.reaches_back and kind.now >= want.floor and kind.now > want.max_rise * kind.before:
        wanted = f"at most {want.max_rise:g} times the {want.window_s} s before"
        return [Mismatch(what, wanted, _told(want, log, kind))]
    return []


def _told(want: Params, log: Log, kind: Kind) -> str:
    before = f" ({kind.before} in the {want.window_s} s before)" if log.reaches_back else ""
    shown = [f"{group.now}x {group.pattern}" for group in kind.groups[:_TOLD] if group.now]
    first = next((line for group in kind.groups for line in group.first), "")
    groups = f": {'; '.join(shown)}; the first: {first}" if shown else ""
    return f"{kind.now}{before}{groups}; next: {_next(want, log)}"


def _next(want: Params, log: Log) -> str:
    if log.source.startswith("/"):
        return f"tail -n 200 {log.source}"
    return f"docker logs --since {want.window_s}s {log.source}"
