"""Markdown read as checklist lines, and the ticked copy written back. Knows where each line stands
in the file so that a copy differs from the original in the boxes and the counts and in nothing
else. Decides nothing about how a line is answered.

The shapes it reads: boxes in bullets, numbers and tables; square and tick emoji; in a document
without any box, the bullets below checklist-like headings; bare limits below a heading that speaks
of criteria; what is done at once and who is called when; form fields. Emoji in headings and ticks
in the source say nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from markdown_it import MarkdownIt
from markdown_it.token import Token

from verifier.checklist.vocabulary import speaks_of
from verifier.errors import DocumentError

MAX_ROWS = 20_000
MAX_ITEMS = 2_000
MAX_DEPTH = 16
MAX_ROW = 20_000
_MOST_OF_A_HEADING = 300  # characters; what is longer is a paragraph that became one by mistake

_ID = re.compile(r"<!--\s*id:\s*(?P<id>\w[\w.-]*)\s*-->")
_MEANT_AS_ID = re.compile(r"<!--\s*id\b(?:(?!<!--)[^>])*-->", re.IGNORECASE)
_ROW_END = re.compile(r"\r\n|\n|\r")
_CODE = ("fence", "code_block")
_EMOJI_OPEN, _EMOJI_DONE, _CLAIMS = "☐□⬜◻▢", "☑✅✔✓☒", "✅✔✓❌✗"
_BOX = (
    r"(?P<box>\\?\[(?P<tick>[ xX✓✔✅]?)\\?\](?![(\[:])|［[　 ]］"
    rf"|(?P<emoji>[{_EMOJI_OPEN}{_EMOJI_DONE}❌✗]\ufe0f?))"
)
_LEAD = r"(?P<lead>\ufeff?[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)+)"
_COUNT = r"(?P<count> \(\d+/\d+\))?"
_MARKER = re.compile(rf"^{_LEAD}(?:{_BOX}{_COUNT}(?=\s|$))?")
_STARTS_WITH_BOX = re.compile(rf"^{_BOX}{_COUNT}(?:\s+|$)")
_CELL = re.compile(rf"(?:^[ \t>]*|(?<=\|)[ \t]*){_BOX}{_COUNT}(?=[ \t]*(?:\||$|\s))")
_LOOKS_LIKE_A_BOX = re.compile(r"^[ \t>]*(?:[-*+]|\d{1,9}[.)])[ \t]+\\?\[[ xX]\\?\][ \t]")
_BOLD = re.compile(r"^(?:\*\*|__)(?P<text>.+?)(?:\*\*|__)(?P<tail>.*)$")
_BLANK = re.compile(r"^(?P<label>[^:：]{1,60})[:：].*?(?:_{3,}|\.{6,}|…{2,}|(?:\\_){3,})")
_LEVEL = re.compile(
    r"^(?:\*\*)?(?:L|Level|Tier|Lv\.?|단계|레벨)\s?\d\b|^(?:\*\*)?\d\s?(?:차|단계)", re.IGNORECASE
)
_COMPARES = re.compile(
    r"[<>≤≥]|[이미초]하\b|미만|이내|이상|초과|以[下上内]|未満|未满|小于|大于|不超过"
    r"|\b(?:under|below|less than|at most|at least|more than|within|max|min)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a checklist. `number` counts from 1; `kind` is `box`, `row` (a box in a table),
    `bullet`, `numbered`, `limit`, `duty`, `level` or `field`; a tick is a claim. `parent` is the id
    of the line this one stands below; `notes` are the plain lines below it, `code` its own fences.
    """

    id: str
    number: int
    section: str
    title: str
    kind: str
    ticked: bool
    parent: str = ""
    path: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    above: int = 0  # the number of the line it stands below, 0 for none
    explicit: bool = False  # the author wrote its id


