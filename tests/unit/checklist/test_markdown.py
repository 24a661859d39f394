from __future__ import annotations

import unicodedata
from typing import Literal

import pytest

from verifier.checklist.identity import with_ids
from verifier.checklist.markdown import Line, Mark, Page, plain, read_markdown, tick
from verifier.errors import DocumentError

TEXT = """# 배포 체크리스트

intro - [ ] not an item <!-- a comment -->

## 환경 / Environment ✅

- [ ] 파일이 있다 / The file exists <!-- id: env-file -->
  ```bash
  - [ ] not an item either <!-- id: nor-this -->
  ```
- [x] 이미 체크됨 / ticked by hand <!-- id: claimed -->
  - [ ] nested <!-- id: nested -->
- a bullet beside boxes

### Limits

- p95 < 500 ms <!-- id: p95 -->
1. first duty <!-- id: duty -->
"""


def read(text: str) -> Page:
    return read_markdown(text, where="t.md")


def lines(text: str) -> tuple[Line, ...]:
    return with_ids(read(text).lines)


def titles(text: str) -> list[str]:
    return [line.title for line in read(text).lines]


def kinds(text: str) -> list[tuple[str, str]]:
    return [(line.kind, line.title) for line in read(text).lines]


def numbers(text: str) -> list[int]:
    return [line.number for line in read(text).lines]


def ticked(text: str, passed: int = 1, wanted: int = 1) -> str:
    found = lines(text)
    return tick(text, found, {line.id: Mark(passed, wanted) for line in found})


def test_lines_are_read_with_section_kind_and_place() -> None:
    found = read(TEXT).lines
    assert [(line.id, line.kind, line.ticked) for line in found] == [
        ("env-file", "box", False),
        ("claimed", "box", True),
        ("nested", "box", False),
        ("p95", "bullet", False),
        ("duty", "numbered", False),
    ]
    assert found[0].section == "환경 / Environment ✅"
    assert found[3].section == "환경 / Environment ✅ / Limits"
    assert found[0].title == "파일이 있다 / The file exists"
    assert TEXT.splitlines()[found[4].number - 1].startswith("1. first duty")
    assert all(line.explicit for line in found)


def test_an_id_used_twice_names_both_lines() -> None:
    with pytest.raises(DocumentError, match=r"t\.md:2: id 'a' stands twice \(first in line 1\)"):
        read("- [ ] x <!-- id: a -->\n- [ ] y <!-- id: a -->\n")


@pytest.mark.parametrize(
    "row",
    [
        "- [ ] x <!-- id: two words -->",
        "- [ ] x <!-- ID: big -->",
        "- [ ] x <!-- id no-colon -->",
        "- [ ] x <!-- id: 새 항목 -->",
        "- [ ] x <!-- id: one --> <!-- id: two -->",
        "- [ ] x\n  <!-- id: on-its-second-line -->",
        "## a heading <!-- id: heading -->",
        "a paragraph <!-- id: paragraph -->",
        "| a table | <!-- id: table --> |",
    ],
)
def test_an_id_that_would_be_lost_is_an_error_with_its_line(row: str) -> None:
    line = 3 + row.count("\n")
    with pytest.raises(DocumentError, match=rf"t\.md:{line}: an id that belongs to no line"):
        read(f"- [ ] a <!-- id: a -->\n\n{row}\n")


def test_a_comment_about_an_idea_is_no_id() -> None:
    assert titles("- [ ] a <!-- idea: later -->\n<!-- identity -->\n") == ["a"]


def test_nested_boxes_know_the_line_they_stand_below() -> None:
    found = lines("- [ ] a\n  - [ ] b\n    - [ ] c\n  - plain\n    - [ ] d\n- [ ] e\n")
    names = {line.number: line.title for line in found}
    assert [(x.title, names.get(x.above, "")) for x in found] == [
        ("a", ""),
        ("b", "a"),
        ("c", "b"),
        ("d", ""),
        ("e", ""),
    ]
    ids = {line.title: line.id for line in found}
    assert found[1].parent == ids["a"]
    assert found[2].parent == ids["b"]


