"""Questions to a database, asked by the client program inside its own container with the account
the container was configured with. The password stays there: the client reads it from its
environment, so it is on no command line. Facts only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from verifier.checks._compose import Container, container_of
from verifier.checks.base import CommandResult, Host, ask

_Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]

# The words after the script are its $1: the question never becomes part of the shell's text.
_CLIENTS = {
    "mariadb": (
        'client=$(command -v mariadb || command -v mysql) && export MYSQL_PWD="${password}" && '
        'exec "$client" --protocol=tcp --host=127.0.0.1 --connect-timeout=5 --user="${user}" '
        '--batch --skip-column-names --raw --execute="$1" "${name}"'
    ),
    "postgresql": (
        'export PGPASSWORD="${password}" PGCONNECT_TIMEOUT=5 && exec psql --no-psqlrc --quiet '
        '--no-align --tuples-only --field-separator="$(printf "\\t")" --host=127.0.0.1 '
        '--username="${user}" --dbname="${name}" --command="$1"'
    ),
}


@dataclass(frozen=True)
class Database:
    """Where a database runs, and the variables in its container that hold the account."""

    engine: Literal["mariadb", "postgresql"]
    project: str
    service: str
    user: _Name = "DB_USER"
    password: _Name = "DB_PASSWORD"  # noqa: S105  the name of a variable
    name: _Name = "DB_NAME"


def query(host: Host, database: Database, question: str) -> list[tuple[str, ...]]:
    """The rows of the answer. CannotObserve when there is no container, or it does not answer."""
    container = container_of(host, database.project, database.service)
    answer = ask(host, "docker exec %s sh -c %s sh %s", *_words(container, database, question))
    return [tuple(line.split("\t")) for line in answer.splitlines() if line]


def try_query(host: Host, database: Database, container: Container, question: str) -> CommandResult:
    """The client's own answer, for a look whose point is whether there is one."""
    return host.run("docker exec %s sh -c %s sh %s", *_words(container, database, question))


def command_line(container: Container, database: Database, question: str) -> list[str]:
    """The words that ask it on the host, for a program there that asks again and again."""
    identity, script, asked = _words(container, database, question)
    return ["docker", "exec", identity, "sh", "-c", script, "sh", asked]


def _words(container: Container, database: Database, question: str) -> tuple[str, str, str]:
    script = _CLIENTS[database.engine]
    for variable in ("user", "password", "name"):
        script = script.replace("${" + variable + "}", "${" + getattr(database, variable) + "}")
    return container.id, script, question
