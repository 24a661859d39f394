from __future__ import annotations

from pathlib import Path

import pytest

from verifier.checklist.items import find_checklists
from verifier.errors import UsageError

BINDING = "version: 1\nchecklist: a.md\ntarget: all\nitems:\n  x: {not_checked: nobody can tell}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "checklists"
    folder.mkdir()
    (folder / "a.yml").write_text(BINDING)
    (folder / "a.md").write_text("- [ ] x <!-- id: x -->\n")
    return tmp_path


def test_every_binding_file_is_found_once(project: Path) -> None:
    found = (project / "checklists" / "a.yml",)
    assert find_checklists(project) == found
    assert find_checklists(project, ("a", "a")) == found


def test_a_binding_with_the_other_ending_is_not_passed_over(project: Path) -> None:
    (project / "checklists" / "b.yaml").write_text(BINDING)
    with pytest.raises(UsageError, match=r"b\.yaml: is not read \(name it b\.yml\)"):
        find_checklists(project)


def test_a_checklist_without_a_binding_is_not_passed_over(project: Path) -> None:
    stray = project / "checklists" / "b.md"
    stray.write_text("notes, and no line with an id\n")
    assert len(find_checklists(project)) == 1
    stray.write_text("- [ ] y <!-- id: y -->\n")
    with pytest.raises(UsageError, match=r"b\.md: has lines with ids and no binding"):
        find_checklists(project)


def test_an_empty_name_is_an_error(project: Path) -> None:
    with pytest.raises(UsageError, match="is no name"):
        find_checklists(project, ("",))
