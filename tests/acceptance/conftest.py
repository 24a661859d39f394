"""Whole commands on the lab. What takes long is done once and shared by the tests that look at it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from acceptance.ledger import Done, Ledger, Sampler, Watched
from lab import ROOT
from verifier.document import parse_yaml


@pytest.fixture(scope="session")
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture(scope="session")
def again(deployed: None, ledger: Ledger) -> Watched:
    """Release 2 deployed where release 2 runs."""
    del deployed
    sampler = Sampler()
    sampler.start()
    done = ledger.run("deploy", "--inventory", "lab", "--release", "2", "--yes", "--no-rollback")
    sampler.stop()
    return Watched(done, frozenset(sampler.here), frozenset(sampler.hosts))


@pytest.fixture(scope="session")
def verified(deployed: None, ledger: Ledger) -> Done:
    """All of the lab, as a machine asks for it."""
    del deployed
    return ledger.run("verify", "--inventory", "lab", "--reporter", "json:-")


@pytest.fixture
def project(lab_up: None, tmp_path: Path) -> Path:
    """The lab's inventory and checklists in a folder of their own, to be spoilt."""
    del lab_up
    folder = tmp_path / "project"
    shutil.copytree(ROOT / "inventory" / "lab", folder / "inventory" / "lab")
    shutil.copytree(ROOT / "checklists", folder / "checklists")
    (folder / "lab").symlink_to(ROOT / "lab")
    return folder


@pytest.fixture(scope="session")
def secrets(lab_up: None) -> dict[str, str]:
    """The lab's vault in clear, by ansible-vault itself."""
    del lab_up
    vault = ROOT / "inventory" / "lab" / "group_vars" / "all" / "vault.yml"
    password = ROOT / "inventory" / "lab" / ".vault-password"
    program = str(Path(sys.executable).with_name("ansible-vault"))
    words = [program, "view", "--vault-password-file", str(password), str(vault)]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    found = parse_yaml(shown, where="vault")
    assert isinstance(found, dict)
    own = {"vault-password": password.read_text().strip()}
    return own | {str(key): str(value) for key, value in found.items()}