@pytest.mark.parametrize(
    "row",
    [
        "- [ ] x",
        "* [ ] x",
        "+ [ ] x",
        "1. [ ] x",
        "12) [ ] x",
        "> - [ ] x",
        "- [] x",
        "-   [ ]   x",
        "-\t[ ]\tx",
        r"- \[ \] x",
        "- ☐ x",
        "- □ x",
        "- ⬜ x",
        "- ⬜\ufe0f x",
        "- \uff3b\u3000\uff3d x",
        "- - [ ] x",
        "1. - [ ] x",
    ],
)
def test_every_kind_of_open_box_is_read(row: str) -> None:
    found = read(row).lines
    assert [(line.kind, line.title, line.ticked) for line in found] == [("box", "x", False)]


@pytest.mark.parametrize(
    "row", ["- [x] a", "- [X] a", "- [✓] a", "- [✔] a", "- [✅] a", r"- \[x\] a", "- ☑ a", "- ☒ a"]
)
def test_every_kind_of_ticked_box_is_read_as_a_claim(row: str) -> None:
    found = read(row).lines
    assert [(line.kind, line.title, line.ticked) for line in found] == [("box", "a", True)]


@pytest.mark.parametrize(
    "row",
    [
        "- [x](https://example.org) a link",
        "- [ ](https://example.org) a link",
        "- [x][reference] a link",
        "- [x]: a definition",
        "- [0:5] a range",
        "- [y] a letter",
        "- [  ] two spaces",
        "- [x]glued",
        "- ☐glued",
        "- `[ ]` in code",
        "- text [ ] in the middle",
        "-[ ] no space",
        "[ ] no bullet",
        "a ☐ in prose",
        "#[ ] no heading",
    ],
)
def test_what_only_looks_like_a_box_is_none(row: str) -> None:
    assert titles(f"{row}\n") == []


def test_a_box_without_words_is_still_a_line() -> None:
    assert kinds("- [ ]\n- [ ] b\n") == [("box", ""), ("box", "b")]


@pytest.mark.parametrize(
    ("row", "title", "is_ticked"),
    [
        ("| [ ] | x | y |", "x", False),
        ("| x | [ ] | y |", "x", False),
        ("| x | y | [x] |", "x", True),
        ("| 1 | x | ☐ |", "x", False),
        ("| REL-01 | x | ⬜ |", "x", False),
        ("| [ ] x | y | z |", "x", False),
        ("| x | [ ] (1/2) | y |", "x", False),
        ("[ ] | x | y", "x", False),
        ("x | y | [x] (2/2)", "x", True),
    ],
)
def test_a_box_in_any_column_of_a_table_makes_a_line(row: str, title: str, is_ticked: bool) -> None:  # noqa: FBT001  a case
    text = f"| a | b | c |\n|---|---|---|\n{row}\n"
    found = read(text).lines
    assert [(x.number, x.kind, x.title, x.ticked) for x in found] == [(3, "row", title, is_ticked)]


def test_the_other_columns_of_a_row_are_its_notes() -> None:
    found = read("| a | b | c |\n|---|---|---|\n| [ ] | x | `curl` |\n").lines
    assert found[0].notes == ("`curl`",)


def test_a_table_row_without_a_box_or_text_is_no_line() -> None:
    assert titles("| a | b |\n|---|---|\n| x | [y](z) |\n| [ ] | |\n| `[ ]` | z |\n") == []


def test_a_status_column_makes_lines_only_in_a_checklist_without_boxes() -> None:
    table = "| Item | Status |\n|---|---|\n| a | Done |\n| b | |\n| c | ✅ |\n"
    found = read(f"# Release checklist\n\n{table}").lines
    assert [(x.kind, x.title, x.ticked) for x in found] == [
        ("row", "a", True),
        ("row", "b", False),
        ("row", "c", True),
    ]
    assert titles(f"# Report\n\n{table}") == []
    assert titles(f"# Release checklist\n\n{table}\n- [ ] d\n") == ["d"]
    assert titles("# Release checklist\n\n| Item | Who |\n|---|---|\n| a | me |\n") == []


