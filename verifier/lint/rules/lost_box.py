"""Boxes stand where Markdown sees none: inside a block of code, of HTML or of an indented row.

They look like items in the source and are read by nobody. A block of code is often a template that
is right as it is; it still is no part of the list.

    ```
    - [ ] Backups run
    ```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from verifier.lint.finding import Finding, warning
from verifier.lint.sheet import Sheet

_BOX = re.compile(r"^[ \t>]*(?:[-*+]|\d{1,9}[.)])[ \t]+\\?\[[ xX]\\?\][ \t]", re.MULTILINE)


def look(sheet: Sheet) -> Iterator[Finding]:
    for fence in sheet.page.fences:
        count = len(_BOX.findall(fence.text))
        if count and fence.language in ("", "md", "markdown", "text", "txt"):
            yield _finding(fence.number, count, "inside a block of code")
    lost = sheet.page.lost
    starts = [n for n in lost if n - 1 not in lost]
    for start in starts:
        count = sum(start <= n < min((s for s in starts if s > start), default=10**9) for n in lost)
        yield _finding(start, count, "where Markdown sees no list")


def _finding(number: int, count: int, where: str) -> Finding:
    words = "1 box stands" if count == 1 else f"{count} boxes stand"
    return warning(
        number,
        f"{words} {where}: no item, nobody checks it",
        "take it out of the block, with an empty row before the list",
    )
