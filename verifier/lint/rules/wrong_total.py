"""The document states how many items it has, in all or below a heading, and has another number.

A total is written once and items are added for years. Who trusts it believes that a list is done
when it is not. Boxes alone and all lines are counted, with and without nested ones: only a number
that fits none of these is reported. "27 items in the audit" is no total of this document.

    - **Before**: 20 items          (the section "Before" has 24)
    Total: 81 items                 (there are 91)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from verifier.checklist.markdown import Heading, Line, plain
from verifier.checklist.vocabulary import folded
from verifier.lint.finding import Finding, warning
from verifier.lint.sheet import Sheet

_UNIT = (
    r"(?:checklist |check )?(?:items?|checks?|checkboxes|check ?points?|tasks?|points?)\b"
    r"|개\s*(?:의\s*)?(?:항목|체크)?|항목"
    r"|項目|個の?項目|個|件|个?\s*(?:检查)?项目?|項|(?:í|i)tems\b|itens\b|elementos\b|punkte\b|éléments\b|points\b|пункт\w*|madde\b|mục\b"
)
_SURE = re.compile(
    r"items?|check|항목|項目|itens|elementos", re.IGNORECASE
)  # "3 points" is often a score
_LABELLED = re.compile(
    rf"^(?P<label>[^:\uff1a|]{{1,60}}?)\s*[:\uff1a]\s*(?P<number>\d{{1,4}})\s*(?P<unit>{_UNIT})?\s*[.。]?$",
    re.IGNORECASE,
)
_IN_ALL = re.compile(
    rf"^(?:[\w\s']*\b(?:total of|has|contains|in total)\s+(?P<a>\d{{1,4}})\s*(?:{_UNIT})(?:\s+in total)?"
    rf"|총\s*(?P<b>\d{{1,4}})\s*(?:{_UNIT})"
    rf"|全(?:部で|体で|)\s*(?P<c>\d{{1,4}})\s*(?:{_UNIT})|[共计計]{{1,2}}\s*(?P<d>\d{{1,4}})\s*(?:{_UNIT}))\s*[.。]?$",
    re.IGNORECASE,
)
_IN_HEADING = re.compile(
    rf"[(\uff08\[]\s*(?P<number>\d{{1,4}})\s*(?:{_UNIT})\s*[)\uff09\]]", re.IGNORECASE
)
_TOTAL = re.compile(
    r"total|\ball items|number of items|합계|총|전체|合計|総|总|合计|gesamt|итого|всего|toplam|tổng"
)
_ROW = re.compile(
    r"^\|\s*(?P<label>[^|]+?)\s*\|\s*(?P<number>\d{1,4})\s*(?:" + _UNIT + r")?\s*\|$", re.IGNORECASE
)
_SUMMARY = re.compile(
    r"summary|total|요약|합계|まとめ|合計|総数|汇总|总结|总计|resum|zusammenfassung"
)
_COUNTED = frozenset(("box", "row", "bullet", "numbered"))


def look(sheet: Sheet) -> Iterator[Finding]:
    for heading in sheet.page.headings:
        stated = _IN_HEADING.search(heading.title)
        if stated:
            yield from _compare(
                heading.number, int(stated["number"]), sheet.below(heading), heading.title
            )
    for number, row in sheet.plain_rows():
        yield from _of_row(sheet, number, row)


def _of_row(sheet: Sheet, number: int, row: str) -> Iterator[Finding]:
    text = plain(re.sub(r"^(?:[-*+>]|\d+[.)])\s+", "", row))
    whole = _IN_ALL.match(text)
    if whole:
        stated = next(n for n in whole.groups() if n)
        yield from _compare(number, int(stated), sheet.page.lines, "")
        return
    said = _LABELLED.match(text) or (_ROW.match(text) if _is_in_summary(sheet, number) else None)
    if not said:
        return
    is_total = bool(_TOTAL.search(folded(said["label"])))
    unit = said.groupdict().get("unit")
    if is_total and (unit or re.search(r"item|항목|項目|项|check", folded(said["label"]))):
        yield from _compare(number, int(said["number"]), sheet.page.lines, "")
    elif (unit and _SURE.search(unit)) or _is_in_summary(sheet, number):
        heading = _heading_of(sheet, said["label"])
        if heading:
            yield from _compare(number, int(said["number"]), sheet.below(heading), heading.title)


def _compare(number: int, stated: int, lines: tuple[Line, ...], section: str) -> Iterator[Finding]:
    counts = _counts(lines)
    if not counts or not stated or stated in counts:
        return
    where = f"the section '{plain(section)}'" if section else "the document"
    yield warning(
        number,
        f"says {stated} items, but {where} has {max(counts)}",
        f"write {max(counts)}, or leave the number out: it is counted anyway",
    )


def _counts(lines: tuple[Line, ...]) -> set[int]:
    counted = [line for line in lines if line.kind in _COUNTED]
    boxes = [line for line in counted if line.kind in ("box", "row")]
    parents = {line.above for line in counted}
    found = {
        len(lines),
        len(counted),
        len(boxes),
        sum(not line.above for line in counted),
        sum(line.number not in parents for line in counted),
    }
    return found - {0} if counted else set()


def _is_in_summary(sheet: Sheet, number: int) -> bool:
    above = [h.title for h in sheet.page.headings if h.number < number]
    return bool(above and _SUMMARY.search(folded(above[-1])))


def _heading_of(sheet: Sheet, label: str) -> Heading | None:
    """The highest heading that has every word of the label, or begins with it; None when several do."""
    words = _words(label)
    fits = [
        h
        for h in sheet.page.headings
        if words
        and all(any(w.startswith(one) for w in _words(h.title)) for one in words)
        and sheet.below(h)
    ]
    best = [h for h in fits if h.level == min(f.level for f in fits)]
    exact = [h for h in best if _words(h.title) == words]
    best = exact or best
    return best[0] if len(best) == 1 else None


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", folded(plain(text)))
