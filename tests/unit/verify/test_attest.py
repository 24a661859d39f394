from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from support import FakeConnections, FakeShell, assignment, plan
from verifier.attestation import Attestations
from verifier.errors import UsageError
from verifier.gate import decide
from verifier.inventory import Host, Reach
from verifier.plan import Assignment
from verifier.redact import Redactor
from verifier.result import Outcome, Result
from verifier.store import RunDirectory
from verifier.verify.attest import NOBODY, People, refuse_none
from verifier.verify.observe import verify

TODAY = dt.datetime.now(dt.UTC).date()


def _wanted(item: str = "go-live", role: str = "approver") -> Assignment:
    plain = assignment(item, method="attest")
    return replace(plain, role=role, every="release", why_not=f"needs an attestation by: {role}")


def _people(*, operator: str = "ops", insist: bool = False, **changes: object) -> People:
    given = {
        "item": "go-live", "role": "approver", "name": "release board", "date": str(TODAY),
        "statement": "The release may go live.", "expires": str(TODAY),
        "evidence": "https://tickets.example/OPS-12", "release": "1",
    }  # fmt: skip
    said = Attestations.model_validate({"version": 1, "attestations": [{**given, **changes}]})
    return People(said, operator, insist)


def _answered(people: People, folder: Path) -> tuple[Result, RunDirectory]:
    store = RunDirectory.create(folder, "run", Redactor())
    hosts = [Host("h1", (), Reach("ssh", "h1"))]
    with FakeConnections(lambda _: FakeShell()) as connections:
        (result,) = verify(plan(_wanted()), hosts, connections, store, lambda _: None, people)
    assert connections.attempts == 0  # no host knows what a person thinks
    return result, store


def test_a_line_nobody_attested_waits_for_a_person(tmp_path: Path) -> None:
    result, _ = _answered(NOBODY, tmp_path)
    assert result.outcome is Outcome.NOT_CHECKED
    assert decide(plan(_wanted()), [result], (), TODAY).waits_for_people


def test_an_attested_line_passes_by_name_and_keeps_who_said_what(tmp_path: Path) -> None:
    result, store = _answered(_people(), tmp_path)
    assert (result.outcome, result.check) == (Outcome.PASS, "attestation")
    (kept,) = result.evidence
    text = (store.path / "evidence" / f"{kept}.json").read_text()
    for word in ("release board", "The release may go live.", "OPS-12", str(TODAY)):
        assert word in text


def test_one_that_does_not_count_says_why(tmp_path: Path) -> None:
    result, _ = _answered(_people(operator="Release Board"), tmp_path)
    assert result.outcome is Outcome.NOT_CHECKED
    assert "is the deployer, too" in result.reason
    assert decide(plan(_wanted()), [result], (), TODAY).waits_for_people


def test_attestations_named_for_a_run_of_which_none_counts_are_an_error() -> None:
    planned = plan(_wanted())
    refuse_none(planned, _people(insist=True))
    refuse_none(planned, _people(release="0"))  # nobody insists: the line itself will say so
    with pytest.raises(UsageError, match="not one of the attestations counts here: go-live: "):
        refuse_none(planned, _people(release="0", insist=True))
    with pytest.raises(UsageError, match="none is of an item of this plan"):
        refuse_none(plan(assignment("web")), _people(insist=True))
