"""Declared indexes exist and can be used by the database.

    - id: indexes-valid
      check: database_indexes
      with:
        database: {engine: postgresql, project: o4o-data, service: postgres}
        indexes: {idx_items_created_at: items}

`indexes` maps each index to its table. In PostgreSQL an index that a broken CREATE INDEX
CONCURRENTLY left behind is there but not valid; in MariaDB one can be switched off (IGNORED). Both
are red.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from verifier.checks._database import Database, query
from verifier.checks.base import Check, Host, Mismatch
from verifier.errors import CannotObserve

_QUESTIONS = {
    "mariadb": "SELECT index_name, table_name, IF(ignored = 'YES', 'ignored', 'valid') "
    "FROM information_schema.statistics WHERE table_schema = DATABASE() "
    "GROUP BY index_name, table_name, ignored",
    "postgresql": "SELECT i.relname, t.relname, CASE WHEN x.indisvalid AND x.indisready "
    "THEN 'valid' ELSE 'not valid' END FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid "
    "JOIN pg_class t ON t.oid = x.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace "
    "WHERE n.nspname = ANY (current_schemas(false))",
}
_COLUMNS = 3


@dataclass(frozen=True)
class Params:
    database: Database
    indexes: Mapping[str, str]


@dataclass(frozen=True)
class Index:
    name: str
    table: str
    state: str


@dataclass(frozen=True)
class Seen:
    indexes: tuple[Index, ...]


def observe(host: Host, want: Params) -> Seen:
    rows = query(host, want.database, _QUESTIONS[want.database.engine])
    if any(len(row) != _COLUMNS for row in rows):
        raise CannotObserve("the list of indexes is not understood")
    return Seen(tuple(sorted((Index(*row) for row in rows), key=lambda index: index.name)))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if not want.indexes:
        return [Mismatch("indexes", "at least one to look for", "none")]
    return [wrong for name, table in want.indexes.items() for wrong in _wrong(name, table, seen)]


def _impossible(want: Params) -> Params:
    return replace(want, indexes={"verifier-no-such-thing": "verifier-no-such-thing"})


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _wrong(name: str, table: str, seen: Seen) -> list[Mismatch]:
    found = [index for index in seen.indexes if index.name == name]
    here = next((index for index in found if index.table == table), None)
    if here is None:
        saw = f"on {found[0].table}" if found else "missing"
        return [Mismatch(f"index {name}", f"on table {table}", saw)]
    return [] if here.state == "valid" else [Mismatch(f"index {name}", "valid", here.state)]
