"""How every line of a checklist is answered, and which checks of the catalogue nobody asks for. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from verifier.checklist.items import Checklist, Item
from verifier.checks.base import find_check
from verifier.errors import DocumentError, UsageError

State = Literal[
    "bound", "needs value", "attested", "step", "all below", "not checked", "not a gate", "review"
]
OPEN: tuple[State, ...] = ("needs value", "review")


@dataclass(frozen=True, slots=True)
class Covered:
    """One line: how it is answered, and by what."""

    checklist: str
    line: int
    id: str
    state: State
    by: str
    missing: tuple[str, ...]
    required: bool
    text: str


@dataclass(frozen=True, slots=True)
class Coverage:
    lines: tuple[Covered, ...]
    unused: tuple[str, ...]

    @property
    def counts(self) -> Mapping[State, int]:
        return Counter(line.state for line in self.lines)

    @property
    def open(self) -> tuple[Covered, ...]:
        """Required lines that nothing answers yet: a deployment is refused because of them."""
        return tuple(line for line in self.lines if line.required and line.state in OPEN)


def cover(
    checklists: tuple[Checklist, ...], catalogue: Iterable[str], known: frozenset[str] = frozenset()
) -> Coverage:
    """`catalogue` are the names of all checks, `known` the names that the inventory gives values to."""
    lines = tuple(
        _covered(checklist, item, known) for checklist in checklists for item in checklist.items
    )
    used = {item.binding.check for checklist in checklists for item in checklist.items}
    return Coverage(lines, tuple(name for name in catalogue if name not in used))


def refuse_nonsense(checklists: tuple[Checklist, ...]) -> None:
    """A check that there is not, or a parameter that it does not have, binds nothing: DocumentError."""
    for checklist in checklists:
        for item in checklist.items:
            if item.binding.check:
                _read_as_far_as_known(item)


def _read_as_far_as_known(item: Item) -> None:
    try:
        check = find_check(item.binding.check)
        plain = {k: v for k, v in item.binding.given.items() if "{{" not in str(v)}
        if len(plain) == len(item.binding.given):
            check.read(plain)
        else:
            check.refuse_unknown(item.binding.given)
    except UsageError as error:
        raise DocumentError(
            f"item '{item.id}': {error.what}", where=item.place, do=error.do
        ) from error


def _covered(checklist: Checklist, item: Item, known: frozenset[str]) -> Covered:
    binding = item.binding
    missing = item.missing(known)
    state: State = "bound"
    by = binding.check
    if missing:
        state = "needs value"
    elif binding.attest:
        state, by = "attested", binding.attest.role
    elif binding.step:
        state, by = "step", binding.step
    elif binding.all_below:
        state, by = "all below", ", ".join(item.below)
    elif binding.not_checked:
        state, by = "not checked", binding.not_checked
    elif binding.not_a_gate:
        state, by = "not a gate", binding.not_a_gate
    elif binding.review:
        state, by = "review", binding.review
    return Covered(
        checklist.path.name,
        item.line.number,
        item.id,
        state,
        by,
        missing,
        item.required,
        item.line.title,
    )
