"""What a text document says, in any of the kinds that projects write: its headings, how much stands
below each, its links and what was left to be filled in. Facts from a text only; it touches no host.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import unquote

KINDS = (".md", ".markdown", ".txt", ".rst", ".adoc", ".asciidoc", ".html", ".htm", "")

_LOOSE = (
    99  # a line that stands alone in a plain text: a heading perhaps, and so it ends no section
)


@dataclass(frozen=True, slots=True)
class Heading:
    """`words` counts what stands below it, down to the next heading of its level."""

    text: str
    words: int


@dataclass(frozen=True, slots=True)
class Markup:
    """`words` leaves the headings out; `links` are relative targets and `left` what was left to be
    filled in, each with its line.
    """

    words: int
    headings: tuple[Heading, ...]
    links: tuple[tuple[int, str], ...]
    left: tuple[tuple[int, str], ...]


def read_markup(text: str, kind: str) -> Markup:
    """`kind` is the suffix of the file's name, one of KINDS; a file without one is plain text."""
    clean = unicodedata.normalize("NFC", text.replace("\r\n", "\n").removeprefix("\ufeff"))
    if kind in (".html", ".htm"):
        page = _Page()
        page.feed(clean)
        page.close()
        lines, said, numbers = page.texts, page.texts, page.numbers
        marks, targets = page.marks, page.targets
    else:
        said = clean.split("\n")
        lines, numbers = _without_comments(clean, kind).split("\n"), list(range(len(said)))
        code = _code_lines(lines, kind)
        marks, targets = _MARKS[kind](lines, code), list(_targets(lines, code, kind))
    titles = {at for mark in marks for at in mark.lines if mark.level != _LOOSE}
    counts = [0 if at in titles else _count(line) for at, line in enumerate(lines)]
    return Markup(
        sum(counts),
        tuple(_headings(marks, counts)),
        tuple((at + 1, path) for at, target in targets if (path := _relative(target))),
        tuple((numbers[at] + 1, found) for at, found in _left(said)),
    )


