"""The ticked copy: the user's own Markdown with boxes ticked by evidence alone and host counts
beside them; every other byte as it was. A box is ticked when every host it is for passed, and at
least one did.
"""

from __future__ import annotations

from verifier.checklist.items import Checklist
from verifier.checklist.markdown import Mark, tick
from verifier.result import Outcome
from verifier.run import Run


def render(run: Run) -> str:
    """All checklists of the run, one after the other. `ticked_copy` gives each as a file of its
    own.
    """
    return "\n".join(ticked_copy(run, checklist) for checklist in run.checklists)


def ticked_copy(run: Run, checklist: Checklist) -> str:
    """`checklist.text` with boxes and counts."""
    passed: dict[str, int] = {}
    wanted: dict[str, int] = {}
    outcomes = {(r.item, r.host): r.outcome for r in run.results}
    for assignment in run.plan.assignments:
        if assignment.applicable:
            wanted[assignment.item] = wanted.get(assignment.item, 0) + 1
            if outcomes.get(assignment.key) is Outcome.PASS:
                passed[assignment.item] = passed.get(assignment.item, 0) + 1
    lines = tuple(item.line for item in checklist.items)
    marks = {line.id: Mark(passed.get(line.id, 0), wanted.get(line.id, 0)) for line in lines}
    return tick(checklist.text, lines, marks)
