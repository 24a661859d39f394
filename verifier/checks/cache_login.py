"""The configured cache (Redis, Valkey) accepts the application's password from where it stands.

    - id: cache-reachable
      check: cache_login
      with:
        from_where: {project: "{{ compose_project }}", service: app}
        keys: {host: REDIS_HOST, port: REDIS_PORT, password: REDIS_PASSWORD}

AUTH and PING are spoken over a plain socket by python3, inside the container or (with `env_file:`
and no `service:`) on the host; no client library is needed and the password is on no command line.
That the server also refuses a wrong password is tried: one that needs none is red. A configuration
without a cache is the binding's `only_if`; here a missing value is red.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from verifier.checks._login import Client, Login, Vantage, log_in
from verifier.checks.base import Check, Host, Mismatch

_KEYS = {"host": "REDIS_HOST", "port": "REDIS_PORT", "password": "REDIS_PASSWORD"}


@dataclass(frozen=True)
class Params:
    from_where: Vantage
    keys: Mapping[str, str] = field(default_factory=lambda: dict(_KEYS))
    absent_ok: bool = False
    max_ms: float = 2000


@dataclass(frozen=True)
class Seen:
    login: Login


def observe(host: Host, want: Params) -> Seen:
    client = Client("python", _PROGRAM, {**_KEYS, **want.keys})
    return Seen(log_in(host, want.from_where, client))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    login = seen.login
    if login.outcome == "incomplete":
        return [Mismatch("login to the cache", "all settings", f"no {', '.join(login.missing)}")]
    if login.outcome == "no container" and want.absent_ok:
        return []
    if login.outcome == "open":
        return [Mismatch("the cache", "a password is asked for", "it answers without one")]
    if login.outcome != "in":
        saw = f"{login.outcome}: {login.said}"
        return [Mismatch("login to the cache", "accepted, and a PONG", saw)]
    if login.took_ms > want.max_ms:
        return [Mismatch("the cache", f"within {want.max_ms:g} ms", f"{login.took_ms:g} ms")]
    return []


def _impossible(want: Params) -> Params:
    # A login that is really refused: Redis writes no log about it, other than a database.
    keys = {**_KEYS, **want.keys}
    return replace(want, keys={**keys, "password": keys["port"]}, absent_ok=False)


CHECK = Check(Params, observe, judge, impossible=_impossible)


_PROGRAM = """
import socket, time
if not all(given.values()):
    tell(outcome="incomplete", said="", took_ms=0)
def ask(password):
    with socket.create_connection((given["host"], int(given["port"])), 5) as server:
        stream = server.makefile("rwb")
        def say(*words):
            stream.write(b"*%d\\r\\n" % len(words))
            for word in words:
                stream.write(b"$%d\\r\\n%s\\r\\n" % (len(word), word))
            stream.flush()
            return stream.readline().decode("utf-8", "replace").strip()
        said = say(b"AUTH", password) if password else "+OK"
        return say(b"PING") if said == "+OK" else said
try:
    if ask(b"") == "+PONG":
        tell(outcome="open", said="PONG without a password", took_ms=0)
    began = time.monotonic()
    said = ask(given["password"].encode())
    took = (time.monotonic() - began) * 1000
except OSError as error:
    tell(outcome="unreachable", said=str(error), took_ms=0)
tell(outcome="in" if said == "+PONG" else "refused", said=said.lstrip("+-")[:200], took_ms=took)
"""
