"""The settings, read once from the environment. `python3 -m app.settings` prints the object as one
JSON object, so that what the application believes can be compared with what its environment says.
A secret is never printed: it appears as a keyed hash when VERIFIER_HASH_KEY is set, else as null.
"""

import hashlib
import hmac
import json
import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from app import defects
from app.release import Release, load_release


class Settings(BaseSettings):
    """Every field is the environment variable of the same name in capitals."""

    # A complaint about a value must not quote the value: it may be a secret.
    model_config = SettingsConfigDict(
        frozen=True, hide_input_in_errors=True, env_ignore_empty=True, extra="ignore"
    )

    environment: Literal["development", "staging", "production"]
    debug: bool = False
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    secret_key: SecretStr
    cors_origins: str = ""

    db_host: str
    db_port: int = Field(default=3306, ge=1, le=65535)
    db_name: str
    db_user: str
    db_password: SecretStr
    db_pool_size: int = Field(default=5, ge=1)
    db_max_overflow: int = Field(default=5, ge=0)

    redis_host: str = ""
    redis_port: int = Field(default=6379, ge=1, le=65535)
    redis_password: SecretStr | None = None
    cache_ttl_files: int = Field(default=30, ge=1)
    cache_ttl_stats: int = Field(default=60, ge=1)

    upload_dir: Path
    max_upload_mb: int = Field(default=32, ge=1)
    workers: int = Field(default=1, ge=1)

    @property
    def origins(self) -> tuple[str, ...]:
        return tuple(origin.strip() for origin in self.cors_origins.split(",") if origin.strip())


def load_settings(release: Release) -> Settings:
    """Raises pydantic's ValidationError, which names the variable and never its value."""
    return defects.distort(Settings(), release)  # type: ignore[call-arg]  # the environment fills the fields


def describe(settings: Settings, hash_key: str | None) -> str:
    described = {name.upper(): _shown(value, hash_key) for name, value in settings.__dict__.items()}
    return json.dumps(described)


def _shown(value: object, hash_key: str | None) -> object:
    if isinstance(value, SecretStr):
        return _hashed(value.get_secret_value(), hash_key) if hash_key else None
    return str(value) if isinstance(value, Path) else value


def _hashed(secret: str, hash_key: str) -> dict[str, str]:
    digest = hmac.new(hash_key.encode(), secret.encode(), hashlib.sha256).hexdigest()
    return {"hmac-sha256": digest}


if __name__ == "__main__":
    print(describe(load_settings(load_release()), os.environ.get("VERIFIER_HASH_KEY")))
