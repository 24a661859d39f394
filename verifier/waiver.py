"""Waiver: a named, justified, expiring acceptance of a known non-pass. It never edits a Result;
only the gate reads it.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Annotated

import pydantic

from verifier.document import Document, read_document
from verifier.errors import DocumentError, UsageError

Text = Annotated[str, pydantic.StringConstraints(strip_whitespace=True)]


class Waiver(Document):
    """One acceptance. `hosts` empty means all; `expires` is the last day on which it holds."""

    item: str
    justification: Text = pydantic.Field(min_length=10)
    owner: Text = pydantic.Field(min_length=1)
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
    stray = path.with_suffix(".yaml")
    if stray.exists():
        raise DocumentError("is not read", where=str(stray), do=f"name it {path.name}")
    return read_document(path, WaiverDocument).waivers if path.exists() else ()


def refuse_strangers(waivers: tuple[Waiver, ...], items: AbstractSet[str]) -> None:
    """UsageError for a waiver of an item that no checklist has: whoever wrote it believes that it holds."""
    for waiver in waivers:
        if waiver.item not in items:
            near = difflib.get_close_matches(waiver.item, items, 1)
            raise UsageError(
                f"waiver for '{waiver.item}', which is no item of any checklist",
                where="waivers.yml",
                do=f"did you mean '{near[0]}'?" if near else "use the item's id",
            )
