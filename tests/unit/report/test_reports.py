"""One finished Run, rendered each way. `VERIFIER_UPDATE_GOLDEN=1` writes the golden files anew;
read the diff.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest

import verifier.report
from support import finished_run
from verifier.report import find_reporter, reporter_names

GOLDEN = Path(__file__).with_name("golden")
SCHEMA = Path(verifier.report.__file__).with_name("report.schema.json")


@pytest.mark.parametrize("name", reporter_names())
def test_a_finished_run_is_rendered_as_the_golden_file_says(name: str) -> None:
    text = find_reporter(name)(finished_run())
    golden = GOLDEN / f"run.{name}"
    if os.environ.get("VERIFIER_UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_the_json_report_is_what_its_schema_says() -> None:
    document = json.loads(find_reporter("json")(finished_run()))
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    assert {r["outcome"] for r in document["results"]} == {
        "pass", "fail", "error", "not_applicable", "not_checked", "waived",
    }  # fmt: skip


def test_junit_has_a_suite_for_every_host_and_a_case_for_every_item() -> None:
    run = finished_run()
    suites = ET.fromstring(find_reporter("junit")(run)).findall("testsuite")  # noqa: S314  our own text
    assert [s.get("hostname") for s in suites] == list(run.plan.hosts)
    dead = suites[1]
    assert dead.get("errors") == "1"
    assert sum(int(s.get("tests", "0")) for s in suites) == len(run.plan.assignments)


def test_control_characters_of_a_host_reach_neither_terminal_nor_xml() -> None:
    run = finished_run(reason="boom \x1b[2J\x07 \x00")
    assert "\x1b" not in find_reporter("text")(run)
    ET.fromstring(find_reporter("junit")(run))  # noqa: S314  must parse


def test_the_text_of_an_open_gate_never_hides_what_was_not_checked() -> None:
    assert "1 not checked" in find_reporter("text")(finished_run())


def test_load_is_drawn_second_by_second_with_its_errors() -> None:
    run = finished_run()
    moments = [(10, 0, 2.0), (10, 0, 4.0), (10, 3, 16.0)]
    series = tuple(
        {"second": n, "requests": asked, "errors": errors, "p95_ms": p95}
        for n, (asked, errors, p95) in enumerate(moments)
    )
    loaded = replace(run.results[4], series=series)
    text = find_reporter("text")(replace(run, results=(*run.results[:4], loaded, *run.results[5:])))
    assert "h1 alive  ▂▃█  2.0 to 16.0 ms, 3 errors in 30 requests" in text
    assert "Under load" not in find_reporter("text")(run)
