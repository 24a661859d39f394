"""What only people can say, and what only they may allow."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from acceptance.ledger import Ledger, state_of

pytestmark = pytest.mark.lab

TODAY = dt.datetime.now(dt.UTC).date()
ITEM = ("--limit", "o4o1", "--item", "o4o-done-approved")


def _say(project: Path, *, deployer: str = "operations", **changes: str) -> Path:
    given = {
        "item": "o4o-done-approved", "role": "approver", "name": "release board",
        "date": str(TODAY), "statement": "Release 2 was discussed and may go live.",
        "expires": str(TODAY), "evidence": "https://tickets.example/OPS-12", "release": "2",
    }  # fmt: skip
    file = project / "said.yml"
    said = {"version": 1, "deployer": deployer, "attestations": [{**given, **changes}]}
    file.write_text(json.dumps(said), encoding="utf-8")  # JSON is YAML, too
    return file


@pytest.fixture
def strict(project: Path, deployed: None) -> Path:
    """The lab's project with the approval required."""
    del deployed
    binding = project / "checklists" / "o4o.yml"
    text = binding.read_text(encoding="utf-8")
    line = "source: o4o.done.2\n    advisory: true\n"
    assert line in text
    binding.write_text(text.replace(line, "source: o4o.done.2\n"), encoding="utf-8")
    return project


def test_a_required_approval_waits_for_people(strict: Path, ledger: Ledger) -> None:
    done = ledger.run("verify", "--inventory", "lab", *ITEM, project=strict)
    assert done.code == 7, done
    assert "needs an attestation by: approver" in done.out


def test_an_approval_that_counts_opens_the_gate_and_is_named_as_what_it_is(
    strict: Path, ledger: Ledger
) -> None:
    words = ("--attestations", str(_say(strict)), "--reporter", "json:-")
    done = ledger.run("verify", "--inventory", "lab", *ITEM, *words, project=strict)
    assert done.code == 0, done
    (result,) = json.loads(done.out)["results"]
    assert (result["outcome"], result["check"]) == ("pass", "attestation")
    (evidence,) = result["evidence"]
    kept = next((strict / ".verifier" / "runs").glob(f"*/evidence/{evidence}.json"))
    assert "release board" in kept.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"deployer": "Release  Board"}, "is the deployer, too"),
        ({"deployer": ""}, "say who deploys"),
        ({"release": "1"}, "given for release 1, not for 2"),
        ({"role": "reviewer"}, "is no approver"),
    ],
)
def test_an_approval_that_does_not_count_is_refused_when_it_was_named(
    strict: Path, ledger: Ledger, changes: dict[str, str], says: str
) -> None:
    file = _say(strict, **changes)
    done = ledger.run(
        "verify", "--inventory", "lab", *ITEM, "--attestations", str(file), project=strict
    )
    assert (done.code, done.out) == (2, ""), done
    assert says in done.err
    folder = strict / "attestations"
    folder.mkdir()
    file.rename(folder / "lab.yml")  # found, not named: the line itself says why it does not count
    found = ledger.run("verify", "--inventory", "lab", *ITEM, project=strict)
    assert found.code == 7, found
    assert says in " ".join(found.out.split())


def test_a_file_with_no_attestation_is_an_error(strict: Path, ledger: Ledger) -> None:
    (strict / "said.yml").write_text("version: 1\nattestations: []\n")
    words = ("--attestations", "said.yml")
    done = ledger.run("verify", "--inventory", "lab", *ITEM, *words, project=strict)
    assert (done.code, done.out) == (2, "")
    assert "said.yml:2: attestations" in done.err


def test_load_is_refused_where_nobody_allowed_it(project: Path, ledger: Ledger) -> None:
    limits = project / "inventory" / "lab" / "group_vars" / "all" / "limits.yml"
    text = limits.read_text(encoding="utf-8")
    limits.write_text(text.replace("load_allowed: true", "load_allowed: false"), encoding="utf-8")
    before = state_of("fwb1")
    done = ledger.run("verify", "--inventory", "lab", "--limit", "fwb1", "--load", project=project)
    assert (done.code, done.out) == (9, "")
    assert "--load would put load on fwb1" in done.err
    assert state_of("fwb1") == before


def test_without_load_such_lines_have_no_answer_and_hold_up_nothing(
    project: Path, ledger: Ledger, deployed: None
) -> None:
    del deployed
    words = ("--limit", "fwb1", "--item", "fwb.load.1", "--item", "fwb.env.2")
    done = ledger.run(
        "verify", "--inventory", "lab", *words, "--reporter", "json:-", project=project
    )
    assert done.code == 0, done
    results = {r["source"]: r for r in json.loads(done.out)["results"]}
    assert results["fwb.load.1"]["outcome"] == "not_checked"
    assert results["fwb.load.1"]["reasons"] == ["puts load on the service: give --load"]
    assert results["fwb.env.2"]["outcome"] == "pass"
