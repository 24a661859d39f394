"""Every line of both documents has an answer on the healthy lab: by looking, or by a person."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from acceptance.ledger import Done, Ledger
from lab import ROOT
from verifier.checklist.items import find_checklists, load_checklists

pytestmark = pytest.mark.lab

ITEMS = [i for c in load_checklists(find_checklists(ROOT)) for i in c.items]


def _attestations(folder: Path) -> Path:
    """What the people of the lab say today of release 2."""
    today = str(dt.datetime.now(dt.UTC).date())
    said = [
        {
            "item": item.id, "role": item.binding.attest.role, "date": today, "expires": today,
            "name": f"team {item.binding.attest.role}", "release": "2",
            "statement": f"Looked at for release 2: {item.line.title}",
            "evidence": "https://tickets.example/LAB-2",
        }
        for item in ITEMS
        if item.binding.attest
    ]  # fmt: skip
    file = folder / "said.yml"
    file.write_text(json.dumps({"version": 1, "attestations": said}), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def whole(deployed: None, ledger: Ledger, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """All of the lab, with load, and with what people say."""
    del deployed
    file = _attestations(tmp_path_factory.mktemp("people"))
    words = ("--load", "--attestations", str(file), "--reporter", "json:-")
    return ledger.run("verify", "--inventory", "lab", *words)


def test_all_158_lines_are_answered_and_the_gate_is_open(whole: Done) -> None:
    assert whole.code == 0, whole
    results = json.loads(whole.out)["results"]
    assert len({r["source"] for r in results}) == 158
    open_ = {
        (r["source"], r["host"]): (r["outcome"], r["reasons"])
        for r in results
        if r["outcome"] not in ("pass", "not_applicable")
    }
    assert not open_


def test_what_a_person_said_is_told_from_what_was_looked_at(whole: Done) -> None:
    results = json.loads(whole.out)["results"]
    attested = {r["item"] for r in results if r["check"] == "attestation"}
    assert attested == {item.id for item in ITEMS if item.binding.attest}
    looked = {r["item"] for r in results if r["outcome"] == "pass"} - attested
    assert looked <= {item.id for item in ITEMS if item.binding.check}


def test_what_does_not_apply_says_why(whole: Done) -> None:
    apart = [r for r in json.loads(whole.out)["results"] if r["outcome"] == "not_applicable"]
    assert {r["source"] for r in apart} == {"o4o.cicd.4"}
    assert all(r["reasons"] for r in apart)
