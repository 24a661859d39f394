"""The logs of every service are limited in size and number, and say as much as they should.

    - id: compose-logging
      check: compose_logging
      with:
        stack: "{{ compose_stack }}"
        path: /srv/app/.env.prod
        level_key: LOG_LEVEL
        levels: [WARNING, ERROR]

What a service does not say itself comes from the engine: its default driver, and the options in
`daemon_file`, which the engine adds where the driver is the same. Red for `json-file` without
`max-size` and `max-file`, for `none`, and for a driver that is not in `drivers` (`local` rotates by
itself; whoever sends logs elsewhere lists that driver). With `level_key` the environment file must
hold one of `levels` under it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from verifier.checks._compose import Stack, merged_config
from verifier.checks._dotenv import read_env
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve, UsageError

_UNLIMITED = ("", "-1", "0")


@dataclass(frozen=True)
class Params:
    stack: Stack
    drivers: tuple[str, ...] = ("json-file", "local")
    daemon_file: str = "/etc/docker/daemon.json"
    path: str = ""
    level_key: str = ""
    levels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        given = [bool(self.path), bool(self.level_key), bool(self.levels)]
        if any(given) and not all(given):
            raise UsageError("'path', 'level_key' and 'levels' belong together")


@dataclass(frozen=True)
class Log:
    """How one service's log is kept, with what the engine adds."""

    service: str
    driver: str
    max_size: str
    max_file: str


@dataclass(frozen=True)
class Seen:
    logs: tuple[Log, ...]
    level: str | None = None


def observe(host: Host, want: Params) -> Seen:
    services = merged_config(host, want.stack)["services"]
    driver = ask(host, "docker info --format %s", "{{.LoggingDriver}}").strip()
    added = _daemon_options(host, want.daemon_file)
    logs = tuple(_log(name, body, driver, added) for name, body in services.items())
    level = read_env(host, want.path).values.get(want.level_key) if want.level_key else None
    return Seen(logs, level)


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    found = []
    for log in seen.logs:
        what = f"log of service '{log.service}'"
        if log.driver not in want.drivers:
            wanted = f"driver {' or '.join(want.drivers)}"
            found.append(Mismatch(what, wanted, log.driver or "none"))
        elif log.driver == "json-file":
            limits = {"max-size": log.max_size, "max-file": log.max_file}
            found += [
                Mismatch(what, f"{name} limited", f"'{limit}'" if limit else "not set: it grows")
                for name, limit in limits.items()
                if limit in _UNLIMITED
            ]
    if want.level_key and seen.level not in want.levels:
        wanted = f"one of {', '.join(want.levels)}"
        found.append(Mismatch(want.level_key, wanted, f"'{seen.level or ''}'"))
    return found


def _impossible(want: Params) -> Params:
    return replace(want, drivers=("verifier-no-such-thing",))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _daemon_options(host: Host, path: str) -> dict[str, str]:
    answer = host.run("cat -- %s", path)
    if answer.rc != 0 and "No such file" in answer.stderr:
        return {}
    try:
        content = json.loads(answer.stdout)
    except json.JSONDecodeError as error:
        said = answer.stderr.strip() or "no JSON"
        raise CannotObserve(f"{path}: {said}") from error
    return {str(key): str(value) for key, value in (content.get("log-opts") or {}).items()}


def _log(service: str, body: Mapping[str, Any], default: str, added: Mapping[str, str]) -> Log:
    own = body.get("logging") or {}
    driver = str(own.get("driver") or default)
    options = {**(added if driver == default else {}), **(own.get("options") or {})}
    return Log(
        service, driver, str(options.get("max-size") or ""), str(options.get("max-file") or "")
    )
