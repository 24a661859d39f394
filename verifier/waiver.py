"""Waiver: a named, justified, expiring acceptance of a known non-pass. It never edits a Result;
only the gate reads it.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pydantic

from verifier.document import Document, read_document


class Waiver(Document):
    """One acceptance. `hosts` empty means all; `expires` is the last day on which it holds."""

    item: str
    justification: str = pydantic.Field(min_length=10)
    owner: str = pydantic.Field(min_length=1)
    expires: dt.date
    hosts: tuple[str, ...] = ()

    def covers(self, item: str, host: str) -> bool:
        return item == self.item and (not self.hosts or host in self.hosts)

    def has_expired(self, today: dt.date) -> bool:
        return today > self.expires


class WaiverDocument(Document):
    """`waivers.yml` of a project."""

    version: int = pydantic.Field(ge=1, le=1)
    waivers: tuple[Waiver, ...]


def load_waivers(project: Path) -> tuple[Waiver, ...]:
    """The waivers in `waivers.yml`; none when the project has no such file. Raises DocumentError."""
    path = project / "waivers.yml"
    return read_document(path, WaiverDocument).waivers if path.exists() else ()
