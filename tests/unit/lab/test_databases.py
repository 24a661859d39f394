from __future__ import annotations

from verifier.lab.databases import environment
from verifier.lab.secrets import NAMES


def test_the_env_file_holds_the_passwords_of_o4o_and_nothing_else() -> None:
    secrets = {name: f"value-of-{name}" for name in NAMES}
    assert environment(secrets).splitlines() == [
        "DB_PASSWORD=value-of-vault_o4o_db_password",
        "REDIS_PASSWORD=value-of-vault_o4o_redis_password",
    ]
