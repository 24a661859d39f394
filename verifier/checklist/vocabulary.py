"""The words by which headings are understood, from `vocabulary.yml`. Words only: what follows from
them is decided by who asks.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable
from importlib import resources

from verifier.document import parse_yaml

# Scripts written without spaces, and Korean, whose particles are glued to their word.
_GLUED = "\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"


@functools.lru_cache(maxsize=8192)
def speaks_of(group: str, text: str) -> bool:
    """Whether `text` holds a word of the group, whatever its case, emoji and Unicode form."""
    return _words_of(group).occur_in(folded(text))


def folded(text: str) -> str:
    """Text as it is compared: NFC, without case, with plain spaces and without combining marks that
    lower-casing a Turkish İ leaves.
    """
    lower = unicodedata.normalize("NFC", text).casefold().replace("i̇", "i").replace("ё", "е")
    return re.sub(r"[\s\u00a0]+", " ", lower.replace("’", "'")).strip()


class Words:
    """A group of words to look for in folded text. `*` ends a stem; `!x` says by what it must not be
    followed. Words of Latin and Cyrillic scripts are whole words; Korean ones of one or two syllables
    begin one, because particles are glued behind them, and so do katakana ones of up to three signs;
    others may stand anywhere.

    A word is looked for as it stands first and only then by its pattern: there are thousands of them,
    and making all their patterns would take seconds.
    """

    def __init__(self, words: Iterable[str]) -> None:
        kept = [folded(word) for word in words]
        self._words = tuple(
            (re.split(r"[ *!-]", word, maxsplit=1)[0], word) for word in kept if word
        )

    def search(self, text: str) -> re.Match[str] | None:
        """The first and longest match in `text`."""
        found: re.Match[str] | None = None
        for piece, word in self._words:
            if piece in text:
                match = _pattern(word).search(text)
                if match and (found is None or _rank(match) < _rank(found)):
                    found = match
        return found

    def occur_in(self, text: str) -> bool:
        return any(piece in text and _pattern(word).search(text) for piece, word in self._words)


def _rank(match: re.Match[str]) -> tuple[int, int]:
    return match.start(), -match.end()


@functools.cache
def _pattern(word: str) -> re.Pattern[str]:
    stem, *unlike = word.split("!")
    bare = stem.rstrip("*")
    escaped = (
        re.escape(bare)
        .replace(r"\*", r"\w*")
        .replace(r"\ ", r"[\s_-]?" if bare.isascii() else r"\s?")
    )
    never = f"(?!{'|'.join(map(re.escape, unlike))})" if unlike else ""
    if re.match(f"[{_GLUED}]", bare):
        begins = r"(?<![가-힣])" if re.fullmatch("[가-힣]{1,2}", bare) else ""
        begins = r"(?<![ァ-ヴー])" if re.fullmatch("[ァ-ヴー]{1,3}", bare) else begins
        return re.compile(f"{begins}{escaped}{never}")
    start = rf"(?<![^\W_{_GLUED}])" if re.match(r"[\w/]", bare) else ""
    end = "" if stem.endswith("*") or not re.search(r"\w$", bare) else rf"(?![^\W_{_GLUED}])"
    return re.compile(f"{start}{escaped}{end}{never}")


@functools.cache
def _words_of(group: str) -> Words:
    text = resources.files(__package__).joinpath("vocabulary.yml").read_text(encoding="utf-8")
    groups = parse_yaml(text, where="vocabulary.yml")
    if not isinstance(groups, dict):
        raise TypeError("vocabulary.yml is no mapping")
    return Words(groups[group])
