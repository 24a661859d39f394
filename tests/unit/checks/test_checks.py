"""Every case file of every check, run through one driver: recorded shell output in, outcome and
reasons out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pydantic
import pytest

from support import FakeShell, Recorded, fake_host, host_behind
from verifier.checks.base import check_names, find_check
from verifier.document import read_document
from verifier.errors import CannotObserve

CASES = Path(__file__).with_name("cases")
FILES = sorted(CASES.glob("*/*.yml"))


class Case(pydantic.BaseModel):
    """One case file. `expect` is what must come out; `says` are texts that must stand in the
    reasons.
    """

    model_config = pydantic.ConfigDict(extra="forbid")

    given: dict[str, object] = pydantic.Field(alias="with")
    shell: list[Recorded] = []
    expect: Literal["pass", "fail", "error"]
    says: list[str] = []


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.name}-{f.stem}")
def test_a_recorded_look_is_judged_as_the_case_says(file: Path) -> None:
    case = read_document(file, Case)
    check = find_check(file.parent.name)
    want = check.read(case.given)
    host = fake_host(*case.shell)
    if case.expect == "error":
        with pytest.raises(CannotObserve) as caught:
            check.observe(host, want)
        said = str(caught.value)
    else:
        mismatches = check.judge(want, check.observe(host, want))
        said = "\n".join(map(str, mismatches))
        assert bool(mismatches) == (case.expect == "fail"), said
    for text in case.says:
        assert text in said


@pytest.mark.parametrize("check", check_names())
def test_every_check_has_a_passing_a_failing_and_a_could_not_look_case(check: str) -> None:
    outcomes = {f.stem.split("-")[0] for f in FILES if f.parent.name == check}
    assert {"passes", "fails", "errors"} <= outcomes


@pytest.mark.parametrize("check", check_names())
def test_every_check_is_red_for_parameters_that_no_host_can_meet(check: str) -> None:
    found = find_check(check)
    assert found.impossible is not None
    for file in (f for f in FILES if f.parent.name == check and f.stem.startswith("passes")):
        case = read_document(file, Case)
        want = found.read(case.given)
        impossible = found.impossible(want)
        assert impossible != want
        real, control = FakeShell(case.shell), FakeShell(case.shell)
        found.observe(host_behind(real), want)
        try:
            red = found.judge(impossible, found.observe(host_behind(control), impossible))
        except (AssertionError, CannotObserve):
            red = []
        # Only where the same is asked do the recorded answers say what a host would.
        assert red or control.asked != real.asked, file.stem
