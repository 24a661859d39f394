"""A small client program that logs in somewhere with an application's settings, run where the
application runs: inside its container or on its host. The settings reach the program through its
environment or its standard input and never through its arguments; it prints one JSON line.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from verifier.checks._compose import Container, containers
from verifier.checks.base import Host, ask
from verifier.errors import CannotObserve

# What each interpreter runs before the client: `settings` as the application has them.
_READ = {
    "python": """
import json, os, sys
settings, keys = dict(os.environ), json.loads(sys.argv[1])
if sys.argv[2] == "stdin":
    lines = (line.strip().partition("=") for line in sys.stdin if not line.lstrip().startswith("#"))
    settings = {name.strip(): value.strip().strip("'\\"") for name, sep, value in lines if sep}
given = {word: settings.get(key, "") for word, key in keys.items()}
def tell(**said):
    print(json.dumps({**said, "missing": sorted(k for w, k in keys.items() if not given[w])}))
    sys.exit(0)
""",
    "node": """
const keys = JSON.parse(process.argv[1])
let settings = process.env
if (process.argv[2] === 'stdin') {
  const pairs = require('node:fs').readFileSync(0, 'utf8').split('\\n')
    .map((line) => line.trim().match(/^([A-Za-z_]\\w*)\\s*=\\s*(['"]?)(.*)\\2$/)).filter(Boolean)
  settings = Object.fromEntries(pairs.map((pair) => [pair[1], pair[3]]))
}
const given = Object.fromEntries(Object.entries(keys).map(([w, key]) => [w, settings[key] || '']))
const tell = (said) => {
  const missing = Object.keys(keys).filter((word) => !given[word]).map((word) => keys[word])
  console.log(JSON.stringify({ ...said, missing: missing.sort() }))
  process.exit(0)
}
""",
}
_RUN = {"python": ("python3", "-c"), "node": ("node", "-e")}


@dataclass(frozen=True)
class Client:
    """`program` is the text after `settings` and `tell`; `keys` name the settings it is given."""

    interpreter: Literal["python", "node"]
    program: str
    keys: dict[str, str]


@dataclass(frozen=True)
class Vantage:
    """Where to log in from. Without `service` on the host itself, in `chdir`; `env_file` is a file
    on the host whose values are used instead of the environment found there.
    """

    project: str = ""
    service: str = ""
    chdir: str = ""
    env_file: str = ""


@dataclass(frozen=True)
class Login:
    """`outcome`: `in`, `refused`, `unreachable`, `incomplete` (settings are missing) or `no
    container` (nothing runs yet to log in from). `said` is the server's or the client's word, never
    a setting.
    """

    outcome: str
    said: str
    missing: tuple[str, ...]
    took_ms: float = 0.0


def log_in(host: Host, vantage: Vantage, client: Client) -> Login:
    """Runs the client. CannotObserve when it cannot run, or says nothing that can be understood."""
    container = _container(host, vantage) if vantage.service else None
    if vantage.service and container is None:
        return _no_container(host, vantage, client)
    run = (*_RUN[client.interpreter], _READ[client.interpreter] + client.program)
    source = "stdin" if vantage.env_file else "environment"
    words = [*run, json.dumps(client.keys), source]
    if container:
        words = ["docker", "exec", "-i", container.id, *words]
    return _told(ask(host, _line(vantage, words)))


def _container(host: Host, vantage: Vantage) -> Container | None:
    found = containers(host, vantage.project)
    wanted = (one for one in found if one.service == vantage.service and one.status == "running")
    return next(wanted, None)


def _no_container(host: Host, vantage: Vantage, client: Client) -> Login:
    if not vantage.env_file:
        raise CannotObserve(f"service '{vantage.service}' has no running container to log in from")
    script = _READ["python"] + 'tell(outcome="no container", said="nothing runs yet", took_ms=0)'
    words = ["python3", "-c", script, json.dumps(client.keys), "stdin"]
    return _told(ask(host, _line(Vantage(env_file=vantage.env_file), words)))


def _line(vantage: Vantage, words: Sequence[str]) -> str:
    where = f"cd {shlex.quote(vantage.chdir)} && " if vantage.chdir else ""
    given = f" < {shlex.quote(vantage.env_file)}" if vantage.env_file else ""
    return f"{where}{shlex.join(words)}{given}"


def _told(said: str) -> Login:
    try:
        told = json.loads(said.strip().splitlines()[-1])
        missing = tuple(map(str, told["missing"]))
        outcome = "incomplete" if missing else str(told["outcome"])
        return Login(outcome, str(told["said"])[:300], missing, round(float(told["took_ms"]), 1))
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise CannotObserve("the client's answer is not understood") from error
