"""Where Ansible's files are: the project's own `playbooks/` and `roles/` if it has them, else those
that came with verifier (beside the package in a checkout, inside it in a wheel).
"""

from __future__ import annotations

from pathlib import Path

from verifier.errors import InfrastructureError

_PACKAGE = Path(__file__).resolve().parent


def ansible_config() -> Path:
    """The `ansible.cfg` that came with verifier. Never the one of the current folder: a configuration file can
    load code.
    """
    return _first("ansible.cfg", (_PACKAGE.parent, _PACKAGE / "_assets"))


def find_asset(name: str, project: Path) -> Path:
    """The folder `name` (`playbooks`, `roles`) as an absolute path."""
    return _first(name, (project, _PACKAGE.parent, _PACKAGE / "_assets"))


def _first(name: str, bases: tuple[Path, ...]) -> Path:
    for base in bases:
        candidate = base / name
        if candidate.is_file() or (candidate.is_dir() and any(candidate.iterdir())):
            return candidate.resolve()
    raise InfrastructureError(
        f"verifier's own {name} is missing", where=str(_PACKAGE), do="install verifier again"
    )
