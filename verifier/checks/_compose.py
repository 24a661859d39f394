"""Looks that several checks share: the merged compose configuration exactly as the deployment uses
it, and the containers of one compose project as the engine knows them. Facts only; no opinion.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from verifier.checks.base import Host, ask
from verifier.document import parse_yaml
from verifier.errors import CannotObserve, DocumentError

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
ONE_OFF_LABEL = "com.docker.compose.oneoff"


@dataclass(frozen=True)
class Stack:
    """One compose project as the deployment calls it. `command` is found out on the host when
    empty.
    """

    project: str
    directory: str
    files: tuple[str, ...]
    env_file: str = ""
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Container:
    """One container as `docker inspect` tells it; `raw` is the whole answer for what has no name
    here.
    """

    id: str
    name: str
    service: str
    image_id: str
    status: str
    health: str
    exit_code: int
    restarts: int
    started_at: str
    pid: int
    raw: Mapping[str, Any]

    @property
    def env(self) -> dict[str, str]:
        """The effective environment, with values in clear: hash what is secret before it is stored."""
        pairs = (word.partition("=") for word in self.raw["Config"].get("Env") or [])
        return {name: value for name, _, value in pairs}


def compose_words(host: Host, stack: Stack) -> tuple[str, ...]:
    """The words every compose command begins with: always the same project, directory, files and
    env file.
    """
    binary = stack.command or _binary(host)
    files = [word for file in stack.files for word in ("-f", f"{stack.directory}/{file}")]
    env = ["--env-file", f"{stack.directory}/{stack.env_file}"] if stack.env_file else []
    return (*binary, "-p", stack.project, "--project-directory", stack.directory, *files, *env)


def compose(host: Host, stack: Stack, *words: str) -> str:
    """The output of one compose command; CannotObserve when it does not work."""
    return ask(host, shlex.join((*compose_words(host, stack), *words)))


def merged_config(host: Host, stack: Stack) -> dict[str, Any]:
    """`compose config` of exactly the deployment's files and env file. CannotObserve when compose
    refuses them.
    """
    try:
        config = parse_yaml(compose(host, stack, "config"), where="compose config")
    except DocumentError as error:
        raise CannotObserve(f"the merged configuration cannot be read: {error}") from error
    if not isinstance(config, dict) or not config.get("services"):
        raise CannotObserve("the merged configuration has no services")
    return config


def merged_or_refused(host: Host, stack: Stack, *about: str) -> tuple[dict[str, Any], str]:
    """The merged configuration; or none, and compose's own words if one of `about` is in them."""
    try:
        return merged_config(host, stack), ""
    except CannotObserve as error:
        if any(words in str(error) for words in about):
            return {}, re.sub(r"^.* ended with \d+: ", "", str(error))
        raise


def containers(host: Host, project: str) -> tuple[Container, ...]:
    """Every container of the project, stopped ones too, without the one-off ones of `compose run`;
    may be empty.
    """
    listing = ask(
        host, "docker ps -aq --no-trunc --filter %s", f"label={PROJECT_LABEL}={project}"
    ).split()
    if not listing:
        return ()
    found = inspect(host, *listing)
    return tuple(
        sorted(
            (
                _container(raw)
                for raw in found
                if _labels(raw).get(ONE_OFF_LABEL, "False") != "True"
            ),
            key=lambda container: (container.service, container.name),
        )
    )


def container_of(host: Host, project: str, service: str) -> Container:
    """The running container of one service; CannotObserve when there is none, as nothing inside can
    be seen.
    """
    for container in containers(host, project):
        if container.service == service and container.status == "running":
            return container
    raise CannotObserve(f"service '{service}' of project '{project}' has no running container")


def inspect(host: Host, *names: str) -> list[dict[str, Any]]:
    """`docker inspect` of the named containers or images, parsed."""
    answer = ask(host, "docker inspect " + " ".join(["%s"] * len(names)), *names)
    try:
        found = json.loads(answer)
    except json.JSONDecodeError as error:
        raise CannotObserve("`docker inspect` printed no JSON") from error
    return list(found)


def image_id(host: Host, name: str) -> str:
    """The id of the image a name, tag or id stands for in the host's engine; "" when it has none."""
    answer = host.run("docker image inspect --format %s %s", "{{.Id}}", name)
    if answer.rc != 0 and "No such image" not in answer.stderr:
        raise CannotObserve(f"image '{name}': {answer.stderr.strip()[:200]}")
    return answer.stdout.strip() if answer.rc == 0 else ""


def execute(
    host: Host, container: Container, *words: str, env: Mapping[str, str] | None = None
) -> str:
    """The output of a program inside a container, as the user the container runs as. `env` is
    visible in `ps`.
    """
    flags = [word for name, value in (env or {}).items() for word in ("-e", f"{name}={value}")]
    line = ["docker", "exec", *flags, container.id, *words]
    return ask(host, shlex.join(line))


def service_environment(service: Mapping[str, Any]) -> dict[str, str]:
    """A service's `environment` of a merged configuration as name -> value, whichever way it is
    written.
    """
    given = service.get("environment") or {}
    if isinstance(given, list):
        pairs = (str(word).partition("=") for word in given)
        return {name: value for name, _, value in pairs}
    return {str(name): "" if value is None else str(value) for name, value in given.items()}


def _binary(host: Host) -> tuple[str, ...]:
    if host.run("docker compose version --short").rc == 0:
        return ("docker", "compose")
    if host.run("docker-compose version --short").rc == 0:
        return ("docker-compose",)
    raise CannotObserve("neither `docker compose` nor `docker-compose` works on this host")


def _labels(raw: Mapping[str, Any]) -> dict[str, str]:
    return dict(raw.get("Config", {}).get("Labels") or {})


def _container(raw: dict[str, Any]) -> Container:
    state = raw["State"]
    return Container(
        id=raw["Id"],
        name=raw["Name"].lstrip("/"),
        service=_labels(raw).get(SERVICE_LABEL, ""),
        image_id=raw["Image"],
        status=state["Status"],
        health=(state.get("Health") or {}).get("Status", ""),
        exit_code=state.get("ExitCode", 0),
        restarts=raw.get("RestartCount", 0),
        started_at=state.get("StartedAt", ""),
        pid=state.get("Pid", 0),
        raw=raw,
    )
