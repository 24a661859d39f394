from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from support import assignment, plan, result
from verifier.errors import DocumentError
from verifier.result import Outcome
from verifier.verify.suite import Answer, answered, items_named_in


def _said(outcome: Outcome, why: str = "", host: str = "h1") -> Answer:
    return Answer("web", host, outcome, why, 0.5, "test_web")


def test_a_test_answers_an_item_that_no_check_looks_at() -> None:
    planned = plan(assignment("web", method="none"))
    before = (replace(result("web", Outcome.NOT_CHECKED, reason="nobody looks"), check=""),)
    (after,) = answered(planned, before, [_said(Outcome.PASS)])
    assert (after.outcome, after.check, after.reasons) == (Outcome.PASS, "testinfra", ())


@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.ERROR])
def test_a_passing_test_excuses_no_failing_check(outcome: Outcome) -> None:
    before = (result("web", outcome, reason="closed"),)
    (after,) = answered(plan(assignment("web")), before, [_said(Outcome.PASS)])
    assert (after.outcome, after.reasons) == (outcome, ("closed",))


@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.ERROR, Outcome.NOT_CHECKED])
def test_a_test_that_does_not_pass_spoils_a_passing_check(outcome: Outcome) -> None:
    before = (result("web", Outcome.PASS),)
    (after,) = answered(plan(assignment("web")), before, [_said(outcome, "it is not so")])
    assert (after.outcome, after.reasons) == (outcome, ("test_web: it is not so",))


def test_the_worst_of_several_tests_counts() -> None:
    planned = plan(assignment("web", method="none"))
    before = (replace(result("web", Outcome.NOT_CHECKED), check=""),)
    answers = [_said(Outcome.PASS), _said(Outcome.FAIL, "no"), _said(Outcome.PASS)]
    (after,) = answered(planned, before, answers)
    assert (after.outcome, after.reasons) == (Outcome.FAIL, ("test_web: no",))


def test_no_test_speaks_for_a_person_or_for_what_planning_left_out() -> None:
    planned = plan(
        assignment("web", method="attest"), assignment("web", "h2", method="none", applicable=False)
    )
    before = (
        result("web", Outcome.NOT_CHECKED, reason="needs an attestation"),
        result("web", Outcome.NOT_APPLICABLE, "h2", "no web here"),
    )
    answers = [_said(Outcome.PASS), _said(Outcome.PASS, host="h2")]
    assert answered(planned, before, answers) == before


def test_a_test_says_nothing_of_another_host() -> None:
    planned = plan(assignment("web"), assignment("web", "h2"))
    before = (result("web", Outcome.PASS), result("web", Outcome.PASS, "h2"))
    first, second = answered(planned, before, [_said(Outcome.FAIL, "no", "h2")])
    assert (first.outcome, second.outcome) == (Outcome.PASS, Outcome.FAIL)


def test_the_items_that_tests_name_are_read_without_running_them(tmp_path: Path) -> None:
    file = tmp_path / "test_x.py"
    file.write_text(
        "import pytest\n\n@pytest.mark.item('a')\n@pytest.mark.item('b')\ndef test_x(host): 1 / 0\n"
        "raise SystemExit\n"
    )
    assert items_named_in([file]) == {"a": f"{file}:3", "b": f"{file}:4"}


def test_a_test_file_that_is_no_python_is_a_document_error_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "test_x.py"
    file.write_text("import pytest\ndef broken(:\n")
    with pytest.raises(DocumentError, match=r"test_x.py:2: is no Python"):
        items_named_in([file])
