"""The checkout whose `lab/` is built from and whose `inventory/lab` is told about the running lab.
Holds paths and the three generated files; decides nothing about containers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from verifier.errors import UsageError
from verifier.lab.state import LabState, write_private


@dataclass(frozen=True, slots=True)
class Project:
    root: Path

    @property
    def lab(self) -> Path:
        return self.root / "lab"

    @property
    def inventory(self) -> Path:
        return self.root / "inventory" / "lab"


def find_project(start: Path) -> Project:
    """The nearest checkout at or above `start`, else the one this program runs from. Raises
    UsageError.
    """
    here = Path(__file__).resolve()
    for folder in (start, *start.parents, *here.parents):
        if (folder / "lab" / "engine").is_file():
            return Project(folder)
    raise UsageError(
        "not inside a checkout of the project",
        where=str(start),
        do="cd to the checkout; the lab's sources are not part of an installed package",
    )


def write_inventory(project: Project, state: LabState) -> None:
    """Tells the checkout's `inventory/lab` where the lab's state is, and gives it the encrypted
    secrets.
    """
    variables = project.inventory / "group_vars" / "all"
    variables.mkdir(parents=True, exist_ok=True)
    write_private(project.inventory / ".vault-password", state.vault_password.read_text())
    write_private(variables / "vault.yml", state.vault.read_text())
    where = json.dumps(str(state.root), ensure_ascii=False)
    (variables / "lab.yml").write_text(
        f"# Written by `verifier lab up`.\nlab_state_dir: {where}\n", encoding="utf-8"
    )
