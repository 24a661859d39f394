"""The hosts of one environment, as `ansible-inventory` resolves them: names, groups, variables, how
to reach each. Decrypts what Ansible leaves encrypted and learns which values are secret, so that
they can be taken out of everything that is stored. It contacts no host.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import jinja2
import jinja2.sandbox

from verifier.assets import ansible_config
from verifier.document import parse_yaml, read_text
from verifier.errors import DocumentError, InfrastructureError, UsageError

SECRET_NAME = re.compile(
    r"(^vault_|password|passwd|secret|token|private_key$|api_?key)", re.IGNORECASE
)
SHORTEST_SECRET = (
    6  # shorter values would redact ordinary words; env items report them as weak instead
)

_MAX_TEMPLATE_DEPTH = 20
_VAULT_HEADER = b"$ANSIBLE_VAULT;"


@dataclass(frozen=True, slots=True)
class Reach:
    """How a host is reached, from the same variables Ansible uses. `password` is for become only."""

    kind: Literal["ssh", "local", "docker"]
    address: str
    port: int = 22
    user: str = ""
    key_file: str = ""
    ssh_args: tuple[str, ...] = ()
    become_user: str = "root"
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Host:
    """One inventory machine: name, groups (sorted, without `all`), raw variables and how to reach
    it.
    """

    name: str
    groups: tuple[str, ...]
    reach: Reach
    variables: Mapping[str, object] = field(repr=False, default_factory=dict)

    def value(self, template: object) -> object:
        """`template` with every `{{ variable }}` resolved from this host's variables.

        A string that is one single expression keeps the type of its value. UsageError names a
        missing variable.
        """
        return _resolve(template, self.variables, self.name, 0)

    def variable(self, name: str, default: object = None) -> object:
        """The resolved inventory variable `name`, or `default` when the inventory does not define
        it.
        """
        return self.value(self.variables[name]) if name in self.variables else default

    def with_variables(self, **extra: object) -> Host:
        """A copy in which `extra` wins over the inventory, as Ansible's extra vars do."""
        return Host(self.name, self.groups, self.reach, {**self.variables, **extra})


@dataclass(frozen=True, slots=True)
class Inventory:
    """The hosts of one environment. `path` is what `ansible-playbook -i` gets; `vault_file` unlocks
    its secrets.
    """

    name: str
    path: Path
    hosts: tuple[Host, ...]
    vault_file: Path | None = None
    secrets: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def groups(self) -> frozenset[str]:
        return frozenset(group for host in self.hosts for group in host.groups)

    def host(self, name: str) -> Host:
        return next(host for host in self.hosts if host.name == name)

    def matching(self, pattern: str) -> tuple[Host, ...]:
        """Hosts in a `group`, with a `name`, or in a `a,b,!c` list of them; UsageError when a word
        matches nothing.
        """
        chosen: dict[str, Host] = {}
        dropped: set[str] = set()
        for word in filter(None, re.split(r"[,:]", pattern.strip())):
            bare = word.lstrip("!&")
            found = [h for h in self.hosts if bare in ("all", "*", h.name) or bare in h.groups]
            if not found:
                known = sorted(self.groups | {h.name for h in self.hosts})
                raise UsageError(
                    f"'{bare}' is no host and no group of inventory '{self.name}'",
                    do=f"known: {', '.join(known)}",
                )
            names = {h.name for h in found}
            if word.startswith("!"):
                dropped |= names
            elif word.startswith("&"):
                dropped |= {n for n in chosen if n not in names}
            else:
                chosen.update({h.name: h for h in found})
        return tuple(h for h in self.hosts if h.name in chosen and h.name not in dropped)


def load_inventory(
    name: str,
    *,
    project: Path,
    vault_file: Path | None = None,
    extra_vars: Mapping[str, object] | None = None,
) -> Inventory:
    """The inventory `inventory/<name>` of the project, or any path or executable that Ansible
    accepts.

    Raises UsageError for a name that is nothing, an inventory without hosts and one machine under
    two names.
    """
    path = find_inventory(name, project)
    vault = vault_file or _own_vault_file(path)
    listing = _ansible_inventory(path, vault)
    extra = dict(extra_vars or {})
    hosts = tuple(_hosts(listing, path, vault, extra))
    if not hosts:
        raise UsageError(
            "inventory has no hosts", where=str(path), do="add a host to a group in it"
        )
    _refuse_aliases(hosts, path)
    secrets = _secret_values(hosts, path, vault)
    return Inventory(_short_name(name, path), path, hosts, vault, frozenset(secrets))


def find_inventory(name: str, project: Path) -> Path:
    """`inventory/<name>` below the project, else `name` as a path."""
    for candidate in (project / "inventory" / name, project / "inventories" / name, Path(name)):
        if name and candidate.exists():
            return candidate.resolve()
    folder = project / "inventory"
    known = (
        sorted(p.name for p in folder.iterdir() if p.name[0] not in ".R") if folder.is_dir() else []
    )
    raise UsageError(
        f"no inventory '{name}'",
        where=str(folder),
        do=f"known: {', '.join(known)}" if known else "make inventory/<name>/hosts.yml",
    )


