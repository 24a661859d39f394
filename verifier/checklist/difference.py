"""What changed between two versions of a checklist, and what that touches: lines are known by their
ids, or recognised by text and place, never by their position. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from verifier.checklist.binding import BindingDocument
from verifier.checklist.identity import Change, Remembered, recognise, remembered
from verifier.checklist.markdown import Line


@dataclass(frozen=True, slots=True)
class Difference:
    """One line that changed. `kind` is `added`, `removed`, `moved` or `reworded`; `line` is its number
    in the new file, `was` in the old one, 0 where it is not. `touches` say what hangs on it.
    """

    kind: str
    id: str
    line: int
    was: int
    text: str
    old_text: str
    touches: tuple[str, ...]


def compare(
    old: tuple[Line, ...],
    new: tuple[Line, ...],
    binding: BindingDocument | None,
    waived: Iterable[str] = (),
) -> tuple[Difference, ...]:
    """`old` and `new` as they were read; `binding` gives lines the ids they are known by, `waived` are
    ids with a waiver.
    """
    before = recognise(old, remembered(binding) if binding else ())
    numbers = {c.line.id: c.line.number for c in before}
    titles = {c.line.number: c.line.title for c in before}
    known = tuple(
        Remembered(c.line.id, c.line.title, c.line.section, titles.get(c.line.above, ""))
        for c in before
    )
    after = recognise(new, known)
    hangs = _Hangs(binding, frozenset(waived))
    found = [_changed(change, numbers, hangs) for change in after if change.kind != "same"]
    kept = {change.line.id for change in after}
    found += [
        Difference("removed", one.id, 0, numbers[one.id], "", one.text, hangs.on(one.id))
        for one in known
        if one.id not in kept
    ]
    return tuple(sorted(found, key=lambda d: (d.line or d.was, d.kind)))


@dataclass(frozen=True, slots=True)
class _Hangs:
    """What hangs on an item: its binding, its attestation, its waivers."""

    binding: BindingDocument | None
    waived: frozenset[str]

    def on(self, item: str) -> tuple[str, ...]:
        found = []
        bound = self.binding.items.get(item) if self.binding else None
        if bound and bound.check:
            found.append(f"check {bound.check}")
        elif bound and bound.attest:
            found.append(f"attestation by {bound.attest.role}")
        elif bound and bound.step:
            found.append(f"step {bound.step}")
        elif bound:
            found.append("binding")
        return (*found, "waiver") if item in self.waived else tuple(found)


def _changed(change: Change, numbers: dict[str, int], hangs: _Hangs) -> Difference:
    line, was = change.line, change.was
    return Difference(
        change.kind,
        line.id,
        line.number,
        numbers.get(line.id, 0) if was else 0,
        line.title,
        was.text if was else "",
        hangs.on(line.id) if was else (),
    )
