"""Lines arrive with a tick.

A tick in the source was set in another place at another time, often for another release. It is a
claim, never a result.

    - [x] Backup restored in a test
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from verifier.lint.finding import Finding, info
from verifier.lint.sheet import Sheet


def look(sheet: Sheet) -> Iterator[Finding]:
    lines = [line for line in sheet.page.lines if line.ticked and line.kind in ("box", "row")]
    counted = Counter(line.section for line in lines)
    for section, count in counted.items():
        first = next(line for line in lines if line.section == section)
        words = "1 line arrives" if count == 1 else f"{count} lines of this section arrive"
        yield info(
            first.number,
            f"{words} ticked: a claim, not a result",
            "untick what every deployment must show anew",
        )
