"""The hosts of one environment, as `ansible-inventory` resolves them: names, groups, variables, how
to reach each. Decrypts what Ansible leaves encrypted and learns which values are secret, so that
they can be taken out of everything that is stored. It contacts no host.
"""

from __future__ import annotations

import fnmatch
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

from verifier.assets import ansible_config
from verifier.document import parse_yaml, read_text
from verifier.errors import DocumentError, InfrastructureError, UsageError
from verifier.template import resolve

SECRET_NAME = re.compile(
    r"(^vault_|password|passwd|secret|token|private_key$|api_?key)", re.IGNORECASE
)
SHORTEST_SECRET = (
    6  # shorter values would redact ordinary words; env items report them as weak instead
)

ANSIBLE_TIMEOUT_S = 120
_LEFTOVER = "CHANGE_ME"
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
        return resolve(template, self.variables, self.name)

    def variable(self, name: str, default: object = None) -> object:
        """The resolved inventory variable `name`, or `default` when the inventory does not define
        it.
        """
        return self.value(self.variables[name]) if name in self.variables else default

    def with_variables(self, **extra: object) -> Host:
        """A copy in which `extra` wins over the inventory, as Ansible's extra vars do."""
        return Host(self.name, self.groups, self.reach, {**self.variables, **extra})

    def with_defaults(self, values: Mapping[str, object]) -> Host:
        """A copy in which `values` stand in for what the inventory does not say."""
        return Host(self.name, self.groups, self.reach, {**values, **self.variables})


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
        """Hosts in a `group`, with a `name` (`*` stands for anything), or in an `a,b,&c,!d` list of
        them, which without a plain word begins with all, as in Ansible. UsageError when a word
        matches nothing, and when there is no word.
        """
        words = [word.strip() for word in re.split(r"[,:]", pattern) if word.strip()]
        if not words:
            raise UsageError("names no host and no group", do="leave it out, or say `all`")
        plain = [word for word in words if word[0] not in "!&"]
        chosen = {name for word in plain or ["all"] for name in self._named(word)}
        for word in words:
            if word.startswith("&"):
                chosen &= self._named(word[1:])
            elif word.startswith("!"):
                chosen -= self._named(word[1:])
        return tuple(h for h in self.hosts if h.name in chosen)

    def _named(self, word: str) -> set[str]:
        found = {
            host.name
            for host in self.hosts
            if word == "all"
            or any(fnmatch.fnmatchcase(name, word) for name in (host.name, *host.groups))
        }
        if not found:
            known = sorted(self.groups | {h.name for h in self.hosts})
            raise UsageError(
                f"'{word}' is no host and no group of inventory '{self.name}'",
                do=f"known: {', '.join(known)}",
            )
        return found


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
    _refuse_leftovers(listing, path)
    extra = dict(extra_vars or {})
    opened: set[str] = set()
    hosts = tuple(_hosts(listing, path, vault, extra, opened))
    if not hosts:
        raise UsageError(
            "inventory has no hosts", where=str(path), do="add a host to a group in it"
        )
    _refuse_aliases(hosts, path)
    opened.update(_secret_values(hosts, path, vault))
    return Inventory(name, path, hosts, vault, frozenset(opened))


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


def _own_vault_file(path: Path) -> Path | None:
    candidate = (path if path.is_dir() else path.parent) / ".vault-password"
    return candidate if candidate.is_file() else None


def _ansible_inventory(path: Path, vault: Path | None) -> dict[str, Any]:
    # A vault that does not open is said of the file it is, not of the inventory around it.
    for file in _vaulted_files(path):
        _decrypt(file.read_bytes(), vault, str(file))
    words = ["-i", str(path), "--list"]
    words += ["--vault-password-file", str(vault)] if vault else []
    done = _ansible("ansible-inventory", *words)
    if done.returncode != 0:
        raise UsageError(_first_complaint(done.stderr), where=str(path), do="fix the inventory")
    try:
        listing = json.loads(done.stdout)
    except json.JSONDecodeError as error:
        raise InfrastructureError("ansible-inventory printed no JSON", where=str(path)) from error
    if not isinstance(listing, dict):
        raise InfrastructureError("ansible-inventory printed no mapping", where=str(path))
    return listing


