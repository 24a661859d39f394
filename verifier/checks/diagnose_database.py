"""Trouble: the database refuses. Goes from inside the application's container step by step to the
database, and names the step that fails, its cause, and the next command.

    - id: database-answers
      check: diagnose_database
      with:
        engine: mariadb
        client: python
        project: "{{ compose_project }}"
        service: app
        database: db

The steps, with the settings of the running container: they are all there; the name has an address;
the port accepts; the account is let in; the database exists and answers. Told apart are an unknown
name, a refused connection, no answer, a wrong password, an address the account may not come from, a
missing database, and too many connections. When a step fails, `database`, the service it should be,
is looked at too: its state, its names in the networks that both share, and the ports it listens on.
`max_ms` is the time a login may take.

`client` is what the container has (`python` with pymysql for mariadb, `node` with pg for
postgresql), `keys` say how its settings are called. Without a running container of `service` there
is no inside to look from, and no verdict. A wrong password is seen by one refused login, which the
database logs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from verifier.checks._compose import Container, containers
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
_LISTENS = "0A"  # the kernel's word in /proc/net/tcp


@dataclass(frozen=True)
class Params:
    engine: Literal["mariadb", "postgresql"]
    client: Literal["python", "node"]
    project: str
    service: str
    database: str
    keys: Mapping[str, str] = field(default_factory=lambda: dict(_KEYS))
    max_ms: float = 3000


@dataclass(frozen=True)
class Server:
    """The container that should be the database: `names` are those the application can call it by,
    `ports` those it listens on.
    """

    name: str
    status: str
    health: str
    names: tuple[str, ...]
    ports: tuple[int, ...]


@dataclass(frozen=True)
class Seen:
    """`server` is only looked at when the login failed; None is no such container.
    `client` is the application's container.
    """

    login: Login
    client: str
    server: Server | None


def observe(host: Host, want: Params) -> Seen:
    program = _PROGRAMS.get((want.engine, want.client))
    if program is None:
        raise UsageError(f"there is no {want.client} client for {want.engine}")
    keys = {**_KEYS, **want.keys}
    login = log_in(host, Vantage(want.project, want.service), Client(want.client, program, keys))
    found = {one.service: one for one in containers(host, want.project)}
    server = None
    if login.outcome != "in" and want.database in found:
        server = _server(host, found[want.service], found[want.database])
    return Seen(login, found[want.service].name, server)


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    login, what = seen.login, f"{want.engine} from inside {want.service}"
    if login.outcome == "incomplete":
        names = ", ".join(login.missing)
        saw = f"no value for {names}; next: docker exec {seen.client} sh -c 'env | cut -d= -f1'"
        return [Mismatch(what, "all settings", saw)]
    if login.outcome == "in":
        if login.took_ms <= want.max_ms:
            return []
        saw = f"{login.took_ms:g} ms; next: docker stats --no-stream"
        return [Mismatch(what, f"a login within {want.max_ms:g} ms", saw)]
    wanted, cause, then = _explain(want, seen)
    # Not behind a colon: what follows the word password and a colon is taken for one when it is stored.
    return [Mismatch(what, wanted, f"{login.outcome} ({login.said}); {cause}; next: {then}")]


def _impossible(want: Params) -> Params:
    return replace(want, max_ms=-1)


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _server(host: Host, client: Container, server: Container) -> Server:
    ports: tuple[int, ...] = ()
    if server.status == "running":
        # The container's own table: nothing has to be installed in it.
        table = host.run("docker exec %s cat /proc/net/tcp /proc/net/tcp6", server.id)
        ports = tuple(sorted(set(_listening(table.stdout.splitlines()))))
    return Server(server.name, server.status, server.health, _names(client, server), ports)


def _listening(lines: Iterable[str]) -> Iterable[int]:
    for line in lines:
        match = re.match(r"\s*\d+: [0-9A-F]+:([0-9A-F]{4}) \S+ ([0-9A-F]{2}) ", line)
        if match and match[2] == _LISTENS:
            yield int(match[1], 16)


def _names(client: Container, server: Container) -> tuple[str, ...]:
    """What the server is called in the networks that both are in."""
    networks = [
        dict(c.raw.get("NetworkSettings", {}).get("Networks") or {}) for c in (client, server)
    ]
    shared = set(networks[0]) & set(networks[1])
    names = {alias for name in shared for alias in networks[1][name].get("Aliases") or ()}
    return tuple(sorted(name for name in names if not re.fullmatch("[0-9a-f]{12}", name)))


def _explain(want: Params, seen: Seen) -> tuple[str, str, str]:
    """What that step should have given, why it did not, and what to do next."""
    server, outcome = seen.server, seen.login.outcome
    if server is None:
        cause = f"the project has no container of '{want.database}'"
        return "a database", cause, f"docker ps -a --filter name={want.database}"
    logs = f"docker logs --tail 50 {server.name}"
    if server.status != "running":
        return "a database that runs", f"{server.name} is {server.status}", logs
    if outcome == "unknown name" or not server.names:
        return _explain_name(want, server)
    if outcome in _CAUSES:
        wanted, cause, question = _CAUSES[outcome]
        return wanted, cause, _ask_server(want, server, question)
    ports = ", ".join(map(str, server.ports)) or "no port"
    health = f", health: {server.health}" if server.health else ""
    return "a port that accepts", f"{server.name} runs{health} and listens on {ports}", logs


def _explain_name(want: Params, server: Server) -> tuple[str, str, str]:
    called = f"{server.name} is called {', '.join(server.names)} there"
    cause = called if server.names else f"{want.service} and {server.name} share no network"
    form = "'{{json .NetworkSettings.Networks}}'"
    return "a name that has an address", cause, f"docker inspect --format {form} {server.name}"


def _ask_server(want: Params, server: Server, question: str) -> str:
    command, questions = _QUESTIONS[want.engine]
    return f'docker exec -it {server.name} {command} "{questions[question]}"'


# What a refusal means, and what to ask the server about next.
_CAUSES = {
    "wrong password": (
        "the account let in",
        "the application's user or password is not the database's",
        "accounts",
    ),
    "host not allowed": (
        "the account let in",
        "the account may not come from the application's address, or does not exist",
        "accounts",
    ),
    "no such database": (
        "the database there",
        "there is none of this name, or not for this account",
        "databases",
    ),
    "too many connections": ("a connection left", "all of them are taken", "connections"),
}
_QUESTIONS = {
    "mariadb": (
        "mariadb -uroot -p -e",
        {
            "accounts": "SELECT user, host FROM mysql.user",
            "databases": "SHOW DATABASES",
            "connections": "SHOW PROCESSLIST",
        },
    ),
    "postgresql": (
        "psql -U postgres -c",
        {
            "accounts": "SELECT rolname, rolcanlogin FROM pg_roles",
            "databases": "SELECT datname FROM pg_database",
            "connections": "SELECT usename, client_addr, state FROM pg_stat_activity",
        },
    ),
}

_PYMYSQL = """
import secrets, socket, time
if not all(given.values()):
    tell(outcome="incomplete", said="", took_ms=0)
