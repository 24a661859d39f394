from __future__ import annotations

import stat
from pathlib import Path

import pytest

from verifier.errors import InfrastructureError
from verifier.lab.state import LabState, locked, open_state, write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_state_is_private_and_its_key_survives_a_second_opening(tmp_path: Path) -> None:
    state = open_state(tmp_path / "lab")
    key = state.key.read_bytes()
    assert (mode(state.root), mode(state.key)) == (0o700, 0o600)
    assert open_state(tmp_path / "lab").key.read_bytes() == key


def test_half_a_key_pair_is_made_again(tmp_path: Path) -> None:
    state = open_state(tmp_path / "lab")
    state.public_key.unlink()
    assert open_state(state.root).public_key.read_text().startswith("ssh-ed25519 ")


def test_a_private_file_is_private_even_where_an_open_one_was(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert (path.read_text(), mode(path)) == ("new", 0o600)


def test_a_state_directory_that_cannot_be_made_says_what_to_do(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(InfrastructureError, match="XDG_STATE_HOME"), locked(blocked / "x" / "lab"):
        pass


def test_the_lock_outlives_the_state_directory(tmp_path: Path) -> None:
    state = LabState(tmp_path / "verifier" / "lab")
    with locked(state.root):
        assert not state.root.exists()
