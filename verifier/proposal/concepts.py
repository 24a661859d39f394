"""What a line speaks of: the concepts of `concepts.yml` and the one that holds. Words and their order
are data; how they are compared is here.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import resources

from verifier.checklist.vocabulary import Words, folded
from verifier.document import Document, from_plain, parse_yaml


@dataclass(frozen=True, slots=True)
class Text:
    """A line as it is understood: itself, and with the words around it that lend it their noun."""

    line: str
    near: str


class _When(Document):
    line: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    not_near: tuple[str, ...] = ()


class _Concept(Document):
    name: str
    when: tuple[_When, ...]


class _File(Document):
    words: dict[str, str]  # separated by commas
    concepts: tuple[_Concept, ...]


@dataclass(frozen=True, slots=True)
class Meaning:
    """The concept that holds, and the words of the line that say so."""

    concept: str
    span: str


def meaning_of(text: Text) -> Meaning | None:
    """The first concept that holds."""
    for concept in _file().concepts:
        for when in concept.when:
            if _holds(when, text):
                return Meaning(concept.name, _span(when, text.line))
    return None


@functools.lru_cache(maxsize=16384)
def mentions(group: str, text: str) -> bool:
    """Whether `text` holds a word of the group."""
    return _words(group).occur_in(folded(text))


def concept_names() -> tuple[str, ...]:
    return tuple(concept.name for concept in _file().concepts)


def _holds(when: _When, text: Text) -> bool:
    return (
        all(_says(group, text.line) for group in when.line)
        and all(_says(group, text.near) for group in when.near)
        and not any(_says(group, text.line) for group in when.none_of)
        and not any(_says(group, text.near) for group in when.not_near)
    )


def _span(when: _When, line: str) -> str:
    found = [m for group in when.line if (m := _words(group).search(line))]
    if not found:
        return ""
    return line[min(m.start() for m in found) : max(m.end() for m in found)]


@functools.cache
def _file() -> _File:
    text = resources.files(__package__).joinpath("concepts.yml").read_text(encoding="utf-8")
    return from_plain(_File, parse_yaml(text, where="concepts.yml"))


@functools.lru_cache(maxsize=65536)
def _says(group: str, folded_text: str) -> bool:
    return _words(group).occur_in(folded_text)


@functools.cache
def _words(group: str) -> Words:
    return Words(word.strip() for word in _file().words[group].split(","))
