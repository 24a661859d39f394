"""All connection pools together stay below what the database accepts.

    - id: pool-fits
      check: pool_size
      with:
        path: /srv/app/.env.prod
        pool: DB_POOL_SIZE
        overflow: DB_MAX_OVERFLOW
        workers: WORKERS
        share: 0.8
        database:
          name: app
          engine: mariadb
          container: {project: app, service: db}
          user: root
          password_env: DB_ROOT_PASSWORD

`pool`, `overflow` and `workers` are keys of the environment file; (pool + overflow) x workers x
`instances` must be at most `share` of the maximum that the running database itself reports
(PostgreSQL: without the connections it reserves). `password_env` is the name of the variable inside
the database's container that holds the password; empty means the server trusts the container's own
user.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field

from verifier.checks._compose import container_of, execute
from verifier.checks._dotenv import read_env, whole_number
from verifier.checks.base import Check, Host, Mismatch
from verifier.errors import CannotObserve

# The password goes from the container's environment to the client's: it is never an argument.
_ASK = {
    "mariadb": (
        'MYSQL_PWD="$(printenv "$1")" exec "$(command -v mariadb || command -v mysql)"'
        ' -N -B -u"$2" -e "SELECT @@max_connections"'
    ),
    "postgresql": (
        'PGPASSWORD="$(printenv "$1")" exec psql -w -X -t -A -U "$2" -d "$3" -c'
        " \"SELECT current_setting('max_connections')::int"
        " - current_setting('superuser_reserved_connections')::int\""
    ),
}


@dataclass(frozen=True)
class Place:
    project: str
    service: str


@dataclass(frozen=True)
class Database:
    name: str
    engine: Literal["mariadb", "postgresql"]
    container: Place
    user: str
    password_env: str = ""


@dataclass(frozen=True)
class Params:
    path: str
    pool: str
    database: Database
    overflow: str = ""
    workers: str = ""
    instances: Annotated[int, Field(ge=1)] = 1
    share: Annotated[float, Field(gt=0, le=1)] = 0.8


@dataclass(frozen=True)
class Seen:
    """Texts of the three keys (None: absent or not asked for), and the database's own maximum."""

    pool: str | None
    overflow: str | None
    workers: str | None
    max_connections: int


def observe(host: Host, want: Params) -> Seen:
    values = read_env(host, want.path).values
    pool, overflow, workers = map(values.get, (want.pool, want.overflow, want.workers))
    return Seen(pool, overflow, workers, _max_connections(host, want.database))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    found = []
    numbers = []
    for key, text, unasked in (
        (want.pool, seen.pool, 0),
        (want.overflow, seen.overflow, 0),
        (want.workers, seen.workers, 1),
    ):
        number = whole_number(text or "") if key else unasked
        numbers.append(number or 0)
        if number is None or (number == 0 and key != want.overflow and key):
            saw = "absent" if text is None else f"'{text[:20]}'"
            found.append(Mismatch(f"{key} in {want.path}", "a whole number above 0", saw))
    return found or _too_many(want, seen, *numbers)


def _impossible(want: Params) -> Params:
    return replace(want, share=1e-9)  # less than one connection of any database


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _max_connections(host: Host, database: Database) -> int:
    place = database.container
    container = container_of(host, place.project, place.service)
    words = ("sh", "-c", _ASK[database.engine], "sh", database.password_env, database.user)
    answer = execute(host, container, *words, database.name).strip()
    number = whole_number(answer)
    if not number:
        raise CannotObserve(f"the database said '{answer[:40]}' instead of its max_connections")
    return number


def _too_many(want: Params, seen: Seen, pool: int, overflow: int, workers: int) -> list[Mismatch]:
    total = (pool + overflow) * workers * want.instances
    if total <= want.share * seen.max_connections:
        return []
    wanted = f"at most {want.share:.0%} of the database's {seen.max_connections} connections"
    saw = f"({pool} + {overflow}) x {workers} x {want.instances} = {total}"
    return [Mismatch("connections of all pools", wanted, saw)]
