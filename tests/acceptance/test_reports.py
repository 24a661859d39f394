from __future__ import annotations

import json
import re
import stat
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from acceptance.ledger import HOSTS, Done
from lab import ROOT
from verifier.checklist.items import Checklist, find_checklists, load_checklists

pytestmark = pytest.mark.lab

SCHEMA = ROOT / "verifier" / "report" / "report.schema.json"
SOURCES = 158
AUTOMATIC = 70


@pytest.fixture(scope="module")
def checklists() -> tuple[Checklist, ...]:
    return load_checklists(find_checklists(ROOT))


def test_a_healthy_lab_opens_the_gate_and_stdout_is_one_json_document(verified: Done) -> None:
    assert verified.code == 0, verified.err
    document = json.loads(verified.out)
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    assert (document["schema_version"], document["verdict"]) == (1, "open")
    assert {host["name"]: host["release"] for host in document["hosts"]} == dict.fromkeys(
        HOSTS, "2"
    )
    assert "Verify" in verified.err
    assert "Reports and evidence: " in verified.err


def test_every_source_is_there_on_every_host_it_is_for(
    verified: Done, checklists: tuple[Checklist, ...]
) -> None:
    results = json.loads(verified.out)["results"]
    bound = {item.id: item.binding.source for c in checklists for item in c.items}
    assert {(r["item"], r["source"]) for r in results} == set(bound.items())
    assert len(set(bound.values())) == SOURCES
    found = {(r["source"], r["host"]) for r in results}
    assert len(found) == len(results)
    hosts = {"fwb": {"fwb1", "fwb2"}, "o4o": {"o4o1"}}
    wanted = {(s, h) for s in bound.values() for h in hosts[s.split(".")[0]]}
    assert found == wanted


def test_enough_sources_are_answered_by_looking_and_the_others_say_why_not(verified: Done) -> None:
    results = json.loads(verified.out)["results"]
    answered = {r["source"] for r in results if r["outcome"] == "pass"}
    assert len(answered) >= AUTOMATIC
    for result in results:
        if result["outcome"] == "pass":
            assert result["check"]
            assert result["evidence"]
        else:
            assert result["reasons"], result


def test_the_ticked_copy_differs_in_boxes_and_counts_only(
    verified: Done, checklists: tuple[Checklist, ...]
) -> None:
    outcomes: dict[str, set[str]] = {}
    for result in json.loads(verified.out)["results"]:
        outcomes.setdefault(result["item"], set()).add(result["outcome"])
    passed = {
        item
        for item, seen in outcomes.items()
        if "pass" in seen and not seen - {"pass", "not_applicable"}
    }
    assert verified.run is not None
    for checklist in checklists:
        ticked = (verified.run / f"{checklist.path.stem}.ticked.md").read_bytes().decode()
        plain = re.sub(r"\[[ x]\] \(\d+/\d+\)", "[ ]", ticked)
        assert plain == checklist.path.read_bytes().decode()
        assert ticked != plain
        boxes = {item.id for item in checklist.items if item.line.kind == "box"}
        marked = set(re.findall(r"\[x\] .*<!-- id: (\S+) -->", ticked))
        assert marked == boxes & passed


def test_junit_has_a_suite_for_each_host_and_every_item_in_it(verified: Done) -> None:
    assert verified.run is not None
    suites = ET.parse(verified.run / "report.xml").getroot().findall("testsuite")  # noqa: S314  our own file
    results = json.loads(verified.out)["results"]
    assert {s.get("hostname"): s.get("tests") for s in suites} == {
        host: str(sum(r["host"] == host for r in results)) for host in HOSTS
    }


def test_a_run_directory_belongs_to_its_user_alone(verified: Done) -> None:
    assert verified.run is not None
    found = [verified.run.parent, verified.run, *verified.run.rglob("*")]
    assert len(found) > 100
    for path in found:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_every_result_names_evidence_that_is_there_and_has_its_hash(verified: Done) -> None:
    import hashlib  # noqa: PLC0415

    assert verified.run is not None
    for result in json.loads(verified.out)["results"]:
        for digest in result["evidence"]:
            stored = (verified.run / "evidence" / f"{digest}.json").read_bytes()
            assert hashlib.sha256(stored).hexdigest() == digest
