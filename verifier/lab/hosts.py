"""The lab's hosts: which there are, how their containers are made, and how one comes to trust them.
A host is ready when sshd takes the lab's key for `deploy` and the engine inside answers; what is
deployed there is not known here.
"""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from verifier.errors import InfrastructureError, Unreachable, UsageError
from verifier.lab.engine import LABEL, Docker
from verifier.lab.images import HOST
from verifier.lab.project import Project
from verifier.lab.state import LabState, write_private

NETWORK = "verifier-lab"
LOOPBACK = "127.0.0.1"
READY_SECONDS = 90

KEY_LABEL = "verifier.lab.key"
STATE_LABEL = "verifier.lab.state"


class HostState(StrEnum):
    RUNNING = "running"
    STOPPED = "stopped"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class LabHost:
    """`published` maps a port inside the host to its port on the controller's loopback."""

    name: str
    ssh_port: int
    published: tuple[tuple[int, int], ...]
    groups: tuple[str, ...]

    @property
    def container(self) -> str:
        return f"verifier-lab-{self.name}"

    @property
    def volume(self) -> str:
        return f"{self.container}-docker"

    @property
    def ports(self) -> tuple[tuple[int, int], ...]:
        return ((22, self.ssh_port), *self.published)


# The database ports are published although nothing may listen there: it lets the controller see
# that nothing does.
HOSTS = (
    LabHost("fwb1", 2201, ((8000, 18001), (3306, 13301)), ("filewallball",)),
    LabHost("fwb2", 2202, ((8000, 18002), (3306, 13302)), ("filewallball",)),
    LabHost("o4o1", 2203, ((3000, 18003), (5432, 15403)), ("o4o",)),
)


@dataclass(frozen=True, slots=True)
class HostStatus:
    host: LabHost
    state: HostState


def status_of(docker: Docker, host: LabHost) -> HostStatus:
    return HostStatus(host, container_state(docker, host.container))


def container_state(docker: Docker, container: str) -> HostState:
    answer = docker.ask("container", "inspect", "--format", "{{.State.Running}}", container)
    if answer.code != 0:
        return HostState.ABSENT
    return HostState.RUNNING if answer.out.strip() == "true" else HostState.STOPPED


def ensure_host(docker: Docker, project: Project, state: LabState, host: LabHost) -> str:
    """Makes, starts or adopts the host's container and gives it the lab's public key. Says what was
    done.
    """
    found = container_state(docker, host.container)
    if found is not HostState.ABSENT and _label(docker, host, KEY_LABEL) != fingerprint(state):
        # Its secrets and its key went with the state directory that made it: nobody can use it any
        # more.
        remove_host(docker, host)
        found = HostState.ABSENT
    done = "running"
    if found is HostState.ABSENT:
        refuse_taken_ports(host.container, [port for _, port in host.ports])
        ensure_volume(docker, host.volume)
        docker.run(*run_arguments(host, project, state))
        done = "made"
    elif found is HostState.STOPPED:
        refuse_taken_ports(host.container, [port for _, port in host.ports])
        docker.run("start", host.container)
        done = "started"
    _authorise(docker, state, host)
    if done == "running" and not _runs_newest_image(docker, host):
        done = "running an older host image; `verifier lab reset` makes it new"
    return done


def refuse_foreign(docker: Docker, state: LabState, host: LabHost) -> None:
    """Refuses a running host that belongs to another state directory that still exists. Raises
    UsageError.
    """
    if container_state(docker, host.container) is HostState.ABSENT:
        return
    owner = _label(docker, host, STATE_LABEL)
    if owner and owner != str(state.root) and _still_there(Path(owner)):
        raise UsageError(
            f"belongs to the lab of another state directory, {owner}",
            where=host.container,
            do="use that one through XDG_STATE_HOME, or take it down first: verifier lab down",
        )


def remove_host(docker: Docker, host: LabHost) -> None:
    """Removes the container and its engine's data. Nothing happens if they are gone already."""
    docker.ask("rm", "--force", "--volumes", host.container)
    docker.ask("volume", "rm", "--force", host.volume)


def run_arguments(host: LabHost, project: Project, state: LabState) -> tuple[str, ...]:
    """`docker run` for a host that has an engine of its own, with the least it works with."""
    ports = [
        part
        for inside, outside in host.ports
        for part in ("--publish", f"{LOOPBACK}:{outside}:{inside}")
    ]
    labels = (LABEL, f"{KEY_LABEL}={fingerprint(state)}", f"{STATE_LABEL}={state.root}")
    return (
        "run",
        "--detach",
        "--name",
        host.container,
        "--hostname",
        host.name,
        *(part for label in labels for part in ("--label", label)),
        "--network",
        NETWORK,
        "--network-alias",
        host.name,
        # Mounts and namespaces of containers; their networks; health checks in containers that are
        # not root's.
        *("--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN", "--cap-add", "SYS_PTRACE"),
        # Docker's own profile denies keyctl to nested engines; this one denies what concerns the
        # whole machine.
        *("--security-opt", f"seccomp={project.lab / 'host' / 'seccomp.json'}"),
        *("--security-opt", "apparmor=unconfined"),
        # An engine's storage cannot lie on another engine's overlay.
        *("--volume", f"{host.volume}:/var/lib/docker"),
        # A reboot gives the engine inside the time to stop its own containers.
        *("--stop-timeout", "30"),
        *ports,
        HOST,
    )


def ensure_network(docker: Docker) -> str:
    if docker.ask("network", "inspect", NETWORK).code == 0:
        return "up to date"
    docker.run("network", "create", "--label", LABEL, NETWORK)
    return "made"