def _short_name(name: str, path: Path) -> str:
    return name if re.fullmatch(r"[\w.-]+", name) else path.name


def _own_vault_file(path: Path) -> Path | None:
    candidate = (path if path.is_dir() else path.parent) / ".vault-password"
    return candidate if candidate.is_file() else None


def _ansible_inventory(path: Path, vault: Path | None) -> dict[str, Any]:
    command = [str(Path(sys.executable).with_name("ansible-inventory")), "-i", str(path), "--list"]
    if vault:
        command += ["--vault-password-file", str(vault)]
    # An inventory whose file does not parse must be an error here, not an empty list with a warning.
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": os.environ.get("HOME", "/"),
        "LANG": "C.UTF-8",
        "ANSIBLE_CONFIG": str(ansible_config()),
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "true",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_NOCOLOR": "true",
    }
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
    except FileNotFoundError as error:
        raise InfrastructureError(
            "ansible-inventory is not installed", do="run `make setup`"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise InfrastructureError(
            "ansible-inventory did not answer in 120 s", where=str(path)
        ) from error
    if done.returncode != 0:
        raise UsageError(_first_complaint(done.stderr), where=str(path), do="mend the inventory")
    try:
        listing = json.loads(done.stdout)
    except json.JSONDecodeError as error:
        raise InfrastructureError("ansible-inventory printed no JSON", where=str(path)) from error
    if not isinstance(listing, dict):
        raise InfrastructureError("ansible-inventory printed no mapping", where=str(path))
    return listing


def _first_complaint(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line]
    words = " ".join((errors or lines or ["ansible-inventory failed"])[:1])
    origin = next((line for line in lines if line.startswith("Origin:")), "")
    return re.sub(r"^\[?ERROR\]?[:!]*\s*", "", words)[:300] + (f" [{origin}]" if origin else "")


def _hosts(
    listing: dict[str, Any], path: Path, vault: Path | None, extra: Mapping[str, object]
) -> Iterator[Host]:
    hostvars: dict[str, dict[str, object]] = listing.get("_meta", {}).get("hostvars", {})
    members = _members(listing)
    names = sorted({name for found in members.values() for name in found} | set(hostvars))
    groups = {group: sorted(found) for group, found in members.items()}
    base = path if path.is_dir() else path.parent
    for name in names:
        own = tuple(
            sorted(
                g for g, found in members.items() if name in found and g not in ("all", "ungrouped")
            )
        )
        variables = {
            **{
                key: _decrypted(value, vault, path) for key, value in hostvars.get(name, {}).items()
            },
            "inventory_hostname": name,
            "inventory_dir": str(base),
            "group_names": list(own),
            "groups": groups,
            **extra,
        }
        yield Host(name, own, _reach(name, variables), variables)


def _members(listing: dict[str, Any]) -> dict[str, set[str]]:
    def below(group: str, seen: frozenset[str]) -> set[str]:
        entry = listing.get(group, {})
        if group in seen or not isinstance(entry, dict):
            return set()
        found = set(entry.get("hosts", []))
        for child in entry.get("children", []):
            found |= below(child, seen | {group})
        return found

    return {group: below(group, frozenset()) for group in listing if group != "_meta"}


def _decrypted(value: object, vault: Path | None, path: Path) -> object:
    if isinstance(value, dict):
        cipher = value.get("__ansible_vault")
        if isinstance(cipher, str):
            return _decrypt(cipher.encode(), vault, str(path))
        return {key: _decrypted(item, vault, path) for key, item in value.items()}
    if isinstance(value, list):
        return [_decrypted(item, vault, path) for item in value]
    return value


def _decrypt(cipher: bytes, vault: Path | None, where: str) -> str:
    from ansible.errors import AnsibleError  # noqa: PLC0415  slow to import, and only vaults need it
    from ansible.parsing.dataloader import DataLoader  # noqa: PLC0415
    from ansible.parsing.vault import VaultLib, get_file_vault_secret  # noqa: PLC0415

    if vault is None:
        raise UsageError(
            "the inventory is encrypted and no vault password is known",
            where=where,
            do="give --vault-password-file, or put it into <inventory>/.vault-password",
        )
    try:
        secret = get_file_vault_secret(filename=str(vault), loader=DataLoader())
        secret.load()
        return str(VaultLib([("default", secret)]).decrypt(cipher).decode())
    except AnsibleError as error:
        raise UsageError(
            "the vault password does not open it", where=where, do=f"check {vault}"
        ) from error


def _reach(name: str, variables: Mapping[str, object]) -> Reach:
    def of(*keys: str, default: str = "") -> str:
        for key in keys:
            if key in variables:
                return str(_resolve(variables[key], variables, name, 0))
        return default

    kind = of("ansible_connection", default="ssh").rsplit(".", 1)[-1]
    if kind == "smart":
        kind = "ssh"
    if kind not in ("ssh", "local", "docker"):
        raise UsageError(
            f"host '{name}': connection '{kind}' is not supported", do="use ssh, local or docker"
        )
    args = " ".join(of(key) for key in ("ansible_ssh_common_args", "ansible_ssh_extra_args"))
    return Reach(
        kind=kind,  # type: ignore[arg-type]  # narrowed by the test above
        address=of("ansible_host", "ansible_docker_host", default=name),
        port=int(of("ansible_port", "ansible_ssh_port", default="22") or 22),
        user=of("ansible_user", "ansible_ssh_user"),
        key_file=of("ansible_ssh_private_key_file", "ansible_private_key_file"),
        ssh_args=tuple(shlex.split(args)),
        become_user=of("ansible_become_user", default="root"),
        password=of("ansible_become_password", "ansible_become_pass", "ansible_sudo_pass"),
    )


def _refuse_aliases(hosts: tuple[Host, ...], path: Path) -> None:
    seen: dict[tuple[str, str, int], str] = {}
    for host in hosts:
        identity = (host.reach.kind, host.reach.address, host.reach.port)
        if identity in seen:
            raise UsageError(
                f"'{seen[identity]}' and '{host.name}' are the same machine ({host.reach.address}:{host.reach.port})",
                where=str(path),
                do="name each machine once",
            )
        seen[identity] = host.name


def _secret_values(hosts: tuple[Host, ...], path: Path, vault: Path | None) -> Iterator[str]:
    for file in _vaulted_files(path):
        content = parse_yaml(_decrypt(file.read_bytes(), vault, str(file)), where=str(file))
        yield from _leaves(content)
    for host in hosts:
        for key, value in host.variables.items():
            if SECRET_NAME.search(key) and not key.endswith("_file"):
                yield from (v for v in _leaves(value) if "{{" not in v and "/" not in v)


def _vaulted_files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        for folder, _, names in os.walk(path):
            for name in names:
                file = Path(folder, name)
                if not file.is_symlink() and file.is_file() and _starts_as_vault(file):
                    yield file


def _starts_as_vault(file: Path) -> bool:
    with file.open("rb") as handle:
        return handle.read(len(_VAULT_HEADER)) == _VAULT_HEADER


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, str) and len(value) >= SHORTEST_SECRET:
        yield value


