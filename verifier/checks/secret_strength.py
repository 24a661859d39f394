"""Secrets in an environment file cannot be guessed, are no placeholder, and are used for nothing
else.

    - id: signing-key-strong
      check: secret_strength
      with:
        path: /srv/app/.env.prod
        keys: [SECRET_KEY]
        min_length: 32
        not_equal_to_file: [/srv/app/env.example]

Strength is zxcvbn's estimate of the guesses needed (`min_guesses_log10`, the number of digits of
that number), made in memory; only numbers are stored. Red when absent, short, guessable, a known
placeholder, one of `placeholders`, equal to another key of the same file, or equal to the same key
of a file in `not_equal_to_file` (paths on the host: the example, another environment; each must be
readable). With `command_lines: true` also red when the value stands in the arguments of a process
(`ps`), or in the command, health check or labels of any container.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import Field
from zxcvbn import zxcvbn

from verifier.checks._compose import inspect
from verifier.checks._dotenv import read_env
from verifier.checks._secret import PLACEHOLDERS, is_placeholder, shapes
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_ZXCVBN_MOST = 72  # zxcvbn refuses longer input; what follows could only add strength
_WORDS = (*PLACEHOLDERS, r"(?i)secret|passw(or)?d")


@dataclass(frozen=True)
class Params:
    path: str
    keys: Annotated[tuple[str, ...], Field(min_length=1)]
    min_length: int = 32
    min_guesses_log10: float = 20.0
    placeholders: tuple[str, ...] = ()
    not_equal_to_file: tuple[str, ...] = ()
    command_lines: bool = False


@dataclass(frozen=True)
class Strength:
    """What may be known of one secret. `same_as` and `shown_in` name places, never values; length 0
    is absent.
    """

    key: str
    length: int
    guesses_log10: float = 0.0
    score: int = 0
    placeholder: bool = False
    same_as: tuple[str, ...] = ()
    shown_in: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seen:
    strengths: tuple[Strength, ...]


def observe(host: Host, want: Params) -> Seen:
    values = read_env(host, want.path).values
    others = {path: read_env(host, path).values for path in want.not_equal_to_file}
    lines = _command_lines(host) if want.command_lines else {}
    return Seen(tuple(_measure(want, key, values, others, lines) for key in want.keys))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    return [mismatch for strength in seen.strengths for mismatch in _complaints(want, strength)]


def _impossible(want: Params) -> Params:
    return replace(want, min_guesses_log10=1000)  # more than anything zxcvbn is given could need


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _command_lines(host: Host) -> dict[str, str]:
    found = {}
    for line in ask(host, "ps -ww -eo pid=,comm=,args=").splitlines():
        pid, program, words = (*line.split(None, 2), "", "")[:3]
        found[f"the arguments of process {pid} ({program})"] = words
    if not found:
        raise CannotObserve("`ps` shows no process")
    listed = ask(host, "docker ps -aq --no-trunc").split()
    for raw in inspect(host, *listed) if listed else ():
        found[f"the description of container {raw['Name'].lstrip('/')}"] = _described(raw)
    return found


def _described(raw: Mapping[str, Any]) -> str:
    config = raw["Config"]
    parts = [config.get(part) for part in ("Cmd", "Entrypoint", "Healthcheck", "Labels")]
    return json.dumps([raw.get("Path"), raw.get("Args"), *parts])


def _measure(
    want: Params,
    key: str,
    values: Mapping[str, str],
    others: Mapping[str, Mapping[str, str]],
    lines: Mapping[str, str],
) -> Strength:
    value = values.get(key, "")
    if not value:
        return Strength(key, 0)
    guessed = zxcvbn(value[:_ZXCVBN_MOST], user_inputs=[key, want.path])
    same = [other for other, given in values.items() if other != key and given == value]
    same += [f"{key} in {path}" for path, given in others.items() if given.get(key) == value]
    forms = shapes(value) or {value}
    return Strength(
        key,
        len(value),
        round(float(guessed["guesses_log10"]), 1),
        int(guessed["score"]),
        value in want.placeholders or is_placeholder(value, _WORDS),
        tuple(same),
        tuple(place for place, text in lines.items() if any(form in text for form in forms)),
    )


def _complaints(want: Params, seen: Strength) -> list[Mismatch]:
    if not seen.length:
        return [Mismatch(f"{seen.key} in {want.path}", "a secret", "absent or empty")]
    found = []
    if seen.length < want.min_length:
        wanted = f"at least {want.min_length} characters"
        found.append(Mismatch(seen.key, wanted, f"{seen.length} characters"))
    if seen.guesses_log10 < want.min_guesses_log10:
        wanted = f"at least 10^{want.min_guesses_log10:g} guesses"
        found.append(Mismatch(seen.key, wanted, f"about 10^{seen.guesses_log10:g} guesses"))
    if seen.placeholder:
        found.append(Mismatch(seen.key, "a random value of its own", "a known placeholder"))
    found += [Mismatch(seen.key, "used nowhere else", f"the value of {o}") for o in seen.same_as]
    return found + [
        Mismatch(seen.key, "never on a command line", f"it stands in {p}") for p in seen.shown_in
    ]
