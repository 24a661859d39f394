"""What is wrong is one line on stderr and the documented code; nothing that looks like success."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from acceptance.ledger import Ledger, state_of

pytestmark = pytest.mark.lab

HOSTS = "inventory/lab/hosts.yml"
BINDING = "checklists/filewallball.yml"


def _replace(file: str, old: str, new: str) -> Callable[[Path], None]:
    def spoil(project: Path) -> None:
        text = (project / file).read_text(encoding="utf-8")
        assert old in text, f"{file} has no {old!r}"
        (project / file).write_text(text.replace(old, new, 1), encoding="utf-8")

    return spoil


def _write(file: str, text: str) -> Callable[[Path], None]:
    def spoil(project: Path) -> None:
        (project / file).write_text(text, encoding="utf-8")

    return spoil


def _leave(project: Path) -> None:
    del project


TABLE: dict[str, tuple[Callable[[Path], None], tuple[str, ...], str]] = {
    "zero hosts": (_write(HOSTS, "all: {}\n"), (), "inventory has no hosts"),
    "zero items": (_write("checklists/o4o.md", "# 빈 목록\n"), (), "has no line to tick off"),
    "no item for the host": (
        _leave,
        ("--limit", "o4o1", "--checklist", "filewallball"),
        "nothing to verify",
    ),
    "a typo in --limit": (_leave, ("--limit", "filewallbal"), "'filewallbal' is no host"),
    "a typo in a target": (
        _replace(BINDING, "target: filewallball", "target: filewalball"),
        (),
        "target 'filewalball' matches no host and no group",
    ),
    "a typo in --item": (_leave, ("--item", "fwb.env.99"), "no item 'fwb.env.99'"),
    "bad YAML in the inventory": (_write(HOSTS, "all: {hosts: [\n"), (), "hosts.yml"),
    "bad YAML in a binding": (
        _replace(BINDING, "items:", "items: ]"),
        (),
        "filewallball.yml:",
    ),
    "an unknown check": (
        _replace(BINDING, "check: port", "check: prot"),
        (),
        "unknown check 'prot' (did you mean 'port'?)",
    ),
    "an unknown parameter": (
        _replace(BINDING, "check: port\n    with:\n", "check: port\n    with:\n      nunber: 1\n"),
        (),
        "unknown parameter 'nunber'",
    ),
    "a missing variable": (
        _replace("inventory/lab/group_vars/filewallball/health.yml", "app_port: 8000", "# gone"),
        (),
        "'app_port' is undefined",
    ),
    "a wrong vault password": (_write("inventory/lab/.vault-password", "wrong\n"), (), "vault"),
    "a release that is a path": (_leave, ("--release", "../1"), "'../1' is no release name"),
}


@pytest.mark.parametrize("what", TABLE)
@pytest.mark.parametrize("command", ["verify", "deploy"])
def test_a_mistake_is_one_line_and_code_2_before_any_host_is_asked(
    what: str, command: str, project: Path, ledger: Ledger
) -> None:
    spoil, words, says = TABLE[what]
    spoil(project)
    consent = ("--yes",) if command == "deploy" else ()
    done = ledger.run(command, "--inventory", "lab", *words, *consent, project=project)
    assert (done.code, done.out) == (2, ""), done
    assert says in done.err
    assert re.fullmatch(r"error: [^\n]+\n", done.err), done
    assert not (project / ".verifier").exists()


def test_a_wrong_inventory_name_says_which_there_are(project: Path, ledger: Ledger) -> None:
    done = ledger.run("verify", "--inventory", "lba", project=project)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert "known: lab" in done.err


def _wrong_key(project: Path) -> None:
    key = project / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    connection = "inventory/lab/group_vars/all/connection.yml"
    _replace(connection, '"{{ lab_state_dir }}/id_ed25519"', str(key))(project)


def _wrong_host_key(project: Path) -> None:
    (project / "known_hosts").write_text("")
    connection = "inventory/lab/group_vars/all/connection.yml"
    _replace(connection, "{{ lab_state_dir }}/known_hosts", str(project / "known_hosts"))(project)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_replace(HOSTS, "ansible_port: 2202", "ansible_port: 1"), "Connection refused"),
        (_wrong_key, "the host refuses the key"),
        (_wrong_host_key, "the host key is not the pinned one"),
    ],
    ids=["unreachable", "wrong key", "wrong host key"],
)
def test_a_host_that_cannot_be_reached_is_code_3_and_one_line(
    spoil: Callable[[Path], None], says: str, project: Path, ledger: Ledger
) -> None:
    spoil(project)
    done = ledger.run("verify", "--inventory", "lab", "--limit", "fwb2", project=project)
    assert done.code == 3, done
    errors = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert re.match(rf"error: fwb2 is unreachable: .*{says}", errors[0])
    assert done.err.count(says) <= 2, "said once as it happens and once at the end"
    assert "Traceback" not in done.out + done.err
    assert "Gate CLOSED" in done.out
    assert {r["outcome"] for r in done.saved("results")} <= {
        "error",
        "not_checked",
        "not_applicable",
    }


@pytest.mark.usefixtures("deployed")
def test_one_unreachable_host_of_three_means_no_change_anywhere(
    project: Path, ledger: Ledger
) -> None:
    _replace(HOSTS, "ansible_port: 2202", "ansible_port: 1")(project)
    before = {host: state_of(host) for host in ("fwb1", "o4o1")}
    done = ledger.run("deploy", "--inventory", "lab", "--release", "1", "--yes", project=project)
    assert done.code == 3, done
    assert "no change was made: a host is unreachable" in done.out
    assert "error: fwb2 is unreachable: " in done.err
    assert {host: state_of(host) for host in before} == before
