"""What the containers of a project use of what they may use, and whether the kernel had to kill
anything.

    - id: containers-within-limits
      check: container_usage
      with: {project: "{{ compose_project }}", memory_percent: 90, cpu_percent: 90, oom_kills: 0}

Memory is in percent of the container's limit, CPU in percent of the cores it may use (of the host's
cores where it has no limit). With `limits: true` a container without a memory or CPU limit is
wrong. OOM kills are counted by the container's control group since it was started, so a killed
worker of a living container is seen as well; `null` leaves a figure unjudged. `samples` looks
several times and judges the median.
"""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass, replace

from verifier.checks._compose import Container, containers
from verifier.checks._resources import oom_kills
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_NANO = 1_000_000_000


@dataclass(frozen=True)
class Params:
    project: str
    memory_percent: float | None = 90
    cpu_percent: float | None = 90
    oom_kills: int | None = 0
    limits: bool = False
    services: tuple[str, ...] = ()
    samples: int = 1


@dataclass(frozen=True)
class Usage:
    """`oom_kills` is -1 where the control group could not be read; `oom_killed` is what the engine
    remembers.
    """

    service: str
    name: str
    memory_percent: float
    cpu_percent: float
    memory_limit: int
    cores: float
    oom_kills: int
    oom_killed: bool


@dataclass(frozen=True)
class Seen:
    usages: tuple[Usage, ...]


def observe(host: Host, want: Params) -> Seen:
    found = [one for one in containers(host, want.project) if one.status == "running"]
    if not found:
        return Seen(())
    cores = float(ask(host, "nproc"))
    samples = [_sample(host, found) for _ in range(max(1, want.samples))]
    return Seen(tuple(_usage(host, one, samples, cores) for one in found))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if not seen.usages:
        return [Mismatch(f"project {want.project}", "running containers", "none")]
    missing = set(want.services) - {usage.service for usage in seen.usages}
    found = [Mismatch(f"service {one}", "a running container", "none") for one in sorted(missing)]
    return found + [wrong for usage in seen.usages for wrong in _wrong(want, usage)]


def _impossible(want: Params) -> Params:
    return replace(want, memory_percent=-1)


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _sample(host: Host, found: list[Container]) -> dict[str, tuple[float, float]]:
    ids = [one.id for one in found]
    places = " ".join(["%s"] * len(ids))
    answer = ask(
        host, f"docker stats --no-stream --no-trunc --format %s {places}", "{{json .}}", *ids
    )
    try:
        rows = [json.loads(line) for line in answer.splitlines() if line.strip()]
        return {row["ID"]: (_percent(row["MemPerc"]), _percent(row["CPUPerc"])) for row in rows}
    except (json.JSONDecodeError, KeyError, ValueError) as error:
        raise CannotObserve("the answer of `docker stats` is not understood") from error


def _percent(text: str) -> float:
    return float(text.rstrip("%"))


def _usage(
    host: Host, one: Container, samples: list[dict[str, tuple[float, float]]], cores: float
) -> Usage:
    if any(one.id not in sample for sample in samples):
        raise CannotObserve(f"`docker stats` says nothing about '{one.name}'")
    limit = one.raw["HostConfig"].get("NanoCpus", 0) / _NANO
    cpu = statistics.median(sample[one.id][1] for sample in samples) / (limit or cores)
    return Usage(
        service=one.service or one.name,
        name=one.name,
        memory_percent=statistics.median(sample[one.id][0] for sample in samples),
        cpu_percent=round(cpu, 2),
        memory_limit=one.raw["HostConfig"].get("Memory", 0),
        cores=limit,
        oom_kills=oom_kills(host, one.id),
        oom_killed=bool(one.raw["State"].get("OOMKilled")),
    )


def _wrong(want: Params, usage: Usage) -> list[Mismatch]:
    what = f"container {usage.name}"
    found = []
    if want.memory_percent is not None and usage.memory_percent > want.memory_percent:
        wanted = f"at most {want.memory_percent:g} % of its memory"
        found.append(Mismatch(what, wanted, f"{usage.memory_percent:g} %"))
    if want.cpu_percent is not None and usage.cpu_percent > want.cpu_percent:
        wanted = f"at most {want.cpu_percent:g} % of its cores"
        found.append(Mismatch(what, wanted, f"{usage.cpu_percent:g} %"))
    kills = max(usage.oom_kills, int(usage.oom_killed))
    if want.oom_kills is not None and kills > want.oom_kills:
        found.append(Mismatch(what, f"at most {want.oom_kills} OOM kills", str(kills)))
    if want.limits and not (usage.memory_limit and usage.cores):
        absent = "no memory limit" if not usage.memory_limit else "no CPU limit"
        found.append(Mismatch(what, "a memory and a CPU limit", absent))
    return found
