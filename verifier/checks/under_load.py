"""While a load is served, memory, CPU, disk and database stay within their limits.

    - id: limits-hold-under-load
      check: under_load
      with:
        url: "http://127.0.0.1:8000/health"
        rate_per_s: 20
        duration_s: 8
        project: app
        services: [app, db]
        memory_percent: 90
        cpu_percent: 90
        oom_kills: 0
        directory: /srv/app
        write_ms: 100
        database: {engine: mariadb, project: app, service: db}
        connections_percent: 80
        pool_errors: 0

The load is that of the check `load`, with the same words, made on the host itself. Meanwhile, and
not in `warmup_s`, is sampled what a limit is declared for; at least one must be. `memory_percent`
is the most that a container of `services` used of its memory limit, `cpu_percent` the mean that it
used of its CPU limit, `oom_kills` how often the kernel killed a process in it; a container without
that limit, and one that ended or was started again, is red. `write_ms` is the p95 of small synced
writes to `directory`, made as the check `disk_io` makes them. `connections_percent` is the most
that clients, this look among them, had open of the database's max_connections; a database that has
none left is red. `pool_errors` are lines of the containers' logs since the load began that match
`pool_pattern`, by default the words in which the usual pools say that no connection came free.

A load that was not answered, with errors above `max_error_percent`, is red as well: it would prove
nothing about the limits. How fast it was answered is asked by `load`. There is no verdict when the
host could not make the load, or no sample fell into it. The load runs on the host and uses some of
its CPU, though none of the containers'. `timeout_s` must exceed all times together. It needs python3
and docker on the host, and a user who may write to `directory`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from verifier.checks._compose import Container, container_of, containers
from verifier.checks._database import Database
from verifier.checks._disk_writes import Write, Writes
from verifier.checks._histogram import spread
from verifier.checks._host_samples import Connected, Samples, Usage, Wish, take_samples
from verifier.checks._http import excerpt
from verifier.checks._load_program import Limit, Load, Made, make_load, refuse_late
from verifier.checks._resources import oom_kills
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_NANO = 1_000_000_000
_MOST_LINES = "20000"
_POOL_ERRORS = (
    r"(?i)QueuePool limit|PoolTimeout|TimeoutError: .*pool|Connection is not available, request timed out"
    r"|timeout exceeded when trying to connect|too many (connections|clients)"
    r"|remaining connection slots|Knex: Timeout acquiring|Unable to acquire a connection"
)

Percent = Annotated[float, Field(gt=0)] | None
Count = Annotated[int, Field(ge=0)] | None


@dataclass(frozen=True, slots=True)
class Params(Load):
    project: str = ""
    services: tuple[str, ...] = ()
    memory_percent: Percent = None
    cpu_percent: Percent = None
    oom_kills: Count = None
    directory: str = ""
    write_ms: Limit = None
    database: Database | None = None
    connections_percent: Percent = None
    pool_errors: Count = None
    pool_pattern: str = _POOL_ERRORS

    def __post_init__(self) -> None:
        Load.__post_init__(self)  # super() does not know the class that slots are made in
        of_containers = (self.memory_percent, self.cpu_percent, self.oom_kills, self.pool_errors)
        if all(one is None for one in (*of_containers, self.write_ms, self.connections_percent)):
            raise ValueError("declare at least one limit, memory_percent for instance")
        if any(one is not None for one in of_containers) and not (self.project and self.services):
            raise ValueError("limits of containers need 'project' and 'services'")
        if self.write_ms is not None and not self.directory:
            raise ValueError("'write_ms' needs a 'directory' to write to")
        if self.connections_percent is not None and self.database is None:
            raise ValueError("'connections_percent' needs a 'database'")
        re.compile(self.pool_pattern)


@dataclass(frozen=True, slots=True)
class Loaded:
    """One container during the load: the most memory, the mean CPU in percent of its limit; its
    limits are 0 where it has none. `changed` says that it ended, or was started again.
    """

    name: str
    memory_limit: int
    cores: float
    memory_percent: float
    cpu_percent: float
    oom_kills: int
    changed: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """The load as it was served, and what was sampled meanwhile; empty where no limit is declared."""

    requests: int
    errors: tuple[tuple[str, int], ...]
    trouble: str
    answers_p95_ms: float
    containers: tuple[Loaded, ...]
    usages: tuple[Usage, ...]
    writes: Writes
    write_p95_ms: float
    connected: tuple[Connected, ...]
    pool_errors: int
    pool_error: str


def observe(host: Host, want: Params) -> Seen:
    found = _containers(host, want)
    kills = {one.id: _kills(host, want, one) for one in found}
    made, samples = _load_and_samples(host, want, found)
    if made.is_late:  # the host was busy, which may pass
        made, samples = _load_and_samples(host, want, found)
    refuse_late(made)
    after = {one.id: one for one in containers(host, want.project)} if found else {}
    pool_lines = _pool_lines(host, want, found, made)
    writes = [one for one in samples.writes.times if _overlaps(made, one)]
    seen = Seen(
        requests=len(made.requests),
        errors=tuple(sorted(Counter(one.kind for one in made.requests if one.kind).items())),
        trouble=made.trouble,
        answers_p95_ms=spread([one.took_ms for one in made.good]).p95_ms,
        containers=tuple(
            _loaded(host, want, one, after.get(one.id), (kills[one.id], samples, made))
            for one in found
        ),
        usages=tuple(one for one in samples.usages if _within(made, one.at)),
        writes=Writes(tuple(writes), samples.writes.refused),
        write_p95_ms=_p95(writes),
        connected=tuple(one for one in samples.connected if _within(made, one.at)),
        pool_errors=len(pool_lines),
        pool_error=excerpt(pool_lines[0]) if pool_lines else "",
    )
    _insist_on_samples(want, seen)
    return seen


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    return [
        *_of_load(want, seen),
        *(wrong for one in seen.containers for wrong in _of_container(want, one)),
        *_of_disk(want, seen),
        *_of_database(want, seen),
    ]


def _impossible(want: Params) -> Params:
    def below_all(limit: float | None) -> float | None:
        return None if limit is None else -1

    return replace(
        want,
        memory_percent=below_all(want.memory_percent),
        cpu_percent=below_all(want.cpu_percent),
        oom_kills=None if want.oom_kills is None else -1,
        write_ms=below_all(want.write_ms),
        connections_percent=below_all(want.connections_percent),
        pool_errors=None if want.pool_errors is None else -1,
    )


CHECK = Check(Params, observe, judge, impossible=_impossible, burdens=True)


def _containers(host: Host, want: Params) -> tuple[Container, ...]:
    of_containers = (want.memory_percent, want.cpu_percent, want.oom_kills, want.pool_errors)
    if all(limit is None for limit in of_containers):
        return ()
    running = [one for one in containers(host, want.project) if one.status == "running"]
    missing = sorted(set(want.services) - {one.service for one in running})
    if missing:
        raise CannotObserve(f"no running container of {', '.join(missing)} in '{want.project}'")
    return tuple(one for one in running if one.service in want.services)


def _kills(host: Host, want: Params, one: Container) -> int:
    if want.oom_kills is None:
        return 0
    kills = oom_kills(host, one.id)
    if kills < 0:
        raise CannotObserve(f"the control group of '{one.name}' does not say what was killed")
    return kills


def _load_and_samples(
    host: Host, want: Params, found: tuple[Container, ...]
) -> tuple[Made, Samples]:
    """Both at once, by the same clock."""
    database = want.database if want.connections_percent is not None else None
    usage = want.memory_percent is not None or want.cpu_percent is not None
    wish = Wish(
        seconds=want.warmup_s + want.duration_s + 1,
        containers=found if usage else (),
        directory=want.directory if want.write_ms is not None else "",
        database=database,
        of_database=container_of(host, database.project, database.service) if database else None,
    )
    with ThreadPoolExecutor(max_workers=2) as pool:
        load, samples = pool.submit(make_load, host, want), pool.submit(take_samples, host, wish)
    return load.result(), samples.result()


def _loaded(
    host: Host,
    want: Params,
    one: Container,
    after: Container | None,
    during: tuple[int, Samples, Made],
) -> Loaded:
    kills, samples, made = during
    own = [u for u in samples.usages if u.container == one.name and _within(made, u.at)]
    cores = _cores(one)
    cpu = sum(usage.cpu_percent for usage in own) / max(len(own), 1)
    changed = after is None or after.status != "running" or after.started_at != one.started_at
    more = 0 if changed else _kills(host, want, one) - kills
    was_killed = bool(after and changed and after.raw["State"].get("OOMKilled"))
    return Loaded(
        name=one.name,
        memory_limit=one.raw["HostConfig"].get("Memory", 0),
        cores=cores,
        memory_percent=max((usage.memory_percent for usage in own), default=0),
        cpu_percent=round(cpu / (cores or 1), 2),
        oom_kills=more + was_killed,
        changed=changed,
    )


def _within(made: Made, moment: float) -> bool:
    return made.began_at <= moment <= made.ended_at


def _overlaps(made: Made, write: Write) -> bool:
    # A write may take as long as the whole load.
    return write.at <= made.ended_at and write.at + write.took_ms / 1000 >= made.began_at


def _cores(one: Container) -> float:
    given = one.raw["HostConfig"]
    quota = (given.get("CpuQuota") or 0) / (given.get("CpuPeriod") or 100_000)
    return (given.get("NanoCpus") or 0) / _NANO or max(quota, 0)


def _p95(writes: Iterable[Write]) -> float:
    return spread([one.took_ms for one in writes]).p95_ms


def _pool_lines(
    host: Host, want: Params, found: tuple[Container, ...], made: Made
) -> tuple[str, ...]:
    if want.pool_errors is None:
        return ()
    since = f"{made.began_at - want.warmup_s:.3f}"
    command = "docker logs --since %s --tail %s %s 2>&1"
    logs = [ask(host, command, since, _MOST_LINES, one.id) for one in found]
    return tuple(
        line for log in logs for line in log.splitlines() if re.search(want.pool_pattern, line)
    )


def _insist_on_samples(want: Params, seen: Seen) -> None:
    usage = want.memory_percent is not None or want.cpu_percent is not None
    sampled = {one.container for one in seen.usages}
    lost = {one.name for one in seen.containers if not one.changed} - sampled if usage else ()
    if lost:
        raise CannotObserve(f"no sample of {', '.join(sorted(lost))} fell into the load")
    if want.write_ms is not None and not (seen.writes.times or seen.writes.refused):
        raise CannotObserve("no write fell into the load")
    if want.connections_percent is not None and not seen.connected:
        raise CannotObserve("no look at the database's connections fell into the load")


def _of_load(want: Params, seen: Seen) -> list[Mismatch]:
    failed = sum(count for _, count in seen.errors)
    if failed * 100 <= seen.requests * want.max_error_percent:
        return []
    kinds = ", ".join(f"{count} x {kind}" for kind, count in seen.errors)
    saw = f"{failed} of {seen.requests}: {kinds}" + (f" ({seen.trouble})" if seen.trouble else "")
    what = f"{want.method} {want.url} at {want.rate_per_s:g}/s"
    return [Mismatch(what, f"errors at most {want.max_error_percent:g} %", saw)]


def _of_container(want: Params, one: Loaded) -> list[Mismatch]:
    what = f"container {one.name} under load"
    if one.changed:
        wrong = [Mismatch(what, "running all the time", "it ended or was started again")]
    else:
        wrong = [
            *_of_share(what, "memory", one.memory_limit, want.memory_percent, one.memory_percent),
            *_of_share(what, "CPU", one.cores, want.cpu_percent, one.cpu_percent),
        ]
    if want.oom_kills is not None and one.oom_kills > want.oom_kills:
        wrong.append(Mismatch(what, f"at most {want.oom_kills} OOM kills", str(one.oom_kills)))
    return wrong


def _of_share(
    what: str, kind: str, has: float, limit: float | None, percent: float
) -> list[Mismatch]:
    if limit is None:
        return []
    if not has:
        return [Mismatch(what, f"a {kind} limit", "none")]
    wanted = f"at most {limit:g} % of its {kind} limit"
    return [Mismatch(what, wanted, f"{percent:g} %")] if percent > limit else []


def _of_disk(want: Params, seen: Seen) -> list[Mismatch]:
    wrong = []
    if seen.writes.refused:
        what = f"a write to {want.directory} under load"
        wrong.append(Mismatch(what, "taken by the disk", seen.writes.refused))
    if want.write_ms is not None and seen.writes.times and seen.write_p95_ms >= want.write_ms:
        what = f"p95 of synced 4 KiB writes to {want.directory} under load"
        saw = f"{seen.write_p95_ms:.4g} ms over {len(seen.writes.times)} writes"
        wrong.append(Mismatch(what, f"below {want.write_ms:g} ms", saw))
    return wrong


def _of_database(want: Params, seen: Seen) -> list[Mismatch]:
    wrong = []
    if want.connections_percent is not None and seen.connected:
        worst = max(seen.connected, key=lambda one: one.percent)
        if worst.percent > want.connections_percent:
            wanted = f"at most {want.connections_percent:g} % of max_connections"
            saw = f"{worst.used} of {worst.most}" if worst.most else "none left for one more"
            wrong.append(Mismatch("database connections under load", wanted, saw))
    if want.pool_errors is not None and seen.pool_errors > want.pool_errors:
        what = f"pool errors logged by {', '.join(want.services)} under load"
        saw = f"{seen.pool_errors}: {seen.pool_error}" if seen.pool_error else "0"
        wrong.append(Mismatch(what, f"at most {want.pool_errors}", saw))
    return wrong
