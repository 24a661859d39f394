"""Real faults on real lab hosts: each turns its items red, says why, leaves the others as they were,
and is gone after its undo. Faults are data (`*.yml` beside this file).

Quick by default: one fault for each kind of check, and a few bystanders. `VERIFIER_FAULTS=all` (`make faults`)
runs every fault and looks at every item of its host each time.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import pydantic
import pytest

from lab import ROOT, LabView
from verifier.checklist.items import find_checklists, load_checklists
from verifier.document import read_document
from verifier.result import Outcome, Result

pytestmark = pytest.mark.lab

HERE = Path(__file__).parent
WHOLE_HOST = os.environ.get("VERIFIER_FAULTS") == "all"
# Kind of check by item, under the item's id and under its source id.
CHECKS = {
    name: item.binding.check
    for checklist in load_checklists(find_checklists(ROOT))
    for item in checklist.items
    for name in (item.id, item.binding.source)
}
# Items that share nothing with most faults, one kind of look each, for the quick mode.
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


class Fault(pydantic.BaseModel):
    """One fault: how it is made and undone, which items must see it, and which relatives may."""

    model_config = pydantic.ConfigDict(extra="forbid")

    name: str
    host: str
    items: list[str]
    also: list[str] = []
    apply: str
    undo: str
    says: list[str] = []
    on: Literal["host", "controller"] = "host"
    user: Literal["deploy", "root"] = pydantic.Field(default="root", alias="as")


def _all_faults() -> list[Fault]:
    return [
        fault for file in sorted(HERE.glob("*.yml")) for fault in read_document(file, list[Fault])
    ]


def _chosen_faults() -> list[Fault]:
    if WHOLE_HOST:
        return _all_faults()
    proven: set[str] = set()
    chosen: list[Fault] = []
    for fault in _all_faults():
        new = {CHECKS[item] for item in fault.items} - proven
        if new:
            proven |= new
            chosen.append(fault)
    return chosen


@pytest.fixture(scope="module")
def before(lab: LabView) -> dict[str, dict[str, Result]]:
    """Every item of every host on the healthy lab, by source id."""
    return {host: {r.source: r.result for r in lab.verify(host)} for host in ("fwb1", "o4o1")}


@pytest.mark.parametrize("fault", _chosen_faults(), ids=lambda f: f.name)
def test_a_real_fault_turns_its_items_red_and_only_them(
    lab: LabView, fault: Fault, before: dict[str, dict[str, Result]]
) -> None:
    wanted = {lab.source(item) for item in fault.items}
    related = wanted | {lab.source(item) for item in fault.also}
    healthy = before[fault.host]
    assert {s: healthy[s].outcome for s in wanted} == dict.fromkeys(wanted, Outcome.PASS), (
        "not green before the fault"
    )
    looked_at = set(healthy) if WHOLE_HOST else wanted | set(BYSTANDERS[fault.host[:3]])

    lab.inject(fault.host, fault.apply, fault.on, become=fault.user == "root")
    try:
        during = {r.source: r.result for r in lab.verify(fault.host, looked_at)}
    finally:
        lab.inject(fault.host, fault.undo, fault.on, become=fault.user == "root")

    said = "\n".join(reason for s in wanted for reason in during[s].reasons)
    assert {s: during[s].outcome for s in wanted} == dict.fromkeys(wanted, Outcome.FAIL), said
    for text in fault.says:
        assert text in said
    collateral = {
        s: (r.outcome.value, r.reasons)
        for s, r in during.items()
        if s not in related and r.outcome is not healthy[s].outcome
    }
    assert not collateral
    after = {
        r.source: r.result
        for r in lab.verify_until_healthy(fault.host, wanted | related & set(healthy))
    }
    assert {s: r.outcome for s, r in after.items()} == {s: healthy[s].outcome for s in after}


def test_every_kind_of_check_in_use_has_a_fault_that_proves_it() -> None:
    proven = {CHECKS[item] for fault in _all_faults() for item in fault.items}
    assert {check for check in CHECKS.values() if check} - proven == set()
