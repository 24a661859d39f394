"""The Run as one versioned JSON document, described by `report.schema.json` beside this file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from verifier.deploy.events import PlayResult
from verifier.document import to_json
from verifier.gate import Verdict
from verifier.plan import Plan
from verifier.result import Result
from verifier.run import SCHEMA_VERSION, Run


def render(run: Run) -> str:
    """`results` has one entry for each item on each host it is for; `waived` stands in place of the
    outcome that a waiver let through, and `observed` keeps that outcome.
    """
    return to_json(document(run))


def document(run: Run) -> dict[str, object]:
    """The same as plain values."""
    return {
        "schema_version": SCHEMA_VERSION,
        "run": {
            "id": run.id,
            "command": run.command,
            "inventory": run.plan.inventory,
            "releases": run.plan.releases,
            "started_at": run.started_at,
            "finished_at": run.finished_at,
            "exit_code": run.exit_code,
            "note": run.note,
            "versions": run.versions,
            "checklists": run.plan.checklists,
        },
        "verdict": run.verdict.word,
        "reasons": _reasons(run.verdict),
        "hosts": [
            {
                "name": name,
                "groups": run.plan.groups.get(name, ()),
                "release": run.plan.releases.get(name, ""),
                "unreachable": run.unreachable.get(name),
            }
            for name in run.plan.hosts
        ],
        "steps": [step for play in run.plays for step in _steps(play)],
        "results": _results(run.plan, run.results, run.verdict),
        "rollback": None
        if run.rollback is None
        else {
            "releases": run.rollback.releases,
            "verified": run.rollback.is_verified,
            "verdict": run.rollback.verdict.word,
            "reasons": _reasons(run.rollback.verdict),
            "steps": _steps(run.rollback.play),
            "results": _results(run.rollback.plan, run.rollback.results, run.rollback.verdict),
        },
    }


def _reasons(verdict: Verdict) -> list[Mapping[str, object]]:
    return [
        {
            "item": r.item,
            "host": r.host,
            "outcome": r.outcome,
            "why": r.why,
            "needs_person": r.needs_person,
        }
        for r in verdict.reasons
    ]


def _steps(play: PlayResult) -> list[Mapping[str, object]]:
    steps: list[Mapping[str, object]] = [
        {
            "play": play.play,
            "step": s.step,
            "host": s.host,
            "state": s.state,
            "changes": s.changes,
            "why": s.why,
        }
        for s in play.steps
    ]
    return steps + [
        {
            "play": play.play,
            "step": "",
            "host": "",
            "state": "unknown",
            "changes": 0,
            "why": problem,
        }
        for problem in play.problems
    ]


def _results(plan: Plan, results: Sequence[Result], verdict: Verdict) -> list[Mapping[str, object]]:
    assignments = {a.key: a for a in plan.assignments}
    entries: list[Mapping[str, object]] = []
    for result in results:
        assignment = assignments[result.item, result.host]
        waived = assignment.key in verdict.waived
        entries.append(
            {
                "item": result.item,
                "source": assignment.source,
                "title": assignment.title,
                "section": assignment.section,
                "checklist": assignment.checklist,
                "host": result.host,
                "phase": assignment.phase,
                "required": assignment.required,
                "outcome": "waived" if waived else result.outcome.value,
                "observed": result.outcome.value,
                "check": result.check,
                "duration_s": result.duration_s,
                "looks": result.looks,
                "started_at": result.started_at,
                "reasons": result.reasons,
                "evidence": result.evidence,
                "series": result.series,
            }
        )
    return entries
