from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lab import run_verifier
from support import assignment, plan
from verifier.inventory import Host, Reach
from verifier.plan import Plan
from verifier.redact import Redactor
from verifier.result import Outcome, Result
from verifier.verify.connect import Connections
from verifier.verify.suite import answered, run_suite

pytestmark = pytest.mark.lab

TESTS = """
import pytest

@pytest.mark.item("passes")
def test_passes(host):
    assert host.run("true").rc == 0

@pytest.mark.item("fails")
def test_fails(host):
    assert host.check_output("echo $SSH_CONNECTION") == "nobody"

@pytest.mark.item("skips")
def test_skips(host):
    pytest.skip("not today")

@pytest.mark.item("left-out")
@pytest.mark.skip(reason="later")
def test_left_out(host):
    pass

@pytest.mark.item("errors")
def test_errors(host):
    raise RuntimeError("boom")

@pytest.fixture
def broken():
    raise ValueError("no such thing")

@pytest.mark.item("breaks-before")
def test_breaks_before(broken, host):
    pass

@pytest.mark.item("hostless")
def test_hostless():
    pass

@pytest.mark.item("person")
def test_person(host):
    pass
"""
ITEMS = ("passes", "fails", "skips", "left-out", "errors", "breaks-before", "hostless", "unnamed")


def _answers(host: Host, connections: Connections, file: Path) -> dict[str, Result]:
    planned, before = _nothing_known(host)
    answers = run_suite([file], planned, [host], connections, Redactor())
    return {r.item: r for r in answered(planned, before, answers)}


def _nothing_known(host: Host) -> tuple[Plan, tuple[Result, ...]]:
    planned = plan(
        *(assignment(item, host.name, method="none") for item in ITEMS),
        assignment("person", host.name, method="attest"),
    )
    return planned, tuple(
        Result(a.item, a.host, Outcome.NOT_CHECKED, "", "nobody looked")
        for a in planned.assignments
    )


def _file(tmp_path: Path, text: str = TESTS) -> Path:
    file = tmp_path / "test_x.py"
    file.write_text(text)
    return file


def test_plain_testinfra_files_answer_over_the_connection_of_the_checks(
    fwb1: Host, tmp_path: Path
) -> None:
    with Connections() as connections:
        view, _ = connections.open(fwb1).look()
        own = view.run("echo $SSH_CONNECTION").stdout.strip()
        found = _answers(fwb1, connections, _file(tmp_path))
    assert {item: result.outcome for item, result in found.items()} == {
        "passes": Outcome.PASS,
        "fails": Outcome.FAIL,
        "skips": Outcome.NOT_CHECKED,
        "left-out": Outcome.NOT_CHECKED,
        "errors": Outcome.ERROR,
        "breaks-before": Outcome.ERROR,
        "hostless": Outcome.ERROR,
        "unnamed": Outcome.NOT_CHECKED,
        "person": Outcome.NOT_CHECKED,
    }
    assert own in found["fails"].reason
    assert "skipped: later" in found["left-out"].reason
    assert "RuntimeError: boom" in found["errors"].reason
    assert "no such thing" in found["breaks-before"].reason
    assert "takes no `host`" in found["hostless"].reason
    assert found["person"].reason == "nobody looked"


def test_a_container_and_this_machine_answer_too(box: str, tmp_path: Path) -> None:
    for reach in (Reach("docker", box), Reach("docker", box, user="guest"), Reach("local", "x")):
        with Connections() as connections:
            found = _answers(Host("h1", (), reach), connections, _file(tmp_path))
        assert found["passes"].outcome is Outcome.PASS
        assert found["fails"].outcome is Outcome.FAIL


def test_files_that_do_not_run_are_an_error_for_every_item_they_name(tmp_path: Path) -> None:
    file = _file(tmp_path, TESTS + "\nimport no_such_module_anywhere\n")
    with Connections() as connections:
        found = _answers(Host("h1", (), Reach("local", "x")), connections, file)
    assert found["passes"].outcome is Outcome.ERROR
    assert "no_such_module_anywhere" in found["passes"].reason
    assert found["unnamed"].outcome is Outcome.NOT_CHECKED
    assert found["person"].outcome is Outcome.NOT_CHECKED


def _project(folder: Path) -> Path:
    (folder / "inventory" / "here").mkdir(parents=True)
    (folder / "inventory" / "here" / "hosts.yml").write_text(
        "all: {hosts: {h1: {ansible_connection: local}}}\n"
    )
    (folder / "checklists").mkdir()
    (folder / "checklists" / "list.md").write_text(
        "# 목록\n\n- [ ] 통과 / passes <!-- id: passes -->\n- [ ] 사람 / person <!-- id: person -->\n"
    )
    (folder / "checklists" / "list.yml").write_text(
        "version: 1\nchecklist: list.md\ntarget: all\nitems:\n"
        "  passes: {not_checked: only a test looks at it}\n"
        "  person: {attest: {role: approver}}\n"
    )
    (folder / "checks").mkdir()
    return folder


MINE = "import pytest\n@pytest.mark.item('passes')\ndef test_x(host):\n    assert host.run('true').rc == 0\n"


def test_the_tests_of_a_project_are_found_and_a_person_is_still_waited_for(tmp_path: Path) -> None:
    project = _project(tmp_path)
    (project / "checks" / "test_x.py").write_text(MINE)
    done = run_verifier("verify", "--inventory", "here", cwd=project)
    assert done.returncode == 7, done.stdout + done.stderr
    ticked = next(project.glob(".verifier/runs/*/list.ticked.md")).read_text()
    assert "- [x] (1/1) 통과" in ticked
    assert "- [ ] (0/1) 사람" in ticked


def test_a_test_for_an_item_nobody_knows_is_refused_before_any_host_is_asked(
    tmp_path: Path,
) -> None:
    project = _project(tmp_path)
    (project / "checks" / "test_x.py").write_text(MINE.replace("passes", "pases"))
    done = run_verifier("verify", "--inventory", "here", cwd=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert "test answers item 'pases', which no checklist has" in done.stderr
    assert not (project / ".verifier").exists()


def test_a_result_of_a_test_is_kept_beside_the_check_of_the_item(
    fwb1: Host, tmp_path: Path
) -> None:
    planned = plan(assignment("fails", fwb1.name))
    before = (Result("fails", fwb1.name, Outcome.PASS, "port", evidence=("ab" * 32,)),)
    with Connections() as connections:
        answers = run_suite([_file(tmp_path)], planned, [fwb1], connections, Redactor(["nobody"]))
    (after,) = answered(planned, before, answers)
    assert replace(after, reason="", duration_s=0) == replace(before[0], outcome=Outcome.FAIL)
    assert "[redacted]" in after.reason
