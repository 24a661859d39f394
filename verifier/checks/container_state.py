"""Every container of the project is running, and stays running: two samples with a pause between
them.

    - id: services-stay-up
      check: container_state
      with: {stack: "{{ compose_stack }}", stable_for_s: 5, min_uptime_s: 10}

Between the samples neither the restart counter nor the start time may change, so a service that
crashes every few seconds is found although each single look sees it `running`. `one_shot` names
services that may have exited with 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from verifier.checks._compose import Container, Stack, containers, merged_config
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_FIELDS = "{{.Id}} {{.State.Status}} {{.State.ExitCode}} {{.RestartCount}} {{.State.StartedAt}}"


@dataclass(frozen=True)
class Params:
    stack: Stack
    stable_for_s: int = 5
    min_uptime_s: int = 5
    one_shot: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sample:
    status: str
    exit_code: int
    restarts: int
    started_at: str


@dataclass(frozen=True)
class Life:
    """One container: what was seen first, what was seen after the pause, and how long it has been
    up.
    """

    service: str
    name: str
    first: Sample
    second: Sample
    uptime_s: int


@dataclass(frozen=True)
class Seen:
    missing: tuple[str, ...]
    lives: tuple[Life, ...]


def observe(host: Host, want: Params) -> Seen:
    services = set(merged_config(host, want.stack)["services"])
    found = containers(host, want.stack.project)
    missing = tuple(sorted(services - {one.service for one in found}))
    return Seen(missing, _lives(host, found, want.stable_for_s) if found else ())


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    found = [Mismatch(f"service {name}", "a container", "none") for name in seen.missing]
    if not seen.lives and not seen.missing:
        found.append(Mismatch("the project", "containers", "none"))
    return found + [wrong for life in seen.lives for wrong in _wrong(want, life)]


def _impossible(want: Params) -> Params:
    return replace(want, min_uptime_s=10**10, one_shot=())  # longer than since 1970


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _lives(host: Host, found: tuple[Container, ...], pause_s: int) -> tuple[Life, ...]:
    look = "docker inspect --format %s" + " %s" * len(found)
    ids = [one.id for one in found]
    # One command, so that the pause is the host's and nothing on the way stretches it.
    answer = ask(
        host,
        f"{look} && sleep %s && {look} && date %s",
        *(_FIELDS, *ids, str(pause_s), _FIELDS, *ids, "+%s"),
    ).split("\n")
    if len(answer) < 2 * len(found) + 1:
        raise CannotObserve("`docker inspect` did not answer twice for every container")
    now = int(answer[2 * len(found)])
    pairs = zip(answer[: len(found)], answer[len(found) : 2 * len(found)], strict=True)
    return tuple(
        _life(one, _sample(first), _sample(second), now)
        for one, (first, second) in zip(found, pairs, strict=True)
    )


def _sample(line: str) -> Sample:
    try:
        _, status, exit_code, restarts, started_at = line.split()
        return Sample(status, int(exit_code), int(restarts), started_at)
    except ValueError as error:
        raise CannotObserve(f"the sample is not understood: {line[:200]}") from error


def _life(one: Container, first: Sample, second: Sample, now: int) -> Life:
    # The engine writes nanoseconds, which Python's parser does not take.
    started = datetime.fromisoformat(second.started_at[:19] + "+00:00")
    return Life(one.service, one.name, first, second, max(0, now - int(started.timestamp())))


def _wrong(want: Params, life: Life) -> list[Mismatch]:
    what, now = f"container {life.name}", life.second
    if now.status == "exited" and now.exit_code == 0 and life.service in want.one_shot:
        return []
    if now.status != "running":
        return [Mismatch(what, "running", f"{now.status} (exit code {now.exit_code})")]
    if life.first != now:
        saw = f"{life.first.status}, then {now.restarts - life.first.restarts} more restarts"
        return [Mismatch(what, f"no restart within {want.stable_for_s} s", saw)]
    if life.uptime_s < want.min_uptime_s:
        saw = f"{life.uptime_s} s after {now.restarts} restarts"
        return [Mismatch(what, f"up for at least {want.min_uptime_s} s", saw)]
    return []