def test_bullets_and_claims_count_below_a_checklist_heading_without_boxes() -> None:
    text = "# Deployment checklist\n\n- ✅ a\n- ❌ b\n- c\n1. d\n"
    found = read(text).lines
    assert [(x.kind, x.title, x.ticked) for x in found] == [
        ("bullet", "a", True),
        ("bullet", "b", False),
        ("bullet", "c", False),
        ("numbered", "d", False),
    ]


def test_one_box_makes_bullets_and_claims_mere_words() -> None:
    page = read("# Deployment checklist\n\n- ✅ a\n- b\n- [ ] c\n")
    assert [line.title for line in page.lines] == ["c"]
    assert page.passed_over == (3,)


def test_bullets_of_another_document_are_no_lines() -> None:
    assert titles("# Notes\n\n- ✅ a\n- b\n") == []


def test_the_folder_of_a_file_says_nothing_about_it() -> None:
    text = "# Work\n\n- a\n"
    assert not read_markdown(text, where="/srv/checklists/notes.md").lines
    assert read_markdown(text, where="/srv/notes/go-live-checklist.md").lines


def test_a_table_of_contents_is_no_checklist() -> None:
    assert titles("# Checklist\n\n- [Database](#database)\n- a\n") == ["a"]


def test_a_bold_paragraph_heads_what_follows_until_the_next_heading() -> None:
    text = (
        "## S\n\n**Web**\n\n- [ ] a\n\ntext\n\n- [ ] b\n\n**DB:**\n\n- [ ] c\n\n## T\n\n- [ ] d\n"
    )
    assert [line.path for line in read(text).lines] == [
        ("S", "Web"),
        ("S", "Web"),
        ("S", "DB:"),
        ("T",),
    ]


def test_a_row_that_ends_with_a_colon_heads_the_list_below_it_only() -> None:
    text = "## S\n\nOn the host:\n- [ ] a\n\n- [ ] b\n\ntext\n\n- [ ] c\n"
    labelled = ("S", "On the host:")
    assert [line.path for line in read(text).lines] == [labelled, labelled, ("S",)]


@pytest.mark.parametrize(
    "row", ["**Note** that this matters", "Read this first.", "**" + "a" * 400 + "**"]
)
def test_a_sentence_is_no_heading(row: str) -> None:
    assert [line.path for line in read(f"## S\n\n{row}\n\n- [ ] a\n").lines] == [("S",)]


def test_the_only_title_of_a_document_is_no_section() -> None:
    assert [x.section for x in read("# T\n\n- [ ] a\n\n## S\n\n- [ ] b\n").lines] == ["T", "S"]
    assert [x.section for x in read("# T\n## S\n- [ ] b\n# U\n- [ ] c\n").lines] == ["T / S", "U"]


def test_a_paragraph_that_became_a_heading_is_cut() -> None:
    found = read("word " * 3000 + "\n---\n\n- [ ] a\n").lines
    assert len(found[0].section) == 300


def test_limits_are_lines_below_a_heading_that_speaks_of_criteria() -> None:
    text = "- [ ] a\n\n## 성능 기준 / Criteria\n\n- p95 < 500 ms\n- 오류율 1% 이하\n"
    assert kinds(text) == [("box", "a"), ("limit", "p95 < 500 ms"), ("limit", "오류율 1% 이하")]


@pytest.mark.parametrize(
    "rest",
    [
        "## Notes\n\n- p95 < 500 ms\n",
        "## Criteria\n\n- fast enough\n- 24 hours\n",
        "## Criteria\n\np95 < 500 ms\n",
    ],
)
def test_bullets_without_a_limit_or_without_such_a_heading_are_no_limits(rest: str) -> None:
    assert titles(f"- [ ] a\n\n{rest}") == ["a"]


def test_what_is_done_at_once_is_a_duty_and_who_is_called_a_level() -> None:
    text = (
        "- [ ] a\n\n## Immediate response\n\n1. Look at the logs\n   - which\n"
        "\n## Escalation\n\n- L1: on call\n- **Level 2**: lead\n- see the wiki\n"
        "\n## Later response\n\n1. Write it down\n"
    )
    assert kinds(text) == [
        ("box", "a"),
        ("duty", "Look at the logs"),
        ("level", "L1: on call"),
        ("level", "**Level 2**: lead"),
    ]


