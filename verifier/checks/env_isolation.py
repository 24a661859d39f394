"""Nothing of another environment is in the running containers: no foreign value, no foreign key, no
mounted file.

    - id: only-production
      check: env_isolation
      with:
        project: "{{ compose_project }}"
        expected: {ENVIRONMENT: production}
        allowed_binds: []

Looked at is the environment each container was made with, and its mounts. `forbidden` are patterns
no value that is not secret may match; `forbidden_keys` are patterns no variable's name may match.
`expected` keys must have their value in every container that has the key, and at least one
container must have it. A bind mount is wrong unless its source begins with one of `allowed_binds`:
a mounted source tree or env file is how a developer's machine leaks in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from verifier.checks._compose import Container, containers
from verifier.checks._secret import is_secret
from verifier.checks.base import Check, Host, Mismatch

_OTHER_ENVIRONMENTS = (
    r"(?i)(^|[^a-z/])(dev|devel|development|test|testing|staging|sandbox)([^a-z/]|$)",
    r"(?i)localhost|127\.0\.0\.1|host\.docker\.internal",
)
_DEVELOPER_KEYS = (
    r"^(DEV|TEST)_",
    r"_(DEV|TEST)$",
    r"^(FLASK|DJANGO)_DEBUG$",
    r"^PYTHONBREAKPOINT$",
)


@dataclass(frozen=True)
class Params:
    project: str
    expected: Mapping[str, str] = field(default_factory=dict)
    forbidden: tuple[str, ...] = _OTHER_ENVIRONMENTS
    forbidden_keys: tuple[str, ...] = _DEVELOPER_KEYS
    allowed_binds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inside:
    """One container: its plain settings, the names of its secret ones, and its bind mounts as
    `source:target`.
    """

    service: str
    settings: tuple[tuple[str, str], ...]
    secrets: tuple[str, ...]
    binds: tuple[str, ...]


@dataclass(frozen=True)
class Seen:
    containers: tuple[Inside, ...]


def observe(host: Host, want: Params) -> Seen:
    return Seen(tuple(_inside(one) for one in containers(host, want.project)))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if not seen.containers:
        return [Mismatch(f"project {want.project}", "containers to look into", "none")]
    found = [
        Mismatch(key, f"'{value}' in some container", "no container has this key")
        for key, value in want.expected.items()
        if not any(key in dict(inside.settings) for inside in seen.containers)
    ]
    for inside in seen.containers:
        found += _foreign_values(want, inside) + _foreign_keys(want, inside)
        found += _foreign_mounts(want, inside)
    return found


def _impossible(want: Params) -> Params:
    return replace(want, forbidden_keys=("",))  # every key has this in its name


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _inside(one: Container) -> Inside:
    plain = tuple(sorted((k, v) for k, v in one.env.items() if not is_secret(k)))
    mounts = one.raw.get("Mounts") or []
    binds = (f"{m['Source']}:{m['Destination']}" for m in mounts if m.get("Type") == "bind")
    return Inside(
        one.service or one.name, plain, tuple(filter(is_secret, one.env)), tuple(sorted(binds))
    )


def _foreign_values(want: Params, inside: Inside) -> list[Mismatch]:
    found = []
    for key, value in inside.settings:
        wanted = want.expected.get(key)
        if wanted is not None and value != wanted:
            found.append(Mismatch(f"{key} in {inside.service}", f"'{wanted}'", f"'{value}'"))
        elif wanted is None and any(re.search(pattern, value) for pattern in want.forbidden):
            what = f"{key} in {inside.service}"
            found.append(Mismatch(what, "nothing of another environment", f"'{value}'"))
    return found


def _foreign_keys(want: Params, inside: Inside) -> list[Mismatch]:
    names = (*(key for key, _ in inside.settings), *inside.secrets)
    return [
        Mismatch(f"{name} in {inside.service}", "no key of another environment", "it is set")
        for name in names
        if any(re.search(pattern, name) for pattern in want.forbidden_keys)
    ]


def _foreign_mounts(want: Params, inside: Inside) -> list[Mismatch]:
    return [
        Mismatch(f"mounts of {inside.service}", "no bind mount that is not allowed", bind)
        for bind in inside.binds
        if not bind.startswith(want.allowed_binds or ("\0",))
    ]