@dataclass(frozen=True, slots=True)
class Fence:
    """A block of code. `number` is the line of its first row of code; `owner` the number of the line
    it belongs to, 0 for none; `before_list` when it stands in a section before its list.
    """

    number: int
    language: str
    text: str
    section: str
    owner: int = 0
    before_list: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    number: int
    level: int
    title: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that was read of one Markdown file. `passed_over` are bullets with a tick that are
    no lines, because the document has boxes; `lost` are boxes where Markdown sees none.
    """

    lines: tuple[Line, ...]
    headings: tuple[Heading, ...]
    fences: tuple[Fence, ...]
    prose: tuple[
        tuple[int, str, str], ...
    ]  # number, section, text of what is neither line nor code
    passed_over: tuple[int, ...]
    lost: tuple[int, ...]


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


def read_markdown(text: str, *, where: str) -> Page:
    """Every line of the checklist in `text`, in order; ids only where the author gave them. Raises
    DocumentError for an id used twice or lost, and for what is too large or too deep to be one.
    """
    rows = _rows(text)
    _refuse_monsters(rows, where)
    walk = _Walk(rows, where)
    walk.read(_tokens(text, where))
    chosen = tuple(_chosen(walk.found))
    if len(chosen) > MAX_ITEMS:
        raise DocumentError(
            f"has more than {MAX_ITEMS} lines",
            where=f"{where}:{chosen[MAX_ITEMS].number}",
            do="split it",
        )
    lines = _with_parents(_with_notes(chosen, walk.found))
    _refuse_twins(lines, where)
    _refuse_lost_ids(rows, walk.code_rows, {line.number for line in lines}, where)
    read = {line.number for line in lines}
    return Page(
        lines=lines,
        headings=tuple(walk.headings),
        fences=tuple(walk.fences_of_lines(lines)),
        prose=tuple((n, s, t) for n, s, t in walk.prose if n not in read),
        passed_over=tuple(
            f.number for f in walk.found if f.shape == "claim" and f.number not in read
        ),
        lost=tuple(
            n
            for n, row in enumerate(rows, 1)
            if _LOOKS_LIKE_A_BOX.match(row) and n not in read | walk.code_rows | walk.comment_rows
        ),
    )


def tick(text: str, lines: tuple[Line, ...], marks: Mapping[str, Mark]) -> str:
    """`text` with boxes ticked and counts beside them as `marks` (by id) says; every other byte as
    it was.
    """
    pieces = re.split(f"({_ROW_END.pattern})", text)
    for line in lines:
        mark = marks.get(line.id)
        if mark is not None:
            place = 2 * (line.number - 1)
            pieces[place] = _ticked(pieces[place], line, mark)
    return "".join(pieces)


def plain(text: str) -> str:
    """A piece of Markdown as it is read aloud: no comments, no emphasis, no links' addresses."""
    bare = _without_comments(text)
    bare = re.sub(r"!?\[([^\[\]]{0,300})\]\([^()]{0,500}\)", r"\1", bare)
    return re.sub(r"\*\*|(?<!_)__(?=[^\W_])|(?<=[^\W_])__(?!_)|`", "", bare).strip()


@dataclass(frozen=True, slots=True)
class _Found:
    """A list item or table row, not yet chosen as a line."""

    number: int
    depth: int
    shape: str  # box, row, claim, bullet, numbered, limit, duty, level, field
    title: str
    path: tuple[str, ...]
    ticked: bool
    id: str
    above: int
    eligible: bool  # may be a line in a document without boxes
    notes: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    in_table: bool = False


