"""The application's own settings open its database from where the application stands.

    - id: application-reaches-database
      check: database_login
      with:
        engine: mariadb
        client: python
        from_where: {project: "{{ compose_project }}", service: app}

A client of the application's own kind (`python` with pymysql for mariadb, `node` with pg for
postgresql) logs in with the values of the running container's environment, or of the host's
`env_file`, and asks the server to give a random number back. On the host it runs in `chdir`, where
the application's own libraries are. `keys` says how the settings are called. Before a first
deployment there is no container to log in from: with `absent_ok: true` the settings of the
`env_file` must then only be complete, and the observation says that no login was tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from verifier.checks._login import Client, Login, Vantage, log_in
from verifier.checks.base import Check, Host, Mismatch
from verifier.errors import UsageError

_KEYS = {
    "host": "DB_HOST",
    "port": "DB_PORT",
    "name": "DB_NAME",
    "user": "DB_USER",
    "password": "DB_PASSWORD",
}


@dataclass(frozen=True)
class Params:
    engine: Literal["mariadb", "postgresql"]
    client: Literal["python", "node"]
    from_where: Vantage
    keys: Mapping[str, str] = field(default_factory=lambda: dict(_KEYS))
    absent_ok: bool = False
    max_ms: float = 5000


@dataclass(frozen=True)
class Seen:
    login: Login


def observe(host: Host, want: Params) -> Seen:
    program = _PROGRAMS.get((want.engine, want.client))
    if program is None:
        raise UsageError(f"there is no {want.client} client for {want.engine}")
    client = Client(want.client, program, {**_KEYS, **want.keys})
    return Seen(log_in(host, want.from_where, client))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    login, what = seen.login, f"login to {want.engine}"
    if login.outcome == "incomplete":
        return [Mismatch(what, "all settings", f"no value for {', '.join(login.missing)}")]
    if login.outcome == "no container" and want.absent_ok:
        return []
    if login.outcome != "in":
        return [Mismatch(what, "accepted, and an answer", f"{login.outcome}: {login.said}")]
    if login.took_ms > want.max_ms:
        return [Mismatch(what, f"within {want.max_ms:g} ms", f"{login.took_ms:g} ms")]
    return []


def _impossible(want: Params) -> Params:
    # Not a wrong password: the server would write an error about that into its log.
    return replace(want, keys={**want.keys, "password": "VERIFIER_NO_SUCH_THING"}, absent_ok=False)


CHECK = Check(Params, observe, judge, impossible=_impossible)


_PYMYSQL = """
import secrets, time, pymysql
if not all(given.values()):
    tell(outcome="incomplete", said="", took_ms=0)
began, nonce = time.monotonic(), secrets.token_hex(8)
try:
    db = pymysql.connect(host=given["host"], port=int(given["port"]), user=given["user"],
        password=given["password"], database=given["name"], connect_timeout=5, read_timeout=5)
    with db.cursor() as cursor:
        cursor.execute("SELECT %s, CURRENT_USER(), DATABASE()", (nonce,))
        back, user, name = cursor.fetchone()
except pymysql.err.OperationalError as error:
    refused = error.args[0] in (1044, 1045, 1049, 1130, 1698)
    tell(outcome="refused" if refused else "unreachable", said=str(error.args[-1]), took_ms=0)
took = (time.monotonic() - began) * 1000
good = back == nonce and name == given["name"]
tell(outcome="in" if good else "wrong answer", said=f"{user} in {name}", took_ms=took)
"""

_NODE_PG = """
const { Client } = require('pg')
const nonce = require('node:crypto').randomBytes(8).toString('hex')
const began = performance.now()
if (Object.values(given).includes('')) tell({ outcome: 'incomplete', said: '', took_ms: 0 })
const question = 'SELECT $1::text AS back, current_user AS who, current_database() AS db'
const db = new Client({ host: given.host, port: Number(given.port), database: given.name,
  user: given.user, password: given.password, connectionTimeoutMillis: 5000, query_timeout: 5000 })
db.connect()
  .then(() => db.query(question, [nonce]))
  .then(({ rows: [row] }) => tell({
    outcome: row.back === nonce && row.db === given.name ? 'in' : 'wrong answer',
    said: `${row.who} in ${row.db}`, took_ms: performance.now() - began }))
  .catch((error) => tell({ outcome: /^(28|3D)/.test(error.code || '') ? 'refused' : 'unreachable',
    said: error.message, took_ms: 0 }))
"""

_PROGRAMS = {("mariadb", "python"): _PYMYSQL, ("postgresql", "node"): _NODE_PG}
