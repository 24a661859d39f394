"""Gate: the pure rule from Plan, Results and Waivers to a Verdict. For every required Assignment of
the Plan there is a PASS, or a NOT_APPLICABLE that planning decided, or a waiver valid today;
otherwise the gate is closed, and here is each reason. It walks the Plan, so a lost result closes
it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from verifier.plan import Assignment, Plan
from verifier.result import Outcome, Result
from verifier.waiver import Waiver


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one required Assignment keeps the gate closed."""

    item: str
    host: str
    outcome: str
    why: str
    needs_person: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's answer. `waived` names the (item, host) pairs that a waiver let through."""

    is_open: bool
    reasons: tuple[Reason, ...]
    waived: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> NoReturn:
        raise TypeError("a Verdict is not a condition; ask is_open")

    @property
    def word(self) -> str:
        return "open" if self.is_open else "closed"

    @property
    def waits_for_people(self) -> bool:
        """Closed only because attestations are missing."""
        return not self.is_open and bool(self.reasons) and all(r.needs_person for r in self.reasons)


def decide(
    plan: Plan, results: Sequence[Result], waivers: Sequence[Waiver], today: dt.date
) -> Verdict:
    """The Verdict on `plan`. An empty plan, or one in which no required item applies, is closed."""
    by_key: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        by_key.setdefault((result.item, result.host), []).append(result)
    reasons: list[Reason] = []
    waived: list[tuple[str, str]] = []
    required = [a for a in plan.assignments if a.required]
    for assignment in required:
        reason = _closing_reason(assignment, by_key.get(assignment.key, []))
        if reason is None:
            continue
        waiver = next((w for w in waivers if w.covers(*assignment.key)), None)
        if waiver and not waiver.has_expired(today):
            waived.append(assignment.key)
        else:
            reasons.append(_with_expiry(reason, waiver))
    if not any(a.applicable for a in required):
        reasons.append(
            Reason(
                "", "", "empty", "no required item applies: nothing was proven", needs_person=False
            )
        )
    return Verdict(is_open=not reasons, reasons=tuple(reasons), waived=tuple(waived))


def _closing_reason(assignment: Assignment, results: list[Result]) -> Reason | None:
    if not results:
        return _reason(assignment, "lost", "no result was recorded")
    for result in results:
        if result.outcome is Outcome.PASS and assignment.applicable:
            continue
        if result.outcome is Outcome.NOT_APPLICABLE and not assignment.applicable:
            continue
        return _reason(
            assignment, result.outcome.value, "; ".join(result.reasons) or "no reason was given"
        )
    return None


def _reason(assignment: Assignment, outcome: str, why: str) -> Reason:
    person = assignment.method == "attest" and outcome == Outcome.NOT_CHECKED.value
    return Reason(assignment.item, assignment.host, outcome, why, needs_person=person)


def _with_expiry(reason: Reason, waiver: Waiver | None) -> Reason:
    if waiver is None:
        return reason
    why = f"{reason.why} (the waiver of {waiver.owner} expired on {waiver.expires.isoformat()})"
    return Reason(reason.item, reason.host, reason.outcome, why, needs_person=reason.needs_person)
