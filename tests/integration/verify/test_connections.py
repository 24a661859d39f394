from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from verifier.errors import CannotObserve, Unreachable
from verifier.inventory import Host, Inventory, Reach
from verifier.verify.connect import Connections

pytestmark = pytest.mark.lab

SUDO_PASSWORD = "correct horse battery"  # noqa: S105  see conftest.py


@pytest.fixture
def connections() -> Iterator[Connections]:
    with Connections() as opened:
        yield opened


def _said(connections: Connections, host: Host, command: str, *, become: bool = False) -> str:
    view, _ = connections.open(host).look(become=become)
    return view.run(command).stdout.strip()


def _in_box(box: str, user: str = "", password: str = "") -> Host:
    return Host(f"box-{user}", (), Reach("docker", box, user=user, password=password))


def _with(host: Host, **changes: object) -> Host:
    return replace(host, reach=replace(host.reach, **changes))  # type: ignore[arg-type]


def _pinned(state: Path, port: int) -> str:
    """The pinned key of the lab host at `port`, without the address before it."""
    lines = (state / "known_hosts").read_text().splitlines()
    return next(x for x in lines if x.startswith(f"[127.0.0.1]:{port} ")).split(maxsplit=1)[1]


def test_a_local_host_a_container_and_an_ssh_host_answer_alike(
    connections: Connections, fwb1: Host, box: str
) -> None:
    ways = (Host("here", (), Reach("local", "here")), _in_box(box), fwb1)
    for host in ways:
        assert _said(connections, host, "echo '한글 $HOME'; exit 3") == "한글 $HOME"
    assert _said(connections, ways[2], "hostname") == "fwb1"


def test_many_looks_share_one_connection(connections: Connections, fwb1: Host) -> None:
    with ThreadPoolExecutor(16) as pool:
        ends = set(pool.map(lambda _: _said(connections, fwb1, "echo $SSH_CONNECTION"), range(24)))
    assert len(ends) == 1
    assert ends != {""}


def test_an_exit_code_of_255_is_an_answer_and_no_broken_line(
    connections: Connections, fwb1: Host
) -> None:
    view, _ = connections.open(fwb1).look()
    assert view.run("exit 255").rc == 255


def test_a_command_that_hangs_on_a_host_ends_in_time(connections: Connections, fwb1: Host) -> None:
    view, _ = connections.open(fwb1).look(timeout_s=0.5)
    began = time.monotonic()
    with pytest.raises(CannotObserve, match=r"no answer in 0.5 s"):
        view.run("sleep 45")
    assert time.monotonic() - began < 10
    assert _said(connections, fwb1, "echo still here") == "still here"


def test_a_container_is_entered_as_the_user_the_inventory_names(
    connections: Connections, box: str
) -> None:
    assert _said(connections, _in_box(box), "id -un") == "root"
    assert _said(connections, _in_box(box, "guest"), "id -un") == "guest"


def test_becoming_root_needs_no_password_where_sudo_asks_for_none(
    connections: Connections, fwb1: Host
) -> None:
    assert _said(connections, fwb1, "id -un") == "deploy"
    assert _said(connections, fwb1, "id -un", become=True) == "root"


def test_becoming_root_with_the_right_password(connections: Connections, box: str) -> None:
    person = _in_box(box, "person", SUDO_PASSWORD)
    assert _said(connections, person, "id -un", become=True) == "root"
    # The second time sudo may not ask: what it did not read must not be the command's input.
    assert _said(connections, person, "cat", become=True) == ""


def test_becoming_root_with_a_wrong_password_is_no_answer(
    connections: Connections, box: str
) -> None:
    with pytest.raises(CannotObserve, match=r"become failed: .*incorrect password"):
        _said(connections, _in_box(box, "guest", "wrong"), "id -un", become=True)


def test_becoming_root_without_the_right_to_is_no_answer(
    connections: Connections, box: str
) -> None:
    with pytest.raises(CannotObserve, match=r"become failed: .*not in the sudoers file"):
        _said(connections, _in_box(box, "guest", SUDO_PASSWORD), "id -un", become=True)


def test_becoming_root_without_a_password_that_is_asked_for_is_no_answer(
    connections: Connections, box: str
) -> None:
    with pytest.raises(CannotObserve, match=r"become failed: sudo: a password is required"):
        _said(connections, _in_box(box, "guest"), "id -un", become=True)


def test_a_wrong_key_is_said(connections: Connections, fwb1: Host, tmp_path: Path) -> None:
    key = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    with pytest.raises(Unreachable, match="the host refuses the key"):
        connections.open(_with(fwb1, key_file=str(key)))


def test_a_host_key_that_is_not_the_pinned_one_is_said(
    connections: Connections, fwb1: Host, state: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "known_hosts"
    wrong.write_text(f"[127.0.0.1]:{fwb1.reach.port} {_pinned(state, 2202)}\n")
    args = tuple(a.replace(str(state / "known_hosts"), str(wrong)) for a in fwb1.reach.ssh_args)
    assert args != fwb1.reach.ssh_args
    with pytest.raises(Unreachable, match="the host key is not the pinned one"):
        connections.open(_with(fwb1, ssh_args=args))


def test_a_port_nobody_listens_on_is_said_and_asked_once(
    connections: Connections, fwb1: Host
) -> None:
    dead = _with(fwb1, port=1)
    with pytest.raises(Unreachable, match="Connection refused") as first:
        connections.open(dead)
    with pytest.raises(Unreachable) as second:
        connections.open(dead)
    assert first.value is second.value


def test_a_container_that_does_not_run_is_said(connections: Connections) -> None:
    with pytest.raises(Unreachable, match=r"container does not answer: .*No such container"):
        connections.open(Host("gone", (), Reach("docker", "verifier-no-such-container")))


def test_a_host_behind_a_jump_host_is_reached_through_it(
    connections: Connections, lab_inventory: Inventory, state: Path, tmp_path: Path
) -> None:
    fwb1, fwb2 = lab_inventory.host("fwb1").reach, lab_inventory.host("fwb2").reach
    known, config = tmp_path / "known_hosts", tmp_path / "ssh.cfg"
    known.write_text(f"verifier-lab-fwb2 {_pinned(state, fwb2.port)}\n")
    config.write_text(
        f"Host bastion\n  HostName 127.0.0.1\n  Port {fwb1.port}\n  User {fwb1.user}\n"
        f"  IdentityFile {fwb1.key_file}\n  UserKnownHostsFile {state / 'known_hosts'}\n"
    )
    hidden = Host(
        "hidden",
        (),
        Reach(
            "ssh", "verifier-lab-fwb2", user=fwb2.user, key_file=fwb2.key_file,
            ssh_args=("-F", str(config), "-o", "ProxyJump=bastion", "-o", f"UserKnownHostsFile={known}"),
        ),
    )  # fmt: skip
    assert _said(connections, hidden, "hostname") == "fwb2"
    came_from = _said(connections, hidden, "echo $SSH_CONNECTION").split()[0]
    addresses = _said(connections, lab_inventory.host("fwb1"), "hostname -I").split()
    assert came_from in addresses
