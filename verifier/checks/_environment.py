"""The readings of one setting on its way from the env file into the running process: how each is
taken, how they are made comparable, and which of them is the odd one out. Secrets stand in a
Reading only as a keyed hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from verifier.checks._compose import Container, execute
from verifier.checks._secret import is_secret, keyed_hash
from verifier.checks.base import Host, Mismatch
from verifier.errors import CannotObserve

_MAJORITY = 2


@dataclass(frozen=True, slots=True)
class Reading:
    """One key as each source gives it: None where a source has no such key, a keyed hash where it
    is secret.
    """

    key: str
    values: tuple[tuple[str, str | None], ...]


def process_environment(host: Host, container: Container) -> dict[str, str]:
    """What the container's main process was given, as its kernel tells it."""
    return _pairs(execute(host, container, "cat", "/proc/1/environ"))


def read_each(
    keys: Iterable[str], sources: Mapping[str, Mapping[str, str]], hash_key: str
) -> tuple[Reading, ...]:
    """One Reading per key over all sources; a value that is a keyed hash already stays as it is."""
    return tuple(
        Reading(
            key,
            tuple(
                (source, _shown(key, values.get(key), hash_key))
                for source, values in sources.items()
            ),
        )
        for key in keys
    )


def disagreements(readings: Iterable[Reading]) -> list[Mismatch]:
    """A Mismatch for each key on which the sources differ or which none has, naming the odd one
    out.
    """
    found = []
    for reading in readings:
        sources = ", ".join(source for source, _ in reading.values)
        if all(value is None for _, value in reading.values):
            found.append(Mismatch(reading.key, f"a value in {sources}", "absent everywhere"))
        elif len({value for _, value in reading.values}) > 1:
            found.append(Mismatch(reading.key, f"the same value in {sources}", _told(reading)))
    return found


def unexpected(readings: Iterable[Reading], expected: Mapping[str, str]) -> list[Mismatch]:
    """A Mismatch for each source that gives a key another value than it must have."""
    by_key = {reading.key: reading for reading in readings}
    return [
        Mismatch(f"{key} in {source}", f"'{wanted}'", "absent" if value is None else f"'{value}'")
        for key, wanted in expected.items()
        if key in by_key
        for source, value in by_key[key].values
        if value != wanted
    ]


def _pairs(raw: str) -> dict[str, str]:
    pairs = (word.partition("=") for word in raw.split("\0") if "=" in word)
    found = {name: value for name, _, value in pairs}
    if not found:
        raise CannotObserve("the environment of the process is empty or cannot be read")
    return found


def _shown(key: str, value: str | None, hash_key: str) -> str | None:
    if value is None or not is_secret(key) or value.startswith("hmac-sha256:"):
        return value
    return keyed_hash(hash_key, value)


def _told(reading: Reading) -> str:
    groups: dict[str | None, list[str]] = {}
    for source, value in reading.values:
        groups.setdefault(value, []).append(source)
    ordered = sorted(groups.items(), key=lambda group: -len(group[1]))
    told = "; ".join(
        f"{', '.join(sources)}: {_value_told(reading.key, value, number)}"
        for number, (value, sources) in enumerate(ordered)
    )
    is_clear = len(ordered) == _MAJORITY and len(ordered[0][1]) > len(ordered[1][1]) == 1
    return f"{told} (the odd one out is {ordered[1][1][0]})" if is_clear else told


def _value_told(key: str, value: str | None, number: int) -> str:
    if value is None:
        return "absent"
    if is_secret(key):
        return "one secret" if number == 0 else "another secret"
    return f"'{value}'"
