from __future__ import annotations

from pathlib import Path

import pytest

from verifier.checklist.items import find_checklists, load_checklist, load_checklists
from verifier.errors import DocumentError, UsageError

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
    stray.write_text("# Words\n\n- a bullet, and no line to tick off\n")
    assert len(find_checklists(project)) == 1
    stray.write_text("- [ ] y <!-- id: y -->\n")
    with pytest.raises(
        UsageError, match=r"b\.md: has lines to tick off and no binding \(run `verifier init"
    ):
        find_checklists(project)


def test_an_empty_name_is_an_error(project: Path) -> None:
    with pytest.raises(UsageError, match="is no name"):
        find_checklists(project, ("",))


HEAD = "version: 1\nchecklist: a.md\ntarget: all\n"
LINES = "# List\n\n- [ ] Pages load <!-- id: pages -->\n- [ ] Jobs run\n"
BOUND = """\
items:
  pages: {text: Pages load, not_checked: nobody can tell}
  jobs:
    text: Jobs run
    section: List
    check: run
    with: {command: "{{ command }}"}
    needs:
      command:
"""


def load(project: Path, markdown: str, binding: str = HEAD + BOUND) -> list[tuple[str, int]]:
    (project / "checklists" / "a.md").write_text(markdown)
    (project / "checklists" / "a.yml").write_text(binding)
    checklist = load_checklist(project / "checklists" / "a.yml")
    return [(item.id, item.line.number) for item in checklist.items]


def test_lines_with_and_without_an_id_find_their_bindings(project: Path) -> None:
    assert load(project, LINES) == [("pages", 3), ("jobs", 4)]
    moved = "## Other\n\n- [x] Jobs run\n\n## More\n\n- [ ] Pages load <!-- id: pages -->\n"
    assert load(project, moved) == [("jobs", 3), ("pages", 7)]


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        (
            "Jobs run",
            "Jobs ran",
            r"a\.md:4: line 'jobs' does not say any more what it was bound to",
        ),
        ("Pages load", "Nothing loads", r"a\.md:3: line 'pages' does not say any more"),
        ("# List\n\n", "- [ ] More\n", r"a\.md:1: line 'more-\w{6}' has no binding in a\.yml"),
        ("# List\n\n", "- [ ] x <!-- id: x -->\n", r"a\.md:1: line 'x' has no binding in a\.yml"),
        ("- [ ] Jobs run\n", "", r"a\.yml:6: item 'jobs' is not in a\.md"),
        (" <!-- id: pages -->", " <!-- id: page -->", r"a\.yml:5: item 'pages' .*mean 'page'"),
    ],
)
def test_a_line_that_is_bound_to_nothing_or_something_else_is_refused(
    project: Path, was: str, now: str, says: str
) -> None:
    with pytest.raises(DocumentError, match=says):
        load(project, LINES.replace(was, now))


def test_a_reworded_line_is_told_how_to_go_on(project: Path) -> None:
    with pytest.raises(
        DocumentError, match=r"`verifier checklist diff`; `verifier init .*a\.md` follows it"
    ):
        load(project, LINES.replace("Jobs run", "Jobs ran"))


@pytest.mark.parametrize("name", ["../a.md", "/etc/hostname", "b/../../a.md"])
def test_a_binding_names_no_file_outside_its_folder(project: Path, name: str) -> None:
    (project / "a.md").write_text(LINES)
    with pytest.raises(DocumentError, match="leads out of its folder"):
        load(project, LINES, HEAD.replace("a.md", name) + BOUND)


def test_a_link_out_of_the_folder_is_followed_no_more_than_a_path(project: Path) -> None:
    (project / "a.md").write_text(LINES)
    (project / "checklists" / "link.md").symlink_to(project / "a.md")
    with pytest.raises(DocumentError, match="leads out of its folder"):
        load(project, LINES, HEAD.replace("a.md", "link.md") + BOUND)


def test_an_item_waits_for_its_values_and_is_bound_by_any_of_three_places(project: Path) -> None:
    load(project, LINES)
    item = load_checklist(project / "checklists" / "a.yml").items[1]
    assert item.missing() == ("command",)
    assert item.missing(frozenset({"command"})) == ()
    for text in (
        BOUND.replace("      command:\n", "      command: [uptime]\n"),
        "values:\n  command: [uptime]\n" + BOUND,
    ):
        load(project, LINES, HEAD + text)
        assert load_checklist(project / "checklists" / "a.yml").items[1].missing() == ()
    load(project, LINES, HEAD + "values:\n  command: []\n" + BOUND)
    assert load_checklist(project / "checklists" / "a.yml").items[1].missing() == ("command",)


def test_a_step_and_what_is_no_gate_require_nothing(project: Path) -> None:
    answers = {
        "step: release": False,
        "not_a_gate: a plan": False,
        "review: what is meant": True,
        "attest: {role: lead}": True,
        "not_checked: nobody can tell": True,
    }
    for answer, required in answers.items():
        load(project, "- [ ] x <!-- id: x -->\n", f"{HEAD}items:\n  x: {{{answer}}}\n")
        assert load_checklist(project / "checklists" / "a.yml").items[0].required is required


def test_items_that_share_an_anchor_or_have_a_number_for_a_name_are_placed(project: Path) -> None:
    text = "items:\n  1: &same {not_checked: nobody}\n  b: *same\n"
    markdown = "- [ ] x <!-- id: 1 -->\n- [ ] y <!-- id: b -->\n"
    assert load(project, markdown, HEAD + text) == [("1", 1), ("b", 2)]
    with pytest.raises(DocumentError, match=r"a\.yml: item '8' is not in a\.md"):
        load(project, markdown, HEAD + text + "  010: *same\n")


def test_an_id_stands_in_one_checklist_only(project: Path) -> None:
    folder = project / "checklists"
    (folder / "b.yml").write_text(BINDING.replace("a.md", "b.md"))
    (folder / "b.md").write_text("\n- [ ] y <!-- id: x -->\n")
    with pytest.raises(DocumentError, match=r"b\.md:2: id 'x' is already used by checklist 'a'"):
        load_checklists((folder / "a.yml", folder / "b.yml"))


def test_a_document_with_nothing_to_tick_off_is_no_checklist(project: Path) -> None:
    with pytest.raises(DocumentError, match=r"a\.md: has no line to tick off"):
        load(project, "# List\n\nwords\n")
