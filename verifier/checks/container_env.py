"""The environment a container's main process really has equals the env file, key by key.

    - id: env-reaches-the-application
      check: container_env
      with:
        stack: "{{ compose_stack }}"
        service: app
        keys: [ENVIRONMENT, DEBUG, LOG_LEVEL, SECRET_KEY]
        expected: {ENVIRONMENT: production}

Three readings are compared: the env file of the release, the merged compose configuration, and
`/proc/1/environ` in the running container; the reason names the odd one out. A key whose name says
that it is secret is compared by a keyed hash and never shown. `expected` gives values that every
reading must have. With `placeholders: true` a secret key must not hold an example's value;
`forbidden` adds patterns for what else it must not be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from verifier.checks._compose import Stack, container_of, merged_config, service_environment
from verifier.checks._dotenv import read_env
from verifier.checks._environment import (
    Reading,
    disagreements,
    process_environment,
    read_each,
    unexpected,
)
from verifier.checks._secret import PLACEHOLDERS, fresh_key, is_placeholder, is_secret
from verifier.checks.base import Check, Host, Mismatch
from verifier.errors import CannotObserve


@dataclass(frozen=True)
class Params:
    stack: Stack
    service: str
    keys: tuple[str, ...]
    expected: Mapping[str, str] = field(default_factory=dict)
    placeholders: bool = True
    forbidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seen:
    """`weak` are the secret keys whose value in the process is a placeholder."""

    readings: tuple[Reading, ...]
    weak: tuple[str, ...]


def observe(host: Host, want: Params) -> Seen:
    file = read_env(host, f"{want.stack.directory}/{want.stack.env_file}").values
    merged = _merged(host, want)
    process = process_environment(host, container_of(host, want.stack.project, want.service))
    sources = {"env file": file, "merged compose": merged, "container": process}
    keys = tuple(dict.fromkeys((*want.keys, *want.expected)))
    patterns = (*(PLACEHOLDERS if want.placeholders else ()), *want.forbidden)
    weak = (k for k in keys if is_secret(k) and is_placeholder(process.get(k, ""), patterns))
    return Seen(read_each(keys, sources, fresh_key()), tuple(weak))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if not seen.readings:
        return [Mismatch("keys", "at least one key to compare", "none")]
    weak = [
        Mismatch(f"{key} of the running {want.service}", "a secret of its own", "a placeholder")
        for key in seen.weak
    ]
    return disagreements(seen.readings) + unexpected(seen.readings, want.expected) + weak


def _impossible(want: Params) -> Params:
    key = [*want.expected, *want.keys][:1]
    return replace(want, expected=dict.fromkeys(key, "verifier-no-such-thing"))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _merged(host: Host, want: Params) -> dict[str, str]:
    services = merged_config(host, want.stack)["services"]
    if want.service not in services:
        raise CannotObserve(f"the merged configuration has no service '{want.service}'")
    # `config` writes a literal dollar as two, so that compose can read it again.
    found = service_environment(services[want.service])
    return {key: value.replace("$$", "$") for key, value in found.items()}
