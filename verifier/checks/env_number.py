"""Numbers in an environment file are whole numbers within their declared range, and suit the host.

    - id: cache-ttl-sane
      check: env_number
      with:
        path: /srv/app/.env.prod
        ranges:
          CACHE_TTL_FILES: {min: 5, max: 3600}
          WORKERS: {min: 2, max: 16, max_per_core: 4, mb_each: 64}
        stack: "{{ compose_stack }}"
        service: app

Red when absent, not a whole number in plain digits (`60s`, `1.5`, `0x10`), or out of range.
`max_per_core` bounds the number by the host's cores (`nproc`); `mb_each` says how much memory one
of them needs, and together they must stay below the memory limit that `stack` gives to `service`,
or without a stack below the host's memory.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from verifier.checks._compose import Stack, merged_config
from verifier.checks._dotenv import read_env, whole_number
from verifier.checks._resources import host_cores, host_memory, memory_limit
from verifier.checks.base import Check, Host, Mismatch
from verifier.errors import CannotObserve

_MB = 1024 * 1024


@dataclass(frozen=True)
class Range:
    min: int
    max: int
    max_per_core: float = 0
    mb_each: int = 0


@dataclass(frozen=True)
class Params:
    path: str
    ranges: Annotated[dict[str, Range], Field(min_length=1)]
    stack: Stack | None = None
    service: str = ""


@dataclass(frozen=True)
class Seen:
    """Texts by key (None: absent); cores and memory in bytes, 0 when nobody asked for them."""

    texts: tuple[tuple[str, str | None], ...]
    cores: int
    memory: int


def observe(host: Host, want: Params) -> Seen:
    values = read_env(host, want.path).values
    asked = want.ranges.values()
    cores = host_cores(host) if any(r.max_per_core for r in asked) else 0
    memory = _memory(host, want) if any(r.mb_each for r in asked) else 0
    return Seen(tuple((key, values.get(key)) for key in want.ranges), cores, memory)


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    found = []
    for key, text in seen.texts:
        bounds = want.ranges[key]
        number = whole_number(text or "")
        if text is None or number is None:
            saw = "absent" if text is None else f"'{text[:20]}'"
            found.append(Mismatch(f"{key} in {want.path}", "a whole number", saw))
        elif not bounds.min <= number <= bounds.max:
            found.append(Mismatch(key, f"{bounds.min} to {bounds.max}", str(number)))
        else:
            found += _against_the_host(key, number, bounds, seen)
    return found


def _impossible(want: Params) -> Params:
    nothing = {key: replace(one, min=1, max=0) for key, one in want.ranges.items()}
    return replace(want, ranges=nothing)


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _memory(host: Host, want: Params) -> int:
    if not want.stack:
        return host_memory(host)
    services = merged_config(host, want.stack)["services"]
    if want.service not in services:
        raise CannotObserve(f"no service '{want.service}' (there are: {', '.join(services)})")
    return memory_limit(services[want.service]) or host_memory(host)


def _against_the_host(key: str, number: int, bounds: Range, seen: Seen) -> list[Mismatch]:
    found = []
    if bounds.max_per_core and number > bounds.max_per_core * seen.cores:
        wanted = f"at most {bounds.max_per_core:g} per core of {seen.cores}"
        found.append(Mismatch(key, wanted, str(number)))
    if bounds.mb_each and number * bounds.mb_each * _MB > seen.memory:
        wanted = f"{bounds.mb_each} MB each within {seen.memory // _MB} MB"
        found.append(Mismatch(key, wanted, f"{number}, {number * bounds.mb_each} MB together"))
    return found
