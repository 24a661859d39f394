"""A heading carries a tick although lines below it are open.

The tick looks like a result and is ornament. It is never taken as one; a reader may do it.

    #### Security ✅
    - [ ] Secrets rotated
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from verifier.lint.finding import Finding, info
from verifier.lint.sheet import Sheet

_TICK = re.compile(r"(?:[✅✔☑✓]\ufe0f?|\[[xX]\]|:white_check_mark:)\s*$")


def look(sheet: Sheet) -> Iterator[Finding]:
    ticked = [
        heading
        for heading in sheet.page.headings
        if _TICK.search(heading.title) and any(not line.ticked for line in sheet.below(heading))
    ]
    if ticked:
        others = f" (and {len(ticked) - 1} more headings)" if len(ticked) > 1 else ""
        yield info(
            ticked[0].number,
            f"the heading ends with a tick although lines below it are open{others}",
            "take the ticks out of the headings: they are no evidence",
        )
