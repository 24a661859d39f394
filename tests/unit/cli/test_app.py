from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support import finished_run
from verifier.cli.app import run
from verifier.redact import Redactor
from verifier.store import RunDirectory


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["verify"], "Missing option"),
        (["destroy"], "No such command 'destroy'"),
        (["verify", "--inventory", "lab", "--quick"], "No such option"),
        (["deploy", "-i", "lab", "--forks", "0"], "Invalid value"),
        (["verify", "-i", "nowhere"], "no inventory 'nowhere'"),
        (["verify", "-i", "lab", "--reporter", "sjon:-"], "no reporter 'sjon'"),
        (["verify", "-i", "lab", "--reporter", "json", "--reporter", "junit:-"], "only one"),
        (["verify", "-i", "lab", "--vault-password-file", "none"], "no such vault password file"),
        (["plan", "-i", "lab", "--limit", ""], "is empty"),
        (["deploy", "-i", "lab", "--release", " "], "is empty"),
        (["deploy", "-i", "lab", "--tags", ","], "is empty"),
        (["rollback", "-i", "lab", "--to", ""], "is empty"),
        (["report"], "no run 'last'"),
        (["report", "--run", "../../etc"], "no run '../../etc'"),
    ],
)
def test_a_wrong_command_line_is_one_line_on_stderr_and_code_2(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert says in said.err
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1


def test_a_report_is_rendered_again_with_the_code_of_its_run(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = RunDirectory.create(project, finished_run().id, Redactor())
    store.save("run", finished_run())
    assert run(["report"]) == 1
    assert "Gate CLOSED" in capsys.readouterr().out
    assert run(["report", "--reporter", "junit"]) == 1
    assert capsys.readouterr().out.startswith("<?xml")


def test_a_run_directory_that_was_damaged_is_one_line(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = RunDirectory.create(project, "broken", Redactor())
    store.write("run.json", '{"id": 1')
    assert run(["report", "--run", "broken"]) == 2
    assert "not valid JSON" in capsys.readouterr().err


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("verifier ")


@pytest.mark.parametrize("words", [[], ["lab"]])
def test_nothing_asked_for_shows_the_help(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    said = capsys.readouterr().err
    assert "Usage: " in said
    assert len(said.splitlines()) > 5


def test_a_reader_that_has_seen_enough_does_not_change_the_exit_code(project: Path) -> None:
    store = RunDirectory.create(project, finished_run().id, Redactor())
    store.save("run", finished_run())
    command = f"{sys.executable} -m verifier report; echo $? >code"
    subprocess.run(["sh", "-c", f"({command}) | true"], cwd=project, check=True, timeout=60)
    assert (project / "code").read_text() == "1\n"
