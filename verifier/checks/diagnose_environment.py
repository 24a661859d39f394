"""Trouble: the environment is not loaded. Follows each key from the env file into the running
process, and names the place where it is lost and the next command.

    - id: environment-arrives
      check: diagnose_environment
      with:
        stack: "{{ compose_stack }}"
        service: app
        keys: [ENVIRONMENT, SECRET_KEY, DB_HOST]

Four readings: the env file of the release, the merged compose configuration, the settings the
container was created with, and `/proc/1/environ` of its main process. Red, each with its cause: an
env file that is missing, unreadable or without a key; compose refusing its files; compose files that
do not hand a key on or give it another value; a container that is older than the change, or is not
there; a main process that was started with something else. Without `keys` every key that compose
hands to the service is followed, and one that only the compose files give is in order; a key named
in `keys` must stand in the env file. A secret is compared by a keyed hash and never shown.

A container that does not run has no process to read: the other three readings are compared, and
that it does not run is told as well. What the program makes of a value is the business of
`app_settings`.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace

from verifier.checks._compose import (
    Container,
    Stack,
    compose_words,
    containers,
    merged_or_refused,
    service_environment,
)
from verifier.checks._dotenv import parse_env
from verifier.checks._environment import Reading, process_environment, read_each
from verifier.checks._secret import fresh_key, is_secret
from verifier.checks.base import Check, Host, Mismatch
from verifier.errors import CannotObserve

FILE, MERGED, CREATED, PROCESS = "env file", "merged compose", "container", "main process"
_REFUSALS = ("variable", "no such file", "permission denied", "env file", "interpolat")
_NOBODYS = "VERIFIER_NO_SUCH_KEY"


@dataclass(frozen=True)
class Params:
    stack: Stack
    service: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seen:
    """`file_state`: `read`, or why it was not. `refused` is compose's complaint, `container` the
    service's container and its state ("" for none); `compose` begins every compose command here.
    """

    file_state: str
    refused: str
    container: str
    state: str
    compose: str
    readings: tuple[Reading, ...]


def observe(host: Host, want: Params) -> Seen:
    state, file = _read_file(host, f"{want.stack.directory}/{want.stack.env_file}")
    words = compose_words(host, want.stack)
    config, refused = merged_or_refused(host, want.stack, *_REFUSALS)
    sources: dict[str, Mapping[str, str]] = {FILE: file}
    if config:
        sources[MERGED] = _merged(config["services"], want.service)
    container = _container(host, want)
    if container:
        sources[CREATED] = container.env
        if container.status == "running":
            sources[PROCESS] = process_environment(host, container)
    keys = want.keys or tuple(sources.get(MERGED, {}))
    return Seen(
        file_state=state,
        refused=refused,
        container=container.name if container else "",
        state=container.status if container else "",
        compose=shlex.join(words),
        readings=read_each(dict.fromkeys(keys), sources, fresh_key()),
    )


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    path = f"{want.stack.directory}/{want.stack.env_file}"
    wrong = []
    if seen.file_state != "read":
        saw = f"{seen.file_state}; next: ls -l {path}"
        wrong.append(Mismatch("env file", f"{path}, readable", saw))
    if seen.refused:
        saw = f"refused: {seen.refused}; next: {seen.compose} config --quiet"
        wrong.append(Mismatch("merged compose configuration", "made of the files", saw))
    if seen.state != "running":
        saw = seen.state or "there is none"
        logs = f"docker logs --tail 50 {seen.container}"
        then = logs if seen.container else f"{seen.compose} up -d {want.service}"
        wrong.append(Mismatch(f"container of {want.service}", "running", f"{saw}; next: {then}"))
    if seen.file_state == "read":
        wrong += [one for r in seen.readings for one in _judge_key(want, seen, r)]
    if not seen.readings and not wrong:
        wrong.append(Mismatch("keys", "at least one to follow", f"none for {want.service}"))
    return wrong


def _impossible(want: Params) -> Params:
    return replace(want, keys=(*want.keys, _NOBODYS))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _read_file(host: Host, path: str) -> tuple[str, dict[str, str]]:
    answer = host.run("cat -- %s", path)
    if answer.rc == 0:
        values = parse_env(answer.stdout).values
        return ("read" if values else "without a KEY=value line"), values
    for words, state in (("No such file", "missing"), ("Permission denied", "not readable")):
        if words in answer.stderr:
            return state, {}
    raise CannotObserve(f"{path}: {answer.stderr.strip()[:200]}")


def _merged(services: Mapping[str, Mapping[str, object]], service: str) -> dict[str, str]:
    if service not in services:
        raise CannotObserve(f"the merged configuration has no service '{service}'")
    # `config` writes a literal dollar as two, so that compose can read it again.
    found = service_environment(services[service])
    return {key: value.replace("$$", "$") for key, value in found.items()}


def _container(host: Host, want: Params) -> Container | None:
    found = [c for c in containers(host, want.stack.project) if c.service == want.service]
    return min(found, key=lambda c: c.status != "running", default=None)


def _judge_key(want: Params, seen: Seen, reading: Reading) -> list[Mismatch]:
    """The first place on its way where a key is not what it was before."""
    values = dict(reading.values)
    key, path = reading.key, f"{want.stack.directory}/{want.stack.env_file}"
    if values[FILE] is None:
        if not want.keys and any(values.values()):
            return []
        saw = f"the env file does not have it; next: grep -n '{key}' {path}"
        return [Mismatch(key, f"a line in {path}", saw)]
    before = FILE
    for place in (MERGED, CREATED, PROCESS):
        if place in values and values[place] != values[before]:
            difference = _difference(key, before, place, values)
            saw = f"{difference}: {_cause(place, key, want, seen)}"
            return [Mismatch(key, f"the same from the {FILE} to the {PROCESS}", saw)]
        before = place if place in values else before
    return []


def _difference(key: str, before: str, place: str, values: Mapping[str, str | None]) -> str:
    if values[place] is None:
        return f"absent in the {place}"
    if is_secret(key):
        return f"another secret in the {place} than in the {before}"
    return f"'{values[place]}' in the {place}, '{values[before]}' in the {before}"


def _cause(place: str, key: str, want: Params, seen: Seen) -> str:
    files = " ".join(f"{want.stack.directory}/{file}" for file in want.stack.files)
    if place == MERGED:
        return (
            f"the compose files do not hand it to {want.service} as it is, or the shell that calls "
            f"compose has a {key} of its own; next: grep -n {key} {files}"
        )
    if place == CREATED:
        return (
            f"{seen.container} was created with other settings than these; "
            f"next: {seen.compose} up -d {want.service}"
        )
    return (
        f"the image's start script changes it; next: docker exec {seen.container} "
        f'sh -c \'tr "\\0" "\\n" </proc/1/environ | cut -d= -f1\''
    )
