"""The lab's four verbs: up, status, reset, down. Each puts the pieces in order and reports every
step through a callback; how a piece is made stands in the piece's own file.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Timer

from verifier.errors import UsageError
from verifier.lab import images, registry
from verifier.lab.databases import ensure_databases
from verifier.lab.engine import LABEL, Docker
from verifier.lab.hosts import (
    HOSTS,
    HostStatus,
    LabHost,
    ensure_host,
    ensure_network,
    pin_host_keys,
    refuse_foreign,
    remove_host,
    status_of,
    wait_until_ready,
)
from verifier.lab.project import Project, write_inventory
from verifier.lab.secrets import ensure_secrets
from verifier.lab.services import ensure_services, remove_services, trust_authority
from verifier.lab.state import LabState, remove_state

# Two builds at a time saturate a small machine; the other lanes mostly wait for the network.
LANES = 4

# After this long without an end a person wants to know that something is going on.
PATIENCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Progress:
    """A step, what was done, and how long it took; or, if it takes long, that it goes on."""

    step: str
    done: str
    seconds: float


Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Lab:
    docker: Docker
    project: Project
    state: LabState
    report: Report

    def step(self, name: str, work: Callable[[], str]) -> None:
        started = time.monotonic()
        working = Timer(PATIENCE_SECONDS, self.report, [Progress(name, "...", PATIENCE_SECONDS)])
        working.daemon = True
        working.start()
        try:
            done = work()
        finally:
            working.cancel()
        self.report(Progress(name, done, time.monotonic() - started))


def bring_up(lab: Lab) -> tuple[HostStatus, ...]:
    """Everything running and ready, whatever was there before. A second call changes nothing."""
    docker, project, state = lab.docker, lab.project, lab.state
    for host in HOSTS:
        refuse_foreign(docker, state, host)
    secrets = ensure_secrets(state)
    write_inventory(project, state)
    lab.step("base image", lambda: images.ensure_base(docker, project))
    lab.step("network", lambda: ensure_network(docker))
    with ThreadPoolExecutor(LANES) as pool:
        running = pool.submit(_start_registry, lab)
        hosts = pool.submit(_start_hosts, lab, build=True)
        databases = [
            pool.submit(_deliver, lab, (image,), running)
            for image in images.database_images(project)
        ]
        releases = pool.submit(_deliver, lab, images.application_images(project), running)
        builder = pool.submit(_build_builder, lab, hosts)
        services = pool.submit(_start_services, lab, secrets)
        _all_done([running, hosts, *databases, releases, builder, services])
    lab.step("authority", lambda: trust_authority(docker, state))
    lab.step("o4o databases", lambda: ensure_databases(docker, project, secrets))
    return look(docker)


def look(docker: Docker) -> tuple[HostStatus, ...]:
    return tuple(status_of(docker, host) for host in HOSTS)


def reset(lab: Lab) -> tuple[HostStatus, ...]:
    """Hosts as they were after the first `up`: nothing deployed, new host keys, and services that
    have seen nothing yet. Images and secrets stay.
    """
    if not (lab.docker.image_id(images.HOST) and lab.docker.image_id(images.SERVICES)):
        raise UsageError("there is no lab to reset", do="verifier lab up")
    for host in HOSTS:
        refuse_foreign(lab.docker, lab.state, host)
    secrets = ensure_secrets(lab.state)
    write_inventory(lab.project, lab.state)
    lab.step("network", lambda: ensure_network(lab.docker))
    lab.step("registry", lambda: registry.ensure_registry(lab.docker))
    lab.step("old hosts", lambda: _remove_hosts(lab.docker))
    _start_hosts(lab, build=False)
    remove_services(lab.docker)
    lab.step("services", lambda: ensure_services(lab.docker, lab.state, secrets))
    lab.step("authority", lambda: trust_authority(lab.docker, lab.state))
    lab.step("o4o databases", lambda: ensure_databases(lab.docker, lab.project, secrets))
    return look(lab.docker)


def take_down(docker: Docker, state: LabState, report: Report, *, everything: bool) -> None:
    """Removes hosts, services, registry and network. With `everything` also images, the registry's volume and
    the state.
    """
    started = time.monotonic()
    for container in _listed(docker, LABEL, "ps", "--all", "--quiet"):
        docker.run("rm", "--force", "--volumes", container)
    for volume in _listed(docker, LABEL, "volume", "ls", "--quiet"):
        if everything or volume != registry.VOLUME:
            docker.run("volume", "rm", "--force", volume)
    for network in _listed(docker, LABEL, "network", "ls", "--quiet"):
        docker.run("network", "rm", network)
    report(Progress("containers, volumes, network", "removed", time.monotonic() - started))
    if everything:
        started = time.monotonic()
        found = dict.fromkeys(_listed(docker, images.STAMP, "images", "--quiet"))
        if found:
            docker.run("rmi", "--force", *found)
        remove_state(state.root)
        report(Progress("images and state", "removed", time.monotonic() - started))


def _start_registry(lab: Lab) -> None:
    _build(lab, images.registry_image(lab.project))
    lab.step("registry", lambda: registry.ensure_registry(lab.docker))


def _start_hosts(lab: Lab, *, build: bool) -> None:
    if build:
        _build(lab, images.host_image(lab.project))
    for host in HOSTS:
        _start(lab, host)
    pin_host_keys(lab.docker, lab.state)
    with ThreadPoolExecutor(len(HOSTS)) as pool:
        _all_done([pool.submit(_await, lab, host) for host in HOSTS])


def _start_services(lab: Lab, secrets: dict[str, str]) -> None:
    _build(lab, images.services_image(lab.project))
    lab.step("services", lambda: ensure_services(lab.docker, lab.state, secrets))


def _start(lab: Lab, host: LabHost) -> None:
    lab.step(f"host {host.name}", lambda: ensure_host(lab.docker, lab.project, lab.state, host))


def _await(lab: Lab, host: LabHost) -> None:
    lab.step(f"host {host.name}", lambda: wait_until_ready(lab.state, host))


def _deliver(lab: Lab, wanted: tuple[images.Image, ...], registry_runs: Future[None]) -> None:
    """One after the other: releases share all layers but the last, so only the first is work."""
    for image in wanted:
        _build(lab, image)
        registry_runs.result()
        _push(lab, image)


def _build_builder(lab: Lab, hosts_run: Future[None]) -> None:
    image = images.builder_image(lab.project)
    if image is not None:
        hosts_run.result()
        lab.step(image.name, lambda: _ensure_builder(lab, image))


def _ensure_builder(lab: Lab, image: images.Image) -> str:
    done = images.ensure_image(lab.docker, image)
    if done == "built":
        # A deployment makes an artifact only where there is none: an old one would be deployed.
        for artifact in lab.state.artifacts.glob("o4o-*.tar.gz"):
            artifact.unlink()
    return done


def _build(lab: Lab, image: images.Image) -> None:
    lab.step(image.name, lambda: images.ensure_image(lab.docker, image))


def _push(lab: Lab, image: images.Image) -> None:
    lab.step(f"{image.name}, registry", lambda: images.ensure_pushed(lab.docker, image))


def _all_done(futures: list[Future[None]]) -> None:
    """Waits for all; the first error is raised only when nothing runs any more."""
    for error in [future.exception() for future in futures]:
        if error is not None:
            raise error


def _remove_hosts(docker: Docker) -> str:
    with ThreadPoolExecutor(len(HOSTS)) as pool:
        list(pool.map(lambda host: remove_host(docker, host), HOSTS))
    return "removed"


def _listed(docker: Docker, label: str, *command: str) -> list[str]:
    return docker.run(*command, "--filter", f"label={label}").split()
