"""The host is as large as it must be: memory, processor cores, free space on a disk.

    - id: machine-is-large-enough
      check: host_capacity
      with: {memory_gb: 4, cores: 2, free_disk_gb: 20, path: /srv}

Each is the least there must be, and only what is given is looked at. A GB is 2^30 bytes, as `free
-h` and `df -h` count; 20 GB of a disk seller are 18.6 of these. Memory is all the kernel has to
give (MemTotal), whoever uses it now; as a kernel keeps some of what was bought for itself, 7 % less
than `memory_gb` is enough. Cores are those that programs may run on. On a host that is itself a
container, the limits of its own control group count where they are lower. Free is what an ordinary
user can still write to the file system that `path` lies on. How much of it all is in use now asks
`host_usage`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_GB = 2**30
_KEPT_BY_KERNEL = 0.07
_NO_HOST_HAS = 1e9  # GB of anything, or cores


@dataclass(frozen=True, slots=True)
class Params:
    memory_gb: Annotated[float, Field(gt=0)] | None = None
    cores: Annotated[int, Field(ge=1)] | None = None
    free_disk_gb: Annotated[float, Field(gt=0)] | None = None
    path: str = "/"

    def __post_init__(self) -> None:
        if self.memory_gb is None and self.cores is None and self.free_disk_gb is None:
            raise ValueError("give at least one of memory_gb, cores, free_disk_gb")
        if not self.path.startswith("/"):
            raise ValueError("path is absolute")


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is, and what limits it when that is not the machine itself."""

    amount: float
    limited_by: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """Sizes in bytes and in cores; None where nobody asked."""

    memory: Size | None = None
    cores: Size | None = None
    free_disk: Size | None = None


def observe(host: Host, want: Params) -> Seen:
    return Seen(
        None if want.memory_gb is None else _memory(host),
        None if want.cores is None else _cores(host),
        None if want.free_disk_gb is None else Size(_free(host, want.path)),
    )


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    wrong = []
    if want.memory_gb is not None and seen.memory is not None:
        wanted = f"at least {want.memory_gb:g} GB ({_KEPT_BY_KERNEL:.0%} less is enough)"
        enough = seen.memory.amount >= want.memory_gb * _GB * (1 - _KEPT_BY_KERNEL)
        wrong += [] if enough else [Mismatch("memory", wanted, _gb(seen.memory))]
    if want.cores is not None and seen.cores is not None and seen.cores.amount < want.cores:
        saw = f"{seen.cores.amount:g} {seen.cores.limited_by}".strip()
        wrong.append(Mismatch("cores", f"at least {want.cores}", saw))
    if want.free_disk_gb is not None and seen.free_disk is not None:
        enough = seen.free_disk.amount >= want.free_disk_gb * _GB
        wanted = f"at least {want.free_disk_gb:g} GB"
        what = f"free space at {want.path}"
        wrong += [] if enough else [Mismatch(what, wanted, _gb(seen.free_disk))]
    return wrong


def _impossible(want: Params) -> Params:
    return replace(
        want,
        memory_gb=want.memory_gb and _NO_HOST_HAS,
        cores=want.cores and int(_NO_HOST_HAS),
        free_disk_gb=want.free_disk_gb and _NO_HOST_HAS,
    )


CHECK = Check(Params, observe, judge, impossible=_impossible)

_LIMITED = "(limit of its control group)"
# The limit of the control group that a container sees as its own, version 2 or else 1; a machine has none.
_MEMORY = """
cat /proc/meminfo || exit 1
for file in memory.max memory/memory.limit_in_bytes; do
  [ -r /sys/fs/cgroup/$file ] && echo "limit $(cat /sys/fs/cgroup/$file)"
done
exit 0
"""
# These variables would have nproc say something else than the kernel does.
_CORES = """
unset OMP_NUM_THREADS OMP_THREAD_LIMIT
nproc || exit 1
cd /sys/fs/cgroup || exit 0
[ -r cpu.max ] && echo "quota $(cat cpu.max)"
[ -r cpu/cpu.cfs_quota_us ] && echo "quota $(cat cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us)"
exit 0
"""


def _memory(host: Host) -> Size:
    text = ask(host, "sh -c %s", _MEMORY)
    total = re.search(r"^MemTotal:\s+(\d+) kB$", text, re.MULTILINE)
    if not total or not int(total[1]):
        raise CannotObserve("/proc/meminfo is not understood")
    machine = int(total[1]) * 1024
    limits = [int(limit) for limit in re.findall(r"^limit (\d+)$", text, re.MULTILINE)]
    lowest = min(limits, default=machine)
    return Size(lowest, _LIMITED) if lowest < machine else Size(machine)


def _cores(host: Host) -> Size:
    text = ask(host, "sh -c %s", _CORES)
    first, _, rest = text.partition("\n")
    if not first.isdigit() or not int(first):
        raise CannotObserve(f"the answer of nproc is not understood: {first[:80]}")
    found = re.findall(r"^quota (\d+)\s+(\d+)$", rest, re.MULTILINE)
    shares = [int(quota) / int(period) for quota, period in found if int(period)]
    lowest = min(shares, default=float(first))
    return Size(round(lowest, 2), _LIMITED) if lowest < int(first) else Size(int(first))


def _free(host: Host, path: str) -> int:
    fields = ask(host, "df -Pk -- %s", path).strip().splitlines()[-1:]
    # The last line, from its end: a name may hold blanks. Blocks, used, available, percent, place.
    row = re.search(r"\s\d+\s+\d+\s+(\d+)\s+(?:\d+%|-)\s+/", fields[0] if fields else "")
    if not row:
        raise CannotObserve(f"the answer of `df -Pk {path}` is not understood")
    return int(row[1]) * 1024


def _gb(size: Size) -> str:
    return f"{size.amount / _GB:.2f} GB {size.limited_by}".strip()