class _Walk:
    """One pass over the tokens: where we are, and what was found."""

    def __init__(self, rows: list[str], where: str) -> None:
        self.rows = rows
        self.where = where
        self.found: list[_Found] = []
        self.headings: list[Heading] = []
        self.fences: list[Fence] = []
        self.prose: list[tuple[int, str, str]] = []
        self.code_rows: set[int] = set()
        self.comment_rows: set[int] = set()
        self.title = ""
        self._path: dict[int, str] = {}
        self._label = ""
        self._label_sticks = False
        self._items: list[int] = []  # open list items: index into found, -1 for one without text
        self._ordered: list[bool] = []
        self._waiting: list[int] = []  # fences of this section that no list has followed yet
        self._list_has_limit: list[bool] = []
        self._columns: tuple[str, ...] = ()

    def read(self, tokens: list[Token]) -> None:
        for position, token in enumerate(tokens):
            match token.type:
                case "heading_open":
                    self._heading(token, tokens[position + 1])
                case "bullet_list_open" | "ordered_list_open":
                    self._open_list(token, tokens, position)
                case "bullet_list_close" | "ordered_list_close":
                    self._close_list()
                case "list_item_open":
                    self._items.append(-1)
                    self._item(token, tokens, position)
                case "list_item_close":
                    self._items.pop()
                case "tr_open" if not self._items:
                    self._table_row(token, tokens, position)
                case "inline" if tokens[position - 1].type == "paragraph_open":
                    self._paragraph(token, tokens, position)
                case _:
                    self._silent(token)

    def fences_of_lines(self, lines: tuple[Line, ...]) -> Iterator[Fence]:
        read = {line.number for line in lines}
        for fence in self.fences:
            yield fence if fence.owner in read else replace(fence, owner=0)

    def _here(self) -> tuple[str, ...]:
        label = (self._label,) if self._label else ()
        return (*(t for _, t in sorted(self._path.items())), *label)

    def _heading(self, token: Token, inline: Token) -> None:
        level = int(token.tag[1:])
        title = _title(inline.content)[:_MOST_OF_A_HEADING]
        self._path = {k: v for k, v in self._path.items() if k < level}
        self._path[level] = title
        self.headings.append(Heading(_first(token), level, title))
        self.title = self.title or title
        self._label = ""
        self._waiting = []

    def _open_list(self, token: Token, tokens: list[Token], position: int) -> None:
        self._ordered.append(token.type == "ordered_list_open")
        self._list_has_limit.append(_some_limit(tokens, position))
        if len(self._ordered) == 1:
            for index in self._waiting:
                self.fences[index] = replace(self.fences[index], before_list=True)
            self._waiting = []

    def _close_list(self) -> None:
        self._ordered.pop()
        self._list_has_limit.pop()
        if not self._ordered and not self._label_sticks:
            self._label = ""

    def _item(self, token: Token, tokens: list[Token], position: int) -> None:
        following = tokens[position + 1 : position + 3]
        if len(following) < 2 or following[0].type != "paragraph_open":  # noqa: PLR2004  a pair
            return
        number = _first(token)
        first_of_text = _first(following[1])
        inline, swallowed = _without_swallowed(following[1].content)
        row = self.rows[number - 1]
        marker = _STARTS_WITH_BOX.match(inline)
        above = next((self.found[i].number for i in reversed(self._items[:-1]) if i >= 0), 0)
        title = _title(inline[marker.end() :] if marker else inline)
        found_id = _ID.search(row)
        found = _Found(
            number=number,
            depth=len(self._items),
            shape=self._shape(title, marker),
            title=title,
            path=self._here(),
            ticked=_is_tick(marker) if marker else False,
            id=found_id["id"] if found_id and _MARKER.match(row) else "",
            above=above,
            eligible=self._is_eligible(title),
        )
        self._items[-1] = len(self.found)
        self.found.append(found)
        if len(self.found) > 2 * MAX_ITEMS:
            raise DocumentError(
                f"has more than {2 * MAX_ITEMS} list items",
                where=f"{self.where}:{number}",
                do="split it",
            )
        for offset, content in swallowed:
            self._swallowed(first_of_text + offset, content, above=number)

    def _swallowed(self, number: int, content: str, *, above: int) -> None:
        """A box that Markdown sees as the text of the row above it, because of how it is indented."""
        marker = _MARKER.match(content)
        if marker and marker["box"]:
            found_id = _ID.search(content)
            self.found.append(
                _Found(
                    number=number,
                    depth=len(self._items) + 1,
                    shape="box",
                    title=_title(content[marker.end() :]),
                    path=self._here(),
                    ticked=_is_tick(marker),
                    id=found_id["id"] if found_id else "",
                    above=above,
                    eligible=True,
                )
            )

    def _shape(self, title: str, marker: re.Match[str] | None) -> str:
        if marker:
            emoji = (marker["emoji"] or "")[:1]
            return "claim" if emoji and emoji in _CLAIMS else "box"
        headings = self._here()
        if _BLANK.match(plain(title)):
            return "field"
        if any(speaks_of("escalation", h) for h in headings[-2:]) and _LEVEL.match(
            unicodedata.normalize("NFC", title)
        ):
            return "level"
        if any(speaks_of("immediate", h) for h in headings[-1:]) and len(self._items) == 1:
            return "duty"
        below_criteria = any(speaks_of("criteria", h) for h in headings)
        if below_criteria and self._list_has_limit[-1] and len(self._items) == 1:
            return "limit"
        return "numbered" if self._ordered[-1] else "bullet"

    def _is_eligible(self, title: str) -> bool:
        """In a document without boxes, what counts are the bullets of a checklist."""
        headings = self._here()
        if not title or re.fullmatch(r"\[[^\]]*\]\(#[^)]*\)", title):
            return False
        if any(speaks_of("aside", h) for h in headings[-2:]):
            return False
        file = self.where.rsplit("/", 1)[-1]  # its folders say nothing
        return any(speaks_of("checklist", h) for h in (self.title, file, *headings))

    def _table_row(self, token: Token, tokens: list[Token], position: int) -> None:
        number = _first(token)
        cells = _cells(tokens, position)
        if tokens[position + 1].type == "th_open":
            self._columns = tuple(cells)
            return
        box = next(_CELL.finditer(self.rows[number - 1]), None)
        texts = [c for c in cells if c and not _STARTS_WITH_BOX.fullmatch(c) and not _is_index(c)]
        if not texts or not (box or self._tells_a_state()):
            return
        found_id = _ID.search(self.rows[number - 1])
        emoji = (box["emoji"] or "")[:1] if box else "✅"
        shape = "claim" if emoji and emoji in _CLAIMS else "row"
        text = _STARTS_WITH_BOX.sub("", texts[0])
        self.found.append(
            _Found(
                number=number,
                depth=1,
                shape=shape,
                title=_title(text),
                path=self._here(),
                ticked=_is_tick(box) if box else _is_done(texts[-1]),
                id=found_id["id"] if found_id else "",
                above=0,
                eligible=shape == "row" or (len(texts) > 0 and self._is_eligible(text)),
                notes=tuple(texts[1:]),
                in_table=True,
            )
        )

    def _tells_a_state(self) -> bool:
        return any(speaks_of("status_column", column) for column in self._columns)

    def _paragraph(self, inline: Token, tokens: list[Token], position: int) -> None:
        number = _first(inline)
        if self._items:
            self._note(inline, number)
            return
        content = _without_comments(inline.content).strip()
        self.prose.append((number, " / ".join(self._here()), content))
        for offset, row in enumerate(inline.content.split("\n")):
            blank = _BLANK.match(plain(row))
            if blank:
                self._field(number + offset, row)
        self._set_label(content, tokens, position)

    def _set_label(self, content: str, tokens: list[Token], position: int) -> None:
        last = content.rsplit("\n", 1)[-1].strip()
        bold = _BOLD.match(last) if len(last) <= _MOST_OF_A_HEADING else None
        following = tokens[position + 2].type if position + 2 < len(tokens) else ""
        ends = last.endswith((":", "："))
        if bold and (not bold["tail"].strip(" :：") or (ends and "\n" not in content)):
            self._label, self._label_sticks = plain(last), True
        elif ends and len(last) <= 100 and following.endswith("list_open"):  # noqa: PLR2004  a heading's length
            self._label, self._label_sticks = plain(last), False

    def _note(self, inline: Token, number: int) -> None:
        index = next((i for i in reversed(self._items) if i >= 0), -1)
        if index < 0 or self.found[index].number == number:
            return
        owner = self.found[index]
        self.found[index] = replace(owner, notes=(*owner.notes, inline.content))

    def _field(self, number: int, row: str) -> None:
        self.found.append(
            _Found(
                number=number,
                depth=1,
                shape="field",
                title=_title(row),
                path=self._here(),
                ticked=False,
                id="",
                above=0,
                eligible=True,
            )
        )

    def _silent(self, token: Token) -> None:
        """What holds no lines, but rows that look like some."""
        if token.type in _CODE:
            self._fence(token)
        elif token.type == "html_block" and token.content.lstrip().startswith("<!--"):
            self.comment_rows |= _rows_of(token)

    def _fence(self, token: Token) -> None:
        self.code_rows |= _rows_of(token)
        language = (token.info or "").split(" ")[0].lower()
        opening = 1 if token.type == "fence" else 0
        index = next((i for i in reversed(self._items) if i >= 0), -1)
        owner = 0
        if index >= 0:
            owner = self.found[index].number
            old = self.found[index]
            self.found[index] = replace(old, code=(*old.code, token.content))
        else:
            self._waiting.append(len(self.fences))
        self.fences.append(
            Fence(_first(token) + opening, language, token.content, " / ".join(self._here()), owner)
        )


