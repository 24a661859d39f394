"""The lab's secrets: random, made once, kept plain in the state directory (0600) and given to a
checkout only as an ansible-vault file. Prints none of them and passes none on a command line.
"""

from __future__ import annotations

import json
import secrets
import string
import subprocess
import sys
import tempfile
from pathlib import Path

from verifier.document import read_document
from verifier.errors import InfrastructureError
from verifier.lab.state import LabState, write_private

NAMES = (
    "vault_fwb_secret_key",
    "vault_fwb_db_password",
    "vault_fwb_db_root_password",
    "vault_fwb_redis_password",
    "vault_o4o_jwt_secret",
    "vault_o4o_csrf_secret",
    "vault_o4o_db_password",
    "vault_o4o_redis_password",
    "vault_o4o_smtp_password",
    "vault_o4o_error_tracking_key",
    "vault_o4o_apm_key",
)
LENGTH = 40

# No `$`, quote, `#` or blank: compose v1, compose v2 and shells read those differently in an .env
# file.
ALPHABET = string.ascii_letters + string.digits + "_-"


def ensure_secrets(state: LabState) -> dict[str, str]:
    """Every secret by name. Missing ones are made, known ones are kept; the vault file follows any
    change.
    """
    known = read_document(state.secrets, dict[str, str]) if state.secrets.exists() else {}
    wanted = {name: known.get(name) or random_secret() for name in NAMES}
    changed = wanted != known
    if not state.vault_password.exists():
        write_private(state.vault_password, random_secret() + "\n")
        changed = True
    if changed:
        write_private(state.secrets, _as_yaml(wanted))
    if changed or not state.vault.exists():
        write_private(state.vault, _encrypted(_as_yaml(wanted), state.vault_password))
    return wanted


def random_secret() -> str:
    # A leading dash would read as a flag wherever a program takes the value as a word of its own.
    first = secrets.choice(string.ascii_letters)
    return first + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))


def _as_yaml(values: dict[str, str]) -> str:
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in sorted(values.items()))


def _encrypted(text: str, password_file: Path) -> str:
    argv = [
        sys.executable,
        "-m",
        "ansible",
        "vault",
        "encrypt",
        "--output",
        "-",
        "--vault-password-file",
    ]
    try:
        with tempfile.TemporaryDirectory() as home:
            done = subprocess.run(
                [*argv, str(password_file)],
                input=text,
                check=True,
                capture_output=True,
                text=True,
                timeout=60,
                # Ansible insists on UTF-8 and leaves files in its home; nothing else of the
                # caller's environment concerns it.
                env={"LC_ALL": "C.UTF-8", "HOME": home, "PATH": "/usr/bin:/bin"},
            )
    except (OSError, subprocess.SubprocessError) as error:
        detail = getattr(error, "stderr", "") or error
        raise InfrastructureError(
            f"ansible-vault could not encrypt the lab's secrets: {str(detail).strip()}",
            do="install the project's dependencies again",
        ) from error
    return done.stdout
