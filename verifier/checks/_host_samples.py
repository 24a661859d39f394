"""What a host looks like again and again for some seconds: its containers' memory and CPU, the
latency of small synced writes, and the connections of a database, each with the host's own time.
Facts only; no opinion.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from verifier.checks._compose import Container
from verifier.checks._database import Database, command_line
from verifier.checks._disk_writes import WRITES, Writes, read_writes
from verifier.checks.base import Host, ask
from verifier.errors import CannotObserve

_COUNT = {
    "mariadb": "SELECT (SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS"
    " WHERE VARIABLE_NAME = 'THREADS_CONNECTED'), @@max_connections",
    "postgresql": "SELECT count(*), current_setting('max_connections') FROM pg_stat_activity"
    " WHERE backend_type = 'client backend'",
}
# A database that has no connection left for us says so in one of these ways.
_FULL = re.compile(
    r"(?i)too many (connections|clients)|max_user_connections|remaining connection slots"
)


@dataclass(frozen=True, slots=True)
class Usage:
    """One container at one moment: memory in percent of its limit, CPU in percent of one core."""

    at: float
    container: str
    memory_percent: float
    cpu_percent: float


@dataclass(frozen=True, slots=True)
class Connected:
    """`used` of `most` connections; both are 0 when the database would not take one more."""

    at: float
    used: int
    most: int

    @property
    def percent(self) -> float:
        return 100 * self.used / self.most if self.most else 100.0


@dataclass(frozen=True, slots=True)
class Samples:
    usages: tuple[Usage, ...]
    writes: Writes
    connected: tuple[Connected, ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is looked at, for so many seconds; nothing of what is empty."""

    seconds: float
    containers: Sequence[Container] = ()
    directory: str = ""
    database: Database | None = None
    of_database: Container | None = None


def take_samples(host: Host, wish: Wish) -> Samples:
    """CannotObserve when one of the looks did not work."""
    asked = {
        "seconds": wish.seconds,
        "directory": wish.directory,
        "looks": {"usages": _stats(wish), "connected": _connections(wish)},
    }
    printed = ask(host, "python3 -c %s %s", WRITES + _PROGRAM, json.dumps(asked))
    try:
        told = json.loads(printed)
        writes = read_writes(told["writes"])
        usages, connected = (told["looks"][name] for name in ("usages", "connected"))
        names = {one.id: one.name for one in wish.containers}
        return Samples(
            tuple(usage for look in usages for usage in _usages(look, names)),
            writes,
            tuple(map(_connected, connected)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CannotObserve("the sampling program on the host printed something else") from error


def _stats(wish: Wish) -> list[str]:
    words = ["docker", "stats", "--no-stream", "--no-trunc", "--format", "{{json .}}"]
    return [*words, *(one.id for one in wish.containers)] if wish.containers else []


def _connections(wish: Wish) -> list[str]:
    if wish.database is None or wish.of_database is None:
        return []
    return command_line(wish.of_database, wish.database, _COUNT[wish.database.engine])


def _usages(look: Mapping[str, Any], names: Mapping[str, str]) -> list[Usage]:
    if look["code"] != 0:
        raise CannotObserve(f"`docker stats` ended with {look['code']}: {look['err'][:200]}")
    rows = [json.loads(line) for line in look["out"].splitlines() if line.strip()]
    return [
        Usage(
            float(look["at"]),
            names[row["ID"]],
            float(row["MemPerc"].rstrip("%")),
            float(row["CPUPerc"].rstrip("%")),
        )
        for row in rows
    ]


def _connected(look: Mapping[str, Any]) -> Connected:
    if look["code"] == 0:
        used, most = look["out"].split()
        return Connected(float(look["at"]), int(used), int(most))
    if _FULL.search(look["err"]):
        return Connected(float(look["at"]), 0, 0)
    raise CannotObserve(f"the database did not say its connections: {look['err'][:200]}")


_PROGRAM = """
import json, subprocess, sys, threading

want = json.loads(sys.argv[1])
ends = time.time() + want["seconds"]
seen = {"looks": {name: [] for name in want["looks"]}, "writes": {"times": [], "refused": ""}}

def look(words, samples):
    while time.time() < ends:
        began = time.time()
        try:
            done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=15)
            code, out, err = done.returncode, done.stdout, done.stderr
        except (OSError, subprocess.TimeoutExpired) as error:
            code, out, err = -1, b"", str(error).encode()
        # The middle of a look is its time: some of them measure for a second or two.
        samples.append({"at": round((began + time.time()) / 2, 3), "code": code,
                        "out": out.decode("utf-8", "replace"), "err": err.decode("utf-8", "replace")[-500:]})
        time.sleep(0.3)

threads = [threading.Thread(target=look, args=(words, seen["looks"][name]))
           for name, words in want["looks"].items() if words]
for thread in threads:
    thread.start()
if want["directory"]:
    seen["writes"] = write_until(ends, want["directory"])
for thread in threads:
    thread.join()
print(json.dumps(seen))
"""
