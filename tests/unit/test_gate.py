from __future__ import annotations

import datetime as dt
import itertools

import pytest

from support import assignment, plan, result
from verifier.gate import decide
from verifier.result import Outcome
from verifier.waiver import Waiver

TODAY = dt.date(2026, 3, 1)
WAIVERS = {
    "none": (),
    "valid": (Waiver(item="i", justification="accepted for now", owner="kim", expires=TODAY),),
    "expired": (
        Waiver(
            item="i", justification="accepted once", owner="kim", expires=TODAY - dt.timedelta(1)
        ),
    ),
    "other-host": (
        Waiver(
            item="i", justification="only there", owner="kim", expires=TODAY, hosts=("elsewhere",)
        ),
    ),
}
TABLE = [
    *itertools.product((*Outcome, None), (True, False), (True, False), WAIVERS),
]


def _should_open(outcome: Outcome | None, waiver: str, *, required: bool, applicable: bool) -> bool:
    if not required:
        return True
    if waiver == "valid":
        return True
    return outcome is (Outcome.PASS if applicable else Outcome.NOT_APPLICABLE)


@pytest.mark.parametrize(("outcome", "required", "applicable", "waiver"), TABLE)
def test_the_whole_rule_of_the_gate(
    outcome: Outcome | None, waiver: str, *, required: bool, applicable: bool
) -> None:
    # `always` is another required item that passes, so that the plan is never empty.
    decided = decide(
        plan(assignment("i", required=required, applicable=applicable), assignment("always")),
        [result("always", Outcome.PASS), *([result("i", outcome)] if outcome is not None else [])],
        WAIVERS[waiver],
        TODAY,
    )
    assert decided.is_open == _should_open(
        outcome, waiver, required=required, applicable=applicable
    )
    assert decided.is_open == (not decided.reasons)


def test_a_lost_result_closes_the_gate_and_says_so() -> None:
    decided = decide(plan(assignment("i")), [], (), TODAY)
    assert [(r.outcome, r.why) for r in decided.reasons] == [("lost", "no result was recorded")]


def test_a_contradicting_second_result_closes_the_gate() -> None:
    both = [result("i", Outcome.PASS), result("i", Outcome.FAIL)]
    assert not decide(plan(assignment("i")), both, (), TODAY).is_open
    assert not decide(plan(assignment("i")), both[::-1], (), TODAY).is_open


def test_results_nobody_planned_do_not_open_the_gate() -> None:
    assert not decide(plan(assignment("i")), [result("j", Outcome.PASS)], (), TODAY).is_open


def test_a_pass_for_an_item_that_does_not_apply_is_no_proof() -> None:
    decided = decide(
        plan(assignment("i", applicable=False)), [result("i", Outcome.PASS)], (), TODAY
    )
    assert not decided.is_open


def test_a_plan_in_which_nothing_required_applies_is_closed() -> None:
    nothing = plan(assignment("i", applicable=False), assignment("j", required=False))
    decided = decide(
        nothing, [result("i", Outcome.NOT_APPLICABLE), result("j", Outcome.PASS)], (), TODAY
    )
    assert [r.outcome for r in decided.reasons] == ["empty"]


def test_an_expired_waiver_is_named_in_the_reason() -> None:
    decided = decide(plan(assignment("i")), [result("i", Outcome.FAIL)], WAIVERS["expired"], TODAY)
    assert "the waiver of kim expired on 2026-02-28" in decided.reasons[0].why


def test_only_missing_attestations_wait_for_people() -> None:
    people = plan(assignment("i", method="attest"), assignment("j", method="attest"))
    unanswered = [result("i", Outcome.NOT_CHECKED), result("j", Outcome.NOT_CHECKED)]
    assert decide(people, unanswered, (), TODAY).waits_for_people
    mixed = plan(assignment("i", method="attest"), assignment("j"))
    assert not decide(mixed, unanswered, (), TODAY).waits_for_people


def test_neither_outcomes_nor_results_nor_verdicts_are_conditions() -> None:
    for value in (
        Outcome.PASS,
        result("i", Outcome.PASS),
        decide(plan(assignment("i")), [], (), TODAY),
    ):
        with pytest.raises(TypeError):
            bool(value)
