"""The verb of this package: a Proposal for every line of a page. Touches nothing: no host, no file, and
no command of the document is run.

First who cannot be asked by a program at all, then the literal things a line names, then the concept
it speaks of, then a person.
"""

from __future__ import annotations

from dataclasses import replace

from verifier.checklist.markdown import Page, plain
from verifier.checklist.vocabulary import speaks_of
from verifier.proposal.doubt import doubt
from verifier.proposal.files import named_file
from verifier.proposal.meanings import by_concept, by_its_parent
from verifier.proposal.network import address, names_an_api, port, route, status
from verifier.proposal.people import (
    FOR_PEOPLE,
    heading_says,
)
from verifier.proposal.programs import is_up, versions
from verifier.proposal.proposal import Proposal, Recipe, by_person
from verifier.proposal.quoted_commands import own_command
from verifier.proposal.settings import keys, parent_of_keys, setting
from verifier.proposal.subject import Subject, subject_of
from verifier.proposal.surroundings import look_around

LITERAL: tuple[Recipe, ...] = (
    setting,
    is_up,
    own_command,
    address,
    route,
    versions,
    port,
    status,
    parent_of_keys,
    named_file,
    keys,
)


def answer_of(subject: Subject) -> Proposal:
    """The Proposal for one line; a person's answer when nothing better is right."""
    for recipe in (*FOR_PEOPLE, *LITERAL, by_concept, names_an_api, by_its_parent):
        proposal = recipe(subject)
        if proposal:
            sure = _without_doubt(subject, proposal)
            return _at_its_place(subject, _conjunction(subject, sure))
    nobody = by_person(
        subject, "nothing in the line can be looked at by a program", role="operator"
    )
    return _at_its_place(subject, _conjunction(subject, nobody))


def _without_doubt(subject: Subject, proposal: Proposal) -> Proposal:
    why = doubt(subject, proposal) if proposal.kind in ("check", "needs_value") else ""
    if not why:
        return proposal
    return Proposal(subject.line, "review", reason=why, span=proposal.span)


def _conjunction(subject: Subject, proposal: Proposal) -> Proposal:
    """A parent that says nothing of its own is true when its children are."""
    if not subject.children or proposal.kind not in ("attestation", "review"):
        return proposal
    return Proposal(
        subject.line,
        "not_a_gate",
        reason="true when the lines below it are",
        span=subject.line.title[:80],
        all_below=True,
    )


def propose(page: Page) -> tuple[Proposal, ...]:
    """One Proposal for every line of the page, in order."""
    around = look_around(page)
    by_number = {line.number: line for line in page.lines}
    below: dict[int, list[str]] = {}
    for line in page.lines:
        below.setdefault(line.above, []).append(line.title)
    return tuple(
        replace(
            answer_of(subject_of(line, by_number, around, tuple(below.get(line.number, ())))),
            line=line,
        )
        for line in page.lines
    )


def _at_its_place(subject: Subject, proposal: Proposal) -> Proposal:
    """Optional lines, and those in parts about trouble and upkeep, hold up no deployment."""
    if subject.line.kind == "field":
        return proposal  # a blank to fill in is what it is, wherever it stands
    aside = next((h for group in ("trouble", "upkeep") for h in heading_says(subject, group)), "")
    optional = speaks_of("optional", subject.line.title) or any(
        speaks_of("optional", h) for h in subject.line.path[-2:]
    )
    if not (aside or optional) or proposal.kind == "not_a_gate":
        return proposal
    why = "optional" if optional else f"in a part about upkeep or trouble ({plain(aside)[:40]})"
    return replace(proposal, advisory=True, reason=f"{proposal.reason}; {why}")
