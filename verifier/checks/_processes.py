"""The processes of a container as the host's kernel knows them: who they run as and what they may
still gain. Read from the host's /proc, so nothing inside the container can answer for itself. Facts
only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from verifier.checks._compose import Container
from verifier.checks.base import Host, ask
from verifier.errors import CannotObserve

_FIELD = re.compile(r"/proc/(\d+)/status:(Name|Uid|NoNewPrivs|CapEff):\s*(.*)")


@dataclass(frozen=True, slots=True)
class Process:
    """`is_main` marks the container's own PID 1; `capabilities` is the effective set as the
    kernel's hex mask.
    """

    service: str
    container: str
    name: str
    is_main: bool
    uid: int
    no_new_privs: bool
    capabilities: str


def processes(host: Host, container: Container) -> tuple[Process, ...]:
    """Every process of a running container, its main one first. CannotObserve when the main one
    cannot be read.
    """
    table = ask(host, "docker top %s -eo pid", container.id).split()
    pids = [word for word in table if word.isdigit()]
    files = [f"/proc/{pid}/status" for pid in pids]
    # One that ended between the two looks is missing from the answer; the others are still true.
    answer = host.run(f"grep -H {' '.join(['%s'] * (len(files) + 2))}", "", *files, "/dev/null")
    fields: dict[int, dict[str, str]] = {}
    for pid, name, value in _FIELD.findall(answer.stdout):
        fields.setdefault(int(pid), {})[name] = value.strip()
    if container.pid not in fields:
        raise CannotObserve(f"/proc/{container.pid}/status of '{container.name}' cannot be read")
    found = (_process(container, pid, known) for pid, known in fields.items())
    return tuple(sorted(found, key=lambda process: (not process.is_main, process.name)))


def _process(container: Container, pid: int, known: dict[str, str]) -> Process:
    try:
        return Process(
            service=container.service or container.name,
            container=container.name,
            name=known["Name"],
            is_main=pid == container.pid,
            uid=int(known["Uid"].split()[1]),
            no_new_privs=known["NoNewPrivs"] == "1",
            capabilities=known["CapEff"],
        )
    except (KeyError, IndexError, ValueError) as error:
        raise CannotObserve(f"/proc/{pid}/status is not understood") from error
