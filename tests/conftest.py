"""Fixtures for tests that need the lab. `make lab` brings it up; without it these tests fail and
say so.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import ROOT, LabView
from verifier.verify.connect import Connections

VERIFIER = str(Path(sys.executable).with_name("verifier"))


def run_verifier(
    *arguments: str, cwd: Path = ROOT, timeout: float = 900
) -> subprocess.CompletedProcess[str]:
    """The real command, as a person calls it, without colour and without a terminal."""
    return subprocess.run(
        [VERIFIER, *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=timeout,
        stdin=subprocess.DEVNULL, env={**os.environ, "NO_COLOR": "1", "COLUMNS": "120"},
    )  # fmt: skip


@pytest.fixture(scope="session")
def lab_up() -> None:
    status = run_verifier("lab", "status")
    assert status.returncode == 0, (
        f"the lab is not up, run `make lab`:\n{status.stdout}{status.stderr}"
    )


@pytest.fixture(scope="session")
def deployed(lab_up: None) -> None:
    """Release 2 runs on all three hosts, whatever ran before."""
    del lab_up
    done = run_verifier("deploy", "--inventory", "lab", "--release", "2", "--yes", "--no-rollback")
    assert done.returncode == 0, (
        f"release 2 cannot be deployed:\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    )


@pytest.fixture(scope="session")
def lab(deployed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabView]:
    del deployed
    with Connections() as connections:
        yield LabView(connections, tmp_path_factory.mktemp("lab"))
