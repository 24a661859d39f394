"""Trouble: permission denied. Tries as each container's own user what it must be able to do with its
mounted folders and files, and names the folder, the owner, and the next command.

    - id: mounts-are-writable
      check: diagnose_permissions
      with:
        project: "{{ compose_project }}"
        services: [app, db, redis]
        files: ["{{ release_dir }}/.env.prod"]

Every bind mount, volume and tmpfs of each running container is tried as the user its main process
runs as. A folder mounted for writing must be listed, its own folders be writable (links and
lost+found apart), and a file made in it and removed again (a marked, empty one, for a moment). One
mounted read-only must be listed. A mounted file must be readable, and writable where it is mounted
so. `only_read` names mounts (`app:/etc/localtime`) that are mounted for writing but that nobody means
to write. `writable` adds folders of a container that are no mounts (`app:/var/cache/app`). `files`
are files of the host that the user of this look must be able to read, and that hold something.

Red is also a service that has no container, and one with nothing to try. A container without a shell
cannot be tried from inside, and a service whose container does not run has no user: no verdict. A full
disk and a read-only file system are told apart from a missing right.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace

from verifier.checks._compose import Container, containers
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_NOBODYS = "/verifier-no-such-folder/verifier-no-such-file"
# $1 the path, $2 rw or ro, $3 a name nobody else uses. Nothing that was there is written or removed.
_TRY = """
p=$1 n=$1/$3
said() { printf '%s\\n' "$1" "$(stat -c '%u:%g %a' "$p" 2>/dev/null || ls -ldn "$p" 2>&1)"; exit 0; }
[ -e "$p" ] || said 'cannot be reached'
if [ -d "$p" ]; then
  [ -r "$p" ] && [ -x "$p" ] && ls -A "$p" >/dev/null 2>&1 || said 'cannot be listed'
  [ "$2" = rw ] || said fine
  for d in "$p"/*/; do
    case $d in */lost+found/|"$p"/\\*/) continue;; esac
    [ -L "${d%/}" ] || { [ -w "$d" ] && [ -x "$d" ]; } || { p=${d%/}; said "cannot be written to: ${p##*/} in it"; }
  done
  trap 'rm -f "$n"' EXIT HUP INT TERM
  set -C
  if why=$( (: >"$n") 2>&1); then rm "$n" && trap - EXIT && said fine; said 'cannot be removed from'
  else trap - EXIT; said "cannot be written to: ${why##*: }"; fi
