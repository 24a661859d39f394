"""The lab's state directory: one per user, mode 0700, shared by every checkout on the machine.
Holds where things are, how a private file is written, and the lock that keeps two `lab` commands
apart; makes no container.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from verifier.errors import InfrastructureError


@dataclass(frozen=True, slots=True)
class LabState:
    root: Path

    @property
    def key(self) -> Path:
        return self.root / "id_ed25519"

    @property
    def public_key(self) -> Path:
        return self.root / "id_ed25519.pub"

    @property
    def known_hosts(self) -> Path:
        return self.root / "known_hosts"

    @property
    def vault_password(self) -> Path:
        return self.root / "vault-password"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets.yml"

    @property
    def vault(self) -> Path:
        return self.root / "vault.yml"

    @property
    def certificates(self) -> Path:
        return self.root / "certificates"

    @property
    def ca_certificate(self) -> Path:
        return self.certificates / "ca.crt"

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"


def open_state(root: Path) -> LabState:
    """The state directory, made if it is missing, with an ssh key of its own. Raises
    InfrastructureError.
    """
    state = LabState(root)
    try:
        state.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        state.root.chmod(0o700)
        state.artifacts.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise _unusable(root, error) from error
    if not (state.key.is_file() and state.public_key.is_file()):
        _make_key(state)
    return state


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Waits until no other `lab` command changes this lab. The lock is beside the directory, which
    may be removed.
    """
    try:
        root.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = root.with_name(root.name + ".lock").open("w")
    except OSError as error:
        raise _unusable(root, error) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_private(path: Path, text: str) -> None:
    """Replaces the file in one step; nobody else can read it, at no moment."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)


def remove_state(root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)


def _unusable(root: Path, error: OSError) -> InfrastructureError:
    return InfrastructureError(
        f"the lab's state cannot be kept here: {error.strerror}",
        where=str(root),
        do="set XDG_STATE_HOME to a directory you can write to",
    )


def _make_key(state: LabState) -> None:
    state.key.unlink(missing_ok=True)
    state.public_key.unlink(missing_ok=True)
    # No passphrase: the key opens throw-away containers on loopback and nothing else.
    argv = [
        "ssh-keygen",
        "-q",
        "-t",
        "ed25519",
        "-N",
        "",
        "-C",
        "verifier-lab",
        "-f",
        str(state.key),
    ]
    try:
        subprocess.run(argv, check=True, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.SubprocessError) as error:
        raise InfrastructureError(
            f"ssh-keygen could not make a key: {error}",
            where=str(state.key),
            do="install the OpenSSH client",
        ) from error
