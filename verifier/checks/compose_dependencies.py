"""Services wait for what they depend on until it is ready, and nothing waits in a circle.

    - id: compose-dependencies
      check: compose_dependencies
      with:
        stack: "{{ compose_stack }}"
        waits: {app: [db, redis]}

Red for a cycle, for a dependency on a service that does not exist, for a dependency that has a
health check (of its own or of its image) but is only waited for as started, and for one in `waits`
that is not declared or not waited for as healthy. A stack without any dependency has nothing to see
and is red as well.
"""

from __future__ import annotations

import graphlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from verifier.checks._compose import Stack, merged_or_refused
from verifier.checks._image import healthcheck_test, image_name
from verifier.checks.base import Check, Host, Mismatch

_REFUSALS = ("cycle", "ircular dependency", "undefined service")
_STARTED = "service_started"
_HEALTHY = "service_healthy"


@dataclass(frozen=True)
class Params:
    stack: Stack
    waits: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Edge:
    """`service` depends on `on`, under compose's `condition`; `is_checked` when `on` has a health
    check.
    """

    service: str
    on: str
    condition: str
    is_checked: bool


@dataclass(frozen=True)
class Seen:
    refused: str
    edges: tuple[Edge, ...] = ()


def observe(host: Host, want: Params) -> Seen:
    config, refused = merged_or_refused(host, want.stack, *_REFUSALS)
    if refused:
        return Seen(refused)
    services = config["services"]
    checked = {
        name: bool(healthcheck_test(host, image_name(want.stack.project, name, body), body))
        for name, body in services.items()
        if any(name in dict(_dependencies(other)) for other in services.values())
    }
    return Seen(
        "",
        tuple(
            Edge(name, on, condition, checked.get(on, False))
            for name, body in services.items()
            for on, condition in _dependencies(body)
        ),
    )


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if seen.refused:
        return [Mismatch("dependencies", "accepted by compose", f"refused: {seen.refused}")]
    if not seen.edges:
        return [Mismatch("dependencies", "at least one service that waits for another", "none")]
    found = [
        Mismatch(f"{e.service} waits for {e.on}", "until it is healthy", "only until it is started")
        for e in seen.edges
        if e.is_checked and e.condition == _STARTED
    ]
    return [*found, *_cycle(seen.edges), *_undeclared(want, seen.edges)]


def _impossible(want: Params) -> Params:
    return replace(want, waits={"verifier-no-such-thing": ("verifier-no-such-thing",)})


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _dependencies(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    given = body.get("depends_on") or {}
    for name in given:
        # The short form is a list, and waits for no more than the start.
        options = given[name] if isinstance(given, dict) else {}
        yield str(name), str((options or {}).get("condition", _STARTED))


def _cycle(edges: tuple[Edge, ...]) -> list[Mismatch]:
    graph: dict[str, set[str]] = {}
    for edge in edges:
        graph.setdefault(edge.service, set()).add(edge.on)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return [Mismatch("dependencies", "no cycle", " -> ".join(reversed(error.args[1])))]
    return []


def _undeclared(want: Params, edges: tuple[Edge, ...]) -> list[Mismatch]:
    seen = {(edge.service, edge.on): edge.condition for edge in edges}
    found = []
    for service, others in want.waits.items():
        for on in others:
            condition = seen.get((service, on), "no such dependency")
            # started-only with a health check is already complained about
            if condition not in (_HEALTHY, _STARTED) or (
                condition == _STARTED and not _checked(edges, on)
            ):
                found.append(
                    Mismatch(f"{service} waits for {on}", "until it is healthy", condition)
                )
    return found


def _checked(edges: tuple[Edge, ...], on: str) -> bool:
    return any(edge.is_checked for edge in edges if edge.on == on)
