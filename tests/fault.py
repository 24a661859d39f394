"""Faults as data: how one is made and undone on a lab host, which items must see it, and which
relatives may. Read from `tests/faults/*.yml`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pydantic

from verifier.document import read_document

FOLDER = Path(__file__).parent / "faults"


class Fault(pydantic.BaseModel):
    """One fault. `items` must turn red and say what `says` has; those of `also` may, because they
    look at the same thing or at what follows from it. Everything else must stay as it was.
    """

    model_config = pydantic.ConfigDict(extra="forbid")

    name: str
    host: str
    items: list[str] = pydantic.Field(min_length=1)
    also: list[str] = []
    apply: str
    undo: str
    says: list[str] = []
    on: Literal["host", "controller"] = "host"
    user: Literal["deploy", "root"] = pydantic.Field(default="root", alias="as")


def all_faults() -> list[Fault]:
    """Every fault of every file, in the files' order."""
    return [
        fault for file in sorted(FOLDER.glob("*.yml")) for fault in read_document(file, list[Fault])
    ]
