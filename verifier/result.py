"""Outcome and Result: what was seen for one item on one host. A Result is a value, complete when
made; it never says whether the gate opens, and it refuses to be a condition.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from verifier.checks.base import Mismatch


class Outcome(enum.StrEnum):
    """The XCCDF answers we use. ERROR: could not look. FAIL: looked, and it is wrong."""

    PASS = "pass"  # noqa: S105  not a password
    FAIL = "fail"
    ERROR = "error"
    NOT_APPLICABLE = "not_applicable"
    NOT_CHECKED = "not_checked"

    def __bool__(self) -> NoReturn:
        raise TypeError("an Outcome is not a condition; compare it with a named outcome")


_WORST_FIRST = (Outcome.FAIL, Outcome.ERROR, Outcome.NOT_CHECKED)


def conjunction(outcomes: tuple[Outcome, ...]) -> Outcome:
    """PASS when every part is a pass or does not apply and one at least is a pass; of no parts:
    NOT_CHECKED.
    """
    for outcome in _WORST_FIRST:
        if outcome in outcomes or not outcomes:
            return outcome if outcomes else Outcome.NOT_CHECKED
    if all(outcome is Outcome.NOT_APPLICABLE for outcome in outcomes):
        return Outcome.NOT_APPLICABLE
    return Outcome.PASS


@dataclass(frozen=True, slots=True)
class Result:
    """One Assignment's answer. `evidence` holds sha256 digests of stored files; `duration_s` is
    monotonic seconds, over all `looks`. `series` is what was measured over time and can be drawn:
    one mapping of names to numbers for each moment.
    """

    item: str
    host: str
    outcome: Outcome
    check: str = ""
    reason: str = ""
    mismatches: tuple[Mismatch, ...] = ()
    evidence: tuple[str, ...] = ()
    started_at: str = ""
    duration_s: float = 0.0
    looks: int = 1
    series: tuple[Mapping[str, float], ...] = ()

    def __bool__(self) -> NoReturn:
        raise TypeError("a Result is not a condition; look at its outcome")

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not a pass, one line each; empty for a pass."""
        return tuple(str(m) for m in self.mismatches) or ((self.reason,) if self.reason else ())
