"""Markdown read as checklist lines, and the ticked copy written back. Knows where each line stands
in the file so that a copy differs from the original in the boxes and the counts and in nothing
else. Decides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

from verifier.errors import DocumentError

_ID = re.compile(r"<!--\s*id:\s*(?P<id>[A-Za-z0-9][A-Za-z0-9._-]*)\s*-->")
_MEANT_AS_ID = re.compile(r"<!--\s*id\b[^>]*-->", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->")
_CODE = ("fence", "code_block")
_MARKER = re.compile(
    r"^(?P<lead>[\s>]*(?:[-*+]|\d+[.)])\s+)(?P<box>\[(?P<tick>[ xX])\])?(?P<count> \(\d+/\d+\))?"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a checklist. `number` counts from 1; `kind` is `box`, `bullet` or `numbered`; a
    tick is a claim.
    """

    id: str
    number: int
    section: str
    title: str
    kind: str
    ticked: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """What the ticked copy says of one line: hosts that passed, hosts that had to, and whether that
    is all.
    """

    passed: int
    wanted: int

    @property
    def is_complete(self) -> bool:
        return 0 < self.wanted == self.passed


def read_markdown(text: str, *, where: str) -> tuple[Line, ...]:
    """Every list item that carries an `<!-- id: ... -->`, in order. Raises DocumentError for an id
    used twice.
    """
    source = text.splitlines()
    lines: list[Line] = []
    seen: dict[str, int] = {}
    for number, section in _list_items(text):
        line = _line(source[number - 1], number, section)
        if line is None:
            continue
        if line.id in seen:
            raise DocumentError(
                f"id '{line.id}' stands twice (first in line {seen[line.id]})",
                where=f"{where}:{number}",
                do="give each line its own id",
            )
        seen[line.id] = number
        lines.append(line)
    _refuse_lost_ids(text, source, {line.number for line in lines}, where)
    return tuple(lines)


def tick(text: str, lines: tuple[Line, ...], marks: Mapping[str, Mark]) -> str:
    """`text` with boxes ticked and counts beside them as `marks` (by id) says; every other byte as
    it was.
    """
    rows = text.splitlines(keepends=True)
    for line in lines:
        mark = marks.get(line.id)
        if mark is not None:
            rows[line.number - 1] = _ticked(rows[line.number - 1], mark)
    return "".join(rows)


def _refuse_lost_ids(text: str, source: list[str], read: set[int], where: str) -> None:
    """An id that was not read would be a line that nobody ever checks."""
    code = {
        n
        for t in MarkdownIt("commonmark").parse(text)
        if t.type in _CODE and t.map
        for n in range(*t.map)
    }
    for number, row in enumerate(source, 1):
        meant = len(_MEANT_AS_ID.findall(row)) if number - 1 not in code else 0
        if meant > (number in read):
            raise DocumentError(
                "an id that belongs to no line, or is no id",
                where=f"{where}:{number}",
                do="write <!-- id: some-name --> once, on the first line of a list item",
            )


def _list_items(text: str) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    headings: dict[int, str] = {}
    tokens = MarkdownIt("commonmark").parse(text)
    for position, token in enumerate(tokens):
        if token.type == "heading_open":
            level = int(token.tag[1:])
            headings = {k: v for k, v in headings.items() if k < level}
            headings[level] = _plain(tokens[position + 1])
        elif token.type == "list_item_open" and token.map:
            section = " / ".join(title for level, title in sorted(headings.items()) if level > 1)
            found.append((token.map[0] + 1, section or headings.get(1, "")))
    return found


def _plain(inline: Token) -> str:
    return _COMMENT.sub("", inline.content).strip()


def _line(row: str, number: int, section: str) -> Line | None:
    found, marker = _ID.search(row), _MARKER.match(row)
    if not found or not marker:
        return None
    title = _COMMENT.sub("", row[marker.end() :]).strip()
    bullet = "bullet" if marker["lead"].strip(" >")[:1] in "-*+" else "numbered"
    kind = "box" if marker["box"] else bullet
    return Line(found["id"], number, section, title, kind, ticked=marker["tick"] in ("x", "X"))


def _ticked(row: str, mark: Mark) -> str:
    marker = _MARKER.match(row)
    if not marker:
        return row
    box = f"[{'x' if mark.is_complete else ' '}]" if marker["box"] else ""
    count = f" ({mark.passed}/{mark.wanted})" if marker["box"] else ""
    return f"{marker['lead']}{box}{count}{row[marker.end() :]}"
