from __future__ import annotations

from pathlib import Path

import pytest

from verifier.errors import InfrastructureError, UsageError
from verifier.lab.engine import Docker
from verifier.lab.lifecycle import Lab, Progress, reset, take_down
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


def make_recording_client(root: Path) -> tuple[Docker, Path]:
    asked = root / "asked"
    client = root / "docker"
    client.write_text(
        f"""#!/bin/sh
echo "$*" >>{asked}
case "$*" in
    ps*) echo c1 c2 ;;
    "volume ls"*) echo verifier-lab-fwb1-docker verifier-lab-registry ;;
    "network ls"*) echo n1 ;;
    images*) echo i1 i1 ;;
esac
"""
    )
    client.chmod(0o755)
    return Docker(str(client), str(client)), asked


def test_down_keeps_images_the_registrys_data_and_the_state(tmp_path: Path) -> None:
    docker, asked = make_recording_client(tmp_path)
    state = LabState(tmp_path / "state")
    state.root.mkdir()
    take_down(docker, state, lambda _: None, everything=False)
    commands = asked.read_text().splitlines()
    assert "rm --force --volumes c2" in commands
    assert "volume rm --force verifier-lab-fwb1-docker" in commands
    assert "network rm n1" in commands
    assert not any(command.startswith(("images", "rmi")) for command in commands)
    assert "volume rm --force verifier-lab-registry" not in commands
    assert state.root.exists()


def test_down_all_removes_the_rest_too(tmp_path: Path) -> None:
    docker, asked = make_recording_client(tmp_path)
    state = LabState(tmp_path / "state")
    state.root.mkdir()
    take_down(docker, state, lambda _: None, everything=True)
    commands = asked.read_text().splitlines()
    assert "rmi --force i1" in commands
    assert "volume rm --force verifier-lab-registry" in commands
    assert all("--filter label=verifier.lab" in line for line in commands if " ls" in line)
    assert not state.root.exists()
