from __future__ import annotations

from pathlib import Path

import pytest

from verifier.errors import InfrastructureError, UsageError
from verifier.lab.engine import Docker
from verifier.lab.lifecycle import Lab, Progress, reset
from verifier.lab.project import Project
from verifier.lab.state import LabState


def make_lab(root: Path, report: list[Progress]) -> Lab:
    return Lab(Docker("false", "false"), Project(root), LabState(root), report.append)


def test_a_step_is_reported_when_it_ended(tmp_path: Path) -> None:
    told: list[Progress] = []
    make_lab(tmp_path, told).step("network", lambda: "made")
    assert [(progress.step, progress.done) for progress in told] == [("network", "made")]


def test_a_step_that_failed_is_not_reported_as_done(tmp_path: Path) -> None:
    def fail() -> str:
        raise InfrastructureError("broken")

    told: list[Progress] = []
    with pytest.raises(InfrastructureError, match="broken"):
        make_lab(tmp_path, told).step("network", fail)
    assert told == []


def test_there_is_nothing_to_reset_before_the_first_up(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="verifier lab up"):
        reset(make_lab(tmp_path, []))
