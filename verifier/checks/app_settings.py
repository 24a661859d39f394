"""What the application itself believes its settings are equals what it was given.

    - id: application-settings
      check: app_settings
      with:
        env_file: "{{ release_dir }}/{{ release_env_file }}"
        command: [python3, -m, app.settings]
        project: "{{ compose_project }}"
        service: app
        keys: [ENVIRONMENT, DEBUG, DB_PASSWORD]
        expected: {DEBUG: "false"}

`command` prints the settings object as one JSON object, keys named as in the environment. A secret
is printed as `{"hmac-sha256": "<hex>"}` under the key given in VERIFIER_HASH_KEY, which the check
makes up for this one look. The command runs inside the service's container, or with `chdir:` and no
`service:` on the host. Compared are the env file, the container's main process where there is one,
and the settings; the reason names the odd one out. `hash_key` fixes the key, for recorded answers
only.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from verifier.checks._compose import Container, container_of
from verifier.checks._dotenv import read_env
from verifier.checks._environment import (
    Reading,
    disagreements,
    process_environment,
    read_each,
    unexpected,
)
from verifier.checks._secret import fresh_key
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve, UsageError

_YES = ("true", "1", "yes", "on")
_NO = ("false", "0", "no", "off", "")


@dataclass(frozen=True)
class Params:
    env_file: str
    command: tuple[str, ...]
    keys: tuple[str, ...]
    expected: Mapping[str, str] = field(default_factory=dict)
    project: str = ""
    service: str = ""
    chdir: str = ""
    hash_key: str = ""


@dataclass(frozen=True)
class Seen:
    readings: tuple[Reading, ...]


def observe(host: Host, want: Params) -> Seen:
    hash_key = want.hash_key or fresh_key()
    sources: dict[str, Mapping[str, str]] = {"env file": read_env(host, want.env_file).values}
    container = container_of(host, want.project, want.service) if want.service else None
    if container:
        sources["container"] = process_environment(host, container)
    settings = _settings(host, want, container, hash_key)
    sources["settings"] = {
        key: _text(value) for key, value in settings.items() if value is not None
    }
    keys = tuple(dict.fromkeys((*want.keys, *want.expected)))
    plain = {name: _as_typed(values, settings) for name, values in sources.items()}
    return Seen(read_each(keys, plain, hash_key))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if not seen.readings:
        return [Mismatch("keys", "at least one key to compare", "none")]
    expected = {key: _text(value) for key, value in want.expected.items()}
    return disagreements(seen.readings) + unexpected(seen.readings, expected)


def _impossible(want: Params) -> Params:
    key = [*want.expected, *want.keys][:1]
    return replace(want, expected=dict.fromkeys(key, "verifier-no-such-thing"))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _settings(
    host: Host, want: Params, container: Container | None, hash_key: str
) -> dict[str, object]:
    if not container and not want.chdir:
        raise UsageError("app_settings needs `service` or `chdir`: where does the command run?")
    if container:
        line = f"docker exec -e VERIFIER_HASH_KEY {container.id} {shlex.join(want.command)}"
    else:
        line = shlex.join(want.command)
    # Exported, not a word of `docker exec`: a process's environment is its owner's alone.
    where = f"cd {shlex.quote(want.chdir)} && " if want.chdir else ""
    said = ask(host, f"{where}export VERIFIER_HASH_KEY={shlex.quote(hash_key)}; {line}")
    return _parsed(said)


def _parsed(said: str) -> dict[str, object]:
    lines = [line for line in said.splitlines() if line.startswith("{")]
    try:
        found = json.loads(lines[-1])
    except (IndexError, json.JSONDecodeError) as error:
        raise CannotObserve("the settings command printed no JSON object") from error
    if not found:
        raise CannotObserve("the settings object is empty")
    return dict(found)


def _text(value: object) -> str:
    if isinstance(value, dict) and "hmac-sha256" in value:
        return f"hmac-sha256:{value['hmac-sha256']}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value)


def _as_typed(values: Mapping[str, str], settings: Mapping[str, object]) -> dict[str, str]:
    """Text as the settings object would write it: `1` is true where it holds a truth value."""
    found = {}
    for key, text in values.items():
        typed = settings.get(key)
        if isinstance(typed, bool) and text.lower() in (*_YES, *_NO):
            found[key] = str(text.lower() in _YES).lower()
        elif isinstance(typed, list):
            found[key] = ",".join(part.strip() for part in text.split(",") if part.strip())
        else:
            found[key] = text
    return found
