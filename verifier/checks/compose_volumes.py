"""Data that must survive is on a named volume, or on a directory of the host that exists and has
the right owner.

    - id: compose-volumes
      check: compose_volumes
      with:
        stack: "{{ compose_stack }}"
        data: {db: /var/lib/mysql, redis: /data}
        owners: {db: "100:101"}

`data` names the data directory of each stateful service, as the service sees it. Red when nothing,
an anonymous volume or a tmpfs lies under it; when the source of any bind mount is missing on the
host; when a bind mount below data does not belong to its `owners` entry (user name, uid, or
uid:gid; an entry is needed for each); when an external volume does not exist; and when two services
share one data directory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from pydantic import Field

from verifier.checks._compose import Stack, merged_or_refused
from verifier.checks.base import Check, Host, Mismatch
from verifier.errors import CannotObserve

_REFUSALS = ("undefined volume",)
_MISSING = ("no such volume", "not found", "No such file")


@dataclass(frozen=True)
class Params:
    stack: Stack
    data: Annotated[dict[str, str], Field(min_length=1)]
    owners: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Mount:
    """One mount of a service. `there` is False for a bind source or an external volume that the
    host does not have; `owners` are the words by which a bind source's owner may be called.
    """

    service: str
    kind: str
    source: str
    target: str
    there: bool = True
    owners: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seen:
    refused: str
    services: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()


def observe(host: Host, want: Params) -> Seen:
    config, refused = merged_or_refused(host, want.stack, *_REFUSALS)
    if refused:
        return Seen(refused)
    external = {
        name: str((body or {}).get("name") or name)
        for name, body in (config.get("volumes") or {}).items()
        if (body or {}).get("external")
    }
    mounts = [
        _look_at(host, external, mount)
        for name, body in config["services"].items()
        for mount in _declared(name, body)
    ]
    return Seen("", tuple(config["services"]), tuple(mounts))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if seen.refused:
        return [Mismatch("volumes", "accepted by compose", f"refused: {seen.refused}")]
    found = []
    for mount in seen.mounts:
        if not mount.there:
            what = f"{mount.kind} '{mount.source}' of {mount.service}"
            found.append(Mismatch(what, "there on the host", "missing"))
    under = {name: _covering(seen.mounts, name, path) for name, path in want.data.items()}
    for name, path in want.data.items():
        found += _about_data(want, seen, f"{path} of {name}", name, under[name])
    shared = Counter((m.kind, m.source) for m in under.values() if m and m.source)
    return found + [
        Mismatch(f"{kind} '{source}'", "the data of one service", f"of {count}")
        for (kind, source), count in shared.items()
        if count > 1
    ]


def _impossible(want: Params) -> Params:
    return replace(want, data=dict.fromkeys(want.data, "/verifier-no-such-thing"))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _declared(service: str, body: Mapping[str, Any]) -> list[Mount]:
    found = []
    for given in body.get("volumes") or []:
        if isinstance(given, dict):
            source, target = str(given.get("source") or ""), str(given.get("target"))
            found.append(Mount(service, str(given.get("type", "volume")), source, target))
        else:
            source, _, rest = (
                str(given).rpartition(":") if str(given).count(":") == 1 else _three(given)
            )
            kind = "bind" if source.startswith(("/", ".", "~")) else "volume"
            found.append(Mount(service, kind, source, rest))
    tmpfs = body.get("tmpfs") or []
    paths = [tmpfs] if isinstance(tmpfs, str) else tmpfs
    return found + [Mount(service, "tmpfs", "", str(path).partition(":")[0]) for path in paths]


def _three(given: object) -> tuple[str, str, str]:
    source, _, rest = str(given).partition(":")
    return (source, ":", rest.partition(":")[0]) if rest else ("", "", source)


def _look_at(host: Host, external: Mapping[str, str], mount: Mount) -> Mount:
    if mount.kind == "bind":
        command, name = "LC_ALL=C stat -c '%%U %%u %%u:%%g' -- %s", mount.source
    elif mount.kind == "volume" and mount.source in external:
        command, name = "docker volume inspect --format '{{.Name}}' %s", external[mount.source]
    else:
        return mount
    answer = host.run(command, name)
    if answer.rc != 0 and not any(words in answer.stderr for words in _MISSING):
        raise CannotObserve(f"{mount.kind} '{name}': {answer.stderr.strip()[:200]}")
    owners = tuple(answer.stdout.split()) if mount.kind == "bind" else ()
    return Mount(
        mount.service, mount.kind, mount.source, mount.target, there=answer.rc == 0, owners=owners
    )


def _covering(mounts: tuple[Mount, ...], service: str, path: str) -> Mount | None:
    over = [
        mount
        for mount in mounts
        if mount.service == service
        and (path.rstrip("/") + "/").startswith(mount.target.rstrip("/") + "/")
    ]
    return max(over, key=lambda mount: len(mount.target), default=None)


def _about_data(
    want: Params, seen: Seen, what: str, name: str, mount: Mount | None
) -> list[Mismatch]:
    wanted = "on a named volume or a directory of the host"
    if name not in seen.services:
        return [Mismatch(f"service '{name}'", "in the stack", f"only {', '.join(seen.services)}")]
    if mount is None:
        return [Mismatch(what, wanted, "no mount: inside the container, or an anonymous volume")]
    if mount.kind == "tmpfs":
        return [Mismatch(what, wanted, "in memory (tmpfs)")]
    if not mount.source:
        return [Mismatch(what, wanted, "an anonymous volume")]
    if mount.kind == "bind" and mount.there and want.owners.get(name) not in mount.owners:
        owner = want.owners.get(name, "an owner declared in `owners`")
        return [Mismatch(f"owner of {mount.source}", owner, " = ".join(mount.owners))]
    return []
