from __future__ import annotations

import pytest

from verifier.checklist.identity import Change, Remembered, recognise, with_ids
from verifier.checklist.markdown import Line, read_markdown

SECTIONS = """# T

## Web

- [ ] Pages load
  - [ ] Tested
- [ ] Login works

## Jobs

- [ ] Jobs run
  - [ ] Tested
"""


def read(text: str) -> tuple[Line, ...]:
    return read_markdown(text, where="t.md").lines


def memory(text: str) -> tuple[Remembered, ...]:
    lines = with_ids(read(text))
    titles = {line.number: line.title for line in lines}
    return tuple(Remembered(x.id, x.title, x.section, titles.get(x.above, "")) for x in lines)


def kinds(changes: tuple[Change, ...]) -> dict[str, str]:
    return {change.line.title: change.kind for change in changes}


def ids(text: str) -> dict[str, str]:
    return {line.title: line.id for line in with_ids(read(text))}


def test_the_author_s_own_id_is_kept_and_others_are_made_of_the_words() -> None:
    lines = with_ids(read("- [ ] Pages load <!-- id: pages -->\n- [ ] `df -h` is **low**\n"))
    assert lines[0].id == "pages"
    assert lines[1].id.startswith("df-h-is-low-")


@pytest.mark.parametrize(
    ("title", "begins"),
    [
        ("환경 변수 확인", "환경-변수-확인-"),
        ("...", "line-"),
        ("A" * 60, "a" * 40 + "-"),
        (
            "one two three four five six seven eight nine",
            "one-two-three-four-five-six-seven-eight-",
        ),
    ],
)
def test_an_id_is_short_and_readable_in_any_script(title: str, begins: str) -> None:
    (line,) = with_ids(read(f"- [ ] {title}\n"))
    assert line.id.startswith(begins)
    assert len(line.id) <= 47


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("## 1. Web\n- [ ] a\n## b\n- [ ] c\n", "## 2. Web\n- [ ] a\n## b\n- [ ] c\n"),
        ("## Web\n- [ ] a\n## b\n- [ ] c\n", "## Web ✅\n- [ ] a\n## b\n- [ ] c\n"),
        ("## Web\n- [ ] a\n## b\n- [ ] c\n", "## 🚀 Web\n- [x] **A**\n\n## b\n1. [ ] c\n"),
        ("- [ ] a\n", "text\n\n- [ ] before\n- [ ] (1/3) a\n"),
    ],
)
def test_numbers_ticks_and_emphasis_are_no_part_of_an_id(was: str, now: str) -> None:
    assert ids(was)["a"] in ids(now).values()


def test_the_same_words_in_two_places_have_two_ids() -> None:
    lines = with_ids(read(SECTIONS))
    assert len({line.id for line in lines}) == 5


def test_twins_are_told_apart_by_their_order() -> None:
    first, second = with_ids(read("- [ ] a\n- [ ] a\n"))
    assert second.id == f"{first.id}-2"


def test_a_derived_id_gives_way_to_one_an_author_wrote() -> None:
    (derived,) = with_ids(read("- [ ] a\n"))
    lines = with_ids(read(f"- [ ] a\n- [ ] b <!-- id: {derived.id} -->\n"))
    assert [line.id for line in lines] == [f"{derived.id}-2", derived.id]


def test_parents_are_named_by_their_ids() -> None:
    lines = with_ids(read(SECTIONS))
    assert [line.parent for line in lines] == ["", lines[0].id, "", "", lines[3].id]


def test_a_moved_line_keeps_its_id() -> None:
    now = SECTIONS.replace("- [ ] Login works\n", "") + "- [ ] Login works\n"
    changes = recognise(read(now), memory(SECTIONS))
    assert kinds(changes)["Login works"] == "moved"
    assert {c.line.id for c in changes} == {one.id for one in memory(SECTIONS)}


def test_a_line_below_another_parent_moved() -> None:
    was = "- [ ] Backend\n  - [ ] Deploys\n- [ ] Frontend\n"
    now = "- [ ] Backend\n- [ ] Frontend\n  - [ ] Deploys\n"
    assert kinds(recognise(read(now), memory(was)))["Deploys"] == "moved"