where = "%s:%s" % (given["host"], given["port"])
began, nonce = time.monotonic(), secrets.token_hex(8)
try:
    found = socket.getaddrinfo(given["host"], int(given["port"]), type=socket.SOCK_STREAM)
except (OSError, ValueError) as error:
    tell(outcome="unknown name", said="%s: %s" % (where, error), took_ms=0)
try:
    socket.create_connection((given["host"], int(given["port"])), 5).close()
except ConnectionRefusedError:
    tell(outcome="refused connection", said=where, took_ms=0)
except OSError as error:
    tell(outcome="no answer", said="%s: %s" % (where, error), took_ms=0)
import pymysql
CODES = {1045: "wrong password", 1698: "wrong password", 1044: "no such database",
    1049: "no such database", 1130: "host not allowed", 1040: "too many connections",
    1203: "too many connections", 1226: "too many connections", 2013: "no answer"}
try:
    db = pymysql.connect(host=given["host"], port=int(given["port"]), user=given["user"],
        password=given["password"], database=given["name"], connect_timeout=5, read_timeout=5)
    with db.cursor() as cursor:
        cursor.execute("SELECT %s, DATABASE()", (nonce,))
        back, name = cursor.fetchone()
except pymysql.err.MySQLError as error:
    code = error.args[0] if error.args else 0
    tell(outcome=CODES.get(code, "error %s" % code), said=str(error.args[-1]), took_ms=0)
took = (time.monotonic() - began) * 1000
good = back == nonce and name == given["name"]
tell(outcome="in" if good else "wrong answer", said="%s on %s" % (name, where), took_ms=took)
"""

_NODE_PG = """
const net = require('node:net')
const nonce = require('node:crypto').randomBytes(8).toString('hex')
const began = performance.now()
if (Object.values(given).includes('')) tell({ outcome: 'incomplete', said: '', took_ms: 0 })
const where = `${given.host}:${given.port}`
const failed = (outcome, error) =>
  tell({ outcome, said: `${where}: ${error.code || ''} ${error.message}`, took_ms: 0 })
const CODES = { '28P01': 'wrong password', '28000': 'host not allowed',
  '3D000': 'no such database', '53300': 'too many connections' }
const logIn = () => {
  const { Client } = require('pg')
  const db = new Client({ host: given.host, port: Number(given.port), database: given.name,
    user: given.user, password: given.password, connectionTimeoutMillis: 5000, query_timeout: 5000 })
  db.connect()
    .then(() => db.query('SELECT $1::text AS back, current_database() AS db', [nonce]))
    .then(({ rows: [row] }) => tell({
      outcome: row.back === nonce && row.db === given.name ? 'in' : 'wrong answer',
      said: `${row.db} on ${where}`, took_ms: performance.now() - began }))
    .catch((error) => failed(CODES[error.code] || 'no answer', error))
}
const socket = net.connect({ host: given.host, port: Number(given.port) })
socket.setTimeout(5000, () => failed('no answer', { message: 'timed out' }))
socket.on('error', (error) => failed({ ENOTFOUND: 'unknown name', EAI_AGAIN: 'unknown name',
  ECONNREFUSED: 'refused connection' }[error.code] || 'no answer', error))
socket.on('connect', () => { socket.setTimeout(0); socket.destroy(); logIn() })
"""

_PROGRAMS = {("mariadb", "python"): _PYMYSQL, ("postgresql", "node"): _NODE_PG}
