"""Small writes, each synced to its disk, into a file that has no name: what the program that makes
them is, and how its answer is read. Facts only; what is too slow is said by the check that asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Part of a host's program. The file loses its name before anything is written: whatever happens, nothing is left.
# A disk that refuses is a fact about the disk; a directory that is not there, or not ours, is not.
WRITES = """
import errno, os, tempfile, time

REFUSALS = (errno.ENOSPC, errno.EROFS, errno.EIO, errno.EDQUOT)

def write_until(ends, directory, size=4096, every=0.1):
    times, refused, fd = [], "", None
    try:
        fd, path = tempfile.mkstemp(prefix=".verifier-", dir=directory)
        os.unlink(path)
        while time.time() < ends:
            began = time.time()
            os.pwrite(fd, os.urandom(size), 0)
            os.fsync(fd)
            ended = time.time()
            times.append([round(began, 3), round((ended - began) * 1000, 3)])
            time.sleep(max(0, every - (ended - began)))
    except OSError as error:
        if error.errno not in REFUSALS:
            raise SystemExit("%s: %s" % (directory, error.strerror))
        refused = error.strerror
    finally:
        if fd is not None:
            os.close(fd)
    return {"times": times, "refused": refused}
"""


@dataclass(frozen=True, slots=True)
class Write:
    """One write: when it began by the host's clock, and how long until it was on the disk."""

    at: float
    took_ms: float


@dataclass(frozen=True, slots=True)
class Writes:
    """`refused` is what the disk said when it would not take one more."""

    times: tuple[Write, ...]
    refused: str = ""


def read_writes(told: Mapping[str, Any]) -> Writes:
    """The program's answer; KeyError, TypeError or ValueError when it is another one."""
    times = tuple(Write(float(at), float(took_ms)) for at, took_ms in told["times"])
    return Writes(times, str(told["refused"]))
