from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from verifier.cli.app import run
from verifier.duty import load_record, record_path

INVENTORY = """all:
  hosts:
    here: {ansible_connection: local, release_root: .}
    too: {ansible_connection: local, ansible_host: 127.0.0.2, release_root: .}
"""
BINDING = """version: 1
checklist: list.md
target: all
items:
  there: {source: s.1, check: file, with: {path: "there"}, advisory: true}
  other: {check: file, with: {path: "other"}}
  heavy: {check: load, with: LOAD}
  said: {not_checked: nobody can}
"""
LOAD = '{url: "http://127.0.0.1:9/", rate_per_s: 1, duration_s: 1}'
DUTIES = """version: 1
duties:
  daily: {title: Daily check, title_ko: 일일 점검, every: day, at: "06:00", items: [s.1]}
  monthly: {title: Monthly check, every: month, at: "06:00", items: [other, there]}
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    (tmp_path / "checklists").mkdir()
    lines = "".join(f"- [ ] {i} <!-- id: {i} -->\n" for i in ("there", "other", "heavy", "said"))
    (tmp_path / "checklists" / "list.md").write_text(f"# List\n\n{lines}")
    (tmp_path / "checklists" / "list.yml").write_text(BINDING.replace("LOAD", LOAD))
    (tmp_path / "inventory" / "test").mkdir(parents=True)
    (tmp_path / "inventory" / "test" / "hosts.yml").write_text(INVENTORY)
    (tmp_path / "duties.yml").write_text(DUTIES)
    (tmp_path / "there").write_text("something\n")
    return tmp_path


def standing(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, dict[str, object]]]:
    capsys.readouterr()
    code = run(["duty", "list", "-i", "test", "--format", "json"])
    return code, {one["duty"]: one for one in json.loads(capsys.readouterr().out)}


def test_a_duty_that_was_never_done_is_no_good_news(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["duty", "list", "-i", "test"]) == 1
    said = capsys.readouterr().out
    assert re.search(r"^daily +day +never +- +now +never$", said, re.MULTILINE)
    assert "daily: 일일 점검 / Daily check\nmonthly: Monthly check\n" in said
    code, found = standing(capsys)
    assert (code, found["daily"]["state"], found["daily"]["last_success"]) == (1, "never", None)


def test_a_run_is_shown_recorded_and_no_item_of_it_is_advisory(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["duty", "run", "daily", "-i", "test"]) == 0
    said = capsys.readouterr().out
    assert "Gate OPEN" in said
    record = load_record(record_path(project, "test"))
    assert [(r.duty, r.verdict, r.exit_code, r.limit) for r in record.runs] == [
        ("daily", "open", 0, "")
    ]
    assert (project / ".verifier" / "runs" / record.runs[0].run / "run.json").is_file()
    assert record.runs[0].run in said

    (project / "there").unlink()
    assert run(["duty", "run", "daily", "-i", "test"]) == 1
    capsys.readouterr()
    assert run(["duty", "list", "-i", "test"]) == 1  # the monthly one was never done
    said = capsys.readouterr().out
    assert re.search(
        rf"^daily +day +20\S+ \S+ +{record.runs[0].run} +20\S+ \S+ +ok *$", said, re.MULTILINE
    )
    assert "daily: a run on 20" in said
    assert "failed since: gate closed, exit 1" in said


def test_the_list_ends_with_0_when_everything_was_done(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "other").write_text("something\n")
    assert run(["duty", "run", "daily", "-i", "test"]) == 0
    assert run(["duty", "run", "monthly", "-i", "test"]) == 0
    code, found = standing(capsys)
    assert code == 0
    assert {name: one["state"] for name, one in found.items()} == {"daily": "ok", "monthly": "ok"}

    record = record_path(project, "test")
    record.write_text(re.sub(r'("finished_at": ")\d{4}', r"\g<1>2020", record.read_text()))
    code, found = standing(capsys)
    assert (code, found["monthly"]["state"]) == (1, "overdue")


def test_a_run_that_left_a_host_out_is_no_success(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["duty", "run", "daily", "-i", "test", "--limit", "here"]) == 0
    assert load_record(record_path(project, "test")).runs[0].limit == "here"
    _, found = standing(capsys)
    assert found["daily"]["state"] == "never"


def test_a_mistake_on_the_command_line_is_no_run(project: Path) -> None:
    assert run(["duty", "run", "daily", "-i", "test", "--limit", "nowhere"]) == 2
    assert not record_path(project, "test").exists()


def test_a_run_that_broke_off_is_recorded(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / ".verifier").mkdir()
    (project / ".verifier" / "runs").touch()  # no run directory can be made
    assert run(["duty", "run", "daily", "-i", "test"]) == 3
    capsys.readouterr()
    (run_of_it,) = load_record(record_path(project, "test")).runs
    assert (run_of_it.run, run_of_it.verdict, run_of_it.exit_code) == ("", "closed", 3)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("items: [s.1]", "items: [s.2]", "duty 'daily' names 's.2', which is no item"),
        ("items: [s.1]", "items: [said]", "duty 'daily' names 'said', which nobody looks at"),
        (
            "items: [s.1]",
            "items: [heavy]",
            "'heavy', which puts load on the service (say load: true",
        ),
        ("duties:", "dooties:", "dooties: unknown key"),
    ],
)
@pytest.mark.parametrize("words", [["list"], ["run", "daily"]], ids=" ".join)
def test_what_is_wrong_with_the_duties_is_said_before_anything_else(
    project: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    old: str,
    new: str,
    says: str,
) -> None:
    (project / "duties.yml").write_text(DUTIES.replace(old, new))
    assert run(["duty", *words, "-i", "test"]) == 2
    assert says in capsys.readouterr().err


def test_names_that_are_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["duty", "run", "dayly", "-i", "test"]) == 2
    assert "no duty 'dayly' (known: daily, monthly)" in capsys.readouterr().err
    assert run(["duty", "list", "-i", "tset"]) == 2
    assert "no inventory 'tset'" in capsys.readouterr().err
    assert run(["duty"]) == 2
    assert "schedule" in capsys.readouterr().err


def test_load_is_put_on_nobody_unasked(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loaded = DUTIES.replace("items: [s.1]", "items: [heavy], load: true")
    (project / "duties.yml").write_text(loaded)
    assert run(["duty", "run", "daily", "-i", "test"]) == 9
    assert "--load would put load on here, too" in capsys.readouterr().err
    words = ["duty", "schedule", "-i", "test", "--format", "cron", "--output", "out"]
    assert run(words) == 9
    assert "the load of duty 'daily' on here, too would be refused" in capsys.readouterr().err
    assert not (project / "out").exists()
    assert run([*words, "monthly"]) == 0


def test_a_schedule_is_written_for_this_project(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["duty", "schedule", "-i", "test", "--output", "out", "--format"]
    assert run([*words, "cron"]) == 0
    assert "out/verifier-duties-test" in capsys.readouterr().out
    lines = (project / "out" / "verifier-duties-test").read_text().splitlines()
    assert lines[0] == f"# Written by `verifier duty schedule` for test of {project}"
    assert re.fullmatch(
        rf"0 6 \* \* \* \S+ cd {project} && /\S+ .*verifier duty run daily --inventory test",
        lines[3],
    )
    assert run([*words, "systemd", "monthly", "--vault-password-file", "there"]) == 0
    assert "systemctl enable --now verifier-duty-monthly.timer" in capsys.readouterr().out
    assert sorted(p.name for p in (project / "out").iterdir()) == [
        "verifier-duties-test",
        "verifier-duty-monthly.service",
        "verifier-duty-monthly.timer",
    ]
    service = (project / "out" / "verifier-duty-monthly.service").read_text()
    assert f"--inventory test --vault-password-file {project}/there\n" in service


def test_a_foreign_file_stays(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "out").mkdir()
    (project / "out" / "verifier-duties-test").write_text("mine\n")
    assert run(["duty", "schedule", "-i", "test", "--format", "cron", "--output", "out"]) == 9
    assert "verifier-duties-test: was not written by this command" in capsys.readouterr().err
    assert (project / "out" / "verifier-duties-test").read_text() == "mine\n"
