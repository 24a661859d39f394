"""Fixtures for tests that need the lab. `make lab` brings it up; without it these tests fail and
say so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from lab import LabView, do_duties, run_verifier
from verifier.verify.connect import Connections


@pytest.fixture(scope="session")
def lab_up() -> None:
    status = run_verifier("lab", "status")
    assert status.returncode == 0, (
        f"the lab is not up, run `make lab`:\n{status.stdout}{status.stderr}"
    )


@pytest.fixture(scope="session")
def deployed(lab_up: None) -> None:
    """Release 2 runs on all three hosts, whatever ran before. `VERIFIER_LAB=as-is` takes the hosts
    as they are: for one fault after the other while writing them.
    """
    del lab_up
    if os.environ.get("VERIFIER_LAB") == "as-is":
        do_duties()
        return
    done = run_verifier("deploy", "--inventory", "lab", "--release", "2", "--yes", "--no-rollback")
    if done.returncode != 0:
        pytest.exit(
            f"release 2 cannot be deployed on the lab:\n{done.stdout[-1500:]}", returncode=1
        )
    do_duties()


@pytest.fixture(scope="session")
def lab(deployed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabView]:
    del deployed
    with Connections() as connections:
        yield LabView(connections, tmp_path_factory.mktemp("lab"))