fi
[ -r "$p" ] || said 'cannot be read'
[ "$2" = rw ] && ! [ -w "$p" ] && said 'cannot be written'
said fine
"""


@dataclass(frozen=True)
class Params:
    project: str
    services: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    only_read: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tried:
    """One path inside a container and how it went: `answer` is `fine` or what failed, `owner` is
    uid:gid and mode as the container sees them, `source` where it lies on the host.
    """

    service: str
    container: str
    path: str
    kind: str
    source: str
    writing: bool
    user: str
    answer: str
    owner: str


@dataclass(frozen=True)
class File:
    """A file of the host, read as `user`: `answer` is `fine` or what failed."""

    path: str
    user: str
    answer: str
    owner: str


@dataclass(frozen=True)
class Seen:
    tried: tuple[Tried, ...]
    files: tuple[File, ...]
    absent: tuple[str, ...]


def observe(host: Host, want: Params) -> Seen:
    found = containers(host, want.project)
    wanted = want.services or tuple(dict.fromkeys(c.service for c in found))
    chosen = [c for c in found if c.service in wanted]
    stopped = [c.name for c in chosen if c.status != "running"]
    if stopped:
        raise CannotObserve(
            f"{', '.join(stopped)} does not run, so nothing can be tried as its user; "
            f"next: docker logs --tail 50 {stopped[0]}"
        )
    name = f".verifier-{secrets.token_hex(8)}"
    tried = tuple(one for container in chosen for one in _try(host, want, container, name))
    absent = tuple(s for s in wanted if s not in {c.service for c in chosen})
    return Seen(tried, tuple(_read(host, path) for path in want.files), absent)


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    wrong = [
        Mismatch(f"service {service}", "a container", "none; next: docker ps -a")
        for service in seen.absent
    ]
    if not seen.tried and not seen.files and not wrong:
        return [Mismatch(f"project {want.project}", "mounts or files to try", "none")]
    wrong += [_told(one) for one in seen.tried if one.answer != "fine"]
    for file in seen.files:
        if file.answer != "fine":
            saw = f"{file.answer} (owner and mode {file.owner or 'unknown'}); next: ls -ld {file.path}"
            wrong.append(Mismatch(file.path, f"readable by {file.user}, not empty", saw))
    return wrong


def _impossible(want: Params) -> Params:
    return replace(want, files=(*want.files, _NOBODYS))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _try(host: Host, want: Params, container: Container, name: str) -> Iterator[Tried]:
    user = _main_user(host, container)
    # The engine adds the groups of the configured user; another one has only those it is given.
    flags = (
        []
        if ask(host, "docker exec %s id -u", container.id).strip() == user.partition(":")[0]
        else ["-u", user]
    )
    for path, kind, source, writing in _paths(want, container):
        words = (
            *flags,
            container.id,
            "sh",
            "-c",
            _TRY,
            "sh",
            path,
            "rw" if writing else "ro",
            name,
        )
        lines = ask(host, "docker exec" + " %s" * len(words), *words).splitlines()
        if not lines:
            raise CannotObserve(f"{container.name} said nothing about {path}")
        owner = lines[1] if lines[1:] else ""
        yield Tried(
            container.service, container.name, path, kind, source, writing, user, lines[0], owner
        )


def _paths(want: Params, container: Container) -> Iterator[tuple[str, str, str, bool]]:
    """Path, kind, place on the host, and whether it must be writable."""
    for mount in container.raw.get("Mounts") or []:
        path = str(mount["Destination"])
        writing = bool(mount.get("RW")) and f"{container.service}:{path}" not in want.only_read
        yield path, str(mount["Type"]), str(mount.get("Source") or ""), writing
    for path, options in (container.raw["HostConfig"].get("Tmpfs") or {}).items():
        is_read_only = "ro" in str(options).split(",")
        writing = not is_read_only and f"{container.service}:{path}" not in want.only_read
        yield path, "tmpfs", "", writing
    for entry in want.writable:
        service, _, path = entry.partition(":")
        if service == container.service:
            yield path, "folder", "", True


def _main_user(host: Host, container: Container) -> str:
    """uid:gid of the main process as the host's kernel knows it, whatever the image says."""
    status = ask(host, "cat %s", f"/proc/{container.pid}/status")
    ids = dict(re.findall(r"^(Uid|Gid):\s+\d+\s+(\d+)", status, re.MULTILINE))
    if set(ids) != {"Uid", "Gid"}:
        raise CannotObserve(f"/proc/{container.pid}/status of {container.name} is not understood")
    return f"{ids['Uid']}:{ids['Gid']}"


def _read(host: Host, path: str) -> File:
    """By really opening it; its text stays on the host."""
    user = ask(host, "id -un").strip()
    owner = host.run("stat -c %s -- %s", "%U:%G %a", path).stdout.strip()
    answer = host.run("head -c 1 -- %s | wc -c", path)
    if answer.stderr.strip():
        return File(path, user, answer.stderr.strip().rpartition(": ")[2], owner)
    return File(path, user, "fine" if answer.stdout.strip() == "1" else "empty", owner)


def _told(one: Tried) -> Mismatch:
    what = f"{one.kind} {one.path} of {one.service}"
    wanted = f"{'readable and writable' if one.writing else 'readable'} by its user {one.user}"
    owner = one.owner or "unknown"
    return Mismatch(what, wanted, f"{one.answer} (owner and mode {owner}); next: {_next(one)}")


def _next(one: Tried) -> str:
    if "No space left" in one.answer:
        return f"docker exec {one.container} df -h {one.path}"
    if "Read-only" in one.answer or not one.source:
        form = "'{{json .Mounts}} {{json .HostConfig.Tmpfs}}'"
        return f"docker inspect --format {form} {one.container}"
    inside = re.search(r": (.+) in it$", one.answer)
    place = f"{one.source}/{inside[1]}" if inside else one.source
    return f"sudo ls -ldn {place}, then sudo chown {one.user} {place}"
