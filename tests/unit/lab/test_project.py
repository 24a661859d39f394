from __future__ import annotations

import stat
from pathlib import Path

from verifier.document import read_document
from verifier.lab.project import Project, find_project, write_inventory
from verifier.lab.state import LabState


def test_a_checkout_is_found_from_below(tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "engine").write_text("")
    below = tmp_path / "docs" / "adr"
    below.mkdir(parents=True)
    assert find_project(below) == Project(tmp_path)


def test_a_checkout_is_told_where_the_state_is_and_gets_only_the_encrypted_secrets(
    tmp_path: Path,
) -> None:
    state = LabState(tmp_path / "상태 'x'")
    state.root.mkdir()
    state.vault_password.write_text("password\n")
    state.vault.write_text("$ANSIBLE_VAULT\n")
    write_inventory(Project(tmp_path), state)
    folder = tmp_path / "inventory" / "lab"
    variables = folder / "group_vars" / "all"
    assert read_document(variables / "lab.yml", dict[str, str]) == {
        "lab_state_dir": str(state.root)
    }
    assert (variables / "vault.yml").read_text() == "$ANSIBLE_VAULT\n"
    assert stat.S_IMODE((folder / ".vault-password").stat().st_mode) == 0o600