def _resolve(value: object, variables: Mapping[str, object], host: str, depth: int) -> object:
    if depth > _MAX_TEMPLATE_DEPTH:
        raise UsageError(f"host '{host}': a variable refers to itself", do="break the circle")
    if isinstance(value, dict):
        return {k: _resolve(v, variables, host, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_resolve(v, variables, host, depth + 1) for v in value]
    if not isinstance(value, str) or ("{{" not in value and "{%" not in value):
        return value
    return _render(value, variables, host, depth)


class _Lazy(Mapping[str, object]):
    """Variables that are templates themselves are resolved when, and only when, they are looked up."""

    def __init__(self, variables: Mapping[str, object], host: str, depth: int) -> None:
        self._variables, self._host, self._depth = variables, host, depth

    def __getitem__(self, key: str) -> object:
        return _resolve(self._variables[key], self._variables, self._host, self._depth + 1)

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)


@functools.cache
def _templates() -> jinja2.Environment:
    # Sandboxed and without Ansible's lookups: data from an inventory never runs anything on this machine.
    return jinja2.sandbox.ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined, autoescape=False, keep_trailing_newline=True
    )


_ONE_EXPRESSION = re.compile(r"\{\{((?:(?!\}\}|\{\{).)*)\}\}\s*", re.DOTALL)


def _render(text: str, variables: Mapping[str, object], host: str, depth: int) -> object:
    lazy = _Lazy(variables, host, depth)
    try:
        names = _names_in(text)
        known = {name: lazy[name] for name in names if name in variables}
        whole = _ONE_EXPRESSION.fullmatch(text.strip())
        if whole:
            found = _templates().compile_expression(whole.group(1), undefined_to_none=False)(
                **known
            )
            if isinstance(found, jinja2.Undefined):
                str(found)  # raises with the name that is missing
            return found
        return _templates().from_string(text).render(**known)
    except jinja2.UndefinedError as error:
        raise UsageError(
            f"host '{host}': {error.message} in `{_shown(text)}`",
            do="set it in the inventory's group_vars",
        ) from error
    except jinja2.TemplateError as error:
        raise UsageError(
            f"host '{host}': template `{_shown(text)}`: {error}",
            do="only plain variables and filters work here",
        ) from error


def _names_in(text: str) -> set[str]:
    import jinja2.meta  # noqa: PLC0415  beside its only use

    return jinja2.meta.find_undeclared_variables(_templates().parse(text))


def _shown(text: str) -> str:
    return " ".join(text.split())[:80]


def read_vault_password_file(path: Path) -> None:
    """Complains about a vault password file that cannot be used, before anything starts."""
    if not path.is_file():
        raise UsageError("no such vault password file", where=str(path))
    if not os.access(path, os.X_OK) and not read_text(path).strip():
        raise DocumentError("is empty", where=str(path))
