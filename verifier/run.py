"""Run: one execution with its id, times, versions and each stage's value. Complete when made;
reports read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from verifier.checklist.items import Checklist
from verifier.deploy.events import PlayResult
from verifier.gate import Verdict
from verifier.plan import Assignment, Plan
from verifier.result import Outcome, Result

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Rollback:
    """The way back that was taken: each host's release, what the playbook did, and whether it was
    proven.
    """

    releases: Mapping[str, str]
    play: PlayResult
    plan: Plan
    results: tuple[Result, ...]
    verdict: Verdict

    @property
    def is_verified(self) -> bool:
        # What people have yet to say of a release that ran before is no reason to call someone.
        open_ = self.verdict.is_open or self.verdict.waits_for_people
        return self.play.is_done and open_


@dataclass(frozen=True, slots=True)
class Run:
    """What happened, whole. Times are ISO 8601 in UTC; `note` says why it ended where it did."""

    id: str
    command: str
    started_at: str
    finished_at: str
    versions: Mapping[str, str]
    plan: Plan
    plays: tuple[PlayResult, ...]
    results: tuple[Result, ...]
    verdict: Verdict
    exit_code: int
    unreachable: Mapping[str, str] = field(default_factory=dict)
    rollback: Rollback | None = None
    note: str = ""
    checklists: tuple[Checklist, ...] = ()

    def result_of(self, assignment: Assignment) -> Result | None:
        return next((r for r in self.results if (r.item, r.host) == assignment.key), None)

    def shown_outcome(self, result: Result) -> str:
        """The Result's outcome, or `waived` when a valid waiver let this non-pass through."""
        return (
            "waived" if (result.item, result.host) in self.verdict.waived else result.outcome.value
        )

    def count(self, outcome: Outcome) -> int:
        return sum(result.outcome is outcome for result in self.results)