def ensure_volume(docker: Docker, name: str) -> None:
    """A volume that carries the lab's label, so that `down` finds it."""
    if docker.ask("volume", "inspect", name).code != 0:
        docker.run("volume", "create", "--label", LABEL, name)


def pin_host_keys(docker: Docker, state: LabState) -> None:
    """Writes known_hosts with each host's key as read inside it: over the network anybody could
    answer.
    """
    pinned = [
        f"[{LOOPBACK}]:{host.ssh_port} {_host_key(docker, host)}\n"
        for host in HOSTS
        if container_state(docker, host.container) is HostState.RUNNING
    ]
    write_private(state.known_hosts, "".join(pinned))


def wait_until_ready(state: LabState, host: LabHost) -> str:
    """Returns when `deploy` gets in with the key and docker answers inside. Raises Unreachable."""
    deadline = time.monotonic() + READY_SECONDS
    argv = (*ssh_arguments(state, host), "docker info --format '{{.ServerVersion}}'")
    while True:
        done = _tried(argv)
        if done is not None and done.returncode == 0:
            return f"ssh and docker {done.stdout.strip()} answer"
        if time.monotonic() > deadline:
            said = (done.stderr.strip().splitlines() if done else []) or ["no answer"]
            raise Unreachable(
                f"was not ready after {READY_SECONDS} s: {said[-1]}",
                where=host.name,
                do=f"docker exec {host.container} tail /var/log/dockerd.log",
            )
        time.sleep(0.3)


def ssh_arguments(state: LabState, host: LabHost) -> tuple[str, ...]:
    """An ssh command as `deploy`: trusts the pinned host key alone, reads no file of the user."""
    options = (
        f"UserKnownHostsFile={state.known_hosts}",
        "GlobalKnownHostsFile=/dev/null",
        "StrictHostKeyChecking=yes",
        "IdentitiesOnly=yes",
        "BatchMode=yes",
        "ConnectTimeout=5",
        "LogLevel=ERROR",
    )
    flags = [part for option in options for part in ("-o", option)]
    login = ("-i", str(state.key), "-p", str(host.ssh_port), f"deploy@{LOOPBACK}")
    return ("ssh", "-F", "/dev/null", *flags, *login)


def fingerprint(state: LabState) -> str:
    """Names the lab's key without being it."""
    return hashlib.sha256(state.public_key.read_bytes()).hexdigest()[:16]


def refuse_taken_ports(container: str, ports: list[int]) -> None:
    """Raises InfrastructureError for the first port on loopback that another program listens on."""
    for port in ports:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError as error:
                raise InfrastructureError(
                    f"port {port} on {LOOPBACK} is taken by another program",
                    where=container,
                    do=f"stop it; this names it: ss -ltnp 'sport = :{port}'",
                ) from error


def as_json(statuses: tuple[HostStatus, ...]) -> str:
    """The list other programs read: one object per host."""
    return json.dumps(
        [
            {
                "name": status.host.name,
                "container": status.host.container,
                "ssh_port": status.host.ssh_port,
                "published": {str(inside): outside for inside, outside in status.host.published},
                "groups": list(status.host.groups),
                "state": status.state.value,
            }
            for status in statuses
        ],
        indent=2,
    )


def as_text(statuses: tuple[HostStatus, ...]) -> str:
    """The same as a table of plain columns: no colour, no frame, readable in a log."""
    rows = [
        ("HOST", "STATE", "CONTAINER", "SSH", "PUBLISHED", "GROUPS"),
        *(
            (
                status.host.name,
                status.state.value,
                status.host.container,
                f"{LOOPBACK}:{status.host.ssh_port}",
                " ".join(f"{outside}->{inside}" for inside, outside in status.host.published),
                " ".join(status.host.groups),
            )
            for status in statuses
        ),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _label(docker: Docker, host: LabHost, name: str) -> str:
    template = f'{{{{index .Config.Labels "{name}"}}}}'
    return docker.run("container", "inspect", "--format", template, host.container)


def _still_there(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:
        return True


def _runs_newest_image(docker: Docker, host: LabHost) -> bool:
    runs = docker.run("container", "inspect", "--format", "{{.Image}}", host.container)
    return runs == docker.image_id(HOST)


def _authorise(docker: Docker, state: LabState, host: LabHost) -> None:
    script = (
        "umask 077; cd /home/deploy/.ssh && cat >authorized_keys.new"
        " && chown deploy:deploy authorized_keys.new && mv authorized_keys.new authorized_keys"
    )
    key = state.public_key.read_text()
    docker.run("exec", "--interactive", host.container, "sh", "-c", script, stdin=key)


def _host_key(docker: Docker, host: LabHost) -> str:
    """Type and key. They are made at the host's first start, which may not have come that far."""
    deadline = time.monotonic() + READY_SECONDS
    path = "/etc/ssh/ssh_host_ed25519_key.pub"
    while True:
        words = docker.ask("exec", host.container, "cat", path).out.split()
        if len(words) >= 2:  # noqa: PLR2004  type, key, and perhaps a comment
            return f"{words[0]} {words[1]}"
        if time.monotonic() > deadline:
            raise Unreachable(
                "has no host key", where=host.name, do=f"docker logs {host.container}"
            )
        time.sleep(0.1)


def _tried(argv: tuple[str, ...]) -> subprocess.CompletedProcess[str] | None:
    try:
        return subprocess.run(
            argv,
            check=False,
            capture_output=True,
            text=True,
            timeout=20,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return None
    except OSError as error:
        raise InfrastructureError(
            f"ssh cannot be run: {error.strerror}", do="install the OpenSSH client"
        ) from error