def _ansible(
    program: str, *words: str, stdin: bytes | None = None
) -> subprocess.CompletedProcess[str]:
    """One of Ansible's programs, with verifier's own configuration and nothing of the person's shell."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": os.environ.get("HOME", "/"),
        "LANG": "C.UTF-8",
        "ANSIBLE_CONFIG": str(ansible_config()),
        # An inventory whose file does not parse must be an error here, not an empty list with a warning.
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "true",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_NOCOLOR": "true",
    }
    try:
        return subprocess.run(
            [str(Path(sys.executable).with_name(program)), *words],
            env=environment,
            input=stdin.decode() if stdin is not None else None,
            capture_output=True,
            text=True,
            check=False,
            timeout=ANSIBLE_TIMEOUT_S,
        )
    except FileNotFoundError as error:
        raise InfrastructureError(f"{program} is not installed", do="run `make setup`") from error
    except subprocess.TimeoutExpired as error:
        raise InfrastructureError(f"{program} did not answer in {ANSIBLE_TIMEOUT_S} s") from error


def _first_complaint(stderr: str) -> str:
    """The deepest reason that Ansible gives with a place of its own, in one line."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    for number, line in enumerate(lines):
        if line.startswith("Origin: ") and "<inventory plugin" not in line:
            return f"{_bare(lines[number - 1])} [{line.removeprefix('Origin: ')}]"
    errors = [line for line in lines if "ERROR" in line]
    return _bare((errors or lines or ["ansible-inventory failed"])[0])


def _bare(line: str) -> str:
    return re.sub(r"^\[?(ERROR|WARNING)\]?[:!]*\s*", "", line)[:300]


def _hosts(
    listing: dict[str, Any],
    path: Path,
    vault: Path | None,
    extra: Mapping[str, object],
    opened: set[str],
) -> Iterator[Host]:
    """`opened` is given every value that was encrypted on its own."""
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
                key: _decrypted(value, vault, path, opened)
                for key, value in hostvars.get(name, {}).items()
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


def _decrypted(value: object, vault: Path | None, path: Path, opened: set[str]) -> object:
    if isinstance(value, dict):
        cipher = value.get("__ansible_vault")
        if isinstance(cipher, str):
            clear = _decrypt(cipher.encode(), vault, str(path))
            opened.update(_leaves(clear))
            return clear
        return {key: _decrypted(item, vault, path, opened) for key, item in value.items()}
    if isinstance(value, list):
        return [_decrypted(item, vault, path, opened) for item in value]
    return value


@functools.cache
def _decrypt(cipher: bytes, vault: Path | None, where: str) -> str:
    if vault is None:
        raise UsageError(
            "the inventory is encrypted and no vault password is known",
            where=where,
            do="give --vault-password-file, or put it into <inventory>/.vault-password",
        )
    # In a process of its own: Ansible's library reads the ansible.cfg of whatever folder it is imported in.
    done = _ansible("ansible-vault", "decrypt", "--vault-password-file", str(vault), stdin=cipher)
    if done.returncode != 0:
        raise UsageError("the vault password does not open it", where=where, do=f"check {vault}")
    return done.stdout


def _reach(name: str, variables: Mapping[str, object]) -> Reach:
    def of(*keys: str, default: str = "") -> str:
        for key in keys:
            if key in variables:
                return str(resolve(variables[key], variables, name))
        return default

    kind = of("ansible_connection", default="ssh").rsplit(".", 1)[-1]
    if kind == "smart":
        kind = "ssh"
    if kind not in ("ssh", "local", "docker"):
        raise UsageError(
            f"host '{name}': connection '{kind}' is not supported", do="use ssh, local or docker"
        )
    args = " ".join(of(key) for key in ("ansible_ssh_common_args", "ansible_ssh_extra_args"))
    port = of("ansible_port", "ansible_ssh_port", default="22")
    if not port.isdecimal() or not 0 < int(port) < 2**16:
        raise UsageError(f"host '{name}': ansible_port '{port}' is no port")
    try:
        ssh_args = tuple(shlex.split(args))
    except ValueError as error:
        raise UsageError(
            f"host '{name}': the ssh arguments are not understood: {error}", do="close the quotes"
        ) from error
    return Reach(
        kind=kind,  # type: ignore[arg-type]  # narrowed by the test above
        address=of("ansible_host", "ansible_docker_host", default=name),
        port=int(port),
        user=of("ansible_user", "ansible_ssh_user"),
        key_file=of("ansible_ssh_private_key_file", "ansible_private_key_file"),
        ssh_args=ssh_args,
        become_user=of("ansible_become_user", default="root"),
        password=of("ansible_become_password", "ansible_become_pass", "ansible_sudo_pass"),
    )


def _refuse_leftovers(listing: dict[str, Any], path: Path) -> None:
    left = {
        key
        for variables in listing.get("_meta", {}).get("hostvars", {}).values()
        for key, value in variables.items()
        if any(_LEFTOVER in text for text in _leaves(value))
    }
    if left:
        raise UsageError(
            f"is not filled in yet: {', '.join(sorted(left))}",
            where=str(path),
            do=f"replace every {_LEFTOVER}, secrets included",
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


def read_vault_password_file(path: Path) -> None:
    """Complains about a vault password file that cannot be used, before anything starts."""
    if not path.is_file():
        raise UsageError("no such vault password file", where=str(path))
    if not os.access(path, os.X_OK) and not read_text(path).strip():
        raise DocumentError("is empty", where=str(path))