def plain(text: str) -> str:
    """A heading as people compare it: one kind of letters, case and blanks left out."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


@dataclass(frozen=True, slots=True)
class _Mark:
    """A heading: its level, its text, and the lines it takes up, counted from 0."""

    level: int
    text: str
    lines: tuple[int, ...]


def _headings(marks: list[_Mark], counts: list[int]) -> Iterator[Heading]:
    for place, mark in enumerate(marks):
        deepest = mark.level - 1 if mark.level == _LOOSE else mark.level
        end = next((m.lines[0] for m in marks[place + 1 :] if m.level <= deepest), len(counts))
        yield Heading(mark.text, sum(counts[mark.lines[-1] + 1 : end]))


def _count(line: str) -> int:
    return sum(any(letter.isalnum() for letter in word) for word in line.split())


_TO_FILL_IN = re.compile(
    r"\b(?:TODO|TBD|FIXME)\b|(?i:lorem\s+ipsum)|작성\s*예정|추후\s*작성|(?i:<your[-_ ][^<>\n]*>)"
)


def _left(lines: list[str]) -> Iterator[tuple[int, str]]:
    for at, line in enumerate(lines):
        # A document may speak of `TODO`, but <your-...> in a command to type is still to be filled in.
        for match in _TO_FILL_IN.finditer(line):
            quoted = line.count("`", 0, match.start()) % 2 == 1
            if not quoted or match[0].startswith("<"):
                yield at, match[0]


def _without_comments(text: str, kind: str) -> str:
    def blank(match: re.Match[str]) -> str:
        return "\n" * match[0].count("\n")

    if kind in (".md", ".markdown"):
        text = re.sub(r"\A---\n.*?\n---(?=\n|\Z)", blank, text, flags=re.DOTALL)
        return re.sub(r"<!--.*?-->", blank, text, flags=re.DOTALL)
    return text


def _code_lines(lines: list[str], kind: str) -> set[int]:
    """The lines inside fences, where no heading and no link stands."""
    fence = {".adoc": r"(-{4,}|\.{4,})$", ".asciidoc": r"(-{4,}|\.{4,})$"}.get(
        kind, r" {0,3}(`{3,}|~{3,})"
    )
    inside, opened = set(), ""
    for at, line in enumerate(lines):
        match = re.match(fence, line)
        if opened or match:
            inside.add(at)
        if match and not opened:
            opened = match[1]
        elif match and match[1].startswith(opened) and not line[match.end() :].strip():
            opened = ""
    return inside


def _marked(lines: list[str], code: set[int], sign: str) -> Iterator[_Mark]:
    pattern = re.compile(rf" {{0,3}}({re.escape(sign)}{{1,6}})\s+(.*?)\s*{re.escape(sign)}*\s*$")
    for at, line in enumerate(lines):
        match = pattern.match(line)
        if match and at not in code and match[2]:
            yield _Mark(len(match[1]), match[2], (at,))


def _underlined(lines: list[str], code: set[int], signs: str) -> Iterator[_Mark]:
    """A line of text above a line of one sign. The sign that comes first is the highest level."""
    order: list[tuple[str, bool]] = []
    for at in range(1, len(lines)):
        title, below = lines[at - 1].strip(), lines[at].rstrip()
        above = lines[at - 2].rstrip() if at > 1 else ""
        is_line = len(below) > 1 and below[0] in signs and set(below) == {below[0]}
        begins = not above.strip() or above == below
        if is_line and begins and _count(title) and not code & {at - 1, at}:
            style = (below[0], above == below)
            if style not in order:
                order.append(style)
            yield _Mark(order.index(style) + 1, title, (at - 1, at))


def _markdown(lines: list[str], code: set[int]) -> list[_Mark]:
    marks = [*_marked(lines, code, "#"), *_underlined(lines, code, "=-")]
    return sorted(marks, key=lambda mark: mark.lines)


def _restructured(lines: list[str], code: set[int]) -> list[_Mark]:
    return list(_underlined(lines, code, "=-~^\"'`#*+.:_"))


def _asciidoc(lines: list[str], code: set[int]) -> list[_Mark]:
    return list(_marked(lines, code, "="))


def _plain_text(lines: list[str], code: set[int]) -> list[_Mark]:
    marks = _markdown(lines, code)
    taken = {at for mark in marks for at in mark.lines}
    for at, line in enumerate(lines):
        alone = (at == 0 or not lines[at - 1].strip()) and len(line) <= 80  # noqa: PLR2004  a line's worth
        if alone and at not in taken | code and _count(line) and not line.startswith((" ", "\t")):
            marks.append(_Mark(_LOOSE, line.strip().strip("=[]: "), (at,)))
    return sorted(marks, key=lambda mark: mark.lines)


_MARKS = {
    ".md": _markdown,
    ".markdown": _markdown,
    ".rst": _restructured,
    ".adoc": _asciidoc,
    ".asciidoc": _asciidoc,
    ".txt": _plain_text,
    "": _plain_text,
}

_INLINE = r"\]\(\s*(<[^<>\n]*>|[^\s()]+(?:\([^\s()]*\)[^\s()]*)*)"
_LINKS = {
    ".md": (_INLINE, r"^ {0,3}\[[^\]^][^\]]*\]:\s*(\S+)", r"\b(?:href|src)=[\"']([^\"']+)"),
    ".rst": (
        r"`[^`<]*<([^<>`]+)>`__?",
        r"^\.\. _[^:]+:\s+(\S+)",
        r"^\s*\.\. (?:image|figure|include|literalinclude):: (\S+)",
    ),
    ".adoc": (r"\b(?:link|xref|image|include)::?([^\s\[\]]+)\[",),
}
_LINKS[".markdown"], _LINKS[".asciidoc"] = _LINKS[".md"], _LINKS[".adoc"]


def _targets(lines: list[str], code: set[int], kind: str) -> Iterator[tuple[int, str]]:
    images = next((m[1] for x in lines if (m := re.match(r":imagesdir:\s*(\S+)", x))), "")
    for at, line in enumerate(lines):
        if at in code:
            continue
        # A link in back quotes is an example of one, except that reStructuredText writes links so.
        shown = line if kind == ".rst" else re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", line)
        for pattern in _LINKS.get(kind, ()):
            for match in re.finditer(pattern, shown):
                is_image = match[0].startswith("image:") and images
                yield at, f"{images}/{match[1]}" if is_image else match[1]


def _relative(target: str) -> str:
    """The path of a relative link; "" for an address, an anchor, and what is only known later."""
    path = target.strip().removeprefix("<").removesuffix(">")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|/|#|\\", path) or "{" in path or path.endswith("_"):
        return ""
    return unquote(re.split(r"[?#]", path, maxsplit=1)[0])


class _Page(HTMLParser):
    """The texts of a page between its tags, each with the line of the source it began in, counted
    from 0; its headings (whose lines are places in `texts`) and its links.
    """

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.numbers: list[int] = []
        self.marks: list[_Mark] = []
        self.targets: list[tuple[int, str]] = []
        self._heading = 0  # its level, while it is being read
        self._words: list[str] = []
        self._hidden = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style", "title", "template"):
            self._hidden = tag
        elif re.fullmatch("h[1-6]", tag):
            self._heading, self._words = int(tag[1]), []
        elif tag.startswith(("your-", "your_")):
            self._add(f"<{tag}>")
        for name, value in attrs:
            if name in ("href", "src") and value and tag not in ("base", "link"):
                self.targets.append((self.getpos()[0] - 1, value))

    def handle_endtag(self, tag: str) -> None:
        if tag == self._hidden:
            self._hidden = ""
        if self._heading and re.fullmatch("h[1-6]", tag):
            text = " ".join(" ".join(self._words).split())
            self.marks.append(_Mark(self._heading, text, (len(self.texts),)))
            self._heading = 0
            self._add(text)

    def handle_data(self, data: str) -> None:
        if self._heading:
            self._words.append(data)
        elif not self._hidden:
            for more, text in enumerate(data.split("\n")):
                self._add(text, more)

    def _add(self, text: str, more: int = 0) -> None:
        self.texts.append(text)
        self.numbers.append(self.getpos()[0] - 1 + more)
