"""Commands run on this machine, and `ssh -G` only prints; no host is contacted."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from support import FakeShell, Recorded
from verifier.errors import CannotObserve, Unreachable
from verifier.inventory import Host, Reach
from verifier.verify.connect import CAPTURE_BYTES, Connection, Connections, _config_block


def _block(folder: Path, **reach: object) -> dict[str, str]:
    host = Host("web1", (), Reach("ssh", "192.0.2.7", **reach))  # type: ignore[arg-type]
    first, *lines = _config_block(host, folder).splitlines()
    assert first == "Host web1"
    return {key.lower(): value for key, _, value in (line.strip().partition(" ") for line in lines)}


def test_port_user_key_and_jump_host_of_the_inventory_are_kept(tmp_path: Path) -> None:
    key = tmp_path / "id"
    key.touch()
    found = _block(
        tmp_path,
        port=2222,
        user="deploy",
        key_file=str(key),
        ssh_args=("-o", "ProxyJump=jump@192.0.2.1:2200", "-o", "UserKnownHostsFile=/keys/known"),
    )
    assert found["hostname"] == "192.0.2.7"
    assert (found["port"], found["user"], found["identityfile"]) == ("2222", "deploy", str(key))
    assert found["identitiesonly"] == "yes"
    assert found["proxyjump"] == "jump@192.0.2.1:2200"
    assert found["userknownhostsfile"] == "/keys/known"
    assert found["batchmode"] == "yes"


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


def test_a_become_password_goes_through_stdin_and_is_in_no_transcript() -> None:
    seen: list[tuple[str, bytes]] = []

    def shell(command: str, timeout_s: float, stdin: bytes) -> tuple[int, bytes, bytes]:
        del timeout_s
        seen.append((command, stdin))
        return 0, b"root\n", b""

    secret = "s3cret word"  # noqa: S105  the example
    host = Host("h1", (), Reach("ssh", "h1", password=secret))
    view, transcripts = Connection(host, shell).look(become=True)
    assert view.run("id -un").stdout == "root\n"
    assert seen == [("sudo -S -p '' -u root -- /bin/sh -c 'id -un'", f"{secret}\n".encode())]
    assert transcripts[0].command == "id -un"


def test_an_argument_reaches_the_host_as_one_word() -> None:
    shell = FakeShell([Recorded("cat", "")])
    view, _ = Connection(Host("h1", (), Reach("ssh", "h1")), shell).look()
    view.run("cat %s", "a; rm -rf /")
    assert shell.asked == ["cat 'a; rm -rf /'"]
