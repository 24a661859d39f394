"""Commands run on this machine, and `ssh -G` only prints; no host is contacted."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from support import FakeShell, Recorded
from verifier.errors import CannotObserve, Unreachable
from verifier.inventory import Host, Reach
from verifier.verify.connect import CAPTURE_BYTES, Connection, Connections, Shell, _config_block


def _blocks(folder: Path, **reach: object) -> dict[str, dict[str, str]]:
    host = Host("web1", (), Reach("ssh", "192.0.2.7", **reach))  # type: ignore[arg-type]
    found: dict[str, dict[str, str]] = {}
    for line in _config_block(host, folder).splitlines():
        key, _, value = line.strip().partition(" ")
        if key == "Host":
            found[value] = {}
        else:
            list(found.values())[-1][key.lower()] = value.strip('"')
    return found


def _block(folder: Path, **reach: object) -> dict[str, str]:
    return _blocks(folder, **reach)["web1"]


def test_port_user_and_key_of_the_inventory_are_kept(tmp_path: Path) -> None:
    key = tmp_path / "id"
    key.touch()
    found = _block(
        tmp_path,
        port=2222,
        user="deploy",
        key_file=str(key),
        ssh_args=("-o", "UserKnownHostsFile=/keys/known"),
    )
    assert found["hostname"] == "192.0.2.7"
    assert (found["port"], found["user"], found["identityfile"]) == ("2222", "deploy", str(key))
    assert found["identitiesonly"] == "yes"
    assert found["userknownhostsfile"] == "/keys/known"
    assert found["batchmode"] == "yes"


def test_a_jump_host_is_reached_as_its_own_address_user_and_port_say(tmp_path: Path) -> None:
    found = _blocks(tmp_path, ssh_args=("-o", "ProxyJump=jump@192.0.2.1:2200,192.0.2.2"))
    assert found["web1"]["proxyjump"] == "web1-jump1,web1-jump2"
    first, second = found["web1-jump1"], found["web1-jump2"]
    assert (first["hostname"], first["user"], first["port"]) == ("192.0.2.1", "jump", "2200")
    assert (second["hostname"], second["port"]) == ("192.0.2.2", "22")
    assert first["batchmode"] == "yes"


def test_a_jump_host_that_only_a_given_ssh_configuration_knows_is_found_there(
    tmp_path: Path,
) -> None:
    config = tmp_path / "ssh.cfg"
    config.write_text("Host bastion\n  HostName 192.0.2.9\n  User eve\n  Port 2299\n")
    for words in (("-F", str(config)), (f"-F{config}",)):
        found = _blocks(tmp_path, ssh_args=(*words, "-J", "bastion"))["web1-jump1"]
        assert (found["hostname"], found["user"], found["port"]) == ("192.0.2.9", "eve", "2299")


def test_a_proxy_command_is_kept_word_for_word(tmp_path: Path) -> None:
    command = "ssh -W %h:%p -p 2201 deploy@192.0.2.1"
    found = _block(tmp_path, ssh_args=("-o", f"ProxyCommand={command}"))
    assert found["proxycommand"] == command


def test_a_key_file_that_is_not_there_is_said_and_no_other_key_is_tried(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="there is no key file /nowhere/id"):
        _block(tmp_path, key_file="/nowhere/id")


def test_unknown_host_keys_are_refused_unless_the_inventory_says_otherwise(tmp_path: Path) -> None:
    assert _block(tmp_path)["stricthostkeychecking"] in ("yes", "true")
    asked = _block(tmp_path, ssh_args=("-o", "StrictHostKeyChecking=accept-new"))
    assert asked["stricthostkeychecking"] == "accept-new"


def test_nothing_of_the_persons_agent_is_forwarded(tmp_path: Path) -> None:
    found = _block(tmp_path, ssh_args=("-o", "ForwardAgent=yes"))
    assert found["forwardagent"] == "no"


def test_ssh_arguments_that_make_no_sense_are_said(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="ssh arguments are not understood"):
        _block(tmp_path, ssh_args=("-o", "NoSuchOption=1"))


def test_a_command_that_does_not_end_is_no_answer_and_leaves_no_process() -> None:
    with Connections() as connections:
        view, _ = connections.controller().look(timeout_s=0.3)
        began = time.monotonic()
        with pytest.raises(CannotObserve, match=r"no answer in 0.3 s: `sleep 987.5`"):
            view.run("sleep 987.5")
        assert time.monotonic() - began < 5
        later, _ = connections.controller().look()
        assert later.run("pgrep -fx %s", "sleep 987.5").rc == 1


def test_what_a_command_leaves_behind_does_not_hold_its_answer_back() -> None:
    with Connections() as connections:
        view, _ = connections.controller().look()
        began = time.monotonic()
        assert view.run("sleep 12.25 & echo started").stdout == "started\n"
        assert time.monotonic() - began < 9
        view.run("pkill -fx 'sleep 12.25'")


def test_output_without_end_is_cut_in_its_middle_and_says_so() -> None:
    with Connections() as connections:
        view, _ = connections.controller().look()
        found = view.run("head -c 6000000 /dev/zero | tr '\\0' a; echo end").stdout
    assert len(found) < CAPTURE_BYTES + 100
    assert "bytes cut" in found
    assert found.endswith("aend\n")


def test_bytes_that_are_no_text_do_not_break_a_look() -> None:
    with Connections() as connections:
        view, _ = connections.controller().look()
        assert view.run("printf '\\377\\n한글'").stdout == "\ufffd\n한글"


def _sudo(seen: list[tuple[str, bytes]], before: bytes = b"") -> Shell:
    def shell(command: str, timeout_s: float, stdin: bytes) -> tuple[int, bytes, bytes]:
        del timeout_s
        seen.append((command, stdin))
        mark = re.findall(r"echo ([0-9a-f]{16}) >&2", command)[0]
        return 1, b"root\n", before + f"{mark}\nown words\n".encode()

    return shell


def test_a_become_password_goes_through_stdin_and_is_in_no_transcript() -> None:
    seen: list[tuple[str, bytes]] = []
    secret = "s3cret word"  # noqa: S105  the example
    host = Host("h1", (), Reach("ssh", "h1", password=secret))
    view, transcripts = Connection(host, _sudo(seen)).look(become=True)
    assert view.run("id -un").stdout == "root\n"
    ((command, stdin),) = seen
    assert command.startswith("sudo -S -p '' -u root -- /bin/sh -c 'exec </dev/null;")
    assert secret not in command
    assert stdin == f"{secret}\n".encode()
    assert transcripts[0].command == "id -un"


def test_what_sudo_says_before_the_command_is_not_the_commands_own() -> None:
    host = Host("h1", (), Reach("ssh", "h1"))
    view, _ = Connection(host, _sudo([], b"sudo: unable to resolve host h1\n")).look(become=True)
    found = view.run("id -un")
    assert (found.rc, found.stderr) == (1, "own words\n")


def test_an_argument_reaches_the_host_as_one_word() -> None:
    shell = FakeShell([Recorded("cat", "")])
    view, _ = Connection(Host("h1", (), Reach("ssh", "h1")), shell).look()
    view.run("cat %s", "a; rm -rf /")
    assert shell.asked == ["cat 'a; rm -rf /'"]
