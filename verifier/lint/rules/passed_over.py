"""Bullets with a tick before their text are no lines, because the document has boxes as well.

They read as done items and nobody ever checks them.

    - [ ] Backups run
    - ✅ Restore tested
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from verifier.lint.finding import Finding, info
from verifier.lint.sheet import Sheet


def look(sheet: Sheet) -> Iterator[Finding]:
    def section(number: int) -> int:
        return max((h.number for h in sheet.page.headings if h.number < number), default=0)

    for _, group in groupby(sheet.page.passed_over, key=section):
        numbers = tuple(group)
        words = "1 bullet" if len(numbers) == 1 else f"{len(numbers)} bullets of this section"
        yield info(
            numbers[0],
            f"{words} with a tick and no box: passed over, nobody checks them",
            "write `- [ ]` where something is to be checked",
        )
