"""Every service forbids privilege gain and asks for no power over the host.

    - id: compose-privileges
      check: compose_privileges
      with:
        stack: "{{ compose_stack }}"
        cap_drop_all: true

Red for a service without `no-new-privileges`, and for one that asks for `privileged`, the host's
pid, ipc, network or user namespace, the engine's socket, a capability that is as good as root, a
device, or an unconfined security profile. With `cap_drop_all: true` every service must drop all
capabilities as well. `security_opt` lists what else each must ask for, as it stands there
(`apparmor:docker-default`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from verifier.checks._compose import Stack, merged_config
from verifier.checks.base import Check, Host, Mismatch

_NO_GAIN = ("no-new-privileges", "no-new-privileges:true", "no-new-privileges=true")
_NAMESPACES = {
    "pid": "the host's processes (pid: host)",
    "ipc": "the host's shared memory (ipc: host)",
    "network_mode": "the host's network (network_mode: host)",
    "userns_mode": "the host's users (userns_mode: host)",
    "uts": "the host's name (uts: host)",
}
_SOCKETS = ("docker.sock", "containerd.sock", "podman.sock", "crio.sock")
_ROOT_LIKE = frozenset(
    (
        *("ALL", "BPF", "DAC_READ_SEARCH", "MAC_ADMIN", "NET_ADMIN", "PERFMON", "SYS_ADMIN"),
        *("SYS_BOOT", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO"),
    )
)


@dataclass(frozen=True)
class Params:
    stack: Stack
    cap_drop_all: bool = False
    security_opt: tuple[str, ...] = ()


@dataclass(frozen=True)
class Service:
    name: str
    no_new_privileges: bool
    drops_all: bool
    asks_for: tuple[str, ...]
    security_opt: tuple[str, ...]


@dataclass(frozen=True)
class Seen:
    services: tuple[Service, ...]


def observe(host: Host, want: Params) -> Seen:
    services = merged_config(host, want.stack)["services"]
    return Seen(
        tuple(
            Service(
                name,
                any(str(word) in _NO_GAIN for word in body.get("security_opt") or ()),
                "ALL" in _capabilities(body, "cap_drop"),
                tuple(_asked_for(body)),
                tuple(map(str, body.get("security_opt") or ())),
            )
            for name, body in services.items()
        )
    )


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    found = []
    for service in seen.services:
        what = f"service '{service.name}'"
        if not service.no_new_privileges:
            found.append(Mismatch(what, "security_opt no-new-privileges:true", "not asked for"))
        if want.cap_drop_all and not service.drops_all:
            found.append(Mismatch(what, "cap_drop: [ALL]", "not asked for"))
        found += [
            Mismatch(what, f"security_opt {word}", "not asked for")
            for word in want.security_opt
            if word not in service.security_opt
        ]
        found += [
            Mismatch(what, "no power over the host", f"asks for {a}") for a in service.asks_for
        ]
    return found


def _impossible(want: Params) -> Params:
    return replace(want, security_opt=("verifier-no-such-thing",))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _asked_for(body: Mapping[str, Any]) -> Iterator[str]:
    if body.get("privileged"):
        yield "everything (privileged: true)"
    for key, words in _NAMESPACES.items():
        if body.get(key) == "host":
            yield words
    for mount in body.get("volumes") or ():
        source = mount.get("source") if isinstance(mount, dict) else str(mount).partition(":")[0]
        if str(source or "").endswith(_SOCKETS):
            yield f"the engine's socket ({source})"
    for name in sorted(_capabilities(body, "cap_add") & _ROOT_LIKE):
        yield f"capability {name}"
    for word in body.get("security_opt") or ():
        if str(word).endswith("unconfined"):
            yield f"no confinement ({word})"
    for device in body.get("devices") or ():
        yield f"device {device.get('source') if isinstance(device, dict) else device}"


def _capabilities(body: Mapping[str, Any], key: str) -> set[str]:
    return {str(name).upper().removeprefix("CAP_") for name in body.get(key) or ()}
