from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from verifier.errors import UsageError
from verifier.inventory import Inventory, load_inventory

HOSTS = """
all:
  children:
    web:
      hosts:
        w1: {ansible_host: 192.0.2.1}
        w2: {ansible_host: 192.0.2.2}
    db:
      hosts:
        d1: {ansible_host: 192.0.2.3}
"""


def _project(tmp_path: Path, hosts: str = HOSTS, **files: str) -> Path:
    folder = tmp_path / "inventory" / "env"
    folder.mkdir(parents=True)
    (folder / "hosts.yml").write_text(hosts)
    for name, text in files.items():
        file = folder / "group_vars" / "all" / f"{name}.yml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def _load(project: Path, name: str = "env") -> Inventory:
    return load_inventory(name, project=project)


def test_hosts_groups_and_variables_are_those_ansible_sees(tmp_path: Path) -> None:
    found = _load(
        _project(tmp_path, vars="port: 8000\nurl: 'http://{{ ansible_host }}:{{ port }}/'\n")
    )
    assert [(h.name, h.groups) for h in found.hosts] == [
        ("d1", ("db",)),
        ("w1", ("web",)),
        ("w2", ("web",)),
    ]
    assert found.host("w1").variable("url") == "http://192.0.2.1:8000/"


def test_an_executable_inventory_and_a_plain_path_work(tmp_path: Path) -> None:
    script = tmp_path / "dynamic.py"
    listing = (
        '{"web": {"hosts": ["a"]}, "_meta": {"hostvars": {"a": {"ansible_host": "192.0.2.9"}}}}'
    )
    script.write_text(f"#!{sys.executable}\nprint('{listing}')\n")
    script.chmod(0o755)
    assert _load(tmp_path, str(script)).host("a").reach.address == "192.0.2.9"


@pytest.mark.parametrize(
    ("hosts", "name", "complaint"),
    [
        (HOSTS, "prodd", r"no inventory 'prodd' \(known: env\)"),
        ("all: {hosts: {}}\n", "env", "inventory has no hosts"),
        ("all: [unclosed\n", "env", "env"),
        (
            "all: {hosts: {a: {ansible_host: 192.0.2.1}, b: {ansible_host: 192.0.2.1}}}\n",
            "env",
            "'a' and 'b' are the same machine",
        ),
        (
            "all: {hosts: {a: {ansible_connection: winrm}}}\n",
            "env",
            "connection 'winrm' is not supported",
        ),
        ("all: {hosts: {a: {ansible_port: abc}}}\n", "env", "ansible_port 'abc' is no port"),
        (
            "all: {hosts: {a: {ansible_ssh_common_args: '-o \"x'}}}\n",
            "env",
            "ssh arguments are not understood: No closing quotation",
        ),
        (
            "all: {hosts: {a: {port: 1, port: 2}}}\n",
            "env",
            "port",
        ),
        (
            "all: {hosts: {a: {release_app: CHANGE_ME_app}, b: {env: {KEY: '{{ CHANGE_ME_key }}'}}}}\n",
            "env",
            "is not filled in yet: env, release_app .*CHANGE_ME",
        ),
    ],
)
def test_an_inventory_that_cannot_be_used_is_one_clear_error(
    tmp_path: Path, hosts: str, name: str, complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint) as caught:
        _load(_project(tmp_path, hosts), name)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("web", ["w1", "w2"]),
        ("all,!w1", ["d1", "w2"]),
        ("web:&w1", ["w1"]),
        ("d1,w2", ["d1", "w2"]),
        ("d1, w2", ["d1", "w2"]),
        ("!web", ["d1"]),
        ("w*", ["w1", "w2"]),
    ],
)
def test_limits_are_ansible_patterns(tmp_path: Path, pattern: str, names: list[str]) -> None:
    assert [h.name for h in _load(_project(tmp_path)).matching(pattern)] == names


def test_a_typo_in_a_group_names_what_is_known(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"'webb' is no host and no group of .*known: d1, db, w1, w2, web"
    ):
        _load(_project(tmp_path)).matching("webb")


def test_vaulted_values_are_read_and_known_as_secrets(tmp_path: Path) -> None:
    project = _project(
        tmp_path, vault="vault_key: s3cret-value-1\n", plain="key: '{{ vault_key }}'\n"
    )
    folder = project / "inventory" / "env"
    (folder / ".vault-password").write_text("open sesame\n")
    ansible_vault = Path(sys.executable).with_name("ansible-vault")
    subprocess.run(
        [ansible_vault, "encrypt", "--vault-password-file", folder / ".vault-password",
         folder / "group_vars" / "all" / "vault.yml"],
        check=True, capture_output=True,
    )  # fmt: skip
    found = _load(project)
    assert found.host("w1").variable("key") == "s3cret-value-1"
    assert "s3cret-value-1" in found.secrets
    assert "s3cret" not in repr(found)


def test_a_value_that_is_encrypted_on_its_own_is_known_as_a_secret_too(tmp_path: Path) -> None:
    project = _project(tmp_path)
    folder = project / "inventory" / "env"
    password = folder / ".vault-password"
    password.write_text("open sesame\n")
    made = subprocess.run(
        [Path(sys.executable).with_name("ansible-vault"), "encrypt_string", "--vault-password-file",
         password, "alone-in-its-file", "--name", "KEY"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    inner = made.stdout.replace("\n", "\n  ")
    (folder / "group_vars" / "all").mkdir(parents=True, exist_ok=True)
    (folder / "group_vars" / "all" / "inline.yml").write_text(f"settings:\n  {inner}\n")
    found = _load(project)
    assert found.host("w1").variable("settings") == {"KEY": "alone-in-its-file"}
    assert "alone-in-its-file" in found.secrets


def test_a_wrong_vault_password_is_one_clear_error(tmp_path: Path) -> None:
    test_vaulted_values_are_read_and_known_as_secrets(tmp_path)
    (tmp_path / "inventory" / "env" / ".vault-password").write_text("wrong\n")
    with pytest.raises(UsageError, match=r"ecrypt|vault"):
        _load(tmp_path)


@pytest.mark.parametrize("pattern", ["", " , "])
def test_a_pattern_without_a_word_is_an_error(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(UsageError, match="names no host"):
        _load(_project(tmp_path)).matching(pattern)


def test_the_current_folders_ansible_cfg_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ansible.cfg").write_text("junk\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANSIBLE_FORKS", "abc")
    assert len(_load(_project(tmp_path)).hosts) == 3