def _tokens(text: str, where: str) -> list[Token]:
    """Blocks only: what stands inside a row is read by our own eyes, and no row can take long."""
    parser = MarkdownIt("commonmark", {"maxNesting": 6 * MAX_DEPTH}).enable("table")
    parser.core.ruler.disable("inline")
    tokens = parser.parse(_without_front_matter(text.removeprefix("\ufeff")))
    line = 1
    for token in tokens:
        line = _first(token) if token.map else line
        if token.level > 2 * MAX_DEPTH + 1:  # each list is two levels, its text one
            raise DocumentError(
                f"nested deeper than {MAX_DEPTH}", where=f"{where}:{line}", do="flatten the list"
            )
    return tokens


def _without_front_matter(text: str) -> str:
    found = re.match(r"---[ \t]*\r?\n(?:(?!---)[^\r\n]*\r?\n){0,100}?---[ \t]*(?=\r?\n|$)", text)
    if not found or ":" not in found.group(0):
        return text
    return re.sub(r"[^\r\n]", "", found.group(0)) + text[found.end() :]


def _rows(text: str) -> list[str]:
    """As Markdown counts them: a form feed or U+2028 ends no row."""
    return _ROW_END.split(text)


def _refuse_monsters(rows: list[str], where: str) -> None:
    if len(rows) > MAX_ROWS:
        raise DocumentError(f"has more than {MAX_ROWS} rows", where=where, do="split it")
    for number, row in enumerate(rows, 1):
        if len(row) > MAX_ROW:
            raise DocumentError(
                f"a row of more than {MAX_ROW} characters", where=f"{where}:{number}"
            )
        if "\0" in row:
            raise DocumentError("holds a NUL character", where=f"{where}:{number}")


