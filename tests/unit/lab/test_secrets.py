from __future__ import annotations

import stat
from pathlib import Path

from verifier.lab import secrets
from verifier.lab.secrets import ALPHABET, LENGTH, NAMES, ensure_secrets, random_secret
from verifier.lab.state import LabState, write_private


def test_secrets_are_made_once_and_the_vault_shows_none_of_them(tmp_path: Path) -> None:
    state = LabState(tmp_path)
    first = ensure_secrets(state)
    vault = state.vault.read_text()
    assert set(first) == set(NAMES)
    assert vault.startswith("$ANSIBLE_VAULT;1.1;AES256")
    assert not any(value in vault for value in first.values())
    assert ensure_secrets(state) == first
    assert state.vault.read_text() == vault
    assert stat.S_IMODE(state.secrets.stat().st_mode) == 0o600


def test_a_secret_a_newer_version_asks_for_is_added_and_the_others_stay(tmp_path: Path) -> None:
    state = LabState(tmp_path)
    write_private(state.secrets, f'{NAMES[0]}: "kept"\n')
    made = ensure_secrets(state)
    assert made[NAMES[0]] == "kept"
    assert set(made) == set(NAMES)


def test_a_secret_reads_the_same_in_every_env_file() -> None:
    for _ in range(200):
        secret = random_secret()
        assert len(secret) == LENGTH
        assert set(secret) <= set(ALPHABET)
        assert secret[0].isalpha()


def test_names_of_secrets_say_that_they_come_from_the_vault() -> None:
    assert all(name.startswith("vault_") for name in secrets.NAMES)
