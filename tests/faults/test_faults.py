"""Real faults on real lab hosts: each turns its items red, says why, leaves the others as they were,
and is gone after its undo. Faults are data (`*.yml` beside this file).

By default a few bystanders are looked at beside the items of a fault. `VERIFIER_FAULTS=all` looks at every item of
the host each time, but for those that take long or put load on it: these are looked at where the fault names them.
`campaign.py` (`make faults`) runs the faults of each host in a process of its own: `VERIFIER_FAULTS=fwb1`, `o4o1`,
and then those that are made on the controller, which more than one host may see.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest

from fault import Fault, all_faults
from lab import ROOT, LabView
from verifier.checklist.items import find_checklists, load_checklists
from verifier.checks.base import find_check
from verifier.result import Outcome, Result

pytestmark = pytest.mark.lab

ONLY = os.environ.get("VERIFIER_FAULTS", "")
WHOLE_HOST = bool(ONLY)
LONG_S = 1.5
ITEMS = [i for c in load_checklists(find_checklists(ROOT)) for i in c.items]
LOADS = {i.binding.source for i in ITEMS if i.binding.check and find_check(i.binding.check).burdens}
# Items that share nothing with most faults, one kind of look each.
BYSTANDERS = {
    "fwb": (
        "fwb.env.1",
        "fwb.compose.2",
        "fwb.service.1",
        "fwb.service.2",
        "fwb.api.3",
        "fwb.secure.2",
    ),
    "o4o": ("o4o.env.1", "o4o.env.5", "o4o.db.2", "o4o.monitoring.5", "o4o.limit.sys.2"),
}


def _chosen() -> list[Fault]:
    if ONLY in ("", "all"):
        return all_faults()
    return [f for f in all_faults() if (f.host if f.on == "host" else "controller") == ONLY]


class Healthy:
    """The items of a host on the healthy lab, by source id; each is looked at once."""

    def __init__(self, lab: LabView) -> None:
        self._lab = lab
        self._known: dict[str, dict[str, Result]] = {}

    def __call__(self, host: str, sources: set[str]) -> dict[str, Result]:
        """All items of `host`, or at least those of `sources`."""
        known = self._known.setdefault(host, {})
        missing = sources - set(known)
        if missing or not known:
            answers = self._lab.verify(host, frozenset() if WHOLE_HOST else missing)
            known |= {answer.source: answer.result for answer in answers}
        return known


@pytest.fixture(scope="module")
def healthy(lab: LabView) -> Healthy:
    return Healthy(lab)


@pytest.mark.parametrize("fault", _chosen(), ids=lambda f: f.name)
def test_a_real_fault_turns_its_items_red_and_only_them(
    lab: LabView, fault: Fault, healthy: Healthy, record_property: Callable[[str, object], None]
) -> None:
    began = time.monotonic()
    wanted = {lab.source(item) for item in fault.items}
    related = wanted | {lab.source(item) for item in fault.also}
    before = healthy(fault.host, wanted | set(BYSTANDERS[fault.host[:3]]))
    assert {s: before[s].outcome for s in wanted} == dict.fromkeys(wanted, Outcome.PASS), (
        "not green before the fault",
        {s: before[s].reasons for s in wanted},
    )
    lab.inject(fault.host, fault.apply, fault.on, become=fault.user == "root")
    try:
        during = {
            r.source: r.result for r in lab.verify(fault.host, _looked_at(fault, before, wanted))
        }
    finally:
        lab.inject(fault.host, fault.undo, fault.on, become=fault.user == "root")

    reasons = [reason for s in sorted(wanted) for reason in during[s].reasons]
    changed = {s: r for s, r in during.items() if r.outcome is not before[s].outcome}
    record_property("items", sorted(wanted))
    record_property("red", sorted(s for s in wanted if during[s].outcome is Outcome.FAIL))
    record_property("reason", reasons[0] if reasons else "")
    record_property("relatives", sorted(set(changed) & related - wanted))
    record_property("strangers", sorted(set(changed) - related))
    after = {
        r.source: r.result
        for r in lab.verify_until_healthy(fault.host, wanted | related & set(during))
    }
    record_property(
        "still_red", sorted(s for s, r in after.items() if r.outcome is not before[s].outcome)
    )
    record_property("seconds", round(time.monotonic() - began, 1))

    said = "\n".join(reasons)
    assert {s: during[s].outcome for s in wanted} == dict.fromkeys(wanted, Outcome.FAIL), said
    for text in fault.says:
        assert text in said
    assert not {s: (r.outcome.value, r.reasons) for s, r in changed.items() if s not in related}
    assert {s: r.outcome for s, r in after.items()} == {s: before[s].outcome for s in after}, {
        s: r.reasons for s, r in after.items()
    }


def _looked_at(fault: Fault, before: dict[str, Result], wanted: set[str]) -> set[str]:
    """Sources: all that are quick, or a few bystanders; and always those that must turn red."""
    if not WHOLE_HOST:
        return wanted | set(BYSTANDERS[fault.host[:3]])
    quick = {s for s, r in before.items() if r.duration_s < LONG_S and s not in LOADS}
    return quick | wanted
