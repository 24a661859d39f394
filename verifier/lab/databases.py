"""The databases o4o finds on its host: the compose project o4o-data. It stands for what a user
already runs, so it is started with the lab and no deployment touches it.
"""

from __future__ import annotations

from verifier.errors import InfrastructureError
from verifier.lab.engine import Docker
from verifier.lab.hosts import HOSTS
from verifier.lab.project import Project

HOST = next(host for host in HOSTS if "o4o" in host.groups)
FOLDER = "/srv/o4o-data"
WAIT_SECONDS = 120


def ensure_databases(docker: Docker, project: Project, secrets: dict[str, str]) -> str:
    """Puts the compose file and its .env on the host and returns when both services are healthy."""
    compose = (project.lab / "host" / "o4o-data" / "docker-compose.yml").read_text(encoding="utf-8")
    _place(docker, "docker-compose.yml", compose)
    _place(docker, ".env", environment(secrets))
    command = ("docker", "compose", "--project-directory", FOLDER, "up", "--detach", "--wait")
    answer = docker.ask(
        *("exec", "--user", "deploy", HOST.container, *command),
        *("--wait-timeout", str(WAIT_SECONDS), "--quiet-pull"),
        seconds=WAIT_SECONDS + 120,
    )
    if answer.code != 0:
        last = (answer.err.strip().splitlines() or ["no message"])[-1]
        raise InfrastructureError(
            f"o4o's databases did not become healthy: {last}",
            where=HOST.name,
            do=f"docker exec {HOST.container} docker compose --project-directory {FOLDER} logs",
        )
    return "healthy"


def environment(secrets: dict[str, str]) -> str:
    """The compose project's .env; its values need no quotes, see `secrets.ALPHABET`."""
    return (
        f"DB_PASSWORD={secrets['vault_o4o_db_password']}\n"
        f"REDIS_PASSWORD={secrets['vault_o4o_redis_password']}\n"
    )


def _place(docker: Docker, name: str, text: str) -> None:
    script = (
        f"install -d -m 0750 -o deploy -g deploy {FOLDER} && cd {FOLDER} && umask 077"
        f" && cat >{name}.new && chown deploy:deploy {name}.new && mv {name}.new {name}"
    )
    docker.run("exec", "--interactive", HOST.container, "sh", "-c", script, stdin=text)
