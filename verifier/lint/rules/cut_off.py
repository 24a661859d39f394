"""A line stops in the middle: nobody can say when it is met.

It ends with a particle, a conjunction, a comma or a colon that nothing follows, or it opens a
backtick or a bracket that it never closes.

    - [ ] 방화벽 도
    - [ ] Rotate the keys and
    - [ ] Run `make check
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from verifier.checklist.markdown import Line
from verifier.lint.finding import Finding, warning
from verifier.lint.sheet import Sheet

_LAST_WORD = re.compile(
    r"(?:^|\s)(?:도|은|는|을|를|의|에|와|과|로|및|또는|그리고|혹은"
    r"|and|or|the|an?|of|with|from|und|oder|mit|der|die|das|y|e|ou|et|con|com|avec|и|или|ve|veya|và|hoặc)$"
)
_LAST_SIGN = re.compile(
    r"(?:[,、\uff0c:\uff1a;\uff1b(\[{&+]|\s[-–—])$|(?:と|や|および|または|和|以及|或者)$"
)
_PAIRS = (("(", ")"), ("\uff08", "\uff09"), ("[", "]"))
_SMILEY = re.compile(r"(?<!\w)[:;]-?\((?!\w)")
_BLANK = re.compile(r"_{3,}|(?:\\_){3,}|\.{6,}")


def look(sheet: Sheet) -> Iterator[Finding]:
    for line in sheet.page.lines:
        if line.kind in ("field", "level") or _BLANK.search(line.title):
            continue
        why = _why(line, goes_on=_goes_on(sheet, line), is_led=_leads(sheet, line))
        if why:
            yield warning(line.number, f"the line is cut off: {why}", "finish the sentence")


def _why(line: Line, *, goes_on: bool, is_led: bool) -> str:
    title = line.title.strip()
    if title.replace("```", "").count("`") % 2:
        return "a backtick is opened and not closed"
    bare = _SMILEY.sub("", re.sub(r"`[^`]*`", "", title))
    for opening, closing in _PAIRS:
        if bare.count(opening) > bare.count(closing) and not goes_on:
            return f"a '{opening}' is opened and not closed"
    end = re.sub(r"[*_~]+$", "", bare).rstrip()
    if goes_on or not end or title.endswith("`"):
        return ""
    if is_led and end.endswith((":", "\uff1a")):
        return ""
    last = _LAST_WORD.search(end) or _LAST_SIGN.search(end)
    return f"it ends with '{last.group(0).strip()}'" if last else ""


def _goes_on(sheet: Sheet, line: Line) -> bool:
    """Whether something stands below it: a line of text, a list or a block of code of its own."""
    if line.notes or line.code or sheet.children(line):
        return True
    here, after = sheet.rows[line.number - 1], _next_row(sheet, line)
    return len(after) - len(after.lstrip()) > len(here) - len(here.lstrip())


def _leads(sheet: Sheet, line: Line) -> bool:
    """Whether a block or a table follows beside it, as a colon may announce."""
    return _next_row(sheet, line).lstrip().startswith(("```", "~~~", "|"))


def _next_row(sheet: Sheet, line: Line) -> str:
    return next((row for row in sheet.rows[line.number : line.number + 3] if row.strip()), "")
