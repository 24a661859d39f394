"""What a host has and what services may take of it: cores, memory, the limits of a merged
configuration in bytes and cores, and what the kernel killed. Facts only; no opinion.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from verifier.checks.base import Host, ask
from verifier.errors import CannotObserve

_KILLS = (
    "cat /sys/fs/cgroup/memory.events 2>/dev/null || cat /sys/fs/cgroup/memory/memory.oom_control"
)
_UNITS = {"": 1, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}


def host_cores(host: Host) -> int:
    answer = ask(host, "nproc").strip()
    if not answer.isdigit() or int(answer) < 1:
        raise CannotObserve(f"`nproc` said '{answer[:40]}'")
    return int(answer)


def host_memory(host: Host) -> int:
    """All memory of the host, in bytes."""
    match = re.search(r"^MemTotal:\s+(\d+) kB", ask(host, "cat /proc/meminfo"), re.MULTILINE)
    if not match:
        raise CannotObserve("/proc/meminfo has no MemTotal")
    return int(match[1]) * 1024


def oom_kills(host: Host, container_id: str) -> int:
    """How often the kernel killed a process of the container since its start; -1 if nobody can tell."""
    answer = host.run("docker exec %s sh -c %s", container_id, _KILLS)
    match = re.search(r"^oom_kill (\d+)$", answer.stdout, re.MULTILINE)
    return int(match[1]) if match else -1


def memory_limit(service: Mapping[str, Any]) -> int:
    """A service's memory limit in bytes, wherever compose lets it stand; 0 for none."""
    return _in_bytes(service.get("mem_limit") or _limits(service).get("memory") or 0)


def cpu_limit(service: Mapping[str, Any]) -> float:
    """A service's cpu limit in cores; 0 for none."""
    quota = float(service.get("cpu_quota") or 0) / float(service.get("cpu_period") or 100_000)
    return float(service.get("cpus") or _limits(service).get("cpus") or quota)


def pids_limit(service: Mapping[str, Any]) -> int:
    """How many processes a container of the service may have; 0 for any number."""
    return int(service.get("pids_limit") or _limits(service).get("pids") or 0)


def replicas(service: Mapping[str, Any]) -> int:
    """How many containers of the service run."""
    given = (service.get("deploy") or {}).get("replicas", service.get("scale", 1))
    return int(given)


def _limits(service: Mapping[str, Any]) -> Mapping[str, Any]:
    resources = (service.get("deploy") or {}).get("resources") or {}
    return resources.get("limits") or {}


def _in_bytes(given: object) -> int:
    match = re.fullmatch(r"([0-9.]+)\s*([bkmgt]?)i?b?", str(given).strip().lower())
    if not match:
        raise CannotObserve(f"memory limit '{given}' is not understood")
    return int(float(match[1]) * _UNITS[match[2]])
