"""Every service has a memory and a cpu limit, and together they fit the host.

    - id: compose-limits
      check: compose_limits
      with:
        stack: "{{ compose_stack }}"
        memory_share: 0.8
        cpu_share: 1.0

Red for a service without one of the limits (with `pids: true` also without a limit on processes),
and when the sum over all services and replicas exceeds the given share of the host's memory
(`/proc/meminfo`) or cores (`nproc`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from verifier.checks._compose import Stack, merged_config
from verifier.checks._resources import (
    cpu_limit,
    host_cores,
    host_memory,
    memory_limit,
    pids_limit,
    replicas,
)
from verifier.checks.base import Check, Host, Mismatch

_MB = 1024 * 1024


@dataclass(frozen=True)
class Params:
    stack: Stack
    memory_share: Annotated[float, Field(gt=0)] = 1.0
    cpu_share: Annotated[float, Field(gt=0)] = 1.0
    pids: bool = False


@dataclass(frozen=True)
class Service:
    """The limits of one container of the service, in bytes and cores; 0 is none."""

    name: str
    memory: int
    cpus: float
    pids: int
    replicas: int


@dataclass(frozen=True)
class Seen:
    services: tuple[Service, ...]
    host_memory: int
    host_cores: int


def observe(host: Host, want: Params) -> Seen:
    services = merged_config(host, want.stack)["services"]
    return Seen(
        tuple(
            Service(name, memory_limit(body), cpu_limit(body), pids_limit(body), replicas(body))
            for name, body in services.items()
        ),
        host_memory(host),
        host_cores(host),
    )


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    found = []
    for service in seen.services:
        limits = {"memory": service.memory, "cpu": service.cpus}
        limits |= {"process": service.pids} if want.pids else {}
        found += [
            Mismatch(f"service '{service.name}'", f"a {what} limit", "none")
            for what, limit in limits.items()
            if limit <= 0
        ]
    return [*found, *_too_much(want, seen)]


def _impossible(want: Params) -> Params:
    return replace(want, memory_share=0)


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _too_much(want: Params, seen: Seen) -> list[Mismatch]:
    memory = sum(service.memory * service.replicas for service in seen.services)
    cpus = sum(service.cpus * service.replicas for service in seen.services)
    found = []
    if memory > seen.host_memory * want.memory_share:
        wanted = f"at most {want.memory_share:.0%} of the host's {seen.host_memory // _MB} MB"
        found.append(Mismatch("memory limits together", wanted, f"{memory // _MB} MB"))
    if cpus > seen.host_cores * want.cpu_share + 1e-9:
        wanted = f"at most {want.cpu_share:.0%} of the host's {seen.host_cores} cores"
        found.append(Mismatch("cpu limits together", wanted, f"{cpus:g}"))
    return found
