"""Event lines of one playbook run, read into typed records and concluded into StepResults. Pure: no
process, no host.

A run is complete only if its end was seen, every event's number follows the one before, and every
host that was asked has statistics. What an exit code says is never believed.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from verifier.plan import Step


class StepState(enum.StrEnum):
    """How a Step ended on one host. UNKNOWN: it began, and the run ended without saying how."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    NOT_RUN = "not_run"
    UNKNOWN = "unknown"


DONE = frozenset({StepState.UNCHANGED, StepState.CHANGED})


@dataclass(frozen=True, slots=True)
class Event:
    """One event of ansible-playbook. `kind` is ansible-runner's event name."""

    kind: str
    counter: int = 0
    host: str = ""
    play: str = ""
    role: str = ""
    task: str = ""
    changed: bool = False
    ignored: bool = False
    message: str = ""
    stdout: str = ""
    stats: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepResult:
    """One Step on one host. `changes` counts tasks that changed something; `why` is the first thing
    that went wrong.
    """

    step: str
    host: str
    state: StepState
    changes: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class PlayResult:
    """What one play did. `problems` say why it may not be believed to be complete."""

    play: str
    steps: tuple[StepResult, ...]
    problems: tuple[str, ...] = ()
    duration_s: float = 0.0

    @property
    def is_done(self) -> bool:
        """Every planned step ended well on every host, and the run is complete."""
        return not self.problems and all(step.state in DONE for step in self.steps)

    @property
    def failures(self) -> tuple[StepResult, ...]:
        return tuple(
            s for s in self.steps if s.state not in DONE and s.state is not StepState.NOT_RUN
        )


def read_event(line: str) -> Event | None:
    """One printed line; None for a line that is no event."""
    try:
        data: dict[str, Any] = json.loads(line)
    except json.JSONDecodeError:
        return None
    if not isinstance(data, dict) or "event" not in data:
        return None
    known = {key: data[key] for key in Event.__dataclass_fields__ if key in data}
    return Event(kind=str(data["event"]), **known)


def conclude(
    play: str,
    steps: Sequence[Step],
    hosts: Sequence[str],
    events: Iterable[Event],
    duration_s: float = 0.0,
) -> PlayResult:
    """What the events prove about each planned step on each host."""
    seen = tuple(events)
    problems = _problems(seen, hosts, {step.name for step in steps})
    results = tuple(
        _step_result(step.name, host, seen, complete=_is_whole(seen))
        for step in steps
        for host in step.hosts
        if host in hosts
    )
    return PlayResult(play, results, problems, duration_s)


_BAD = ("runner_on_failed", "runner_on_unreachable")


def _problems(events: Sequence[Event], hosts: Sequence[str], steps: set[str]) -> tuple[str, ...]:
    found: list[str] = []
    stats = next((e.stats for e in events if e.kind == "playbook_on_stats"), None)
    if stats is None:
        said = [
            e.stdout or e.message
            for e in events
            if e.kind in ("error", "verbose") and (e.stdout or e.message)
        ]
        # Below an error stand lines that only say where it comes from.
        errors = [text for text in said if "ERROR" in text]
        last = " ".join((errors or said or ["no event said why"])[-1].split())[:300]
        found.append(f"the playbook did not reach its end: {last}")
    else:
        counted = {host for kind in stats.values() for host in kind}
        found += [f"no statistics for host {host}" for host in hosts if host not in counted]
        # A task of a role that a step brought along fails under that role's name: no step would show it.
        shown = {e.host for e in events if e.kind in _BAD and e.role in steps}
        bad = {h for kind in ("failures", "dark") for h, n in stats.get(kind, {}).items() if n}
        found += [f"a task outside the steps failed on {host}" for host in sorted(bad - shown)]
        found += [
            f"a failure was rescued on {host}" for host, n in stats.get("rescued", {}).items() if n
        ]
        found += [
            f"a failure was ignored on {host}" for host, n in stats.get("ignored", {}).items() if n
        ]
    if not any(e.kind == "verifier_end" for e in events):
        found.append("the process that runs Ansible ended early")
    if _has_gaps(events):
        found.append("events are missing")
    return tuple(found)


def _is_whole(events: Sequence[Event]) -> bool:
    ends = {"playbook_on_stats", "verifier_end"}
    return ends <= {e.kind for e in events} and not _has_gaps(events)


def _has_gaps(events: Sequence[Event]) -> bool:
    counters = [e.counter for e in events if e.counter]
    return counters != list(range(1, len(counters) + 1))


def _step_result(step: str, host: str, events: Sequence[Event], *, complete: bool) -> StepResult:
    own = [e for e in events if e.role == step and e.host == host]
    changes = sum(e.changed for e in own if e.kind == "runner_on_ok")
    for event in own:
        if event.kind == "runner_on_unreachable":
            return StepResult(
                step, host, StepState.UNREACHABLE, changes, f"{event.task}: {_short(event.message)}"
            )
        if event.kind == "runner_on_failed":
            return StepResult(
                step, host, StepState.FAILED, changes, f"{event.task}: {_short(event.message)}"
            )
    if own and not complete and own[-1] is _last_of(host, events):
        return StepResult(
            step, host, StepState.UNKNOWN, changes, "the run ended while this step was under way"
        )
    if not any(e.kind == "runner_on_ok" for e in own):
        return StepResult(step, host, StepState.NOT_RUN)
    return StepResult(step, host, StepState.CHANGED if changes else StepState.UNCHANGED, changes)


def _last_of(host: str, events: Sequence[Event]) -> Event | None:
    return next((e for e in reversed(events) if e.host == host and e.role), None)


def _short(text: str) -> str:
    return " ".join(text.split())[:400]
