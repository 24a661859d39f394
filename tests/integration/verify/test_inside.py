"""A look from inside a container of a real host sees what stands there, and not what stands beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lab import ROOT
from support import assignment, plan
from verifier.inventory import load_inventory
from verifier.plan import Assignment
from verifier.redact import Redactor
from verifier.result import Outcome, Result
from verifier.store import RunDirectory
from verifier.verify.connect import Connections
from verifier.verify.observe import verify

pytestmark = pytest.mark.lab


def _asked(item: str, program: str, service: str) -> Assignment:
    return replace(
        assignment(item, "o4o1"),
        check="program",
        params={"name": program},
        vantage="container",
        inside=("o4o-data", service),
    )


def _answers(folder: Path, *asked: Assignment) -> list[Result]:
    hosts = (load_inventory("lab", project=ROOT).host("o4o1"),)
    store = RunDirectory.create(folder, "run", Redactor())
    with Connections() as connections:
        return list(verify(plan(*asked), hosts, connections, store, lambda _: None))


def test_a_container_is_looked_into_and_its_host_is_not(lab_up: None, tmp_path: Path) -> None:
    del lab_up
    inside, outside, nowhere = _answers(
        tmp_path,
        _asked("data", "psql", "postgres"),
        _asked("host", "sshd", "postgres"),
        _asked("gone", "psql", "no-such-service"),
    )
    assert inside.outcome is Outcome.PASS, inside.reasons
    assert outside.outcome is Outcome.FAIL
    assert nowhere.outcome is Outcome.ERROR
    assert "no running container" in nowhere.reason
