"""Bounded captures of container logs: what a container wrote since it was started, at most so many
lines. Facts only; what counts as an error is said by the check that asks.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from verifier.checks._compose import Container
from verifier.checks.base import Host, ask

# The first of these in a line is its level; the same words further on are only talked about.
_WORD = re.compile(
    r"\[(?i:(error|err|critical|crit|fatal|panic|emerg|alert|warning|warn|notice|note|info|debug))\]"
    r"|\b(ERROR|CRITICAL|FATAL|PANIC|EMERG|ALERT|WARNING|WARN|NOTICE|NOTE|INFO|DEBUG|LOG)\b"
    r"|^(?i:(error|fatal|panic|warning)\b)|^(Traceback)\b"
)
_LEVELS = {
    "error": (
        "error",
        "err",
        "critical",
        "crit",
        "fatal",
        "panic",
        "alert",
        "emerg",
        "emergency",
        "traceback",
    ),
    "warning": ("warning", "warn"),
}
_LEVEL_KEYS = ("level", "severity", "levelname", "lvl")


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


def severity(line: str) -> str:
    """`error`, `warning` or `other`: by the level of a JSON line, else by its first level word."""
    fields = as_json(line)
    level = next((str(fields[key]) for key in _LEVEL_KEYS if key in fields), "")
    if not level and not fields:
        match = _WORD.search(line)
        level = next(filter(None, match.groups())) if match else ""
    named = (name for name, levels in _LEVELS.items() if level.lower() in levels)
    return next(named, "other")


def as_json(line: str) -> dict[str, object]:
    """The fields of a JSON line; none for any other line."""
    if not line.startswith("{"):
        return {}
    try:
        return dict(json.loads(line))
    except (ValueError, TypeError):
        return {}
