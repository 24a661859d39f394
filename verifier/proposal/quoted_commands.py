"""Lines that quote a command: the check that looks at what it would show, the step it is, or a person's
to review. Only a command that is known to read becomes a check.
"""

from __future__ import annotations

import re
from dataclasses import replace

from verifier.checklist.commands import Command, Effect
from verifier.proposal.known_commands import check_of
from verifier.proposal.meanings import by_concept
from verifier.proposal.measured import test_suite
from verifier.proposal.proposal import Proposal, by_person
from verifier.proposal.subject import Subject


def own_command(subject: Subject) -> Proposal | None:
    """What the command that a line quotes comes to; None for a line that quotes none."""
    command = subject.evidence.own_command
    if command is None:
        return None
    made = (
        _of_people(subject, command)
        or _one_of_several(subject, command)
        or check_of(command, subject)
        or _by_effect(subject, command)
        or _meant(subject)
        or Proposal(subject.line, "review", reason=_WHY.get(command.effect, _UNKNOWN))
    )
    return replace(made, span=made.span or command.text)


_WHY = {
    Effect.ENDLESS: "its command never ends by itself, or waits for a person",
    Effect.READ: "its command only reads, but what it should say is not written here",
}
_UNKNOWN = "it is not known whether its command only reads"
_CHANGES = (Effect.BUILD, Effect.WRITE, Effect.MIGRATE, Effect.DESTROY)


def _of_people(subject: Subject, command: Command) -> Proposal | None:
    if subject.says("rollback") and command.effect is not Effect.READ:
        why = "a way back that is walked only when it is needed"
        return by_person(subject, why, role="operator", span=command.text)
    shown = re.sub(r"[（(][^()（）]*[)）]", " ", subject.line.title.replace("`", ""))
    aside = command.text not in shown and not subject.line.code and subject.says("tested")
    if aside and command.effect not in (Effect.READ, Effect.TEST, Effect.BUILD):
        return by_person(subject, "somebody tried it", role="operator", span=command.text)
    return None


def _one_of_several(subject: Subject, command: Command) -> Proposal | None:
    others = {c.text for c in subject.evidence.commands} - {command.text}
    if not others or all(c.effect in _CHANGES for c in subject.evidence.commands):
        return None
    why = "names several commands; one line can be answered by one"
    return _meant(subject) or Proposal(subject.line, "review", reason=why)


def _by_effect(subject: Subject, command: Command) -> Proposal | None:
    if command.words[:1] == ("ssh",):
        why = "what it does on the other machine is not known"
        return Proposal(subject.line, "review", reason=why)
    if command.effect is Effect.TEST:
        return test_suite(subject, command)
    return _step(subject, command) if command.effect in _CHANGES else None


def _meant(subject: Subject) -> Proposal | None:
    """What the words of the line ask for, when its command does not help; logs of one program are not
    those of another.
    """
    meant = by_concept(subject)
    bound = meant is not None and meant.kind in ("check", "needs_value")
    return meant if meant and bound and meant.check != "container_logs" else None


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
