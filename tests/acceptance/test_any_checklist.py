"""A checklist that nobody wrote for verifier, made executable and asked of a real host."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from acceptance.ledger import state_of
from lab import LabView, run_verifier

pytestmark = pytest.mark.lab

DOCUMENT = """\
# Service go-live checklist / 배포 체크리스트

## 1. Before ✅

- [x] `ENVIRONMENT=production` is set
- [ ] 환경 파일 `.env.prod`가 생성되어 있다

## 2. After 🚀

- [ ] Health endpoint `/health` responds
- [ ] `GET /files` returns the list
- [ ] The database is ready:
  - [ ] The database connection works
  - [ ] 데이터베이스 `files` 테이블이 존재한다
- [ ] Response time of the list: p95 < 2000ms
- [ ] 모든 컨테이너가 실행 중이다
- [ ] The team was told
- [ ] Tidy up: `docker image prune -f`
"""
VALUES = """\
base_url: "{{ public_url }}"
deploy_root: "{{ release_dir }}"
dsn: {engine: mariadb, project: "{{ compose_project }}", service: db}
lines:
  15: {path: /files}
"""


@pytest.fixture
def bound(project: Path) -> Path:
    """The document with its binding, all values given, for one of the hosts."""
    (project / "docs").mkdir()
    (project / "docs" / "golive.md").write_text(DOCUMENT, encoding="utf-8")
    (project / "values.yml").write_text(VALUES, encoding="utf-8")
    done = run_verifier(
        *("init", "docs/golive.md", "--values", "values.yml", "--inventory", "lab"),
        *("--target", "fwb1"),
        cwd=project,
    )
    assert done.returncode == 0, done.stderr
    return project


def _verify(project: Path) -> tuple[int, dict[str, str], str]:
    done = run_verifier(
        *("verify", "--inventory", "lab", "--checklist", "docs/golive.yml"),
        *("--reporter", "json:-", "--reporter", "markdown:ticked.md"),
        cwd=project,
    )
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    report = json.loads(done.stdout)
    outcomes = {one["title"]: one["outcome"] for one in report["results"]}
    return done.returncode, outcomes, (project / "ticked.md").read_text(encoding="utf-8")


def test_a_foreign_checklist_becomes_a_gate_on_a_real_host(deployed: None, bound: Path) -> None:
    del deployed
    covered = run_verifier(
        "checklist", "coverage", "docs/golive.yml", "--inventory", "lab", cwd=bound
    )
    assert covered.returncode == 0, covered.stdout
    code, outcomes, ticked = _verify(bound)
    assert Counter(outcomes.values()) == {"pass": 9, "not_checked": 2}, outcomes
    assert outcomes["The team was told"] == "not_checked"
    assert outcomes["Tidy up: `docker image prune -f`"] == "not_checked"
    assert code == 7  # nothing is wrong; the team's answer is missing
    assert "- [x] (1/1) `ENVIRONMENT=production` is set" in ticked
    assert "- [ ] (0/1) The team was told" in ticked


def test_a_real_fault_turns_its_line_and_the_line_above_it_red(lab: LabView, bound: Path) -> None:
    lab.inject("fwb1", "docker pause filewallball-db-1", "host", become=True)
    try:
        code, outcomes, ticked = _verify(bound)
    finally:
        lab.inject("fwb1", "docker unpause filewallball-db-1", "host", become=True)
    assert code in (1, 3)
    assert outcomes["The database connection works"] in ("fail", "error")
    assert outcomes["The database is ready:"] == outcomes["The database connection works"]
    assert outcomes["`ENVIRONMENT=production` is set"] == "pass"
    assert "- [ ] (0/1) The database is ready:" in ticked
    lab.verify_until_healthy("fwb1", {"fwb.db.1", "fwb.db.2", "fwb.api.1"})


def test_a_deployment_is_refused_while_a_required_line_waits(lab_up: None, project: Path) -> None:
    del lab_up
    (project / "list.md").write_text("# Checklist\n- [ ] The health endpoint responds\n")
    assert run_verifier("init", "list.md", "--target", "fwb1", cwd=project).returncode == 0
    before = state_of("fwb1")
    words = ("deploy", "--inventory", "lab", "--limit", "fwb1", "--checklist", "list.yml", "--yes")
    done = run_verifier(*words, cwd=project)
    assert done.returncode == 2
    assert "1 required items are not bound" in done.stderr
    assert "base_url" in done.stderr
    assert state_of("fwb1") == before
