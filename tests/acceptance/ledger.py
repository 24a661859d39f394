"""What the acceptance tests did, kept whole: every command with what it said, the run directories
it left, and the command lines that could be seen while it ran.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import ROOT, run_verifier

HOSTS = {"fwb1": "verifier-lab-fwb1", "fwb2": "verifier-lab-fwb2", "o4o1": "verifier-lab-o4o1"}
# Everything a deployment could change: containers, releases with their files, processes.
_STATE = (
    "docker ps --quiet --no-trunc; readlink /srv/*/current; pgrep -f '[d]ist/main.js' | sort;"
    " find /srv -not -path '*/logs*' -printf '%p %m %s %T@\\n' | sort"
)


@dataclass(frozen=True)
class Done:
    """One command that ended."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str
    run: Path | None
    seconds: float

    def __str__(self) -> str:
        return f"verifier {' '.join(self.words)}: {self.code}\n{self.out[-3000:]}{self.err[-3000:]}"

    def saved(self, name: str) -> Any:  # noqa: ANN401  JSON of the run directory
        assert self.run is not None
        return json.loads((self.run / f"{name}.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Watched:
    """A command, and the command lines seen meanwhile."""

    done: Done
    here: frozenset[str]
    hosts: frozenset[str]


@dataclass
class Ledger:
    """All commands of the session."""

    done: list[Done] = field(default_factory=list)

    def run(self, *words: str, project: Path = ROOT) -> Done:
        began = time.monotonic()
        ended = run_verifier(*words, cwd=project)
        named = re.search(
            r"^Reports and evidence: (\S+)", ended.stdout + ended.stderr, re.MULTILINE
        )
        entry = Done(
            words, ended.returncode, ended.stdout, ended.stderr,
            project / named[1] if named else None, round(time.monotonic() - began, 1),
        )  # fmt: skip
        self.done.append(entry)
        return entry


def on_host(host: str, command: str) -> str:
    done = subprocess.run(
        ["docker", "exec", HOSTS[host], "sh", "-c", command],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return done.stdout


def state_of(host: str) -> str:
    found = on_host(host, _STATE)
    assert "/srv/" in found, f"{host} says nothing of its state"
    return found


class Sampler(threading.Thread):
    """Every command line that was there for a moment, on this machine and on the hosts."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.here: set[str] = set()
        self.hosts: set[str] = set()
        self._over = threading.Event()

    def run(self) -> None:
        asked_at = 0.0
        while not self._over.wait(0.05):
            self.here.update(_command_lines())
            if time.monotonic() - asked_at > 3:
                asked_at = time.monotonic()
                for host in HOSTS:
                    self.hosts.update(on_host(host, "ps -eo args").splitlines())

    def stop(self) -> None:
        self._over.set()
        self.join()


def _command_lines() -> Iterator[str]:
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            yield file.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
