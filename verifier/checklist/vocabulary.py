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


def speaks_of(group: str, text: str) -> bool:
    """Whether `text` holds a word of the group, whatever its case, emoji and Unicode form."""
    return bool(_pattern_of(group).search(folded(text)))


def folded(text: str) -> str:
    """Text as it is compared: NFC, without case, with plain spaces and without combining marks that
    lower-casing a Turkish İ leaves.
    """
    lower = unicodedata.normalize("NFC", text).casefold().replace("i̇", "i")
    return re.sub(r"[\s\u00a0]+", " ", lower.replace("’", "'")).strip()


def words_pattern(words: Iterable[str]) -> re.Pattern[str]:
    """One pattern for all words. `*` ends a stem; `!x` says by what it must not be followed. Words of
    Latin and Cyrillic scripts are whole words; Korean ones of one or two syllables begin one, because
    particles are glued behind them; others may stand anywhere. No word matches nothing.
    """
    parts = [_one(folded(word)) for word in words]
    return re.compile("|".join(sorted(parts, key=len, reverse=True)) or r"(?!)")


def _one(word: str) -> str:
    stem, *unlike = word.split("!")
    bare = stem.rstrip("*")
    escaped = re.escape(bare).replace(r"\ ", r"[\s_-]?" if bare.isascii() else r"\s?")
    never = f"(?!{'|'.join(map(re.escape, unlike))})" if unlike else ""
    if re.match(f"[{_GLUED}]", bare):
        begins = r"(?<![가-힣])" if re.fullmatch("[가-힣]{1,2}", bare) else ""
        return f"{begins}{escaped}{never}"
    start = r"(?<![^\W_])" if re.match(r"[\w/]", bare) else ""
    end = "" if stem.endswith("*") or not re.search(r"\w$", bare) else rf"(?![^\W_{_GLUED}])"
    return f"{start}{escaped}{end}{never}"


@functools.cache
def _pattern_of(group: str) -> re.Pattern[str]:
    text = resources.files(__package__).joinpath("vocabulary.yml").read_text(encoding="utf-8")
    groups = parse_yaml(text, where="vocabulary.yml")
    if not isinstance(groups, dict):
        raise TypeError("vocabulary.yml is no mapping")
    return words_pattern(groups[group])
