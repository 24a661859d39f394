"""Databases and caches are reached by the application over an internal network, and from nowhere
else.

    - id: database-isolated
      check: network_isolation
      with:
        project: filewallball
        client: app
        services: {db: 3306, redis: 6379}

For each service: a running container of it exists; every network it is on is `internal` to the
engine (no way in or out but for its members); it publishes no port and does not use the host's
network; on its networks stand only containers of the same project. Then it is tried: a connection
to name and port from inside the container of `client` works (the counter-proof), and a connection
to the same port on each address of the host outside the loopback is not answered. `client` needs
python3, or `probe`: the words of a program there that takes a name and a port and ends with 0 when
it could connect. What is not tried: a stranger inside another container (nothing is started for a
look), and the host itself talking to a container's address, which root on the host always can. For
a look from outside bind `port` with `open: false` and `from: controller`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from verifier.checks._compose import (
    PROJECT_LABEL,
    Container,
    container_of,
    containers,
    inspect,
)
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_PROBE = (
    "python3",
    "-c",
    "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)",
)
# 1 is a probe's verdict; other statuses are docker's own failures and programs that are not there.
_VERDICTS = frozenset({0, 1})


@dataclass(frozen=True)
class Params:
    project: str
    client: str
    services: Mapping[str, int]
    probe: tuple[str, ...] = _PROBE

    def __post_init__(self) -> None:
        if not self.services:
            raise ValueError("services names at least one")


@dataclass(frozen=True)
class Network:
    name: str
    internal: bool
    strangers: tuple[str, ...]


@dataclass(frozen=True)
class Service:
    """`reachable` from the client's container; `answers_at` are addresses of the host where its
    port answers.
    """

    name: str
    running: bool
    networks: tuple[Network, ...] = ()
    published: tuple[str, ...] = ()
    reachable: bool = False
    answers_at: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seen:
    host_addresses: tuple[str, ...]
    services: tuple[Service, ...]


def observe(host: Host, want: Params) -> Seen:
    client = container_of(host, want.project, want.client)
    running = {c.service: c for c in containers(host, want.project) if c.status == "running"}
    addresses = _own_addresses(host)
    return Seen(
        addresses,
        tuple(
            _look_at(host, want, client, running[name], addresses)
            if name in running
            else Service(name, running=False)
            for name in want.services
        ),
    )


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    wrong = []
    for service in seen.services:
        if not service.running:
            wrong.append(Mismatch(f"service {service.name}", "running", "no running container"))
            continue
        wrong += _judge_networks(service)
        if service.published:
            said = ", ".join(service.published)
            wrong.append(Mismatch(f"ports published by {service.name}", "none", said))
        if not service.reachable:
            what = f"{service.name}:{want.services[service.name]} from {want.client}"
            wrong.append(Mismatch(what, "reachable", "no connection"))
        for address in service.answers_at:
            what = f"{address}:{want.services[service.name]} of the host"
            wrong.append(Mismatch(what, "not answered", "it answers"))
    return wrong


def _impossible(want: Params) -> Params:
    return replace(want, services=dict.fromkeys(want.services, 0))  # nothing listens on port 0


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _own_addresses(host: Host) -> tuple[str, ...]:
    found = ask(host, "hostname -I").split()
    # A link-local address needs an interface behind it, and Docker's own bridges are not outside.
    bridges = _bridge_addresses(host)
    outside = tuple(a for a in found if not a.startswith("fe80:") and a not in bridges)
    if not outside:
        raise CannotObserve("the host has no address outside the loopback")
    return outside


def _bridge_addresses(host: Host) -> frozenset[str]:
    ids = ask(host, "docker network ls -q --filter driver=bridge").split()
    configs = [c for raw in inspect_networks(host, *ids) for c in raw["IPAM"].get("Config") or []]
    return frozenset(config["Gateway"] for config in configs if config.get("Gateway"))


def inspect_networks(host: Host, *names: str) -> list[dict[str, Any]]:
    """`docker network inspect` of the named networks, parsed."""
    if not names:
        return []
    answer = ask(host, "docker network inspect" + " %s" * len(names), *names)
    try:
        return list(json.loads(answer))
    except ValueError as error:
        raise CannotObserve("`docker network inspect` printed no JSON") from error


def _look_at(
    host: Host, want: Params, client: Container, container: Container, addresses: tuple[str, ...]
) -> Service:
    port = want.services[container.service]
    joined = container.raw["NetworkSettings"]["Networks"]
    if not joined:
        raise CannotObserve(f"{container.name} is on no network")
    return Service(
        name=container.service,
        running=True,
        networks=tuple(_network(host, want, raw) for raw in inspect_networks(host, *joined)),
        published=tuple(_published(container)),
        reachable=_client_reaches(host, want, client, container.service, port),
        answers_at=tuple(a for a in addresses if _host_reaches(host, a, port)),
    )


def _network(host: Host, want: Params, raw: Mapping[str, Any]) -> Network:
    strangers = []
    members = list(raw.get("Containers") or {})
    for member in inspect(host, *members) if members else []:
        labels = member["Config"].get("Labels") or {}
        if labels.get(PROJECT_LABEL) != want.project:
            strangers.append(member["Name"].lstrip("/"))
    return Network(raw["Name"], bool(raw["Internal"]), tuple(sorted(strangers)))


def _published(container: Container) -> list[str]:
    ports = container.raw["NetworkSettings"].get("Ports") or {}
    return [
        f"{binding['HostIp'] or '0.0.0.0'}:{binding['HostPort']}->{inner}"  # noqa: S104
        for inner, bindings in ports.items()
        for binding in bindings or []
    ]


def _client_reaches(host: Host, want: Params, client: Container, service: str, port: int) -> bool:
    words = ["docker", "exec", client.id, *want.probe, service, str(port)]
    done = host.run(" ".join(["%s"] * len(words)), *words)
    if done.rc not in _VERDICTS:
        said = (done.stderr.strip() or "no output").splitlines()[-1]
        raise CannotObserve(f"the probe cannot run in {client.service}: {said[:200]}")
    return done.rc == 0


def _host_reaches(host: Host, address: str, port: int) -> bool:
    done = host.run(" ".join(["%s"] * (len(_PROBE) + 2)), *_PROBE, address, str(port))
    if done.rc not in _VERDICTS:
        raise CannotObserve(f"python3 cannot run on the host: {done.stderr.strip()[-200:]}")
    return done.rc == 0


def _judge_networks(service: Service) -> list[Mismatch]:
    wrong = []
    for network in service.networks:
        if not network.internal:
            what = f"network {network.name} of {service.name}"
            wrong.append(Mismatch(what, "internal", "it has a way out and in"))
        if network.strangers:
            said = ", ".join(network.strangers)
            wrong.append(Mismatch(f"members of {network.name}", "this project only", said))
    return wrong
