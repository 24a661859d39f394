from __future__ import annotations

import pytest

from verifier.checklist.markdown import Mark, read_markdown, tick
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
- [ ] no id, so nobody asks

### Limits

- p95 < 500 ms <!-- id: p95 -->
1. first duty <!-- id: duty -->
"""


def test_lines_are_read_with_section_kind_and_place() -> None:
    lines = read_markdown(TEXT, where="t.md")
    assert [(line.id, line.kind, line.ticked) for line in lines] == [
        ("env-file", "box", False),
        ("claimed", "box", True),
        ("nested", "box", False),
        ("p95", "bullet", False),
        ("duty", "numbered", False),
    ]
    assert lines[0].section == "환경 / Environment ✅"
    assert lines[3].section == "환경 / Environment ✅ / Limits"
    assert lines[0].title == "파일이 있다 / The file exists"
    assert TEXT.splitlines()[lines[4].number - 1].startswith("1. first duty")


def test_an_id_used_twice_names_both_lines() -> None:
    with pytest.raises(DocumentError, match=r"t\.md:2: id 'a' stands twice \(first in line 1\)"):
        read_markdown("- [ ] x <!-- id: a -->\n- [ ] y <!-- id: a -->\n", where="t.md")


@pytest.mark.parametrize(
    "row",
    [
        "- [ ] x <!-- id: two words -->",
        "- [ ] x <!-- ID: big -->",
        "- [ ] x <!-- id no-colon -->",
        "- [ ] x <!-- id: 새항목 -->",
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
        read_markdown(f"- [ ] a <!-- id: a -->\n\n{row}\n", where="t.md")


def test_the_ticked_copy_changes_boxes_and_counts_and_nothing_else() -> None:
    lines = read_markdown(TEXT, where="t.md")
    marks = {"env-file": Mark(2, 2), "claimed": Mark(1, 2), "nested": Mark(0, 0), "p95": Mark(2, 2)}
    copy = tick(TEXT, lines, marks)
    changed = [(a, b) for a, b in zip(TEXT.splitlines(), copy.splitlines(), strict=True) if a != b]
    assert [b.split(" <!--")[0].strip() for _, b in changed] == [
        "- [x] (2/2) 파일이 있다 / The file exists",
        "- [ ] (1/2) 이미 체크됨 / ticked by hand",
        "- [ ] (0/0) nested",
    ]


def test_a_second_copy_of_a_copy_is_the_same() -> None:
    lines = read_markdown(TEXT, where="t.md")
    marks = {line.id: Mark(1, 1) for line in lines}
    once = tick(TEXT, lines, marks)
    assert read_markdown(once, where="t.md")[0].title == lines[0].title
    assert tick(once, read_markdown(once, where="t.md"), marks) == once


def test_line_ends_of_the_original_are_kept() -> None:
    text = "- [ ] a <!-- id: a -->\r\n- [ ] b <!-- id: b -->"
    copy = tick(text, read_markdown(text, where="t.md"), {"a": Mark(1, 1)})
    assert copy == "- [x] (1/1) a <!-- id: a -->\r\n- [ ] b <!-- id: b -->"
