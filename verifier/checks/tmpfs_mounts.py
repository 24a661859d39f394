"""The temporary file systems a service declares are mounted as tmpfs, with the declared options.

    - id: tmpfs-as-declared
      check: tmpfs_mounts
      with: {stack: "{{ compose_stack }}", required: [app:/tmp]}

Compared are the `tmpfs` entries of the merged configuration with the mount table of the container's
main process: type, `size`, `mode`, `uid`, `gid`, and the flags `noexec`, `nosuid`, `nodev`, `ro`.
`required` names mounts that must be declared, as `service:path`; a configuration without any is
wrong, as nothing could be seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from verifier.checks._compose import Container, Stack, containers, execute, merged_config
from verifier.checks.base import Check, Host, Mismatch

_FLAGS = ("noexec", "nosuid", "nodev", "ro")
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


@dataclass(frozen=True)
class Params:
    stack: Stack
    required: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mount:
    """One declared tmpfs: what was asked for, and what the mount table says ("" for nothing mounted
    there).
    """

    service: str
    path: str
    asked: tuple[str, ...]
    kind: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class Seen:
    mounts: tuple[Mount, ...]


def observe(host: Host, want: Params) -> Seen:
    config = merged_config(host, want.stack)["services"]
    running = {
        one.service: one for one in containers(host, want.stack.project) if one.status == "running"
    }
    tables = {name: _table(host, one) for name, one in running.items() if name in config}
    return Seen(
        tuple(
            Mount(name, path, asked, *tables.get(name, {}).get(path, ("", ())))
            for name in sorted(config)
            for path, asked in _declared(config[name])
        )
    )


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    declared = {f"{mount.service}:{mount.path}" for mount in seen.mounts}
    found = [
        Mismatch(f"tmpfs {one}", "declared in the merged configuration", "not declared")
        for one in want.required
        if one not in declared
    ]
    if not declared and not found:
        found.append(Mismatch("tmpfs", "at least one declared", "none"))
    return found + [wrong for mount in seen.mounts for wrong in _wrong(mount)]


def _impossible(want: Params) -> Params:
    return replace(want, required=(*want.required, "verifier-no-such-service:/tmp"))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _declared(service: Mapping[str, Any]) -> Iterable[tuple[str, tuple[str, ...]]]:
    given = service.get("tmpfs") or []
    for entry in [given] if isinstance(given, str) else given:
        path, _, options = str(entry).partition(":")
        yield path, tuple(filter(None, options.split(",")))
    for volume in service.get("volumes") or []:
        if isinstance(volume, dict) and volume.get("type") == "tmpfs":
            size = (volume.get("tmpfs") or {}).get("size")
            yield str(volume["target"]), (f"size={size}",) if size else ()


def _table(host: Host, container: Container) -> dict[str, tuple[str, tuple[str, ...]]]:
    lines = (
        line.split() for line in execute(host, container, "cat", "/proc/1/mounts").splitlines()
    )
    # A later mount covers an earlier one on the same path, so the last one counts.
    return {words[1]: (words[2], tuple(words[3].split(","))) for words in lines if len(words) > 3}  # noqa: PLR2004  device, path, type, options


def _wrong(mount: Mount) -> list[Mismatch]:
    what = f"{mount.path} of {mount.service}"
    if mount.kind != "tmpfs":
        return [Mismatch(what, "a tmpfs", mount.kind or "nothing is mounted there")]
    return [
        Mismatch(what, f"option {option}", ",".join(mount.options))
        for option in mount.asked
        if not _holds(option, mount.options)
    ]


def _holds(option: str, options: tuple[str, ...]) -> bool:
    name, _, value = option.partition("=")
    there = dict(one.partition("=")[::2] for one in options)
    if name == "size":
        return _bytes(value) == _bytes(there.get("size", ""))
    if name == "mode":
        # The kernel leaves out what is the default: mode 1777, uid 0 and gid 0.
        return int(value, 8) == int(there.get("mode", "1777"), 8)
    if name in ("uid", "gid"):
        return value == there.get(name, "0")
    return name in there if name in _FLAGS else True


def _bytes(size: str) -> int:
    match = re.fullmatch(r"(\d+)([kmg]?)b?", size.lower())
    return int(match[1]) * _UNITS[match[2]] if match else -1
