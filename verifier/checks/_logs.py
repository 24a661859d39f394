"""Bounded captures of container logs: what a container wrote since it was started, at most so many
lines. Facts only; what counts as an error is said by the check that asks.
"""

from __future__ import annotations

from dataclasses import dataclass

from verifier.checks._compose import Container
from verifier.checks.base import Host, ask


@dataclass(frozen=True, slots=True)
class Capture:
    """`is_cut` says that there were more lines than were asked for; the oldest are missing then."""

    service: str
    lines: tuple[str, ...]
    is_cut: bool


def capture(host: Host, container: Container, tail: int) -> Capture:
    """Both streams of the container since its start. CannotObserve when its log driver cannot be
    read.
    """
    # One line more than wanted is asked for, so that a cut is known to be one.
    said = ask(
        host,
        "docker logs --since %s --tail %s %s 2>&1",
        container.started_at,
        str(tail + 1),
        container.id,
    )
    lines = tuple(line for line in said.splitlines() if line.strip())
    return Capture(container.service or container.name, lines[-tail:], len(lines) > tail)