def _chosen(found: list[_Found]) -> Iterator[_Found]:
    """The lines among what was found. Where there are boxes or ids, they alone are the checklist,
    with limits, duties, levels and fields; ticks before a text count only where there are none.
    """
    marked = any(f.id or f.shape in ("box", "row") for f in found)
    for one in sorted(found, key=lambda f: f.number):
        if one.id or one.shape in ("box", "row", "limit", "duty", "level", "field"):
            yield one
        elif not marked and one.eligible:
            in_table = one.shape == "claim" and one.in_table
            yield replace(
                one, shape="row" if in_table else "bullet" if one.shape == "claim" else one.shape
            )


def _with_notes(chosen: tuple[_Found, ...], found: list[_Found]) -> tuple[_Found, ...]:
    """Plain bullets below a line are told with it."""
    read = {one.number for one in chosen}
    below: dict[int, list[str]] = {}
    for one in found:
        if one.number not in read and one.above in read and one.title:
            below.setdefault(one.above, []).append(one.title)
    return tuple(
        replace(one, notes=(*one.notes, *below[one.number])) if one.number in below else one
        for one in chosen
    )


def _with_parents(found: tuple[_Found, ...]) -> tuple[Line, ...]:
    """A line that stands below another belongs to it, if that one is a line itself."""
    read = {f.number: f for f in found}
    many_titles = len({f.path[0] for f in found if f.path}) > 1
    lines = []
    for one in found:
        path = one.path if many_titles or len(one.path) < 2 else one.path[1:]  # noqa: PLR2004  title and more
        lines.append(
            Line(
                id=one.id,
                number=one.number,
                section=" / ".join(path),
                title=one.title,
                kind=one.shape,
                ticked=one.ticked,
                parent=read[one.above].id if one.above in read else "",
                path=one.path,
                notes=one.notes,
                code=one.code,
                above=one.above if one.above in read else 0,
                explicit=bool(one.id),
            )
        )
    return tuple(lines)


def _refuse_twins(lines: tuple[Line, ...], where: str) -> None:
    seen: dict[str, int] = {}
    for line in lines:
        if line.id and line.id in seen:
            raise DocumentError(
                f"id '{line.id}' stands twice (first in line {seen[line.id]})",
                where=f"{where}:{line.number}",
                do="give each line its own id",
            )
        seen[line.id] = line.number


