"""Writes `reference/coverage.md` from the bundled checklists and the faults of `tests/faults`: for
every line its item, its check, where it is looked from, and the faults that prove it can go red.
(`python docs/make_coverage_page.py`)
"""

from __future__ import annotations

from pathlib import Path

import pydantic

from verifier.checklist.items import Checklist, Item, find_checklists, load_checklists
from verifier.document import Document, read_document

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "coverage.md"

HEAD = """# Coverage

<!-- Made by docs/make_coverage_page.py from checklists/ and tests/faults/. Edit there, then run it again. -->

Every line of the two bundled checklists: the item it became, what answers it, where the look is made, and the
faults that prove that it can go red. Each of these faults is made on a real host of the lab, turns the item red
there, and is undone (`make faults`). An automatic item without one may not be required.

"""


class Fault(Document):
    """The part of a fault that this page needs."""

    model_config = pydantic.ConfigDict(extra="ignore", frozen=True)

    name: str
    items: tuple[str, ...]


def page() -> str:
    """The whole page as text."""
    faults = faults_by_item()
    checklists = load_checklists(find_checklists(ROOT))
    return HEAD + "\n".join(_part(one, faults) for one in checklists)


def faults_by_item() -> dict[str, list[str]]:
    """The names of the faults of each item, by whichever of its ids they name."""
    found: dict[str, list[str]] = {}
    for file in sorted((ROOT / "tests" / "faults").glob("*.yml")):
        for fault in read_document(file, list[Fault]):
            for item in fault.items:
                found.setdefault(item, []).append(fault.name)
    return found


def proofs(item: Item, faults: dict[str, list[str]]) -> list[str]:
    """The faults that turn `item` red."""
    return sorted({*faults.get(item.id, ()), *faults.get(item.binding.source, ())})


def _part(checklist: Checklist, faults: dict[str, list[str]]) -> str:
    automatic = [item for item in checklist.items if item.binding.check]
    proven = sum(bool(proofs(item, faults)) for item in automatic)
    rows = "\n".join(_row(item, faults) for item in checklist.items)
    return (
        f"## {checklist.path.name}\n\n{len(checklist.items)} lines: {len(automatic)} by a check, {proven} of them"
        f" with a proof; {len(checklist.items) - len(automatic)} by people or not at all.\n\n"
        f"| line | item | answered by | from | proven by |\n|---|---|---|---|---|\n{rows}\n"
    )


def _row(item: Item, faults: dict[str, list[str]]) -> str:
    binding = item.binding
    weight = "" if item.required else ", advisory"
    if binding.check:
        by, place = f"[`{binding.check}`](checks.md#{binding.check}){weight}", str(binding.vantage)
    elif binding.attest:
        by, place = f"a person: {binding.attest.role}{weight}", ""
    else:
        by, place = f"nobody{weight}", ""
    names = ", ".join(f"`{name}`" for name in proofs(item, faults))
    return f"| {binding.source} | `{item.id}` | {by} | {place} | {names} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
