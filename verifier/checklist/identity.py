"""What makes a line the same line tomorrow: its id. The author's own, or one derived from the text
and the place in the outline, never from the position; and, where a binding remembers what it was
bound to, the same id after the line was moved or reworded.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from verifier.checklist.markdown import Line, plain
from verifier.checklist.vocabulary import folded

REWORDED = 0.6  # texts at least this alike, in the same place, are one line reworded
MOVED = 0.85  # the same, anywhere in the document
_SLUG_LENGTH = 40
_HASH_LENGTH = 6


@dataclass(frozen=True, slots=True)
class Remembered:
    """A line as it was when it was bound."""

    id: str
    text: str
    section: str
    parent: str = ""  # the text of the line it stood below


@dataclass(frozen=True, slots=True)
class Change:
    """How a line differs from what is remembered of it: `same`, `moved`, `reworded` or `added`."""

    line: Line
    kind: str
    was: Remembered | None = None


def with_ids(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """The lines, each with an id: the author's, else derived from text, outline and parent."""
    return tuple(change.line for change in recognise(lines, ()))


def recognise(lines: tuple[Line, ...], memory: Iterable[Remembered]) -> tuple[Change, ...]:
    """Every line with its id and what became of it since `memory`: first those that did not change,
    then those that stand elsewhere, then those that are worded otherwise. What is left is new.
    """
    known = {one.id: one for one in memory}
    titles = {line.number: line.title for line in lines}
    found: dict[int, Change] = {}
    open_lines = [line for line in lines if not line.id]
    for line in lines:
        if line.id:
            found[line.number] = _own(line, known.pop(line.id, None), titles)
    for same in (_in_place, _by_text):
        for line in open_lines:
            if line.number not in found:
                _take(line, [r for r in known.values() if same(line, r, titles)], known, found)
    _reworded([x for x in open_lines if x.number not in found], known, titles, found)
    taken = {change.line.id for change in found.values()} | set(known)
    for line in open_lines:
        if line.number not in found:
            name = _free(_derived(line, titles.get(line.above, "")), taken)
            taken.add(name)
            found[line.number] = Change(replace(line, id=name), "added")
    return _with_parents(tuple(found[line.number] for line in lines))


def _own(line: Line, was: Remembered | None, titles: Mapping[int, str]) -> Change:
    if was is None:
        return Change(line, "added")
    if not was.text or _key(line.title) == _key(was.text):
        moved = bool(was.text) and not _in_place(line, was, titles)
        return Change(line, "moved" if moved else "same", was)
    return Change(line, "reworded", was)


def _in_place(line: Line, was: Remembered, titles: Mapping[int, str]) -> bool:
    return (
        _key(line.title) == _key(was.text)
        and _outline(line.section) == _outline(was.section)
        and _key(titles.get(line.above, "")) == _key(was.parent)
    )


def _by_text(line: Line, was: Remembered, _: Mapping[int, str]) -> bool:
    return _key(line.title) == _key(was.text)


def _take(
    line: Line, alike: list[Remembered], known: dict[str, Remembered], found: dict[int, Change]
) -> None:
    if not alike:
        return
    was = alike[0]
    same_place = _outline(line.section) == _outline(was.section)
    del known[was.id]
    found[line.number] = Change(replace(line, id=was.id), "same" if same_place else "moved", was)


def _reworded(
    lines: list[Line],
    known: dict[str, Remembered],
    titles: Mapping[int, str],
    found: dict[int, Change],
) -> None:
    """The best pairs first; a pair of one place needs less likeness than one of two."""
    scored: list[tuple[float, int, str]] = []
    by_number = {line.number: line for line in lines}
    for line in lines:
        for was in known.values():
            near = _outline(line.section) == _outline(was.section) and _key(
                titles.get(line.above, "")
            ) == _key(was.parent)
            score = _likeness(_key(line.title), _key(was.text), REWORDED if near else MOVED)
            if score:
                scored.append((score + near, line.number, was.id))
    for _, number, name in sorted(scored, key=lambda s: (-s[0], s[1])):
        if number not in found and name in known:
            line = replace(by_number[number], id=name)
            found[number] = Change(line, "reworded", known.pop(name))


def _likeness(one: str, other: str, at_least: float) -> float:
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    if matcher.real_quick_ratio() < at_least or matcher.quick_ratio() < at_least:
        return 0.0
    ratio = matcher.ratio()
    return ratio if ratio >= at_least else 0.0


def _with_parents(changes: tuple[Change, ...]) -> tuple[Change, ...]:
    ids = {change.line.number: change.line.id for change in changes}
    return tuple(
        replace(change, line=replace(change.line, parent=ids.get(change.line.above, "")))
        for change in changes
    )


def _derived(line: Line, parent: str) -> str:
    key = "\x1f".join((_outline(line.section), _key(parent), _key(line.title)))
    digest = hashlib.sha256(key.encode()).hexdigest()[:_HASH_LENGTH]
    slug = re.sub(r"[\W_]+", "-", _key(line.title)).strip("-")
    cut = slug[:_SLUG_LENGTH].rsplit("-", 1)[0] if len(slug) > _SLUG_LENGTH else slug
    return f"{(cut or slug[:_SLUG_LENGTH] or 'line').strip('-')}-{digest}"


def _free(name: str, taken: set[str]) -> str:
    count = 2
    free = name
    while free in taken:
        free, count = f"{name}-{count}", count + 1
    return free


def _key(text: str) -> str:
    return folded(plain(text))


def _outline(section: str) -> str:
    """Headings without their numbers, emoji and ticks: those change when a section is added or done."""
    return " / ".join(
        re.sub(r"^[\W\d_]+|[^\w)\]]+$", "", folded(plain(part))) for part in section.split(" / ")
    )
