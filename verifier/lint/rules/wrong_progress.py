"""The document says how many lines are done, and its ticks say another number.

A progress line is written by hand beside ticks that are set by hand; the two drift apart at once.
Only a claim about done items counts: "40/40 tests passed" speaks of something else.

    Progress: 12/20 done            (9 boxes are ticked)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from verifier.checklist.markdown import Line, plain
from verifier.lint.finding import Finding, warning
from verifier.lint.sheet import Sheet

_DONE = (
    r"done|completed?|checked|ticked|완료|체크됨|済み?|完了|已?完成"
    r"|erledigt|concluíd\w*|completad\w*|terminé\w*|tamamland\u0131"
)
_UNIT = r"(?:\s*(?:items?|tasks?|boxes|항목|개|項目|件|项))?"
_CLAIM = re.compile(
    rf"^(?:[^\d/:\uff1a]{{0,40}}[:\uff1a]\s*)?(?P<done>\d{{1,4}})\s*/\s*(?P<all>\d{{1,4}}){_UNIT}\s*(?:{_DONE})\b"
    rf"|^(?:[^\d/:\uff1a]{{0,20}}\b)?(?:progress|{_DONE}|진행|진행률|進捗|进度)[^\d/:\uff1a]{{0,10}}[:\uff1a]\s*(?P<done2>\d{{1,4}})\s*/\s*(?P<all2>\d{{1,4}}){_UNIT}\s*(?:\(.*\))?$",
    re.IGNORECASE,
)


def look(sheet: Sheet) -> Iterator[Finding]:
    for number, row in (*_of_headings(sheet), *sheet.plain_rows()):
        claim = _CLAIM.match(plain(re.sub(r"^[-*+>#\s]+", "", row)))
        if claim:
            done = int(claim["done"] or claim["done2"])
            total = int(claim["all"] or claim["all2"])
            yield from _compare(sheet, number, done, total)


def _of_headings(sheet: Sheet) -> Iterator[tuple[int, str]]:
    for heading in sheet.page.headings:
        found = re.search(
            r"[(\uff08\[](?P<claim>[^)\uff09\]]*\d+\s*/\s*\d+[^)\uff09\]]*)[)\uff09\]]",
            heading.title,
        )
        if found:
            yield heading.number, found["claim"]


def _compare(sheet: Sheet, number: int, done: int, total: int) -> Iterator[Finding]:
    above = [h for h in sheet.page.headings if h.number <= number]
    here = sheet.below(above[-1]) if above else ()
    boxes = [_boxes(group) for group in (here, sheet.page.lines) if _boxes(group)]
    if not boxes or any((done, total) == (_ticks(group), len(group)) for group in boxes):
        return
    group = next((g for g in boxes if len(g) == total), boxes[-1])
    yield warning(
        number,
        f"says {done} of {total} are done, but {_ticks(group)} of {len(group)} boxes are ticked",
        "leave the number out: it is counted when the list is verified",
    )


def _boxes(lines: tuple[Line, ...]) -> list[Line]:
    return [line for line in lines if line.kind in ("box", "row")]


def _ticks(lines: list[Line]) -> int:
    return sum(line.ticked for line in lines)
