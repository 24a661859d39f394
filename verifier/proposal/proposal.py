"""Proposal: how one line could be answered, why, and what is missing for it; and the ways to make one.
It binds only what tests what the line says, and names what it cannot know.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from verifier.checklist.binding import Every
from verifier.checklist.markdown import Line
from verifier.proposal.concepts import mentions
from verifier.proposal.subject import Subject

Kind = Literal["check", "needs_value", "step", "attestation", "document", "review", "not_a_gate"]
Vantage = Literal["host", "controller"]
WHERE = "{{ deploy_root }}"
STACK = "{{ compose_stack }}"
PROJECT = "{{ compose_stack.project }}"
REACH = "{{ ansible_host | default(inventory_hostname) }}"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One line's answer as it is proposed. `missing` are the names of values; `span` the text the
    proposal came from.
    """

    line: Line
    kind: Kind
    check: str = ""
    given: dict[str, object] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    reason: str = ""
    span: str = ""
    vantage: Vantage = "host"
    become: bool = False
    advisory: bool = False
    role: str = ""
    every: Every = "release"
    step: str = ""
    all_below: bool = False  # true when the lines below it are; nothing of its own to look at


Recipe = Callable[[Subject], "Proposal | None"]


def bound(  # noqa: PLR0913  the fields of a Proposal
    subject: Subject,
    check: str,
    given: dict[str, object],
    why: str,
    missing: tuple[str, ...] = (),
    *,
    span: str = "",
    vantage: Vantage = "host",
    become: bool = False,
) -> Proposal:
    """A check with its parameters; it waits when values are `missing`."""
    return Proposal(
        subject.line,
        "needs_value" if missing else "check",
        check,
        given,
        missing,
        why,
        span,
        vantage=vantage,
        become=become,
    )


def by_person(
    subject: Subject, why: str, *, role: str = "", span: str = "", advisory: bool = False
) -> Proposal:
    """Somebody in this role must say so."""
    return Proposal(
        subject.line,
        "attestation",
        reason=why,
        span=span,
        role=role or role_of(subject),
        advisory=advisory,
    )


def role_of(subject: Subject) -> str:
    """Who would know: as the line says, else as its headings say."""
    words = subject.text.near
    for group, role in (
        ("approver_word", "approver"),
        ("reviewer_word", "reviewer"),
        ("deployer_word", "deployer"),
    ):
        if mentions(group, subject.title):
            return role
    if mentions("approval", words):
        return "approver"
    if mentions("manual_heading", words) or mentions("tests_heading", words):
        return "tester"
    return "operator"
