"""Answers the Assignments that only a person can answer, from the attestations that were given. No
host is asked.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from verifier.attestation import Attestation, Attestations, folded, objection
from verifier.errors import UsageError
from verifier.plan import Assignment, Plan
from verifier.result import Outcome, Result
from verifier.store import RunDirectory

CHECK = "attestation"  # stands where a Result names its check


@dataclass(frozen=True, slots=True)
class People:
    """What people said, and who runs this deployment (empty: it is none). `insist`: what they said
    was named for this run, so some of it must count.
    """

    said: Attestations | None = None
    operator: str = ""
    insist: bool = False

    def deployers(self, release: str) -> frozenset[str]:
        own = frozenset({folded(self.operator)} if self.operator else ())
        return own | (self.said.deployers(release) if self.said else frozenset())


NOBODY = People()


def attest(assignment: Assignment, plan: Plan, people: People, store: RunDirectory) -> Result:
    """PASS with the newest attestation that counts; else NOT_CHECKED, and why none does."""
    own = _own(assignment, people)
    refused = []
    for one in own:
        why = _objection(one, assignment, plan, people)
        if not why:
            kept = store.add_evidence(
                {"item": one.item, "host": assignment.host, "attestation": one}
            )
            return Result(assignment.item, assignment.host, Outcome.PASS, CHECK, evidence=(kept,))
        refused.append(why)
    why = assignment.why_not + (f": {refused[0]}" if refused else "")
    return Result(assignment.item, assignment.host, Outcome.NOT_CHECKED, CHECK, store.redact(why))


def refuse_none(plan: Plan, people: People) -> None:
    """UsageError when attestations were named for this run and not one of them counts for its plan."""
    if not people.insist:
        return
    wanted = [a for a in plan.assignments if a.method == "attest" and a.applicable]
    refused = []
    for assignment in wanted:
        for one in _own(assignment, people):
            why = _objection(one, assignment, plan, people)
            if not why:
                return
            refused.append(f"{one.item}: {why}")
    raise UsageError(
        "not one of the attestations counts here"
        + (f": {refused[0]}" if refused else ": none is of an item of this plan"),
        do="see docs/how-to/attest-an-item.md; `verifier plan` names the lines that wait for people",
    )


def _own(assignment: Assignment, people: People) -> list[Attestation]:
    given = people.said.attestations if people.said else ()
    own = [one for one in given if one.covers(assignment.item, assignment.host)]
    return sorted(own, key=lambda one: one.date, reverse=True)


def _objection(one: Attestation, assignment: Assignment, plan: Plan, people: People) -> str:
    release = plan.releases.get(assignment.host, "")
    return objection(
        one,
        role=assignment.role,
        every=assignment.every,
        release=release,
        deployers=people.deployers(release),
        today=dt.datetime.now(dt.UTC).date(),
    )
