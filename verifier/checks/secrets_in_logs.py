"""None of the secret values of the env file stands in a log, in any encoding.

    - id: no-secret-in-logs
      check: secrets_in_logs
      with:
        project: "{{ compose_project }}"
        env_file: "{{ release_dir }}/{{ release_env_file }}"

The value of every key whose name says it is secret (and of `keys`) is looked for raw, JSON-escaped,
URL-encoded and in base64, in the logs of all containers of the project since they were started and
in the host's `files` (shell patterns). `patterns` are regular expressions that no line may match
either, such as `Bearer [A-Za-z0-9.-]{20}` for what is no setting. Compared in memory; kept are only
the names of keys and how often each was found. No secret to look for, or no line to look in, is not
a pass.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from verifier.checks._compose import containers
from verifier.checks._dotenv import read_env
from verifier.checks._logs import Capture, capture
from verifier.checks._pattern import refuse_bad_patterns
from verifier.checks._secret import SHORTEST_SECRET, is_secret, shapes
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve


@dataclass(frozen=True)
class Params:
    env_file: str
    project: str = ""
    keys: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    tail: int = 20000
    patterns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        refuse_bad_patterns("patterns", self.patterns)


@dataclass(frozen=True)
class Log:
    """One log that was searched: how many lines, in how many of them each key's value stood, and how
    many each pattern matched.
    """

    name: str
    lines: int
    is_cut: bool
    found: tuple[tuple[str, int], ...]
    matched: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Seen:
    keys: tuple[str, ...]
    logs: tuple[Log, ...]


def observe(host: Host, want: Params) -> Seen:
    secrets = _secrets(want, read_env(host, want.env_file).values)
    captures = [_file(host, path, want.tail) for path in _paths(host, want.files)]
    if want.project:
        captures += [capture(host, one, want.tail) for one in containers(host, want.project)]
    if not sum(len(one.lines) for one in captures):
        raise CannotObserve("not one log line could be captured")
    return Seen(tuple(sorted(secrets)), tuple(_searched(want, one, secrets) for one in captures))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    missing = [
        Mismatch(f"{key} in {want.env_file}", "a secret to look for", "absent or too short")
        for key in want.keys
        if key not in seen.keys
    ]
    return missing + [
        Mismatch(f"log of {log.name}", f"without {what}", f"it stands in {number} lines")
        for log in seen.logs
        for what, number in (
            *((f"the value of {key}", number) for key, number in log.found),
            *((f"/{pattern}/", number) for pattern, number in log.matched),
        )
    ]


def _impossible(want: Params) -> Params:
    return replace(want, patterns=(*want.patterns, "^"))  # found in any line


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _secrets(want: Params, settings: dict[str, str]) -> dict[str, frozenset[str]]:
    found = {
        key: shapes(value)
        for key, value in settings.items()
        if (is_secret(key) or key in want.keys) and len(value) >= SHORTEST_SECRET
    }
    if not found:
        raise CannotObserve(f"'{want.env_file}' has no secret to look for")
    return found


def _paths(host: Host, patterns: tuple[str, ...]) -> list[str]:
    script = (
        "import glob, sys; print(*sorted(p for a in sys.argv[1:] for p in glob.glob(a)), sep='\\n')"
    )
    if not patterns:
        return []
    places = " ".join(["%s"] * len(patterns))
    found = ask(host, f"python3 -c %s {places}", script, *patterns).split("\n")
    return [path for path in found if path]


def _file(host: Host, path: str, tail: int) -> Capture:
    lines = ask(host, "tail -n %s %s", str(tail + 1), path).splitlines()
    return Capture(path, tuple(lines[-tail:]), len(lines) > tail)


def _searched(want: Params, one: Capture, secrets: dict[str, frozenset[str]]) -> Log:
    found = (
        (key, sum(any(shape in line for shape in forms) for line in one.lines))
        for key, forms in sorted(secrets.items())
    )
    matched = (
        (pattern, sum(bool(re.search(pattern, line)) for line in one.lines))
        for pattern in want.patterns
    )
    counts = (tuple(c for c in of_kind if c[1]) for of_kind in (found, matched))
    return Log(one.service, len(one.lines), one.is_cut, *counts)
