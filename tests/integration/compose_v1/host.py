"""A host of an earlier generation: Debian 12 with Engine 20.10 and docker-compose 1.29.2. It has its own
container, ssh key, secrets and inventory; of the lab it uses the network and the registry, which it starts and
fills when they are not there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from verifier.lab import images
from verifier.lab.engine import Docker, certificate_secret, find_docker
from verifier.lab.hosts import (
    LabHost,
    ensure_network,
    ensure_volume,
    refuse_taken_ports,
    remove_host,
    run_arguments,
    ssh_arguments,
    wait_until_ready,
)
from verifier.lab.project import Project, write_inventory
from verifier.lab.registry import ensure_registry
from verifier.lab.secrets import ensure_secrets
from verifier.lab.state import LabState, locked, open_state, write_private

BASE = "verifier-lab/base-v1:latest"
IMAGE = "verifier-lab/host-v1:latest"
UPSTREAM = "debian:bookworm-slim"

SHARED_WITH_THE_LAB = ("init.sh", "sshd.conf", "daemon.json")
RELEASES = ("1", "2")


class OldLabHost(LabHost):
    """In a container whose name says that it is none of the lab's three."""

    __slots__ = ()

    @property
    def container(self) -> str:
        return f"verifier-{self.name}"


V1 = OldLabHost("v1-host", 2211, ((8000, 18011),), ("filewallball",))


@dataclass(frozen=True)
class OldHost:
    """The running host, as a test uses it."""

    docker: Docker
    state: LabState
    inventory: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{dict(V1.published)[8000]}"

    def set_variables(self, text: str) -> None:
        """Gives the host these variables of its own, in place of those it had."""
        folder = self.inventory / "host_vars"
        folder.mkdir(exist_ok=True)
        (folder / f"{V1.name}.yml").write_text(f"---\n{text}\n", encoding="utf-8")

    def run(self, command: str) -> str:
        """What a command printed there, run as `deploy`."""
        done = subprocess.run(
            (*ssh_arguments(self.state, V1), command),
            check=False, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout.strip()


@contextmanager
def old_host(checkout: Path, folder: Path) -> Iterator[OldHost]:
    """Builds what is missing, starts the host, and removes it whatever happens."""
    docker = find_docker(os.environ["PATH"])
    project = Project(checkout)
    with locked(_lab_state_root()):
        _ensure_registry_serves(docker, project)
        _ensure_base(docker, project)
        _ensure_image(docker, project, folder / "context")
    state = open_state(folder / "state")
    inventory = _write_inventory(project, state, folder / "project")
    remove_host(docker, V1)
    try:
        _start(docker, project, state)
        yield OldHost(docker, state, inventory)
    finally:
        remove_host(docker, V1)


def _ensure_registry_serves(docker: Docker, project: Project) -> None:
    images.ensure_base(docker, project)
    images.ensure_image(docker, images.registry_image(project))
    ensure_network(docker)
    ensure_registry(docker)
    releases = {f"{images.PUSH_TO}/filewallball:{release}" for release in RELEASES}
    wanted = [image for image in images.application_images(project) if image.tag in releases]
    wanted += [image for image in images.database_images(project) if "postgres" not in image.tag]
    for image in wanted:
        images.ensure_image(docker, image)
        images.ensure_pushed(docker, image)


def _ensure_base(docker: Docker, project: Project) -> None:
    """Debian 12 from an image registry, else from the machine's apt source, as the lab's own base."""
    bootstrap = project.lab / "host-v1" / "bootstrap"
    sources = bootstrap.read_bytes() + (project.lab / "base" / "bootstrap").read_bytes()
    stamp = hashlib.sha256(sources).hexdigest()
    if docker.label(BASE, images.STAMP) == stamp:
        return
    label = f"{images.STAMP}={stamp}"
    if docker.ask("pull", "--quiet", UPSTREAM, seconds=images.PULL_SECONDS).code == 0:
        docker.build("--label", label, "--tag", BASE, "-", stdin=f"FROM {UPSTREAM}\n")
        return
    with subprocess.Popen([str(bootstrap)], stdout=subprocess.PIPE) as maker:
        importing = [docker.client, "import", "--change", f"LABEL {label}", "-", BASE]
        imported = subprocess.run(importing, stdin=maker.stdout, check=False, capture_output=True)
    if maker.returncode != 0 or imported.returncode != 0:
        # A tar that was cut short may still have been imported.
        docker.ask("image", "rm", BASE)
        raise AssertionError(f"no Debian 12 base image: {imported.stderr.decode(errors='replace')}")


def _ensure_image(docker: Docker, project: Project, context: Path) -> None:
    context.mkdir()
    shutil.copy(project.lab / "host-v1" / "Dockerfile", context)
    for name in SHARED_WITH_THE_LAB:
        shutil.copy(project.lab / "host" / name, context)
    image = images.Image("host image", IMAGE, context, BASE, (("BASE", BASE),))
    stamp = images.stamp_of(image, docker.image_id(BASE))
    if docker.label(IMAGE, images.STAMP) != stamp:
        docker.build(*images.build_arguments(image, stamp), *certificate_secret(), str(context))


def _write_inventory(project: Project, state: LabState, root: Path) -> Path:
    """A copy of the lab's inventory with this one host in it, and secrets and keys of its own. It stands beside
    `lab/`, where the copied variables look for the application.
    """
    inventory = root / "inventory" / "lab"
    made_by_the_lab = shutil.ignore_patterns("vault.yml", "lab.yml", ".vault-password")
    shutil.copytree(project.inventory, inventory, ignore=made_by_the_lab)
    (root / "lab").symlink_to(project.lab)
    ensure_secrets(state)
    write_inventory(Project(root), state)
    (inventory / "hosts.yml").write_text(
        f"""\
all:
  children:
    filewallball:
      hosts:
        {V1.name}:
          ansible_port: {V1.ssh_port}
          public_url: http://127.0.0.1:{dict(V1.published)[8000]}
""",
        encoding="utf-8",
    )
    return inventory


def _start(docker: Docker, project: Project, state: LabState) -> None:
    refuse_taken_ports(V1.container, [port for _, port in V1.ports])
    ensure_volume(docker, V1.volume)
    *words, _ = run_arguments(V1, project, state)
    docker.run(*words, IMAGE)
    docker.run(
        *("exec", "--interactive", V1.container, "sh", "-c"),
        "install -m 0600 -o deploy -g deploy /dev/stdin /home/deploy/.ssh/authorized_keys",
        stdin=state.public_key.read_text(),
    )
    key = _host_key(docker)
    write_private(state.known_hosts, f"[127.0.0.1]:{V1.ssh_port} {key}\n")
    wait_until_ready(state, V1)


def _host_key(docker: Docker) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        path = "/etc/ssh/ssh_host_ed25519_key.pub"
        words = docker.ask("exec", V1.container, "cat", path).out.split()
        if len(words) >= 2:
            return " ".join(words[:2])
        time.sleep(0.2)
    raise AssertionError(f"{V1.container} has no host key after 60 s: docker logs {V1.container}")


def _lab_state_root() -> Path:
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "verifier" / "lab"