def test_form_fields_are_lines_wherever_they_stand() -> None:
    text = "- [ ] a\n\nRelease: ______\n**Date:** ________\n\n- Approved by: ........\n"
    assert kinds(text) == [
        ("box", "a"),
        ("field", "Release: ______"),
        ("field", "**Date:** ________"),
        ("field", "Approved by: ........"),
    ]
    assert numbers(text) == [1, 3, 4, 6]


@pytest.mark.parametrize(
    "row", ["snake_case: a__b", "see: ...", "______", "a: b", "x" * 80 + ": ____"]
)
def test_a_row_without_a_blank_to_fill_in_is_no_field(row: str) -> None:
    assert titles(f"- [ ] a\n\n{row}\n") == ["a"]


def test_front_matter_is_no_heading_and_shifts_no_line() -> None:
    text = "---\ntitle: x\nitems:\n  - a\n---\n# T\n- [ ] a\n"
    page = read(text)
    assert [(x.number, x.section) for x in page.lines] == [(7, "T")]
    assert [(h.number, h.title) for h in page.headings] == [(6, "T")]
    assert numbers(text.replace("\n", "\r\n")) == [7]


def test_a_rule_at_the_top_is_no_front_matter() -> None:
    assert titles("---\n- [ ] a\n---\n") == ["a"]


def test_line_ends_and_a_mark_of_byte_order_shift_nothing() -> None:
    text = "# T\n\n- [ ] a\n  - [ ] b\n\n| c | d |\n|-|-|\n| [ ] | e |\n"
    assert numbers(text) == [3, 4, 8]
    for end in ("\r\n", "\r"):
        assert numbers(text.replace("\n", end)) == [3, 4, 8]
    assert numbers("\ufeff" + text) == [3, 4, 8]
    assert titles("\ufeff- [ ] a\n") == ["a"]
    assert titles("\ufeff---\nx: y\n---\n- [ ] a\n") == ["a"]


def test_form_feeds_and_unicode_separators_end_no_row() -> None:
    text = "- [ ] a\x0cb\n- [ ] c\u2028d\u2029e\x85f\x1cg\x0bh\n- [ ] i\n"
    assert numbers(text) == [1, 2, 3]
    assert titles(text) == ["a b", "c d e f g h", "i"]
    assert ticked(text).count("[x] (1/1)") == 3


def test_comments_are_neither_lines_nor_words() -> None:
    text = "<!--\n- [ ] out\n\n- [ ] of use\n-->\n\n- [ ] a <!-- why --> b <!-- and\n  more --> c\n"
    page = read(text)
    assert [(line.number, line.title) for line in page.lines] == [(7, "a b c")]
    assert page.lost == ()


def test_boxes_in_code_are_no_lines() -> None:
    text = "```md\n- [ ] a\n```\n\n~~~\n- [ ] b\n~~~\n\ntext\n\n    - [ ] c\n\n- [ ] d\n"
    page = read(text)
    assert [line.title for line in page.lines] == ["d"]
    assert page.lost == ()


def test_boxes_in_html_are_lost_and_named() -> None:
    page = read("<details>\n- [ ] a\n</details>\n\n- [ ] b\n")
    assert [line.title for line in page.lines] == ["b"]
    assert page.lost == (2,)


def test_a_box_that_its_indentation_makes_text_is_read() -> None:
    text = "- [ ] a\n      - [x] b\n      and more\n- [ ] c\n"
    found = read(text).lines
    assert [(x.number, x.title, x.ticked, x.above) for x in found] == [
        (1, "a", False, 0),
        (2, "b and more", True, 1),
        (3 + 1, "c", False, 0),
    ]
    late = "-\n  a\n      - [ ] b\n"
    assert [(x.number, x.title) for x in read(late).lines] == [(3, "b")]