def _refuse_lost_ids(rows: list[str], code: set[int], read: set[int], where: str) -> None:
    """An id that was not read would be a line that nobody ever checks."""
    for number, row in enumerate(rows, 1):
        meant = len(_MEANT_AS_ID.findall(row)) if number not in code else 0
        wanted = 1 if number in read and _ID.search(row) else 0
        if meant > wanted:
            raise DocumentError(
                "an id that belongs to no line, or is no id",
                where=f"{where}:{number}",
                do="write <!-- id: some-name --> once, on the first line of a list item",
            )


def _without_swallowed(content: str) -> tuple[str, list[tuple[int, str]]]:
    """The text of an item, and the boxes further down in it, each with its offset in rows."""
    own: list[str] = []
    boxes: list[tuple[int, str]] = []
    for offset, row in enumerate(content.split("\n")):
        if offset and _LOOKS_LIKE_A_BOX.match(row):
            boxes.append((offset, row))
        elif boxes:
            boxes[-1] = (boxes[-1][0], f"{boxes[-1][1]} {row.strip()}")
        else:
            own.append(row)
    return "\n".join(own), boxes


def _first(token: Token) -> int:
    return token.map[0] + 1 if token.map else 0


def _rows_of(token: Token) -> set[int]:
    first, last = token.map or (0, 0)
    return set(range(first + 1, last + 1))


def _title(content: str) -> str:
    return " ".join(_without_comments(content).split())


def _without_comments(text: str) -> str:
    """By hand: a pattern would look for the end of each of many comments that have none."""
    kept: list[str] = []
    place = 0
    while (start := text.find("<!--", place)) >= 0 and (end := text.find("-->", start + 4)) >= 0:
        kept.append(text[place:start])
        place = end + 3
    return "".join(kept) + text[place:]


def _is_tick(box: re.Match[str]) -> bool:
    emoji = (box["emoji"] or "")[:1]
    return bool(emoji and emoji in _EMOJI_DONE) or (box["tick"] or " ") != " "


def _is_index(cell: str) -> bool:
    """`3`, `1.2`, `#4`, `REL-01`: the name of a row, not its text."""
    return bool(re.fullmatch(r"#?[\d.]{1,6}|[A-Z]{1,5}-?\d{1,4}", cell.strip("`* ")))


def _is_done(cell: str) -> bool:
    return bool(
        re.match(
            r"(?:done|ok|pass(?:ed)?|complete[d]?|yes|완료|통과|完了|完成|erledigt|hecho|feito|fait)\b",
            unicodedata.normalize("NFC", cell.strip("`* ")),
            re.IGNORECASE,
        )
    )


def _cells(tokens: list[Token], position: int) -> list[str]:
    cells: list[str] = []
    for token in tokens[position + 1 :]:
        if token.type == "tr_close":
            break
        if token.type == "inline":
            cells.append(token.content.strip())
    return cells


def _some_limit(tokens: list[Token], position: int) -> bool:
    """Whether one item of the list that opens here compares something with a number."""
    level = tokens[position].level
    for token in tokens[position + 1 :]:
        if token.level == level and token.type.endswith("list_close"):
            return False
        if token.type == "inline" and token.level == level + 3:
            text = unicodedata.normalize("NFC", plain(token.content))
            if (
                not _STARTS_WITH_BOX.match(text)
                and re.search(r"\d", text)
                and _COMPARES.search(text)
            ):
                return True
    return False


def _ticked(row: str, line: Line, mark: Mark) -> str:
    box = next(_CELL.finditer(row), None) if line.kind == "row" else _MARKER.match(row)
    if not box or not box["box"]:
        return row
    start = box.start("box")
    end = box.end("count") if box["count"] else box.end("box")
    shown = _box_like(box["box"], done=mark.is_complete)
    return f"{row[:start]}{shown} ({mark.passed}/{mark.wanted}){row[end:]}"


def _box_like(box: str, *, done: bool) -> str:
    """The same kind of box, ticked or not: a box stays one, and a claim stays a claim."""
    if "[" in box:
        opening, closing = box[: box.index("[") + 1], box[-2:] if box.endswith("\\]") else "]"
        return f"{opening}{'x' if done else ' '}{closing}"
    if "［" in box:
        return "[x]" if done else "[ ]"
    if box[0] in "✅❌":
        return "✅" if done else "❌"
    if box[0] in _CLAIMS:
        return "✔" if done else "✗"
    return "☑" if done else box if box[0] in _EMOJI_OPEN else "☐"
