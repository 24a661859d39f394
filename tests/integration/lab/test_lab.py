from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from verifier.lab.hosts import HOSTS, LabHost, ssh_arguments
from verifier.lab.state import LabState

pytestmark = pytest.mark.lab

FWB1, FWB2, _ = HOSTS


@pytest.fixture(scope="module")
def state() -> LabState:
    verifier("lab", "up")
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return LabState(Path(home) / "verifier" / "lab")


def verifier(*args: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "verifier", *args], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done


def ssh(state: LabState, host: LabHost, command: str) -> subprocess.CompletedProcess[str]:
    return run(*ssh_arguments(state, host), command)


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60)


def containers() -> str:
    return run("docker", "ps", "--quiet", "--no-trunc", "--filter", "name=verifier-lab-").stdout


def test_a_second_up_changes_nothing(state: LabState) -> None:
    before = (containers(), state.known_hosts.read_text(), state.vault.read_text())
    told = verifier("lab", "up").stderr
    assert (containers(), state.known_hosts.read_text(), state.vault.read_text()) == before
    assert ": built" not in told
    assert ": pushed" not in told
    assert ": made" not in told


@pytest.mark.usefixtures("state")
def test_status_says_that_all_hosts_run() -> None:
    listed = json.loads(verifier("lab", "status", "--format", "json").stdout)
    assert [(host["name"], host["state"]) for host in listed] == [
        ("fwb1", "running"),
        ("fwb2", "running"),
        ("o4o1", "running"),
    ]


def test_a_password_is_not_even_asked_for(state: LabState) -> None:
    *argv, login = ssh_arguments(state, FWB1)
    refused = run(*argv, "-o", "PubkeyAuthentication=no", login, "true")
    assert refused.returncode == 255
    assert "Permission denied (publickey)" in refused.stderr


def test_root_is_refused_with_the_right_key(state: LabState) -> None:
    *argv, _ = ssh_arguments(state, FWB1)
    refused = run(*argv, "root@127.0.0.1", "true")
    assert refused.returncode == 255
    assert "Permission denied" in refused.stderr


def test_a_host_with_another_key_than_the_pinned_one_is_refused(
    state: LabState, tmp_path: Path
) -> None:
    pinned = {line.split()[0]: line.split(maxsplit=1)[1] for line in known_hosts(state)}
    wrong = tmp_path / "known_hosts"
    wrong.write_text(f"[127.0.0.1]:2201 {pinned['[127.0.0.1]:2202']}\n")
    argv = [part.replace(str(state.known_hosts), str(wrong)) for part in ssh_arguments(state, FWB1)]
    refused = run(*argv, "true")
    assert refused.returncode == 255
    assert "Host key verification failed" in refused.stderr


def test_many_refused_logins_do_not_lock_the_controller_out(state: LabState) -> None:
    *argv, _ = ssh_arguments(state, FWB2)
    for _ in range(5):
        assert run(*argv, "root@127.0.0.1", "true").returncode == 255
    assert ssh(state, FWB2, "true").returncode == 0


def test_a_reset_host_is_fresh_has_a_new_key_and_the_old_secrets(state: LabState) -> None:
    ssh(state, FWB1, "sudo install -d -o deploy /srv/filewallball && docker volume create left")
    before = (known_hosts(state), state.secrets.read_text())
    verifier("lab", "reset")
    left = ssh(state, FWB1, "ls -A /srv; docker volume ls --quiet; docker images --quiet")
    assert (left.returncode, left.stdout) == (0, "")
    assert not set(known_hosts(state)) & set(before[0])
    assert state.secrets.read_text() == before[1]


def known_hosts(state: LabState) -> list[str]:
    return state.known_hosts.read_text().splitlines()
