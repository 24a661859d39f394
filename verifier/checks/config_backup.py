"""The configuration of the running release is kept on the host, and it is the one that runs.

    - id: configuration-kept
      check: config_backup
      with:
        stack: "{{ compose_stack }}"
        files: "{{ release_files + [release_env_file] }}"

Every file must be there and not empty; every running container must say (by compose's own labels)
that it was made from this directory's files, and with the configuration hash that compose computes
from them now. A file edited after the start, or a container made by hand, is red: what is kept
would not bring back what runs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from verifier.checks._compose import Container, Stack, compose, containers
from verifier.checks.base import Check, Host, Mismatch
from verifier.errors import CannotObserve

_HASH = "com.docker.compose.config-hash"
_FILES = "com.docker.compose.project.config_files"
_WORDS = 2


@dataclass(frozen=True)
class Params:
    stack: Stack
    files: tuple[str, ...]


@dataclass(frozen=True)
class Made:
    """One container: its hash, the hash of the kept files, and the files it was made from."""

    service: str
    name: str
    made_with: str
    kept: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class Seen:
    absent: tuple[str, ...]
    made: tuple[Made, ...]


def observe(host: Host, want: Params) -> Seen:
    at = want.stack.directory
    absent = tuple(f for f in want.files if host.run("test -s %s", f"{at}/{f}").rc != 0)
    if absent:
        return Seen(absent, ())
    lines = (
        line.split() for line in compose(host, want.stack, "config", "--hash", "*").splitlines()
    )
    kept = {words[0]: words[1] for words in lines if len(words) == _WORDS}
    if not kept:
        raise CannotObserve("compose computes no configuration hash")
    found = containers(host, want.stack.project)
    return Seen((), tuple(_made(one, kept.get(one.service, "")) for one in found))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if not want.files:
        return [Mismatch("files", "at least one to look for", "none")]
    found = [
        Mismatch(f"{file} in {want.stack.directory}", "kept", "missing or empty")
        for file in seen.absent
    ]
    if not seen.absent and not seen.made:
        found.append(Mismatch(f"project {want.stack.project}", "containers to compare", "none"))
    files = tuple(f"{want.stack.directory}/{file}" for file in want.stack.files)
    return found + [wrong for made in seen.made for wrong in _wrong(files, made)]


def _impossible(want: Params) -> Params:
    return replace(want, files=("verifier-no-such-thing",))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _made(one: Container, kept: str) -> Made:
    labels = one.raw["Config"].get("Labels") or {}
    files = tuple(filter(None, labels.get(_FILES, "").split(",")))
    return Made(one.service, one.name, labels.get(_HASH, ""), kept, files)


def _wrong(files: tuple[str, ...], made: Made) -> list[Mismatch]:
    what = f"container {made.name}"
    if made.files != files:
        saw = ", ".join(made.files) or "no compose file"
        return [Mismatch(what, f"made from {', '.join(files)}", saw)]
    if not made.kept or made.made_with != made.kept:
        saw = f"made with {made.made_with[:12]}, the files now say {made.kept[:12] or 'nothing'}"
        return [Mismatch(what, "made with the kept configuration", saw)]
    return []
