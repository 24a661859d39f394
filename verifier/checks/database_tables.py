"""The tables an application needs exist in its schema.

    - id: tables-exist
      check: database_tables
      with:
        database: {engine: mariadb, project: "{{ compose_project }}", service: db}
        tables: [files, alembic_version]

Asked of the database itself with the application's account, so a table it may not see counts as
missing. A list without a table is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from verifier.checks._database import Database, query
from verifier.checks.base import Check, Host, Mismatch

_QUESTIONS = {
    "mariadb": "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()",
    "postgresql": "SELECT table_name FROM information_schema.tables "
    "WHERE table_schema = ANY (current_schemas(false))",
}


@dataclass(frozen=True)
class Params:
    database: Database
    tables: tuple[str, ...]


@dataclass(frozen=True)
class Seen:
    tables: tuple[str, ...]


def observe(host: Host, want: Params) -> Seen:
    rows = query(host, want.database, _QUESTIONS[want.database.engine])
    return Seen(tuple(sorted(row[0] for row in rows)))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if not want.tables:
        return [Mismatch("tables", "at least one to look for", "none")]
    there = ", ".join(seen.tables) or "no table at all"
    return [
        Mismatch(f"table {name}", "it exists", f"missing; there is {there}")
        for name in want.tables
        if name not in seen.tables
    ]


def _impossible(want: Params) -> Params:
    return replace(want, tables=("verifier-no-such-thing",))


CHECK = Check(Params, observe, judge, impossible=_impossible)
