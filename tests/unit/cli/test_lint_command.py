from __future__ import annotations

import json
from pathlib import Path

import pytest

from verifier.cli.lint import command
from verifier.errors import DocumentError, UsageError

BROKEN = "# List\n- [ ] Rotate the keys and\n\n```bash\ndocker volume prune -f\n```\n"
UNEASY = "# List\n- [ ] Rotate the keys and\n"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "list.md"


def test_an_error_closes_with_one_and_a_warning_does_not(file: Path) -> None:
    file.write_text(BROKEN)
    assert command(file) == 1
    file.write_text(UNEASY)
    assert command(file) == 0


def test_json_has_exactly_its_five_keys(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(BROKEN)
    command(file, output="json")
    findings = json.loads(capsys.readouterr().out)
    assert [(f["line"], f["rule"], f["severity"]) for f in findings] == [
        (2, "cut-off", "warning"),
        (5, "destructive-command", "error"),
    ]
    assert {frozenset(f) for f in findings} == {
        frozenset(("line", "rule", "severity", "message", "fix"))
    }


def test_text_reads_like_a_compiler(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(BROKEN)
    command(Path("list.md"))
    rows = capsys.readouterr().out.splitlines()
    assert rows[0].startswith("list.md:2: warning cut-off: ")
    assert rows[1].startswith("    fix: ")
    assert rows[-1].startswith("1 error, 1 warning, 0 info. Looked at the document alone")


def test_a_document_without_findings_is_an_empty_list(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("- [ ] Keys rotated\n")
    assert command(file, output="json") == 0
    assert json.loads(capsys.readouterr().out) == []


def test_the_current_folder_is_the_project_if_it_looks_like_one_and_holds_the_file(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("- [ ] `npm run smoke`\n")
    assert command(file) == 0
    (file.parent / "package.json").write_text('{"scripts": {}}')
    assert command(file) == 1
    assert f"and {file.parent.resolve()} (2 files, no git)" in capsys.readouterr().out


def test_the_project_of_another_file_is_not_guessed(
    file: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (file.parent / "package.json").write_text('{"scripts": {}}')
    other = tmp_path_factory.mktemp("other") / "list.md"
    other.write_text("- [ ] `npm run smoke`\n")
    assert command(other) == 0
    assert command(other, project=file.parent) == 1


def test_what_cannot_be_read_is_a_document_error(file: Path) -> None:
    with pytest.raises(DocumentError, match="cannot be read"):
        command(file)
    file.write_bytes(b"- [ ] \xff\xfe")
    with pytest.raises(DocumentError, match="UTF-8"):
        command(file)
    file.write_text("Only prose.\n")
    with pytest.raises(DocumentError, match="neither lines nor commands"):
        command(file)


def test_a_project_that_is_none_is_a_usage_error(file: Path) -> None:
    file.write_text(UNEASY)
    with pytest.raises(UsageError, match="no folder"):
        command(file, project=file.parent / "none")


def test_control_characters_of_the_document_do_not_reach_the_terminal(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("- [ ] `tail -f a\x1b[2Jb` is quiet\n")
    command(file)
    assert "\x1b" not in capsys.readouterr().out
