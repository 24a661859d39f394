"""A box stands before nothing.

It can be ticked and says nothing; usually the text was lost or never written.

    - [ ]
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.checklist.markdown import plain
from verifier.lint.finding import Finding, warning
from verifier.lint.sheet import Sheet


def look(sheet: Sheet) -> Iterator[Finding]:
    for line in sheet.page.lines:
        if plain(line.title) or line.code or line.notes or sheet.children(line):
            continue
        yield warning(
            line.number, "a box without text", "write what is to be checked, or delete it"
        )
