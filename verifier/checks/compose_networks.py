"""Networks are declared and used, external ones exist, and each connects only the services that
belong together.

    - id: compose-networks
      check: compose_networks
      with:
        stack: "{{ compose_stack }}"
        members: {front: [app], back: [app, db, redis]}
        internal: [back]

Red when compose refuses an undeclared network, when no network is declared, when a declared one is
used by no service, when a service is on the implicit default network or shares the host's, when an
external network does not exist on the host, when a network of `members` joins other services than
these, and when one of `internal` is not internal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from verifier.checks._compose import Stack, merged_or_refused
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.document import parse_yaml
from verifier.errors import CannotObserve, DocumentError

_REFUSALS = ("undefined network",)


@dataclass(frozen=True)
class Params:
    stack: Stack
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    internal: tuple[str, ...] = ()


@dataclass(frozen=True)
class Service:
    name: str
    networks: tuple[str, ...]
    mode: str


@dataclass(frozen=True)
class Seen:
    refused: str
    declared: tuple[str, ...] = ()
    services: tuple[Service, ...] = ()
    internal: tuple[str, ...] = ()
    missing_external: tuple[str, ...] = ()


def observe(host: Host, want: Params) -> Seen:
    config, refused = merged_or_refused(host, want.stack, *_REFUSALS)
    if refused:
        return Seen(refused)
    networks = {str(name): body or {} for name, body in (config.get("networks") or {}).items()}
    return Seen(
        "",
        _declared(host, want.stack),
        tuple(
            Service(name, tuple(body.get("networks") or ()), str(body.get("network_mode") or ""))
            for name, body in config["services"].items()
        ),
        tuple(name for name, body in networks.items() if body.get("internal")),
        tuple(name for name, body in networks.items() if _is_missing(host, name, body)),
    )


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if seen.refused:
        return [Mismatch("networks", "accepted by compose", f"refused: {seen.refused}")]
    if not seen.declared:
        return [Mismatch("networks", "declared in the compose files", "none")]
    used = {network for service in seen.services for network in service.networks}
    found = [
        Mismatch(f"network '{name}'", "used by a service", "used by none")
        for name in seen.declared
        if name not in used
    ]
    found += [
        Mismatch(f"external network '{name}'", "there on the host", "missing")
        for name in seen.missing_external
    ]
    found += [
        Mismatch(f"network '{name}'", "internal", "open to the outside")
        for name in want.internal
        if name not in seen.internal
    ]
    return [*found, *_strays(seen), *_strangers(want, seen)]


def _impossible(want: Params) -> Params:
    return replace(want, members={"verifier-no-such-thing": ("verifier-no-such-thing",)})


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _declared(host: Host, stack: Stack) -> tuple[str, ...]:
    # Read from the files: the merged configuration leaves out what no service uses.
    found: dict[str, None] = {}
    for file in stack.files:
        path = f"{stack.directory}/{file}"
        try:
            raw = parse_yaml(ask(host, "cat -- %s", path), where=path)
        except DocumentError as error:
            raise CannotObserve(str(error)) from error
        networks = raw.get("networks") if isinstance(raw, dict) else None
        found.update(dict.fromkeys(map(str, networks or ())))
    return tuple(found)


def _is_missing(host: Host, name: str, body: Mapping[str, Any]) -> bool:
    if not body.get("external"):
        return False
    real = str(body.get("name") or name)
    answer = host.run("docker network inspect --format '{{.Name}}' %s", real)
    if answer.rc != 0 and not any(w in answer.stderr for w in ("No such network", "not found")):
        raise CannotObserve(f"network '{real}': {answer.stderr.strip()[:200]}")
    return answer.rc != 0


def _strays(seen: Seen) -> list[Mismatch]:
    found = []
    for service in seen.services:
        if service.mode:
            saw = f"network_mode {service.mode}"
        elif not set(service.networks) & set(seen.declared):
            saw = ", ".join(service.networks) or "none"
        else:
            continue
        found.append(Mismatch(f"service '{service.name}'", "on a declared network", saw))
    return found


def _strangers(want: Params, seen: Seen) -> list[Mismatch]:
    found = []
    for name, members in want.members.items():
        saw = sorted(service.name for service in seen.services if name in service.networks)
        if saw != sorted(members):
            wanted = f"joins exactly {', '.join(sorted(members))}"
            found.append(Mismatch(f"network '{name}'", wanted, ", ".join(saw) or "no service"))
    return found
