from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from verifier.errors import InfrastructureError
from verifier.lab import services
from verifier.lab.certificates import ensure_certificate
from verifier.lab.engine import Docker
from verifier.lab.hosts import HOSTS, HostState
from verifier.lab.secrets import NAMES
from verifier.lab.services import (
    MAIL,
    PORTS,
    PROJECTS,
    File,
    as_line,
    ensure_services,
    fingerprint_of,
    given_files,
    run_arguments,
    trust_authority,
)
from verifier.lab.state import LabState

SECRETS = {name: f"value-of-{name}" for name in NAMES}


@pytest.fixture
def state(tmp_path: Path) -> LabState:
    made = LabState(tmp_path)
    ensure_certificate(made, MAIL)
    return made


def make_client(root: Path, *, running: str, label: str = "") -> tuple[Docker, Path]:
    """A client that knows one container: `running` is true, false or none."""
    asked = root / "asked"
    client = root / "docker"
    client.write_text(
        f"""#!/bin/sh
echo "$*" >>{asked}
case "$*" in
    *State.Running*) [ {running} = none ] && exit 1; echo {running} ;;
    *verifier.lab.config*inspect* | container*verifier.lab.config*) echo {label} ;;
    *"test -e"*) exit 1 ;;
    "exec --interactive"*) sed 's/^/got /' >>{asked} ;;
esac
"""
    )
    client.chmod(0o755)
    return Docker(str(client), str(client)), asked


@pytest.fixture(autouse=True)
def _nothing_has_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "_mail_answers", lambda: True)
    monkeypatch.setattr(services, "_answers", lambda *_: True)
    monkeypatch.setattr(services, "refuse_taken_ports", lambda *_: None)


def test_the_container_answers_on_loopback_only_and_has_few_capabilities() -> None:
    argv = run_arguments("abc")
    pairs = list(pairwise(argv))
    published = [value for flag, value in pairs if flag == "--publish"]
    assert len(published) == len(PORTS)
    assert all(value.startswith("127.0.0.1:") for value in published)
    assert ("--cap-drop", "ALL") in pairs
    assert not {value for flag, value in pairs if flag == "--cap-add"} & {"SYS_ADMIN", "NET_ADMIN"}


def test_no_port_on_the_controller_is_one_of_a_host() -> None:
    taken = {outside for host in HOSTS for _, outside in host.ports}
    assert not taken & {outside for _, outside in PORTS.values()}


def test_secrets_are_handed_over_through_stdin(state: LabState, tmp_path: Path) -> None:
    docker, asked = make_client(tmp_path, running="none")
    assert ensure_services(docker, state, SECRETS) == "made"
    lines = asked.read_text().splitlines()
    assert "got value-of-vault_o4o_smtp_password" in lines
    assert "got 1 value-of-vault_o4o_error_tracking_key" in lines
    assert not any("value-of" in line for line in lines if not line.startswith("got "))


def test_the_start_signal_comes_last(state: LabState) -> None:
    names = [file.name for file in given_files(state, SECRETS)]
    assert names[-1] == "ready"
    assert set(PROJECTS.values()) <= set(NAMES)


def test_a_running_container_of_the_same_making_stays(state: LabState, tmp_path: Path) -> None:
    label = fingerprint_of(given_files(state, SECRETS), "")
    docker, asked = make_client(tmp_path, running="true", label=label)
    assert ensure_services(docker, state, SECRETS) == "running"
    assert not [line for line in asked.read_text().splitlines() if line.startswith(("rm", "run"))]


def test_a_stopped_one_is_started(state: LabState, tmp_path: Path) -> None:
    label = fingerprint_of(given_files(state, SECRETS), "")
    docker, asked = make_client(tmp_path, running="false", label=label)
    assert ensure_services(docker, state, SECRETS) == "started"
    assert "start verifier-lab-services" in asked.read_text().splitlines()


def test_one_with_other_secrets_is_made_anew(state: LabState, tmp_path: Path) -> None:
    docker, asked = make_client(tmp_path, running="true", label="older")
    assert ensure_services(docker, state, SECRETS) == "made"
    assert "rm --force --volumes verifier-lab-services" in asked.read_text().splitlines()


def test_the_fingerprint_follows_files_and_image() -> None:
    one, other = (File("a", "1"),), (File("a", "2"),)
    assert (
        len({fingerprint_of(one, "i"), fingerprint_of(other, "i"), fingerprint_of(one, "j")}) == 3
    )


def test_one_that_never_answers_is_named_with_its_log(
    state: LabState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "_answers", lambda *_: False)
    monkeypatch.setattr(services, "READY_SECONDS", 0)
    docker, _ = make_client(tmp_path, running="none")
    with pytest.raises(InfrastructureError, match="tracker did not answer") as caught:
        ensure_services(docker, state, SECRETS)
    assert "/var/log/tracker.log" in str(caught.value)


def test_the_line_below_the_table_says_where_each_answers() -> None:
    line = as_line(HostState.STOPPED)
    assert line.startswith("services  stopped  verifier-lab-services  ")
    assert all(f"{name} 127.0.0.1:{outside}" in line for name, (_, outside) in PORTS.items())


def test_every_host_gets_the_certificate_of_the_authority(state: LabState, tmp_path: Path) -> None:
    docker, asked = make_client(tmp_path, running="true")
    trust_authority(docker, state)
    assert asked.read_text().count("got -----BEGIN CERTIFICATE-----") == len(HOSTS)
