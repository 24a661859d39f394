"""Lines that no program can answer: forms to fill in, choices, somebody's word, duties, ways back, and
what is no gate at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from verifier.checklist.markdown import plain
from verifier.proposal.concepts import mentions
from verifier.proposal.proposal import Proposal, Recipe, by_person, role_of
from verifier.proposal.subject import Subject


def _no_gate(subject: Subject) -> Proposal | None:
    if subject.line.kind in ("bullet", "numbered") and not _is_statement(subject.title):
        return Proposal(
            subject.line, "not_a_gate", reason="says nothing that could be true or false"
        )
    if any(heading_says(subject, "not_now")):
        return Proposal(
            subject.line,
            "not_a_gate",
            reason="stands in a part about what comes later",
            span=next(heading_says(subject, "not_now")),
        )
    return None


def _field(subject: Subject) -> Proposal | None:
    blank = re.search(
        r"_{3,}|(?:\\_){3,}|\.{6,}|…{2,}|\[\s{2,}\]|(?:\\?\*){4,}", subject.line.title
    )
    if subject.line.kind != "field" and not blank:
        return None
    return by_person(
        subject, "a blank that a person fills in", role=role_of(subject), span=subject.title[:60]
    )


def _duty_or_level(subject: Subject) -> Proposal | None:
    if subject.line.kind == "duty":
        return by_person(
            subject, "what is done at once in an incident", role="operator", advisory=True
        )
    if subject.line.kind == "level":
        return by_person(subject, "who is called, and when", role="operator", advisory=True)
    return None


def _choice(subject: Subject) -> Proposal | None:
    """One of several: ticking it chooses, and nothing is true or false about the host."""
    last = plain(subject.line.path[-1]) if subject.line.path else ""
    options = re.match(
        r"\W*(?:option|choose|选项|选择|オプション \w:|옵션 \w)\b", last, re.IGNORECASE
    )
    if options and not (subject.evidence.commands or subject.evidence.files):
        return by_person(
            subject, "a choice that a person makes", role="operator", span=last, advisory=True
        )
    return None


def _signed(subject: Subject) -> Proposal | None:
    """Below a heading about approval or telling people, a line is somebody's word."""
    if not subject.line.path[1:]:
        return None
    last = subject.line.path[-1]
    if (
        mentions("signoff_heading", last)
        and not subject.says("document")
        and not (subject.evidence.commands or subject.evidence.addresses)
    ):
        return by_person(subject, "somebody's word", span=plain(last))
    return None


def _way_back(subject: Subject) -> Proposal | None:
    if re.match(r"\W*rollback\b.*\bif\b", plain(subject.line.title), re.IGNORECASE):
        return by_person(
            subject,
            "a way back that is walked only when it is needed",
            role="operator",
            advisory=True,
        )
    return None


def _is_statement(title: str) -> bool:
    return len(re.findall(r"\w", title)) >= 3 and not title.endswith(("?", "？"))  # noqa: PLR2004  a word


def heading_says(subject: Subject, group: str) -> Iterator[str]:
    return (h for h in subject.line.path[1:] if mentions(group, h))


FOR_PEOPLE: tuple[Recipe, ...] = (_no_gate, _field, _duty_or_level, _choice, _signed, _way_back)
