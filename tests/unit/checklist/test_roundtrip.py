from __future__ import annotations

import itertools
import random
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from verifier.checklist.identity import Remembered, recognise, with_ids
from verifier.checklist.markdown import Line, Mark, read_markdown, tick
from verifier.errors import DocumentError

SETTINGS = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)

WORDS = st.sampled_from(
    [
        "the",
        "database",
        "backup",
        "runs",
        "`df",
        "-h`",
        "서버",
        "응답",
        "환경변수",
        "확인",
        "**now**",
        "[docs](x)",
        "p95",
        "500",
        "로그",
        "확인한다",
        "HTTPS",
        "/health",
        "(daily)",
        "日志",
        "прод",
        "—",
        "3.2",
        "<!--x-->",
        "\\[ü\\]",
    ]
)
BOXES = st.sampled_from(["[ ]", "[x]", "[X]", "[]", r"\[ \]", "☐", "☑", "⬜", "[ ] (1/3)"])
HEADINGS = st.sampled_from(["배포 / Deploy", "1. Security", "Database ✅", "Performance criteria"])


@dataclass(frozen=True)
class Document:
    """Sections of blocks; each block is a box with what stands below it, or rows that are none."""

    sections: tuple[tuple[str, tuple[str, ...]], ...]
    end: str

    @property
    def text(self) -> str:
        return self.end.join(
            row
            for heading, blocks in self.sections
            for row in (f"## {heading}", "", *"\n".join(blocks).split("\n"), "")
        )

    def permuted(self, chance: random.Random) -> Document:
        sections = [(h, tuple(chance.sample(b, len(b)))) for h, b in self.sections]
        return Document(tuple(chance.sample(sections, len(sections))), self.end)


@st.composite
def boxes(draw: st.DrawFn) -> str:
    sign = draw(st.sampled_from(["-", "*", "+", "1.", "23)"]))
    title = draw(st.lists(WORDS, min_size=1, max_size=6).map(" ".join))
    own_id = draw(st.sampled_from(["", "", " <!-- id: own -->"]))
    rows = [f"{sign} {draw(BOXES)} {title}{own_id}"]
    indent = " " * (len(sign) + 1)
    for _ in range(draw(st.integers(0, 2))):
        below = draw(st.sampled_from(["box", "code", "bullet"]))
        words = draw(st.lists(WORDS, min_size=1, max_size=4).map(" ".join))
        rows += {
            "box": [f"{indent}- {draw(BOXES)} {words}"],
            "code": [f"{indent}```sh", f"{indent}- [ ] {words}", f"{indent}```"],
            "bullet": [f"{indent}- {words}"],
        }[below]
    return "\n".join(rows)


@st.composite
def tables(draw: st.DrawFn) -> str:
    rows = ["", "| a | b | c |", "|---|---|---|"]
    for _ in range(draw(st.integers(1, 3))):
        cells = [draw(BOXES), draw(st.lists(WORDS, min_size=1, max_size=3).map(" ".join)), "z"]
        rows.append(f"| {' | '.join(draw(st.permutations(cells)))} |")
    return "\n".join([*rows, ""])


@st.composite
def documents(draw: st.DrawFn) -> Document:
    quiet = st.sampled_from(
        ["", "\ntext 설명\n", "\n```\n- [ ] code\n```\n", "\n<!-- - [ ] out -->\n"]
    )
    block = st.one_of(boxes(), boxes(), tables(), quiet)
    headings = draw(st.lists(HEADINGS, min_size=1, max_size=4, unique=True))
    numbers = itertools.count()
    sections = tuple(
        (
            h,
            tuple(
                b.replace("own", f"own-{next(numbers)}") for b in draw(st.lists(block, max_size=5))
            ),
        )
        for h in headings
    )
    return Document(sections, draw(st.sampled_from(["\n", "\r\n"])))


def read(text: str) -> tuple[Line, ...]:
    return with_ids(read_markdown(text, where="t.md").lines)


def known(lines: tuple[Line, ...]) -> list[tuple[str, str, str, str, str]]:
    return [(x.id, x.title, x.kind, x.section, x.parent) for x in lines]


def outside(text: str, lines: tuple[Line, ...]) -> str:
    """Everything but boxes and the counts behind them."""
    rows = re.split(r"(\r\n|\n|\r)", text)
    sign = re.compile(r"\\?\[[ xX]?\\?\](?: \(\d+/\d+\))?|[☐☑⬜](?: \(\d+/\d+\))?")
    for line in lines:
        if line.kind in ("box", "row"):
            rows[2 * line.number - 2] = sign.sub("BOX", rows[2 * line.number - 2], count=1)
    return "".join(rows)


@SETTINGS
@given(documents(), st.integers(0, 3), st.integers(0, 3))
def test_a_ticked_copy_holds_the_same_lines_and_the_same_bytes_around_its_boxes(
    document: Document, passed: int, wanted: int
) -> None:
    text = document.text
    lines = read(text)
    marks = {line.id: Mark(passed, wanted) for line in lines}
    copy = tick(text, lines, marks)
    assert known(read(copy)) == known(lines)
    assert outside(copy, lines) == outside(text, lines)
    assert tick(copy, read(copy), marks) == copy
    assert tick(text, lines, {}) == text


@SETTINGS
@given(documents())
def test_an_id_never_names_two_lines_and_a_number_never_two(document: Document) -> None:
    lines = read(document.text)
    assert len({line.id for line in lines}) == len(lines) == len({line.number for line in lines})
    assert all(re.fullmatch(r"\w[\w.-]*", line.id) for line in lines)
    assert {line.parent for line in lines} - {""} <= {line.id for line in lines}
    assert [line.number for line in lines] == sorted(line.number for line in lines)