def test_a_line_whose_parent_was_reworded_is_the_same() -> None:
    now = SECTIONS.replace("Pages load", "All pages load")
    changes = recognise(read(now), memory(SECTIONS))
    assert [c.kind for c in changes] == ["reworded", "same", "same", "same", "same"]
    assert [c.line.id for c in changes] == [one.id for one in memory(SECTIONS)]


def test_twins_of_two_parents_are_not_mixed_up_when_the_parents_change_places() -> None:
    was = "- [ ] Web\n  - [ ] Tested\n- [ ] Jobs\n  - [ ] Tested\n"
    now = "- [ ] Jobs\n  - [ ] Tested\n- [ ] Web\n  - [ ] Tested\n"
    before = memory(was)
    changes = recognise(read(now), before)
    assert [c.line.id for c in changes] == [before[n].id for n in (2, 3, 0, 1)]
    assert {c.kind for c in changes} == {"same"}


def test_of_two_with_the_same_words_the_one_of_the_same_section_is_taken() -> None:
    was = "## A\n- [ ] x\n## B\n- [ ] x\n"
    before = [Remembered(r.id, r.text, r.section, "gone") for r in memory(was)]
    changes = recognise(read("## B\n- [ ] x\n## C\n- [ ] y\n"), before)
    assert changes[0].line.id == before[1].id


@pytest.mark.parametrize(
    ("was", "now", "kind"),
    [
        ("The database is backed up", "The databases are backed up", "reworded"),
        ("p95 under 500 ms", "p95 under 300 ms", "reworded"),
        ("Backups run", "Nobody reads this", "added"),
    ],
)
def test_a_line_in_its_place_with_other_words_is_reworded_or_new(
    was: str, now: str, kind: str
) -> None:
    (change,) = recognise(read(f"- [ ] {now}\n"), memory(f"- [ ] {was}\n"))
    assert change.kind == kind
    assert (change.was.text if change.was else "") == (was if kind == "reworded" else "")


def test_a_reworded_line_that_also_moved_must_be_more_alike() -> None:
    was = memory("## A\n- [ ] The database is backed up daily\n## B\n- [ ] other\n")
    alike = read("## A\n- [ ] x\n## B\n- [ ] The database is backed up hourly\n")
    unlike = read("## A\n- [ ] x\n## B\n- [ ] The database was backed up by hand\n")
    assert [c.kind for c in recognise(alike, was)] == ["added", "reworded"]
    assert [c.kind for c in recognise(unlike, was)] == ["added", "added"]


def test_the_best_pair_is_taken_first() -> None:
    was = memory("- [ ] The cache answers at noon\n- [ ] The cache answers at night\n")
    now = read("- [ ] The cache answers at nights\n- [ ] The cache answers at noons\n")
    changes = recognise(now, was)
    assert [c.was.text for c in changes if c.was] == [was[1].text, was[0].text]


def test_an_explicit_id_with_other_words_is_reworded_and_without_remembered_words_is_not() -> None:
    line = read("- [ ] new words <!-- id: a -->\n")
    assert recognise(line, [Remembered("a", "old", "")])[0].kind == "reworded"
    assert recognise(line, [Remembered("a", "", "")])[0].kind == "same"
    assert recognise(line, [])[0].kind == "added"


def test_a_derived_id_bound_by_hand_without_its_text_is_recognised() -> None:
    (line,) = with_ids(read("- [ ] a\n"))
    (change,) = recognise(read("- [ ] a\n"), [Remembered(line.id, "", "")])
    assert (change.line.id, change.kind) == (line.id, "same")


def test_a_line_without_words_takes_the_place_of_nobody() -> None:
    changes = recognise(read("- [ ]\n"), [Remembered("other", "", "")])
    assert changes[0].kind == "added"
    assert changes[0].line.id != "other"


def test_the_id_of_a_line_that_is_gone_is_given_to_no_other() -> None:
    (gone,) = with_ids(read("- [ ] a\n"))
    known = [Remembered(gone.id, "something else entirely", "Z")]
    (change,) = recognise(read("- [ ] a\n"), known)
    assert change.line.id != gone.id
