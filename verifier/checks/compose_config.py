"""The compose files and the environment file that the deployment uses are valid together, and every
file counts.

    - id: compose-valid
      check: compose_config
      with:
        stack: "{{ compose_stack }}"

Red when `compose config` of exactly these files refuses them, when it warns that a variable is not
set, and when one of several files changes nothing (the configuration is the same without it: an
overlay that is named but empty). With `running: true`, for after the deployment, the project's
containers must have been made from exactly these files and this environment file, as compose's own
labels on them say: an overlay that was verified but never applied is red.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from dataclasses import dataclass, replace

from verifier.checks._compose import Stack, compose_words, containers
from verifier.checks.base import Check, CommandResult, Host, Mismatch, ask
from verifier.errors import CannotObserve

_UNSET = re.compile(r'The \\?"?([A-Za-z_]\w*)\\?"? variable is not set')
_FILES_LABEL = "com.docker.compose.project.config_files"
_ENV_LABEL = "com.docker.compose.project.environment_file"


@dataclass(frozen=True)
class Params:
    stack: Stack
    running: bool = False


@dataclass(frozen=True)
class Made:
    """A container and the files it was made from, as its labels say."""

    container: str
    files: tuple[str, ...]
    env_file: str


@dataclass(frozen=True)
class Seen:
    refused: str
    unset: tuple[str, ...] = ()
    idle_files: tuple[str, ...] = ()
    made: tuple[Made, ...] = ()


def observe(host: Host, want: Params) -> Seen:
    answer = _config(host, want.stack)
    unset = tuple(sorted(set(_UNSET.findall(answer.stderr))))
    made = _made(host, want.stack.project) if want.running else ()
    if answer.rc != 0:
        said = answer.stderr.strip() or "no reason given"
        return Seen(said.splitlines()[-1][:300], unset, made=made)
    if not answer.stdout.strip():
        raise CannotObserve("`compose config` printed nothing")
    return Seen("", unset, _idle_files(host, want.stack, answer.stdout), made)


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    found = []
    if not want.stack.files:
        found.append(Mismatch("stack", "at least one compose file", "none"))
    if seen.refused:
        found.append(Mismatch("compose config", "valid", f"refused: {seen.refused}"))
    found += [Mismatch(f"variable {name}", "set", "not set") for name in seen.unset]
    found += [
        Mismatch(file, "a part of the configuration", "the configuration is the same without it")
        for file in seen.idle_files
    ]
    return found + (_not_applied(want, seen) if want.running else [])


def _impossible(want: Params) -> Params:
    files = (*want.stack.files, "verifier-no-such-thing.yml")
    return replace(want, stack=replace(want.stack, files=files))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _config(host: Host, stack: Stack) -> CommandResult:
    words = compose_words(host, stack)
    # Compose itself must work, so that its refusal is about the files.
    ask(host, shlex.join((*words[: words.index("-p")], "version")))
    return host.run(shlex.join((*words, "config")))


def _made(host: Host, project: str) -> tuple[Made, ...]:
    found = []
    for container in containers(host, project):
        labels = container.raw["Config"].get("Labels") or {}
        files = tuple(word for word in labels.get(_FILES_LABEL, "").split(",") if word)
        found.append(Made(container.name, files, labels.get(_ENV_LABEL, "")))
    return tuple(found)


def _idle_files(host: Host, stack: Stack, whole: str) -> tuple[str, ...]:
    idle = []
    for file in stack.files if len(stack.files) > 1 else ():
        others = tuple(other for other in stack.files if other != file)
        answer = _config(host, replace(stack, files=others))
        if answer.rc == 0 and answer.stdout == whole:
            idle.append(file)
    return tuple(idle)


def _not_applied(want: Params, seen: Seen) -> list[Mismatch]:
    stack = want.stack
    files = tuple(posixpath.join(stack.directory, file) for file in stack.files)
    env_file = posixpath.join(stack.directory, stack.env_file) if stack.env_file else ""
    found = []
    if not seen.made:
        found.append(Mismatch(f"project '{stack.project}'", "made of these files", "no container"))
    for made in seen.made:
        if made.files != files:
            saw = ", ".join(made.files) or "no label that says so"
            found.append(Mismatch(f"{made.container} is made of", ", ".join(files), saw))
        if made.env_file and made.env_file != env_file:
            found.append(Mismatch(f"{made.container} was given", env_file, made.env_file))
    return found
