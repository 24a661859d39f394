"""The run directory: each stage's value under the stage's name, and evidence stored once, under its
hash. Nothing is written that has not been through the redactor, and no reader ever sees half a
file.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from verifier.document import read_json, to_json, to_plain
from verifier.errors import InfrastructureError, UsageError
from verifier.redact import Redactor

T = TypeVar("T")


class RunDirectory:
    """`<project>/.verifier/runs/<id>/`, private to the user who ran it."""

    def __init__(self, path: Path, redact: Redactor) -> None:
        self.path = path
        self.redact = redact

    @classmethod
    def create(cls, project: Path, run_id: str, redact: Redactor) -> RunDirectory:
        """A fresh directory. InfrastructureError when it cannot be made or the disk takes nothing."""
        path = project / ".verifier" / "runs" / run_id
        try:
            (project / ".verifier").mkdir(mode=0o700, exist_ok=True)
            (project / ".verifier" / ".gitignore").write_text("*\n")  # runs are no source
            path.parent.mkdir(mode=0o700, exist_ok=True)
            path.mkdir(mode=0o700)
            (path / "evidence").mkdir(mode=0o700)
        except OSError as error:
            raise InfrastructureError(
                f"cannot make the run directory: {error.strerror}", where=str(path)
            ) from error
        return cls(path, redact)

    @classmethod
    def find(cls, project: Path, run_id: str) -> RunDirectory:
        """The directory of an earlier run, by id or `last`. UsageError when there is none."""
        runs = project / ".verifier" / "runs"
        known = sorted(p.parent.name for p in runs.glob("*/run.json"))
        if run_id == "last" and known:
            run_id = known[-1]
        if run_id not in known:
            raise UsageError(
                f"no run '{run_id}'", where=str(runs), do=f"newest: {known[-1]}" if known else ""
            )
        return cls(runs / run_id, Redactor())

    def save(self, name: str, value: object) -> Path:
        """`value` as `<name>.json`, redacted."""
        return self.write(f"{name}.json", to_json(self.clean(value)))

    def load(self, name: str, shape: type[T]) -> T:
        return read_json(self.path / f"{name}.json", shape)

    def has(self, name: str) -> bool:
        return (self.path / f"{name}.json").is_file()

    def write(self, name: str, text: str) -> Path:
        """A file of the run directory, whole or not at all. `text` is taken as it is: redact
        before.
        """
        target = self.path / name
        try:
            handle, temporary = tempfile.mkstemp(dir=self.path, prefix=".")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(target)
        except OSError as error:
            raise InfrastructureError(
                f"cannot be written: {error.strerror}", where=str(target)
            ) from error
        return target

    def add_evidence(self, value: object) -> str:
        """Stores a value as redacted JSON, once; returns the sha256 of what was stored."""
        text = to_json(self.clean(value))
        digest = hashlib.sha256(text.encode()).hexdigest()
        if not (self.path / "evidence" / f"{digest}.json").exists():
            self.write(f"evidence/{digest}.json", text)
        return digest

    def clean(self, value: object) -> object:
        """`value` as plain data with the secrets taken out of every text in it."""
        return _cleaned(to_plain(value), self.redact)


def new_run_id(started: str, command: str, inventory: str) -> str:
    """`started` is an ISO 8601 UTC time; ids sort by time and never collide. `inventory` may be a path."""
    stamp = "".join(c for c in started[:19] if c.isalnum())
    name = re.sub(r"[^\w.-]", "_", Path(inventory).name)
    return f"{stamp}Z-{command}-{name}-{secrets.token_hex(2)}"


def _cleaned(value: object, redact: Redactor) -> object:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {
            redact(str(key)): _cleaned_entry(str(key), item, redact) for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_cleaned(item, redact) for item in value]
    return value


def _cleaned_entry(key: str, item: object, redact: Redactor) -> object:
    # `{"DB_PASSWORD": "x"}` has no `=` between name and value: shown to the redactor as if it had.
    if isinstance(item, str) and item and "\n" not in item:
        shown = redact(f"{key}={item}")
        return shown[len(key) + 1 :] if shown.startswith(f"{key}=") else redact(item)
    return _cleaned(item, redact)
