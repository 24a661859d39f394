"""The negative control: each check is given an expectation that no host can meet, on the user's own
hosts, and must fail it. A check that passes it would pass anything: it is vacuous, an ERROR.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from verifier.inventory import Host
from verifier.plan import Assignment, Plan
from verifier.result import Outcome, Result
from verifier.store import RunDirectory
from verifier.verify.connect import Connections
from verifier.verify.observe import LOOKS_PER_HOST, Progress, look

VACUOUS = "vacuous: it passes what no host can meet"


def prove(
    plan: Plan,
    hosts: Sequence[Host],
    connections: Connections,
    store: RunDirectory,
    progress: Progress,
) -> tuple[Result, ...]:
    """One Result for each check of the plan, in its order. PASS: it failed the impossible, and the
    mismatches are its words for it. ERROR: it is vacuous, or it could not look and nothing is proven.
    """
    by_name = {host.name: host for host in hosts}

    def control(assignment: Assignment) -> Result:
        said = look(assignment, by_name[assignment.host], connections, store, impossible=True)
        result = _judged(said)
        progress(result)
        return result

    wanted = [a for a in plan.assignments if a.method == "check" and a.applicable]
    with ThreadPoolExecutor(LOOKS_PER_HOST * max(1, len(plan.hosts))) as pool:
        calm = list(pool.map(control, [a for a in wanted if not a.burdens]))
    found = {(r.item, r.host): r for r in calm}
    for assignment in wanted:
        if assignment.burdens:  # one after the other: no more load than a look would put there
            found[assignment.key] = control(assignment)
    return tuple(found[assignment.key] for assignment in wanted)


def _judged(said: Result) -> Result:
    if said.outcome is Outcome.FAIL:
        return replace(said, outcome=Outcome.PASS)
    if said.outcome is Outcome.PASS:
        return replace(said, outcome=Outcome.ERROR, reason=VACUOUS)
    return said