def test_the_code_and_the_notes_below_a_line_are_its_own() -> None:
    text = (
        "Before:\n\n```sh\nfirst\n```\n\n- [ ] a\n\n  note\n\n  ```bash\n  curl x\n  ```\n- [ ] b\n"
    )
    page = read(text)
    assert page.lines[0].notes == ("note",)
    assert page.lines[0].code == ("curl x\n",)
    assert [(f.number, f.language, f.owner, f.before_list) for f in page.fences] == [
        (4, "sh", 0, True),
        (12, "bash", 7, False),
    ]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_hangul_is_understood_in_either_form(form: Literal["NFC", "NFD"]) -> None:
    text = unicodedata.normalize(
        form, "# 배포 체크리스트\n\n- 환경 변수\n\n## 성능 기준\n\n- 응답 3초 이하\n"
    )
    assert [kind for kind, _ in kinds(text)] == ["bullet", "limit"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x\n" * 20_001, r"t\.md: has more than 20000 rows \(split it\)"),
        ("\n- [ ] " + "x" * 20_001, r"t\.md:2: a row of more than 20000 characters"),
        ("- [ ] a\n- [ ] b\0", r"t\.md:2: holds a NUL character"),
        ("- [ ] a\n" * 2_001, r"t\.md:2001: has more than 2000 lines"),
        ("- a\n" * 4_001, r"t\.md:4001: has more than 4000 list items"),
        ("".join("  " * n + "- [ ] a\n" for n in range(17)), r"t\.md:17: nested deeper than 16"),
        (">" * 40 + " - [ ] a\n", r"t\.md:1: nested deeper than 16"),
    ],
)
def test_what_is_too_large_or_too_deep_is_refused_with_its_line(text: str, says: str) -> None:
    with pytest.raises(DocumentError, match=says):
        read(text)


def test_sixteen_levels_and_two_thousand_lines_are_read() -> None:
    assert len(read("".join("  " * n + "- [ ] a\n" for n in range(16))).lines) == 16
    assert len(read("- [ ] a\n" * 2_000).lines) == 2_000


@pytest.mark.parametrize(
    "text",
    [
        "- [ ] a " + "<!--" * 4_900,
        "- [ ] a " + "<!-- id" * 2_800,
        ("- [ ] a " + "<!--" * 4_900 + "\n") * 90,
        "- [ ] a\n" + "<!--\n" * 19_000,
        "- " * 9_000,
        "> " * 9_000,
        "[" * 20_000,
        "| " * 9_000 + "\n" + "|-" * 9_000,
        "- [ ] " + "*" * 19_000,
        "- [ ] a: " + "_ " * 9_000,
        ("#" + " x" * 9_000 + "\n- [ ] a\n") * 100,
    ],
    ids=range(11),
)
def test_hostile_rows_do_not_take_long(text: str) -> None:
    try:
        assert len(lines(text)) <= 2_000
    except DocumentError:
        return


@pytest.mark.parametrize(
    ("row", "done", "open_"),
    [
        ("- [ ] a", "- [x] (1/1) a", "- [ ] (0/1) a"),
        ("- [X] a", "- [x] (1/1) a", "- [ ] (0/1) a"),
        ("- [✓] a", "- [x] (1/1) a", "- [ ] (0/1) a"),
        ("- [] a", "- [x] (1/1) a", "- [ ] (0/1) a"),
        (r"- \[ \] a", r"- \[x\] (1/1) a", r"- \[ \] (0/1) a"),
        ("12)  [ ]  a", "12)  [x] (1/1)  a", "12)  [ ] (0/1)  a"),
        ("> - [ ] a", "> - [x] (1/1) a", "> - [ ] (0/1) a"),
        ("- ☐ a", "- ☑ (1/1) a", "- ☐ (0/1) a"),
        ("- ⬜ a", "- ☑ (1/1) a", "- ⬜ (0/1) a"),
        ("- \uff3b\u3000\uff3d a", "- [x] (1/1) a", "- [ ] (0/1) a"),
        ("- [ ] (3/4) a", "- [x] (1/1) a", "- [ ] (0/1) a"),
        ("- [ ]", "- [x] (1/1)", "- [ ] (0/1)"),
        ("\ufeff- [ ] a", "\ufeff- [x] (1/1) a", "\ufeff- [ ] (0/1) a"),
        ("- [ ] see [x](y) [ ] z", "- [x] (1/1) see [x](y) [ ] z", "- [ ] (0/1) see [x](y) [ ] z"),
    ],
)
def test_each_kind_of_box_is_ticked_in_its_own_way(row: str, done: str, open_: str) -> None:
    text = f"{row}\n- [ ] other\n"
    found = lines(text)
    for mark, wanted in ((Mark(1, 1), done), (Mark(0, 1), open_)):
        copy = tick(text, found, {found[0].id: mark})
        assert copy == f"{wanted}\n- [ ] other\n"
        assert [x.id for x in lines(copy)] == [x.id for x in found]
        assert tick(copy, lines(copy), {found[0].id: mark}) == copy


