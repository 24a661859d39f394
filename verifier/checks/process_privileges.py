"""The running processes of every container have given up what they do not need.

    - id: no-privilege-gain
      check: process_privileges
      with: {project: "{{ compose_project }}", no_new_privs: true}
    - id: not-root
      check: process_privileges
      with: {project: "{{ compose_project }}", not_root: true}

Read from the host's /proc of each process, not from the configuration that asked for it.
`no_new_privs` wants the flag on every process, `not_root` an effective uid other than 0,
`no_capabilities` an empty effective set. `services` must each have a running container; without it
all containers of the project are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from verifier.checks._compose import containers
from verifier.checks._processes import Process, processes
from verifier.checks.base import Check, Host, Mismatch


@dataclass(frozen=True)
class Params:
    project: str
    no_new_privs: bool = False
    not_root: bool = False
    no_capabilities: bool = False
    services: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seen:
    processes: tuple[Process, ...]


def observe(host: Host, want: Params) -> Seen:
    running = [one for one in containers(host, want.project) if one.status == "running"]
    return Seen(tuple(process for one in running for process in processes(host, one)))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if not (want.no_new_privs or want.not_root or want.no_capabilities):
        return [Mismatch("parameters", "something to ask for", "nothing")]
    if not seen.processes:
        return [Mismatch(f"project {want.project}", "running processes", "none")]
    missing = set(want.services) - {process.service for process in seen.processes}
    found = [Mismatch(f"service {one}", "a running process", "none") for one in sorted(missing)]
    return found + [wrong for process in seen.processes for wrong in _wrong(want, process)]


def _impossible(want: Params) -> Params:
    return replace(want, services=(*want.services, "verifier-no-such-service"))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _wrong(want: Params, process: Process) -> list[Mismatch]:
    what = f"process {process.name} of {process.container}"
    found = []
    if want.no_new_privs and not process.no_new_privs:
        found.append(Mismatch(what, "NoNewPrivs set", "it may gain privileges"))
    if want.not_root and process.uid == 0:
        found.append(Mismatch(what, "a user other than root", "uid 0"))
    if want.no_capabilities and int(process.capabilities, 16):
        found.append(Mismatch(what, "no capabilities", process.capabilities))
    return found
