"""The host's memory, CPU, disks and inodes stay below their limits.

    - id: host-has-room
      check: host_usage
      with: {memory_percent: 80, cpu_percent: 70, sample_s: 5}
    - id: disk-has-room
      check: host_usage
      with: {paths: [/, /srv], disk_percent: 85, inode_percent: 85}

Only what a limit is given for is looked at and judged; none at all is wrong. Memory is what is not
available to a new program, CPU the busy share of all cores over `sample_s` seconds (time a
hypervisor took counts as busy), disk and inodes of the file system each path lies on. With
`container: true`, for a host that is itself a container, CPU and memory are what its own control
group uses, memory of the group's limit if it has one: /proc would show the machine around it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_IDLE = (3, 4)  # the columns idle and iowait of /proc/stat
_USER_TO_STEAL = 8  # the columns after these are counted in `user` already


@dataclass(frozen=True)
class Params:
    memory_percent: float | None = None
    cpu_percent: float | None = None
    disk_percent: float | None = None
    inode_percent: float | None = None
    paths: tuple[str, ...] = ()
    sample_s: int = 5
    container: bool = False


@dataclass(frozen=True)
class Figure:
    """One share in percent, of one thing: `memory`, `cpu`, `disk /srv`, `inodes /srv`."""

    what: str
    percent: float
    limit: float


@dataclass(frozen=True)
class Seen:
    figures: tuple[Figure, ...]


def observe(host: Host, want: Params) -> Seen:
    figures = []
    if want.memory_percent is not None:
        share = _memory_of_group(host) if want.container else _memory_of_machine(host)
        figures.append(Figure("memory", share, want.memory_percent))
    if want.cpu_percent is not None:
        look = _cpu_of_group if want.container else _cpu_of_machine
        figures.append(Figure("cpu", look(host, want.sample_s), want.cpu_percent))
    for flags, name, limit in (
        ("-P", "disk", want.disk_percent),
        ("-Pi", "inodes", want.inode_percent),
    ):
        if limit is not None:
            figures += [Figure(f"{name} {at}", _full(host, flags, at), limit) for at in want.paths]
    return Seen(tuple(figures))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    del want
    if not seen.figures:
        return [Mismatch("limits", "at least one, and paths for disks", "nothing to judge")]
    return [
        Mismatch(f"{figure.what} in use", f"at most {figure.limit:g} %", f"{figure.percent:.1f} %")
        for figure in seen.figures
        if figure.percent > figure.limit
    ]


def _impossible(want: Params) -> Params:
    def less_than_nothing(limit: float | None) -> float | None:
        return None if limit is None else -1

    return replace(
        want,
        memory_percent=less_than_nothing(want.memory_percent),
        cpu_percent=less_than_nothing(want.cpu_percent),
        disk_percent=less_than_nothing(want.disk_percent),
        inode_percent=less_than_nothing(want.inode_percent),
    )


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _memory_of_machine(host: Host) -> float:
    amounts = _meminfo(ask(host, "cat /proc/meminfo"))
    return 100 * (1 - amounts["MemAvailable"] / amounts["MemTotal"])


def _meminfo(text: str) -> dict[str, int]:
    amounts = {
        name: int(size) for name, size in re.findall(r"^(\w+):\s+(\d+) kB", text, re.MULTILINE)
    }
    if not amounts.get("MemTotal") or "MemAvailable" not in amounts:
        raise CannotObserve("/proc/meminfo is not understood")
    return amounts


# Limit, use, and what of it can be taken back at once, in bytes: version 1, else version 2 ("max" is no limit).
_GROUP_MEMORY = """
cd /sys/fs/cgroup
if [ -f memory/memory.usage_in_bytes ]; then
  cat memory/memory.limit_in_bytes memory/memory.usage_in_bytes
  sed -n 's/^total_inactive_file //p' memory/memory.stat
else
  cat memory.max memory.current; sed -n 's/^inactive_file //p' memory.stat
fi
cat /proc/meminfo
"""


def _memory_of_group(host: Host) -> float:
    limit, used, idle, *rest = [*ask(host, "sh -c %s", _GROUP_MEMORY).split("\n", 3), "", ""]
    if not (used.isdigit() and idle.isdigit() and (limit.isdigit() or limit == "max")):
        raise CannotObserve("the control group's memory is not understood")
    total = _meminfo(rest[0])["MemTotal"] * 1024
    return 100 * (int(used) - int(idle)) / min(total, int(limit) if limit.isdigit() else total)


# Nanoseconds of time and of CPU, twice: control groups version 1, else version 2 (in microseconds).
_GROUP = """
used() { cat /sys/fs/cgroup/cpuacct/cpuacct.usage 2>/dev/null ||
  sed -n 's/^usage_usec \\(.*\\)/\\1000/p' /sys/fs/cgroup/cpu.stat; }
date +%s%N; used; sleep "$1"; date +%s%N; used; nproc
"""


def _cpu_of_group(host: Host, sample_s: int) -> float:
    answer = ask(host, "sh -c %s sh %s", _GROUP, str(sample_s)).split()
    if len(answer) != 5 or not all(word.isdigit() for word in answer):  # noqa: PLR2004  as printed
        raise CannotObserve("the control group's CPU use is not understood")
    began, used_before, ended, used_after, cores = map(int, answer)
    if ended <= began or not cores:
        raise CannotObserve("no time passed between the two samples")
    return 100 * (used_after - used_before) / ((ended - began) * cores)


def _cpu_of_machine(host: Host, sample_s: int) -> float:
    text = ask(host, "cat /proc/stat && sleep %s && cat /proc/stat", str(sample_s))
    lines = re.findall(r"^cpu  (.*)$", text, re.MULTILINE)
    if len(lines) != 2:  # noqa: PLR2004  before and after
        raise CannotObserve("/proc/stat was not read twice")
    before, after = ([int(ticks) for ticks in line.split()[:_USER_TO_STEAL]] for line in lines)
    spent = [late - early for early, late in zip(before, after, strict=True)]
    if sum(spent) <= 0:
        raise CannotObserve("no CPU time passed between the two samples")
    return 100 * (1 - sum(spent[column] for column in _IDLE) / sum(spent))


def _full(host: Host, flags: str, path: str) -> float:
    fields = ask(host, f"df {flags} %s", path).splitlines()[-1].split()
    if "-" in fields[1:5]:
        return 0.0  # a file system that makes inodes as it needs them has no limit to come near to
    try:
        used, free = int(fields[2]), int(fields[3])
        return 100 * used / (used + free)
    except (IndexError, ValueError, ZeroDivisionError) as error:
        raise CannotObserve(f"the answer of `df {flags} {path}` is not understood") from error
