"""What makes a line the same line tomorrow: its id. The author's own, or one derived from the text
and the place in the outline, never from the position; and, where a binding remembers what it was
bound to, the same id after the line was moved or reworded.
"""

from __future__ import annotations

import difflib
import hashlib
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from verifier.checklist.binding import BindingDocument
from verifier.checklist.markdown import Line, plain
from verifier.checklist.vocabulary import folded

REWORDED = 0.6  # texts at least this alike, in the same place, are one line reworded
MOVED = 0.85  # the same, anywhere in the document
_COMPARED = 300  # characters of a text that are compared
_MOST_PAIRS = 10_000  # of texts; in a document where more than this differs, nothing is the same
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


def remembered(document: BindingDocument) -> tuple[Remembered, ...]:
    """The lines as they were when they were bound."""
    return tuple(
        Remembered(name, binding.text, binding.section, binding.parent)
        for name, binding in document.items.items()
    )


def with_ids(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """The lines, each with an id: the author's, else derived from text, outline and parent."""
    return tuple(change.line for change in recognise(lines, ()))


def recognise(lines: tuple[Line, ...], memory: Iterable[Remembered]) -> tuple[Change, ...]:
    """Every line with its id and what became of it since `memory`: first those that did not change,
    then those that stand elsewhere, then those that are worded otherwise. What is left is new.
    """
    known = {one.id: _Known(one) for one in memory}
    keys = _keys_of(lines)
    found = {x.number: _own(x, keys[x.number], known.pop(x.id, None)) for x in lines if x.id}
    rest = [line for line in lines if not line.id]
    for count in (3, 2, 1):
        rest = _take(rest, keys, known, found, count)
    rest = _take_named(rest, keys, known, found)
    _take_reworded(rest, keys, known, found)
    taken = {change.line.id for change in found.values()} | set(known)
    for line in rest:
        if line.number not in found:
            name = _free(_derived(keys[line.number]), taken)
            taken.add(name)
            found[line.number] = Change(replace(line, id=name), "added")
    return _with_parents(tuple(found[line.number] for line in lines))


_Key = tuple[str, str, str]  # text, outline and the parent's text, as they are compared


class _Known:
    """A remembered line with its key, made once: thousands are compared with thousands."""

    def __init__(self, line: Remembered) -> None:
        self.line = line
        self.key: _Key = (_key(line.text), _outline(line.section), _key(line.parent))


def _keys_of(lines: tuple[Line, ...]) -> dict[int, _Key]:
    texts = {line.number: _key(line.title) for line in lines}
    outlines = {section: _outline(section) for section in {line.section for line in lines}}
    return {
        line.number: (texts[line.number], outlines[line.section], texts.get(line.above, ""))
        for line in lines
    }


def _own(line: Line, key: _Key, was: _Known | None) -> Change:
    if was is None:
        return Change(line, "added")
    if was.key[0] and key[0] != was.key[0]:
        return Change(line, "reworded", was.line)
    return _found(line, key, was)


def _found(line: Line, key: _Key, was: _Known) -> Change:
    """A line with the words it had; it moved if it stands below another heading or line than then."""
    elsewhere = bool(was.key[0]) and key[1] != was.key[1]
    other_parent = was.key[2] not in ("", key[2]) and not _likeness(key[2], was.key[2], REWORDED)
    kind = "moved" if elsewhere or other_parent else "same"
    return Change(replace(line, id=was.line.id), kind, was.line)


def _take(
    lines: list[Line],
    keys: Mapping[int, _Key],
    known: dict[str, _Known],
    found: dict[int, Change],
    count: int,
) -> list[Line]:
    """Lines that agree with a remembered one in the first `count` parts of their key; returns those that do not."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for name, was in reversed(known.items()):
        if was.key[0]:
            alike.setdefault(was.key[:count], []).append(name)
    rest = []
    for line in lines:
        names = alike.get(keys[line.number][:count])
        if names:
            found[line.number] = _found(line, keys[line.number], known.pop(names.pop()))
        else:
            rest.append(line)
    return rest


def _take_named(
    lines: list[Line],
    keys: Mapping[int, _Key],
    known: dict[str, _Known],
    found: dict[int, Change],
) -> list[Line]:
    """Lines whose derived id is bound by a person who did not write the text beside it."""
    bare = {name for name, was in known.items() if not was.key[0]}
    rest = []
    for line in lines:
        name = _derived(keys[line.number]) if bare else ""
        if name in bare:
            bare.remove(name)
            found[line.number] = Change(replace(line, id=name), "same", known.pop(name).line)
        else:
            rest.append(line)
    return rest


def _take_reworded(
    lines: list[Line],
    keys: Mapping[int, _Key],
    known: dict[str, _Known],
    found: dict[int, Change],
) -> None:
    """The best pairs first; a pair of one place needs less likeness than one of two."""
    by_number = {line.number: line for line in lines}
    for same_place in (True, False):
        pairs = _pairs({number: keys[number] for number in by_number}, known, same_place=same_place)
        for _, number, name in sorted(pairs, key=lambda pair: (-pair[0], pair[1])):
            if number in by_number and name in known:
                line = replace(by_number.pop(number), id=name)
                found[number] = Change(line, "reworded", known.pop(name).line)


def _pairs(
    keys: Mapping[int, _Key], known: Mapping[str, _Known], *, same_place: bool
) -> Iterator[tuple[float, int, str]]:
    """How alike a line and a remembered one are, where they are alike enough."""
    candidates = (
        (number, name)
        for name, was in known.items()
        if was.key[0]
        for number, key in keys.items()
        if not same_place or (key[1] == was.key[1] and was.key[2] in ("", key[2]))
    )
    for number, name in itertools.islice(candidates, _MOST_PAIRS):
        at_least = REWORDED if same_place else MOVED
        score = _likeness(keys[number][0], known[name].key[0], at_least)
        if score:
            yield score, number, name


def _likeness(one: str, other: str, at_least: float) -> float:
    """How alike two texts are, from 0 to 1; 0 for less than `at_least`."""
    matcher = difflib.SequenceMatcher(None, one[:_COMPARED], other[:_COMPARED], autojunk=False)
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


def _derived(key: _Key) -> str:
    text, outline, parent = key
    digest = hashlib.sha256(f"{outline}\x1f{parent}\x1f{text}".encode()).hexdigest()[:_HASH_LENGTH]
    slug = re.sub(r"[\W_]+", "-", text[: 4 * _SLUG_LENGTH]).strip("-")
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
