"""A MariaDB account may do what it needs on its own schema, and nothing else.

    - id: account-has-only-its-rights
      check: database_grants
      with:
        database: {engine: mariadb, project: "{{ compose_project }}", service: db}
        privileges: [SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES]

The account asks the server about itself. Its rights on its own schema must be exactly `privileges`:
a missing one and an extra one are both red, and so is any right anywhere else, GRANT OPTION, and
membership in a role. SHOW GRANTS is not used: it prints the hash of the password.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from verifier.checks._database import Database, query
from verifier.checks.base import Check, Host, Mismatch
from verifier.errors import CannotObserve

_TABLES = {
    "user_privileges": "'*.*'",
    "schema_privileges": "CONCAT(table_schema, '.*')",
    "table_privileges": "CONCAT(table_schema, '.', table_name)",
    "column_privileges": "CONCAT(table_schema, '.', table_name, '(', column_name, ')')",
}
_QUESTION = " UNION ALL ".join(
    f"SELECT {on}, privilege_type, is_grantable FROM information_schema.{table} "  # noqa: S608  ours
    "WHERE grantee = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')"
    for table, on in _TABLES.items()
)
_COLUMNS = 3
_ROLES = "SELECT role_name FROM information_schema.applicable_roles"


@dataclass(frozen=True)
class Params:
    database: Database
    privileges: tuple[str, ...]


@dataclass(frozen=True)
class Grant:
    """Rights on one thing: `schema` for the account's own one, else as the server writes it."""

    on: str
    rights: tuple[str, ...]
    grant_option: bool


@dataclass(frozen=True)
class Seen:
    account: str
    grants: tuple[Grant, ...]
    roles: tuple[str, ...]


def observe(host: Host, want: Params) -> Seen:
    ((account, schema),) = query(host, want.database, "SELECT CURRENT_USER(), DATABASE()")
    rows = query(host, want.database, _QUESTION)
    if not rows or any(len(row) != _COLUMNS for row in rows):
        raise CannotObserve("the server's answer about the account's rights is not understood")
    roles = tuple(row[0] for row in query(host, want.database, _ROLES))
    return Seen(account, tuple(_grants(rows, schema)), roles)


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    wanted = {right.upper() for right in want.privileges}
    own = {right for grant in seen.grants if grant.on == "schema" for right in grant.rights}
    what = f"rights of {seen.account}"
    found = []
    if wanted - own:
        found.append(Mismatch(what, ", ".join(sorted(wanted - own)), "not granted on its schema"))
    if own - wanted:
        saw = f"also {', '.join(sorted(own - wanted))} on its schema"
        found.append(Mismatch(what, "no more than it needs", saw))
    found += [wrong for grant in seen.grants for wrong in _beyond(what, grant)]
    return found + [Mismatch(what, "no role", f"member of {role}") for role in seen.roles]


def _impossible(want: Params) -> Params:
    return replace(want, privileges=("verifier-no-such-thing",))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _grants(rows: Iterable[tuple[str, ...]], schema: str) -> Iterable[Grant]:
    by_place: dict[str, list[tuple[str, ...]]] = {}
    for row in rows:
        # `_` and `%` of a schema's name are escaped in a grant: they would be patterns.
        by_place.setdefault(row[0].replace("\\", ""), []).append(row)
    for on, given in sorted(by_place.items()):
        rights = tuple(sorted(row[1].upper() for row in given if row[1].upper() != "USAGE"))
        grantable = any(row[2] == "YES" for row in given)
        yield Grant("schema" if on == f"{schema}.*" else on, rights, grantable)


def _beyond(what: str, grant: Grant) -> list[Mismatch]:
    found = []
    if grant.on != "schema" and grant.rights:
        saw = f"{', '.join(grant.rights)} on {grant.on}"
        found.append(Mismatch(what, "nothing beyond its schema", saw))
    if grant.grant_option:
        found.append(Mismatch(what, "no GRANT OPTION", f"GRANT OPTION on {grant.on}"))
    return found
