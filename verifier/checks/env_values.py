"""Settings have the wanted values, in the environment file and in what the merged compose hands to
a service.

    - id: runs-as-production
      check: env_values
      with:
        path: /srv/app/.env.prod
        wants: {ENVIRONMENT: production, DEBUG: "false"}
        stack: "{{ compose_stack }}"
        service: app

Red for another value, for an absent key, and for a key that stands in the file but never reaches
the service. Without `stack` and `service` only the file is looked at. Values are compared as text;
one whose key sounds like a secret is stored as a keyed hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from verifier.checks._compose import Stack, merged_config, service_environment
from verifier.checks._dotenv import read_env
from verifier.checks._secret import fresh_key, is_secret, keyed_hash
from verifier.checks.base import Check, Host, Mismatch
from verifier.errors import CannotObserve


@dataclass(frozen=True)
class Params:
    path: str
    wants: Annotated[dict[str, str], Field(min_length=1)]
    stack: Stack | None = None
    service: str = ""


@dataclass(frozen=True)
class Value:
    """One key as the file has it and as the service gets it; None where it has no such key."""

    key: str
    in_file: str | None
    in_service: str | None


@dataclass(frozen=True)
class Seen:
    values: tuple[Value, ...]
    hash_key: str


def observe(host: Host, want: Params) -> Seen:
    file = read_env(host, want.path).values
    service = _handed_over(host, want)
    hash_key = fresh_key()
    return Seen(
        tuple(
            Value(key, _shown(hash_key, key, file), _shown(hash_key, key, service))
            for key in want.wants
        ),
        hash_key,
    )


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    found = []
    for value in seen.values:
        wanted = want.wants[value.key]
        places = [(f"{value.key} in {want.path}", value.in_file, "absent")]
        if want.stack:
            lost = "absent: the file's value never reaches it" if value.in_file else "absent"
            places.append((f"{value.key} in service '{want.service}'", value.in_service, lost))
        found += [
            Mismatch(what, f"'{wanted}'" if not is_secret(value.key) else "the declared secret", s)
            for what, saw, absent in places
            if (s := _complaint(seen.hash_key, value.key, wanted, saw, absent))
        ]
    return found


def _impossible(want: Params) -> Params:
    return replace(want, wants=dict.fromkeys(want.wants, "verifier-no-such-thing"))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _handed_over(host: Host, want: Params) -> dict[str, str]:
    if not want.stack:
        return {}
    services = merged_config(host, want.stack)["services"]
    if want.service not in services:
        raise CannotObserve(f"no service '{want.service}' (there are: {', '.join(services)})")
    return service_environment(services[want.service])


def _shown(hash_key: str, key: str, values: Mapping[str, str]) -> str | None:
    value = values.get(key)
    return keyed_hash(hash_key, value) if value is not None and is_secret(key) else value


def _complaint(hash_key: str, key: str, wanted: str, saw: str | None, absent: str) -> str:
    if saw is None:
        return absent
    if is_secret(key):
        return "" if saw == keyed_hash(hash_key, wanted) else "another value"
    return "" if saw == wanted else f"'{saw}'"
