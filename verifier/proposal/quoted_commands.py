"""Lines that quote a command: the check that looks at what it would show, the step it is, or a person's
to review. Only a command that is known to read becomes a check.
"""

from __future__ import annotations

from dataclasses import replace

from verifier.checklist.commands import Command, Effect
from verifier.proposal.known_commands import check_of
from verifier.proposal.meanings import by_concept
from verifier.proposal.measured import test_suite
from verifier.proposal.proposal import Proposal, by_person
from verifier.proposal.subject import Subject


def own_command(subject: Subject) -> Proposal | None:
    command = subject.evidence.own_command
    if command is None:
        return None
    span = command.text
    if subject.says("rollback") and command.effect is not Effect.READ:
        return by_person(
            subject, "a way back that is walked only when it is needed", role="operator", span=span
        )
    others = {c.text for c in subject.evidence.commands} - {command.text}
    if others and not all(
        c.effect in (Effect.BUILD, Effect.WRITE, Effect.MIGRATE, Effect.DESTROY)
        for c in subject.evidence.commands
    ):
        meant = by_concept(subject)
        if meant and meant.kind in ("check", "needs_value"):
            return meant
        return Proposal(
            subject.line,
            "review",
            reason="names several commands; one line can be answered by one",
            span=span,
        )
    known = check_of(command, subject)
    if known:
        return replace(known, span=span)
    if command.effect is Effect.TEST:
        return test_suite(subject, command)
    if command.effect in (Effect.BUILD, Effect.WRITE, Effect.MIGRATE, Effect.DESTROY):
        return _step(subject, command)
    meant = by_concept(subject)
    if meant and meant.kind in ("check", "needs_value"):
        return meant
    why = {
        Effect.ENDLESS: "its command never ends by itself, or waits for a person",
        Effect.READ: "its command only reads, but what it should say is not written here",
    }.get(command.effect, "it is not known whether its command only reads")
    return Proposal(subject.line, "review", reason=why, span=span)


def _step(subject: Subject, command: Command) -> Proposal:
    what = {
        Effect.BUILD: "builds something",
        Effect.MIGRATE: "changes the database",
        Effect.DESTROY: "takes something away",
    }.get(command.effect, "changes something")
    return Proposal(
        subject.line,
        "step",
        reason=f"its command {what}: it is done by a deployment, not looked at",
        span=command.text,
        step=command.text,
    )