@SETTINGS
@given(documents(), st.randoms(use_true_random=False))
def test_lines_keep_their_ids_when_lines_and_sections_change_places(
    document: Document, chance: random.Random
) -> None:
    before = read(document.text)
    if len({line.title for line in before}) < len(before):
        return  # lines that say the same in one place are told apart by their order alone
    after = read(document.permuted(chance).text)
    assert sorted(known(after)) == sorted(known(before))


@SETTINGS
@given(documents(), st.randoms(use_true_random=False), st.data())
def test_a_bound_line_keeps_its_id_when_a_word_changes_and_lines_move(
    document: Document, chance: random.Random, data: st.DataObject
) -> None:
    before = read(document.text)
    titles = [line.title for line in before]
    candidates = [x for x in before if len(x.title) > 25 and titles.count(x.title) == 1]
    if not candidates or len({line.title for line in before}) < len(before):
        return
    changed = data.draw(st.sampled_from(candidates))
    after = document.permuted(chance).text
    if after.count(changed.title) != 1:
        return
    after = after.replace(changed.title, f"{changed.title} ok")
    changes = recognise(read_markdown(after, where="t.md").lines, memory(before))
    assert {c.line.id for c in changes} == {line.id for line in before}
    assert {c.line.id for c in changes if c.kind == "reworded"} == {changed.id}


@SETTINGS
@given(documents())
def test_what_did_not_change_is_the_same_for_who_remembers_it(document: Document) -> None:
    lines = read(document.text)
    changes = recognise(read_markdown(document.text, where="t.md").lines, memory(lines))
    assert {change.kind for change in changes} <= {"same"}
    assert [change.line for change in changes] == list(lines)


def memory(lines: tuple[Line, ...]) -> tuple[Remembered, ...]:
    titles = {line.number: line.title for line in lines}
    return tuple(Remembered(x.id, x.title, x.section, titles.get(x.above, "")) for x in lines)


SIGNS = """- ,* ,1. ,> ,  ,    ,\t,[ ],[x],[,],(,),\\,☐,✅,⬜,✗,(1/2),# ,## ,---,===,```,~~~,<!--,-->,
<!-- id: a -->,<!-- id,<div>,</div>,**,__,____,:,a,가,Checklist,Criteria,Escalation,L1,< 5 ms,`,!,&amp;,é,|,|-|-|"""
ENDS = ["\n", "\n", "\n", "\n\n", "\r\n", "\r", "\u2028", "\x0c", "\x85", "\ufeff", "\uff1a"]
FRAGMENTS = st.lists(st.sampled_from([*SIGNS.split(","), *ENDS]), max_size=60).map("".join)


@settings(SETTINGS, max_examples=300)
@given(st.one_of(st.text(max_size=200), FRAGMENTS))
@example("- [ ] a\n  ---\n")
@example("-\n  [ ] a\n")
@example("[ ] | a\n-|-\n[ ] | b\n")
def test_no_text_raises_anything_but_a_document_error(text: str) -> None:
    try:
        lines = read(text)
    except DocumentError as error:
        assert error.where.startswith("t.md")  # noqa: PT017  whether it raises is left open
        return
    assert len({line.id for line in lines}) == len(lines) == len({line.number for line in lines})
    rows = re.split(r"\r\n|\n|\r", text)
    assert all(1 <= line.number <= len(rows) for line in lines)
    for mark in (Mark(1, 1), Mark(0, 1)):
        marks = {line.id: mark for line in lines}
        copy = tick(text, lines, marks)
        assert known(read(copy)) == known(lines)
        assert tick(copy, read(copy), marks) == copy


@pytest.mark.parametrize(
    "make",
    [
        lambda n: "- [ ] a\n" * n,
        lambda n: "".join(f"- [ ] line {i} of many that are alike\n" for i in range(n)),
        lambda n: "# T\n" + "".join(f"## S{i}\n- [ ] a\n" for i in range(n)),
        lambda n: "| a | b |\n|-|-|\n" + "| [ ] | x |\n" * n,
        lambda n: "- [ ] a\n\n  note\n" * n,
        lambda n: "- [ ] " + "word " * 1_000 + "\n" + "  - [ ] below\n" * n,
    ],
    ids=["twins", "alike", "sections", "table", "notes", "one parent"],
)
def test_the_largest_documents_are_read_and_recognised_without_squaring(
    make: Callable[[int], str],
) -> None:
    steps = _Steps()
    with steps:
        lines = read(make(100))
        recognise(read_markdown(make(100), where="t.md").lines, memory(lines))
    few = steps.count
    with steps:
        lines = read(make(500))
        recognise(read_markdown(make(500), where="t.md").lines, memory(lines))
    assert steps.count < 7.5 * few


def test_a_document_where_every_line_is_worded_otherwise_is_recognised_within_bounds() -> None:
    old = read(
        "".join(f"- [ ] the line number {i} is about {i * 7919} things\n" for i in range(300))
    )
    new = "".join(f"- [ ] this line, {i * 31}, has {i} other words in it\n" for i in range(300))
    changes = recognise(read_markdown(new, where="t.md").lines, memory(old))
    assert len({change.line.id for change in changes}) == 300


class _Steps:
    """How many calls of Python functions were made inside a `with`: what a clock would say, but the
    same every time.
    """

    def __enter__(self) -> None:
        self.count = 0
        self._before = sys.getprofile()
        sys.setprofile(self._seen)

    def __exit__(self, *_: object) -> None:
        sys.setprofile(self._before)

    def _seen(self, _frame: object, event: str, _arg: object) -> None:
        self.count += event == "call"
