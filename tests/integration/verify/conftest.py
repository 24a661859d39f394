"""Ways to reach real hosts: the lab's over ssh, and a container of their image that nobody else
uses.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import ROOT
from verifier.inventory import Host, Inventory, load_inventory

SUDO_PASSWORD = "correct horse battery"  # noqa: S105  of a user of a container that lives for a minute


@pytest.fixture(scope="session")
def lab_inventory(lab_up: None) -> Inventory:
    del lab_up
    return load_inventory("lab", project=ROOT)


@pytest.fixture(scope="session")
def fwb1(lab_inventory: Inventory) -> Host:
    return lab_inventory.host("fwb1")


@pytest.fixture(scope="session")
def state(fwb1: Host) -> Path:
    return Path(str(fwb1.variable("lab_state_dir")))


@pytest.fixture(scope="session")
def box(lab_up: None) -> Iterator[str]:
    """A container with `person`, who may call sudo with a password, and `guest`, who may not."""
    del lab_up
    started = (
        "docker",
        "run",
        "--rm",
        "--detach",
        "--entrypoint",
        "sleep",
        "verifier-lab/host:latest",
        "600",
    )
    name = subprocess.run(started, capture_output=True, text=True, check=True).stdout.strip()  # fmt: skip
    users = (
        "useradd -m -G sudo person && useradd -m guest"
        f" && echo 'person:{SUDO_PASSWORD}' | chpasswd && echo 'guest:{SUDO_PASSWORD}' | chpasswd"
    )
    subprocess.run(["docker", "exec", name, "sh", "-ec", users], check=True)
    yield name
    subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=True)
