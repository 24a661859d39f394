"""The two checklists against the documents they were made from: a line there is one item here."""

from __future__ import annotations

import functools
import re
from collections import Counter
from pathlib import Path

import pytest

from verifier.checklist.items import Checklist, load_checklist
from verifier.checks.base import find_check

CHECKLISTS = Path(__file__).parents[3] / "checklists"

# How many lines each section of the two documents has, in their order.
SECTIONS = {
    "filewallball": {
        "fwb.env": 8,
        "fwb.compose": 5,
        "fwb.harden": 4,
        "fwb.perf": 4,
        "fwb.watch": 3,
        "fwb.service": 4,
        "fwb.api": 4,
        "fwb.db": 4,
        "fwb.envapplied": 3,
        "fwb.usage": 4,
        "fwb.logs": 4,
        "fwb.secure": 4,
        "fwb.network": 3,
        "fwb.secrets": 3,
        "fwb.latency": 4,
        "fwb.load": 3,
        "fwb.limits": 3,
        "fwb.trouble": 4,
        "fwb.loganalysis": 3,
        "fwb.rollback": 3,
        "fwb.docs": 6,
        "fwb.monitor": 4,
        "fwb.duty": 4,
    },
    "o4o": {
        "o4o.env": 7,
        "o4o.security": 6,
        "o4o.frontend": 5,
        "o4o.db": 4,
        "o4o.monitoring": 5,
        "o4o.apidocs": 4,
        "o4o.tests": 4,
        "o4o.backup": 4,
        "o4o.cicd": 4,
        "o4o.ops": 4,
        "o4o.limit.api": 3,
        "o4o.limit.web": 3,
        "o4o.limit.sys": 3,
        "o4o.incident": 4,
        "o4o.escalation": 3,
        "o4o.done": 4,
    },
}
KINDS = {
    "filewallball": {"box": 91},
    "o4o": {"box": 51, "limit": 9, "duty": 4, "level": 3},
}


@pytest.mark.parametrize("name", SECTIONS)
def test_every_line_of_the_source_has_one_item_in_the_same_order(name: str) -> None:
    wanted = [
        f"{section}.{n}" for section, lines in SECTIONS[name].items() for n in range(1, lines + 1)
    ]
    assert [item.binding.source for item in _load(name).items] == wanted


def test_the_two_checklists_hold_158_lines_and_share_no_id() -> None:
    ids = [item.id for name in SECTIONS for item in _load(name).items]
    assert len(ids) == len(set(ids)) == 158


@pytest.mark.parametrize("name", SECTIONS)
def test_a_line_is_a_box_a_limit_or_a_duty_as_in_the_source(name: str) -> None:
    assert Counter(item.line.kind for item in _load(name).items) == KINDS[name]


@pytest.mark.parametrize("name", SECTIONS)
def test_every_title_is_korean_and_english(name: str) -> None:
    for item in _load(name).items:
        korean, english = item.line.title.split(" / ")
        assert re.search("[가-힣]", korean), item.id
        assert english.isascii(), item.id


@pytest.mark.parametrize("name", SECTIONS)
def test_what_no_check_answers_says_why_and_holds_no_gate(name: str) -> None:
    for item in _load(name).items:
        if not item.binding.check:
            assert not item.required, item.id
            assert item.binding.attest or len(item.binding.not_checked) > 20, item.id


@pytest.mark.parametrize("name", SECTIONS)
def test_every_check_named_exists_and_knows_its_parameters(name: str) -> None:
    for item in _load(name).items:
        if item.binding.check:
            known = find_check(item.binding.check).params.__dataclass_fields__
            assert set(item.binding.given) <= set(known), item.id


@functools.cache
def _load(name: str) -> Checklist:
    return load_checklist(CHECKLISTS / f"{name}.yml")