@pytest.mark.parametrize(
    ("row", "done"),
    [
        ("| [ ] | a | b |", "| [x] (1/1) | a | b |"),
        ("| a | ☐ | b |", "| a | ☑ (1/1) | b |"),
        ("| a | b |[ ] (0/9)|", "| a | b |[x] (1/1)|"),
        ("[ ] | a | b", "[x] (1/1) | a | b"),
        ("| [ ] a | [ ] | b |", "| [x] (1/1) a | [ ] | b |"),
    ],
)
def test_the_first_box_of_a_table_row_is_ticked(row: str, done: str) -> None:
    head = "| a | b | c |\n|---|---|---|\n"
    assert ticked(f"{head}{row}\n") == f"{head}{done}\n"
    assert ticked(f"{head}{done}\n") == f"{head}{done}\n"


@pytest.mark.parametrize("sign", "✅✔✓❌✗")
@pytest.mark.parametrize("passed", [0, 1])
def test_a_ticked_claim_stays_a_claim_so_that_the_bullets_beside_it_stay_lines(
    sign: str, passed: int
) -> None:
    text = f"# Checklist\n\n- {sign} a\n- b\n"
    copy = ticked(text, passed)
    assert kinds(copy) == kinds(text) == [("bullet", "a"), ("bullet", "b")]
    assert ticked(copy, passed) == copy


@pytest.mark.parametrize(
    "row", ["- p95 < 500 ms", "- L1: on call", "Name: ____", "- a bullet", "1. a number"]
)
def test_a_line_without_a_box_is_left_as_it_is(row: str) -> None:
    text = f"# Escalation criteria checklist\n\n{row}\n"
    assert read(text).lines
    assert ticked(text) == text


def test_the_ticked_copy_changes_boxes_and_counts_and_nothing_else() -> None:
    marks = {"env-file": Mark(2, 2), "claimed": Mark(1, 2), "nested": Mark(0, 0), "p95": Mark(2, 2)}
    copy = tick(TEXT, read(TEXT).lines, marks)
    changed = [(a, b) for a, b in zip(TEXT.splitlines(), copy.splitlines(), strict=True) if a != b]
    assert [b.split(" <!--")[0].strip() for _, b in changed] == [
        "- [x] (2/2) 파일이 있다 / The file exists",
        "- [ ] (1/2) 이미 체크됨 / ticked by hand",
        "- [ ] (0/0) nested",
    ]


def test_a_second_copy_of_a_copy_is_the_same() -> None:
    once = ticked(TEXT)
    assert titles(once) == titles(TEXT)
    assert ticked(once) == once


def test_line_ends_of_the_original_are_kept() -> None:
    text = "- [ ] a <!-- id: a -->\r\n- [ ] b <!-- id: b -->\r- [ ] c\u2028d\n\r\n- [ ] e"
    copy = tick(text, read(text).lines, {"a": Mark(1, 1)})
    assert copy == text.replace("[ ] a", "[x] (1/1) a")


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("**a** `b` [c](d) ![e](f)", "a b c e"),
        ("a <!-- b --> c", "a  c"),
        ("__init__.py and __a__ bold", "init.py and a bold"),
        ("Name: ____", "Name: ____"),
    ],
)
def test_a_title_is_read_aloud_without_its_signs(text: str, heard: str) -> None:
    assert plain(text) == heard


def test_plain_bullets_below_a_line_are_its_notes() -> None:
    (line,) = read_markdown("- [ ] settings:\n  - `A_KEY`: one\n  - two\n", where="t.md").lines
    assert line.notes == ("`A_KEY`: one", "two")
