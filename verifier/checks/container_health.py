"""Every container that has a healthcheck is healthy, before a deadline.

    - id: services-healthy
      check: container_health
      with: {stack: "{{ compose_stack }}", required: [app, db, redis], within_s: 60}

While a container is `starting` the look is repeated until `within_s` have passed. `required` names
services that must have a healthcheck at all. A service without a container, and a project in which
nothing has a healthcheck, is wrong: there would be nothing to be healthy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from verifier.checks._compose import Container, Stack, containers, merged_config
from verifier.checks.base import Check, Host, Mismatch, ask

_PAUSE_S = 2


@dataclass(frozen=True)
class Params:
    stack: Stack
    required: tuple[str, ...] = ()
    within_s: int = 60


@dataclass(frozen=True)
class Health:
    """`status` is "" for a container without a healthcheck; `said` is its last probe's output."""

    service: str
    name: str
    status: str
    state: str
    said: str


@dataclass(frozen=True)
class Seen:
    services: tuple[str, ...]
    health: tuple[Health, ...]
    waited_s: int


def observe(host: Host, want: Params) -> Seen:
    services = tuple(sorted(merged_config(host, want.stack)["services"]))
    waited = 0
    while True:
        found = containers(host, want.stack.project)
        if waited >= want.within_s or not any(one.health == "starting" for one in found):
            return Seen(services, tuple(map(_health, found)), waited)
        ask(host, "sleep %s", str(_PAUSE_S))
        waited += _PAUSE_S


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    running = {one.service for one in seen.health}
    found = [
        Mismatch(f"service {name}", "a healthy container", "no container")
        for name in sorted({*seen.services, *want.required} - running)
    ]
    if not any(one.status for one in seen.health):
        found.append(Mismatch("the project", "at least one healthcheck", "none"))
    return found + [wrong for one in seen.health for wrong in _wrong(want, one, seen.waited_s)]


def _impossible(want: Params) -> Params:
    return replace(want, required=("verifier-no-such-thing",))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _health(one: Container) -> Health:
    log = (one.raw["State"].get("Health") or {}).get("Log") or []
    said = " ".join(str(log[-1].get("Output", "")).split())[:300] if log else ""
    return Health(one.service, one.name, one.health, one.status, said)


def _wrong(want: Params, one: Health, waited_s: int) -> list[Mismatch]:
    what = f"container {one.name}"
    if not one.status:
        needs = one.service in want.required
        return [Mismatch(what, "a healthcheck", "none is configured")] if needs else []
    if one.status == "healthy" and one.state == "running":
        return []
    told = f", its probe said: {one.said}" if one.said else ""
    waited = f" after {waited_s} s" if one.status == "starting" else ""
    state = "" if one.state == "running" else f" and {one.state}"
    return [Mismatch(what, "healthy", f"{one.status}{waited}{state}{told}")]
