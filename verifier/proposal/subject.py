"""Subject: a line with all that is understood of it before anything is proposed: its words, the words
around it that lend it their noun, and the literal things it names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from verifier.checklist.markdown import Line, plain
from verifier.checklist.vocabulary import folded
from verifier.proposal.concepts import Meaning, Text, meaning_of, mentions
from verifier.proposal.evidence import Evidence, evidence_in
from verifier.proposal.surroundings import Surroundings

_MOST = 600  # characters of a line that are read for its meaning


_MOST_CODE = 4000


@dataclass(frozen=True, slots=True)
class Subject:
    """A line with all that was understood of it, before anything is proposed."""

    line: Line
    text: Text
    evidence: Evidence
    around: Surroundings
    parent: Line | None
    children: tuple[str, ...]  # the texts of the lines below it
    parent_evidence: Evidence

    @property
    def title(self) -> str:
        return self.text.line

    def says(self, group: str) -> bool:
        return mentions(group, self.title)

    def near(self, group: str) -> bool:
        return mentions(group, self.text.near)


def subject_of(
    line: Line, by_number: dict[int, Line], around: Surroundings, children: tuple[str, ...] = ()
) -> Subject:
    line = replace(
        line,
        title=_without_templates(line.title[:_MOST]),
        code=tuple(_without_templates(block[:_MOST_CODE]) for block in line.code),
    )
    parent = by_number.get(line.above)
    # A parent lends its noun; the headings theirs, the nearest first.
    above = [parent.title[:_MOST]] if parent else []
    near = " . ".join([line.title, *above, *(part[:_MOST] for part in reversed(line.path[-2:]))])
    return Subject(
        line=line,
        text=Text(concept_text(line.title), folded(plain(near))),
        evidence=evidence_in(line.title, line.code),
        around=around,
        parent=parent,
        children=children,
        parent_evidence=evidence_in(parent.title[:_MOST] if parent else "", ()),
    )


_SPAN = re.compile(r"`+([^`]*)`+")


_BRACKETS = re.compile(r"[（(][^()（）]*[)）]")


_CLAUSE_END = re.compile(r"(?<=[\w¤])\s*\.\s|。|\s[—–]\s|\s-\s|;\s")


_LITERAL = re.compile(r"https?://\S+|\S*[/\\_=<>{}$]\S*|\S+\.\w{2,4}\b")


_LONG_CLAUSE = 140


def _without_templates(text: str) -> str:
    """What a document says never becomes a template: `{{ x }}` is a placeholder like `<x>`."""
    return re.sub(r"\{[{%#]", "<", re.sub(r"[}%#]\}", ">", text))


def concept_text(title: str) -> str:
    """The words by which a line is understood: its first clause, without brackets and without the names
    of things in code (their parts mean nothing), unless nothing else is left.
    """
    words = _SPAN.sub(
        lambda m: f" {m[1]} " if re.fullmatch(r"[A-Za-z][a-z-]+(?: [a-z-]+)?", m[1]) else " ¤ ",
        title,
    )
    bare = plain(_BRACKETS.sub(" ", words))
    bare = re.sub(
        r"^(?:verify|check|test|confirm|ensure|todo|note|확인|검증)\s*[:：]\s*",
        "",
        bare,
        flags=re.IGNORECASE,
    )
    first = _CLAUSE_END.split(bare, maxsplit=1)[0]
    clause = first if len(re.findall(r"\w", first)) > 3 else bare  # noqa: PLR2004  more than a number or a name
    if len(clause) > _LONG_CLAUSE:
        clause = re.split(r"[,，、]\s", clause, maxsplit=1)[0]
    kept = " ".join(w for w in clause.split() if w != "¤" and not _is_name(w))
    return folded(kept if re.search(r"\w", kept) else plain(title))


def _is_name(word: str) -> bool:
    """The name of a file, a setting, a route: not a word of the language. CI/CD and HTTP/HTTPS are words."""
    if re.fullmatch(r"[^\W\d_]{1,14}(?:/[^\W\d_]{1,14}){1,2}[,.:]?", word) or re.fullmatch(
        r"\.?(?:gitignore|env)\S{0,3}", word
    ):
        return False
    return bool(_LITERAL.fullmatch(word)) and not re.search(r"[가-힣ぁ-んァ-ヶ一-龥]", word)


def understood(subject: Subject) -> Meaning | None:
    """What the line speaks of."""
    return meaning_of(subject.text)
