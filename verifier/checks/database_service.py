"""A database's container runs, is healthy, and answers a query.

    - id: database-answers
      check: database_service
      with:
        database: {engine: mariadb, project: "{{ compose_project }}", service: db}

The query is asked by the client program in the container, with the account in its environment: the
variables named by `user`, `password` and `name` (DB_USER, DB_PASSWORD, DB_NAME). A container
without a healthcheck is red unless `healthcheck: false`. `version` is a regular expression that must
be found in what the server says its version is (`^11[.]4`, `^PostgreSQL 16`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from verifier.checks._compose import containers
from verifier.checks._database import Database, try_query
from verifier.checks._pattern import refuse_bad_patterns
from verifier.checks.base import Check, Host, Mismatch

_QUESTION = "SELECT 40 + 2, version()"
_ANSWER = "42"


@dataclass(frozen=True)
class Params:
    database: Database
    healthcheck: bool = True
    version: str = ""

    def __post_init__(self) -> None:
        refuse_bad_patterns("version", [self.version] if self.version else [])


@dataclass(frozen=True)
class Seen:
    """`said` is the answer to the query, or the client's complaint."""

    state: str
    health: str
    answered: bool
    said: str


def observe(host: Host, want: Params) -> Seen:
    found = containers(host, want.database.project)
    container = next((one for one in found if one.service == want.database.service), None)
    if container is None:
        return Seen("absent", "", answered=False, said="")
    if container.status != "running":
        return Seen(container.status, container.health, answered=False, said="")
    answer = try_query(host, want.database, container, _QUESTION)
    answered = answer.rc == 0 and answer.stdout.split("\t")[0].strip() == _ANSWER
    said = " ".join((answer.stdout if answered else answer.stderr or answer.stdout).split())
    return Seen(container.status, container.health, answered, said[:300])


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    what = f"database service {want.database.service}"
    if seen.state != "running":
        return [Mismatch(what, "running", seen.state)]
    found = []
    if seen.health != "healthy" and (seen.health or want.healthcheck):
        found.append(Mismatch(what, "healthy", seen.health or "no healthcheck"))
    if not seen.answered:
        found.append(Mismatch(what, "an answer to a query", seen.said or "none"))
    _, _, version = seen.said.partition(" ")
    if seen.answered and want.version and not re.search(want.version, version):
        found.append(Mismatch(f"version of {what}", f"/{want.version}/", version or "none"))
    return found


def _impossible(want: Params) -> Params:
    return replace(want, version="verifier-no-such-thing")


CHECK = Check(Params, observe, judge, impossible=_impossible)
