"""A disk takes small synced writes fast enough, and is not busy all the time.

    - id: disk-keeps-up
      check: disk_io
      with: {directory: /srv/app, write_ms: 50, busy_percent: 80, sample_s: 5}

For `sample_s` seconds 4 KiB are written and synced about ten times a second, to a file in
`directory` that has no name and leaves nothing behind: what a database does at each commit.
`write_ms` limits their p95. `busy_percent` limits the share of that time in which the device had
something to do, as /proc/diskstats counts it; `device` is its name there (sda, nvme0n1, dm-0), or a
path on it when `directory` lies on a file system that has no device of its own (overlay, btrfs,
zfs). At least one limit is declared. A disk that refuses a write because it is full, read-only or
broken is red. A directory that is missing or may not be written to is no verdict: `become: true`.
In a container the device is the machine's, and everybody's use of it counts; a device that serves
many requests at once may be busy all the time and still have room.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from verifier.checks._disk_writes import WRITES, Writes, read_writes
from verifier.checks._histogram import spread
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

Limit = Annotated[float, Field(gt=0)] | None


@dataclass(frozen=True)
class Params:
    directory: str
    write_ms: Limit = None
    busy_percent: Annotated[float, Field(gt=0, lt=100)] | None = None
    device: str = ""
    sample_s: Annotated[int, Field(ge=1, le=60)] = 5

    def __post_init__(self) -> None:
        if self.write_ms is None and self.busy_percent is None:
            raise ValueError("give at least one limit: write_ms or busy_percent")


@dataclass(frozen=True)
class Seen:
    """`busy_percent` is -1 when it was not asked for; `device` is the name that was found."""

    writes: Writes
    p95_ms: float
    device: str
    busy_percent: float


def observe(host: Host, want: Params) -> Seen:
    asked = {
        "directory": want.directory,
        "device": want.device or want.directory,
        "busy": want.busy_percent is not None,
        "sample_s": want.sample_s,
    }
    printed = ask(host, "python3 -c %s %s", WRITES + _PROGRAM, json.dumps(asked))
    try:
        told = json.loads(printed)
        writes = read_writes(told["writes"])
        busy = _share(float(told["busy_ms"]), float(told["elapsed_ms"]))
        device = str(told["device"])
    except (KeyError, TypeError, ValueError) as error:
        raise CannotObserve("the program on the host printed something else") from error
    if not writes.times and not writes.refused:
        raise CannotObserve(f"nothing was written to {want.directory} in {want.sample_s} s")
    p95_ms = spread([one.took_ms for one in writes.times]).p95_ms
    return Seen(writes, p95_ms, device, busy if want.busy_percent is not None else -1)


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    wrong = []
    if seen.writes.refused:
        what = f"a write to {want.directory}"
        wrong.append(Mismatch(what, "taken by the disk", seen.writes.refused))
    if want.write_ms is not None and seen.p95_ms >= want.write_ms:
        what = f"p95 of synced 4 KiB writes to {want.directory}"
        saw = f"{seen.p95_ms:.4g} ms over {len(seen.writes.times)} writes"
        wrong.append(Mismatch(what, f"below {want.write_ms:g} ms", saw))
    if want.busy_percent is not None and seen.busy_percent > want.busy_percent:
        what = f"device {seen.device} busy"
        saw = f"{seen.busy_percent:.1f} % of {want.sample_s} s (who writes: `iotop -o`)"
        wrong.append(Mismatch(what, f"at most {want.busy_percent:g} %", saw))
    return wrong


def _impossible(want: Params) -> Params:
    return replace(
        want,
        write_ms=None if want.write_ms is None else 0,
        busy_percent=None if want.busy_percent is None else -1,
    )


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _share(busy_ms: float, elapsed_ms: float) -> float:
    return round(100 * busy_ms / elapsed_ms, 1) if elapsed_ms > 0 else 0


_PROGRAM = """
import json, sys

want = json.loads(sys.argv[1])

def device_of(name):
    if "/" not in name:
        return name
    try:
        number = os.stat(name).st_dev
    except OSError as error:
        raise SystemExit("%s: %s" % (name, error.strerror))
    with open("/proc/diskstats") as rows:
        for row in map(str.split, rows):
            if (int(row[0]), int(row[1])) == (os.major(number), os.minor(number)):
                return row[2]
    raise SystemExit("%s lies on no device of /proc/diskstats: name one as `device`" % name)

def busy_ms(device):
    with open("/proc/diskstats") as rows:
        for row in map(str.split, rows):
            if row[2] == device:
                return int(row[12])
    raise SystemExit("/proc/diskstats has no device '%s'" % device)

device = device_of(want["device"]) if want["busy"] else ""
began = time.time()
before = busy_ms(device) if device else 0
writes = write_until(began + want["sample_s"], want["directory"])
# A disk that refused at once is watched all the same.
time.sleep(max(0, began + want["sample_s"] - time.time()))
after = busy_ms(device) if device else 0
print(json.dumps({"writes": writes, "device": device, "busy_ms": after - before,
                  "elapsed_ms": (time.time() - began) * 1000}))
"""
