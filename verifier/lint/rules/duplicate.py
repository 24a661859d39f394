"""The same line stands twice.

In one section it is one line too many, or one of the two was meant to say something else. The same
words in another section are often right ("logs are clean", before and after), so they are mentioned
only where the headings are the same, too, or where the commands below the two differ.

    - [ ] Backup taken
    - [ ] Backup taken
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.checklist.markdown import Line, plain
from verifier.checklist.vocabulary import folded
from verifier.lint.finding import Finding, info, warning
from verifier.lint.sheet import Sheet


def look(sheet: Sheet) -> Iterator[Finding]:
    first: dict[tuple[object, ...], Line] = {}
    titles = {line.number: line.title for line in sheet.page.lines}
    for line in sheet.page.lines:
        text = folded(plain(line.title)).rstrip(".!。 ")
        if not text or line.kind in ("field", "level"):
            continue
        key = (text, line.path, titles.get(line.above, ""))
        earlier = first.setdefault(key, line)
        if earlier is line:
            continue
        is_one_place = _section_of(sheet, earlier) == _section_of(sheet, line)
        if is_one_place and earlier.above == line.above and _rest(earlier) == _rest(line):
            yield warning(
                line.number,
                f"says the same as line {earlier.number}, in the same section",
                "delete one of the two, or say what the other meant",
            )
        else:
            yield info(
                line.number,
                f"says the same as line {earlier.number}, below the same headings",
                "say in both lines what sets them apart",
            )


def _section_of(sheet: Sheet, line: Line) -> int:
    return max((h.number for h in sheet.page.headings if h.number < line.number), default=0)


def _rest(line: Line) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return line.notes, line.code
