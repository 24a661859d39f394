"""Runs one play of a playbook: starts the child that drives ansible-runner, follows its events,
concludes. The child gets a private directory and a minimal environment, and nothing of it is left
when this ends.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from verifier.deploy.events import Event, PlayResult, conclude, read_event
from verifier.deploy.runner import Job
from verifier.document import to_json
from verifier.errors import InfrastructureError
from verifier.inventory import Inventory
from verifier.plan import Step
from verifier.redact import Redactor

STEP_DEADLINE_S = 3600
_GRACE_S = 5.0

Progress = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Ansible:
    """Where Ansible's files are, and the flags a person gave for it."""

    config: Path
    roles: Path
    playbooks: Path
    forks: int = 20
    verbosity: int = 0
    check: bool = False
    extra_args: tuple[str, ...] = ()
    deadline_s: float = STEP_DEADLINE_S
    environment: Mapping[str, str] = field(default_factory=dict)


def run_play(
    ansible: Ansible,
    inventory: Inventory,
    steps: Sequence[Step],
    releases: Mapping[str, str],
    progress: Progress,
    redact: Redactor,
) -> PlayResult:
    """Runs `steps`, all of one playbook, on their hosts, with each host's release. Never raises for
    what a host does; InfrastructureError when Ansible cannot be started.
    """
    hosts = sorted({host for step in steps for host in step.hosts})
    private = Path(tempfile.mkdtemp(prefix="verifier-ansible-"))
    job = Job(
        playbook=str(ansible.playbooks / steps[0].playbook),
        inventory=str(inventory.path),
        private_dir=str(private),
        config=str(ansible.config),
        roles_path=str(ansible.roles),
        limit=tuple(hosts),
        tags=tuple(step.name for step in steps),
        vault_file=str(inventory.vault_file or ""),
        extra_vars=_release_vars(releases),
        extra_args=ansible.extra_args,
        forks=ansible.forks,
        verbosity=ansible.verbosity,
        check=ansible.check,
    )
    began = time.monotonic()
    try:
        events = tuple(_follow(job, ansible, progress, redact))
    finally:
        shutil.rmtree(private, ignore_errors=True)
    return conclude(steps[0].play, steps, hosts, events, round(time.monotonic() - began, 1))


def _release_vars(releases: Mapping[str, str]) -> dict[str, object]:
    names = set(releases.values())
    if not names or "" in names:
        return {}
    if len(names) == 1:
        return {"release_id": names.pop()}
    return {
        "verifier_releases": dict(releases),
        "release_id": "{{ verifier_releases[inventory_hostname] }}",
    }


def _follow(job: Job, ansible: Ansible, progress: Progress, redact: Redactor) -> Iterator[Event]:
    with tempfile.TemporaryFile() as complaints:
        child = _start(job, ansible.environment, complaints.fileno())
        is_late = threading.Event()
        alarm = threading.Timer(ansible.deadline_s, _stop_late, (child.pid, is_late))
        alarm.daemon = True
        alarm.start()
        try:
            for line in child.stdout or ():
                found = read_event(line)
                if found is not None:
                    event = replace(
                        found, message=redact(found.message), stdout=redact(found.stdout)
                    )
                    progress(event)
                    yield event
            child.wait()
        finally:
            alarm.cancel()
            if child.poll() is None:
                _stop_tree(child.pid)
                child.wait()
            child.stdout.close()  # type: ignore[union-attr]  # a pipe, see below
        complaints.seek(0)
        said = complaints.read().decode("utf-8", "replace").strip()
    if said:
        # What Ansible prints when it cannot even read the playbook is no event of its own.
        yield Event("error", message=redact(said[-2000:]))
    if is_late.is_set():
        yield Event(
            "error", message=f"ERROR: stopped, it had not ended in {ansible.deadline_s:g} s"
        )


def _stop_late(pid: int, is_late: threading.Event) -> None:
    is_late.set()
    _stop_tree(pid)


def _start(job: Job, environment: Mapping[str, str], stderr: int) -> subprocess.Popen[str]:
    try:
        child = subprocess.Popen(
            [sys.executable, "-m", "verifier.deploy.runner"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env=_minimal(environment),
            start_new_session=True,
        )
    except OSError as error:
        raise InfrastructureError(f"Ansible cannot be started: {error.strerror}") from error
    with contextlib.suppress(BrokenPipeError):
        child.stdin.write(to_json(asdict(job)))  # type: ignore[union-attr]  # a pipe, see above
        child.stdin.close()  # type: ignore[union-attr]
    return child


def _minimal(environment: Mapping[str, str]) -> dict[str, str]:
    # ANSIBLE_*, DOCKER_* and COMPOSE_* of the person's shell must not change what a deployment does.
    kept = (
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "SSH_AUTH_SOCK",
        "SSL_CERT_FILE",
        "NODE_EXTRA_CA_CERTS",
        "TMPDIR",
    )
    own_bin = str(Path(sys.executable).parent)
    found = {key: environment[key] for key in kept if key in environment}
    return {**found, "PATH": f"{own_bin}:{found.get('PATH', os.defpath)}", "LANG": "C.UTF-8"}


def _stop_tree(pid: int) -> None:
    """Ends a process and everything it started: Ansible's workers leave its process group."""
    family = [*_descendants(pid), pid]
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for member in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(member, sign)
        deadline = time.monotonic() + _GRACE_S
        while sign is signal.SIGTERM and time.monotonic() < deadline and any(map(_lives, family)):
            time.sleep(0.1)


def _descendants(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, todo = [], [pid]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def _lives(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
