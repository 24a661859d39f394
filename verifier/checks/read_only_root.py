"""The root file system of every container is read-only, and a real write to it is refused.

    - id: read-only-root
      check: read_only_root
      with: {stack: "{{ compose_stack }}"}

The merged configuration must ask for `read_only: true`, and then a write to `/` is tried as the
container's root: only a kernel that answers "Read-only file system" counts. A file that could be
written is removed at once. `directory` is another place in each container that must refuse it, a
folder that is mounted, say. `services` narrows the look; without it every service of the
configuration is meant. Where the declaration is optional the binding says so with `only_if`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from verifier.checks._compose import Container, Stack, containers, merged_config
from verifier.checks.base import Check, Host, Mismatch

_PROBE = ".write-probe"


@dataclass(frozen=True)
class Params:
    stack: Stack
    services: tuple[str, ...] = ()
    directory: str = "/"

    def __post_init__(self) -> None:
        if not self.directory.startswith("/"):
            raise ValueError("directory is absolute")


@dataclass(frozen=True)
class Root:
    """`attempt` is what became of the write: `refused`, `written`, or why it could not be tried."""

    service: str
    declared: bool
    attempt: str


@dataclass(frozen=True)
class Seen:
    roots: tuple[Root, ...]


def observe(host: Host, want: Params) -> Seen:
    config = merged_config(host, want.stack)["services"]
    running = {
        one.service: one for one in containers(host, want.stack.project) if one.status == "running"
    }
    return Seen(
        tuple(
            Root(
                name,
                bool((config.get(name) or {}).get("read_only")),
                _try_to_write(host, running[name], want.directory)
                if name in running
                else "no running container",
            )
            for name in want.services or sorted(config)
        )
    )


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if not seen.roots:
        return [Mismatch("services", "at least one to look into", "none")]
    return [wrong for root in seen.roots for wrong in _wrong(want, root)]


def _impossible(want: Params) -> Params:
    return replace(want, directory="/dev")  # a tmpfs that is writable in every container


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _try_to_write(host: Host, container: Container, directory: str) -> str:
    probe = f"{directory.rstrip('/')}/{_PROBE}"
    answer = host.run("docker exec -u 0 %s touch %s", container.id, probe)
    if answer.rc == 0:
        host.run("docker exec -u 0 %s rm -f %s", container.id, probe)
        return "written"
    said = " ".join(answer.stderr.split())
    return "refused" if "Read-only file system" in said else f"not tried: {said[:200]}"


def _wrong(want: Params, root: Root) -> list[Mismatch]:
    place = "root file system" if want.directory == "/" else want.directory
    what = f"{place} of {root.service}"
    if root.attempt == "written":
        declared = "although read_only is declared" if root.declared else "read_only not declared"
        return [Mismatch(what, "a write is refused", f"a write went through ({declared})")]
    if root.attempt != "refused":
        return [Mismatch(what, "a write is tried and refused", root.attempt)]
    if not root.declared:
        return [Mismatch(what, "read_only in the merged configuration", "not declared")]
    return []
