from __future__ import annotations

import json
import socket
from itertools import pairwise
from pathlib import Path

import pytest

from verifier.errors import InfrastructureError
from verifier.lab.hosts import (
    HOSTS,
    HostState,
    HostStatus,
    as_json,
    as_text,
    refuse_taken_ports,
    run_arguments,
    ssh_arguments,
)
from verifier.lab.project import Project
from verifier.lab.state import LabState


@pytest.fixture
def state(tmp_path: Path) -> LabState:
    (tmp_path / "id_ed25519.pub").write_text("ssh-ed25519 AAAA verifier-lab\n")
    return LabState(tmp_path)


def test_status_as_json_is_the_list_other_programs_read() -> None:
    assert json.loads(as_json((HostStatus(HOSTS[0], HostState.RUNNING),))) == [
        {
            "name": "fwb1",
            "container": "verifier-lab-fwb1",
            "ssh_port": 2201,
            "published": {"8000": 18001, "3306": 13301},
            "groups": ["filewallball"],
            "state": "running",
        }
    ]


def test_status_as_text_has_columns_and_no_colour() -> None:
    text = as_text(tuple(HostStatus(host, HostState.ABSENT) for host in HOSTS))
    lines = text.splitlines()
    assert "\x1b" not in text
    assert len(lines) == 1 + len(HOSTS)
    assert {line.index("verifier-lab-") for line in lines[1:]} == {lines[0].index("CONTAINER")}


def test_no_two_ports_on_the_controller_are_the_same() -> None:
    ports = [outside for host in HOSTS for _, outside in host.ports]
    assert len(set(ports)) == len(ports)


def test_a_host_gets_three_capabilities_and_publishes_on_loopback_only(state: LabState) -> None:
    argv = run_arguments(HOSTS[0], Project(Path("/checkout")), state)
    pairs = list(pairwise(argv))
    added = {value for flag, value in pairs if flag == "--cap-add"}
    published = [value for flag, value in pairs if flag == "--publish"]
    assert added == {"SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE"}
    assert "--privileged" not in argv
    assert len(published) == 3
    assert all(value.startswith("127.0.0.1:") for value in published)


def test_ssh_trusts_the_pinned_key_and_no_file_of_the_user(state: LabState) -> None:
    argv = ssh_arguments(state, HOSTS[2])
    assert argv[:3] == ("ssh", "-F", "/dev/null")
    assert "StrictHostKeyChecking=yes" in argv
    assert f"UserKnownHostsFile={state.known_hosts}" in argv
    assert argv[-3:] == ("-p", "2203", "deploy@127.0.0.1")


def test_a_port_that_is_taken_is_named_with_the_way_to_find_who_took_it() -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        port = stranger.getsockname()[1]
        with pytest.raises(InfrastructureError, match=f"port {port} .* taken .*ss -ltnp"):
            refuse_taken_ports("verifier-lab-fwb1", [port])
