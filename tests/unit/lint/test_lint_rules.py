from __future__ import annotations

import importlib
import inspect
import subprocess
from pathlib import Path
from typing import Any

import pytest

from verifier.checklist.markdown import read_markdown
from verifier.document import parse_yaml
from verifier.lint.finding import Finding
from verifier.lint.lint import lint, rule_names
from verifier.lint.project import look_at_project

ROOT = Path(__file__).resolve().parents[3]
CASES = Path(__file__).parent / "cases"
RULES = [name.replace("_", "-") for name in rule_names()]


def _cases(rule: str) -> list[dict[str, Any]]:
    file = CASES / f"{rule}.yml"
    cases = parse_yaml(file.read_text(encoding="utf-8"), where=str(file)) if file.is_file() else []
    assert isinstance(cases, list)
    return cases


ALL = [
    pytest.param(rule, case, id=f"{rule}: {case['name']}")
    for rule in RULES
    for case in _cases(rule)
]


def _found(case: dict[str, Any], folder: Path) -> tuple[Finding, ...]:
    document = case["document"]
    page = read_markdown(document, where="list.md")
    if "project" not in case:
        return lint(page, document)
    for path, text in case["project"].items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(0o644 if path in case.get("readable", ()) else 0o600)
    if "tracked" in case:
        subprocess.run(["git", "init", "-q", str(folder)], check=True)
        subprocess.run(["git", "-C", str(folder), "add", "-f", *case["tracked"]], check=True)
    return lint(page, document, look_at_project(folder))


@pytest.mark.parametrize(("rule", "case"), ALL)
def test_a_rule_finds_what_its_case_says(rule: str, case: dict[str, Any], tmp_path: Path) -> None:
    mine = [f for f in _found(case, tmp_path) if f.rule == rule]
    assert [f"{f.line} {f.severity}" for f in mine] == case["finds"], mine
    words = " ".join(f"{f.message} {f.fix}" for f in mine)
    assert case.get("says", "") in words
    assert "hides" not in case or case["hides"] not in words


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_a_case_that_fires_and_a_near_miss_that_does_not(rule: str) -> None:
    cases = _cases(rule)
    assert any(case["finds"] for case in cases)
    assert any(not case["finds"] for case in cases)


def test_every_case_belongs_to_a_rule() -> None:
    assert {file.stem for file in CASES.glob("*.yml")} == set(RULES)


@pytest.mark.parametrize("name", rule_names())
def test_the_reference_says_what_the_manual_of_a_rule_says(name: str) -> None:
    manual = inspect.getdoc(importlib.import_module(f"verifier.lint.rules.{name}")) or ""
    page = (ROOT / "docs" / "reference" / "lint.md").read_text(encoding="utf-8")
    section = page.partition(f"\n### {name.replace('_', '-')}\n")[2].partition("\n### ")[0]
    words = section.split()
    assert manual
    assert not [word for word in manual.split() if word not in words]
