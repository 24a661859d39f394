"""What `history.jsonl` of a host's application says: one line for each time a release became
current, written by the role `activate`. Pure; reads no file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `back`: it was a return to an earlier release, so what ran since was turned away from."""

    release: str
    back: bool = False


def read_entry(line: str) -> Entry | None:
    """The line's Entry; None when it is not understood."""
    try:
        found = json.loads(line)
    except json.JSONDecodeError:
        return None
    if not isinstance(found, dict) or not isinstance(found.get("release"), str):
        return None
    return Entry(found["release"], found.get("back") is True)


def way_here(entries: Iterable[Entry]) -> tuple[str, ...]:
    """The releases that led to the current one, oldest first, each once, at the time it was last
    current. A return takes off what ran since: a refused release is nobody's way back.
    """
    way: list[str] = []
    for entry in entries:
        if entry.back and entry.release in way:
            del way[way.index(entry.release) :]
        way = [*(name for name in way if name != entry.release), entry.release]
    return tuple(way)
