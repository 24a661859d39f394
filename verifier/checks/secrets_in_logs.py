"""None of the secret values of the env file stands in a log, in any encoding.

    - id: no-secret-in-logs
      check: secrets_in_logs
      with:
        project: "{{ compose_project }}"
        env_file: "{{ release_dir }}/{{ release_env_file }}"

The value of every key whose name says it is secret (and of `keys`) is looked for raw, JSON-escaped,
URL-encoded and in base64, in the logs of all containers of the project since they were started and
in the host's `files` (shell patterns). Compared in memory; kept are only the names of keys and how
often each was found. No secret to look for, or no line to look in, is not a pass.
"""

from __future__ import annotations

from dataclasses import dataclass

from verifier.checks._compose import containers
from verifier.checks._dotenv import read_env
from verifier.checks._logs import Capture, capture
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


@dataclass(frozen=True)
class Log:
    """One log that was searched: how many lines, and in how many of them each key's value stood."""

    name: str
    lines: int
    is_cut: bool
    found: tuple[tuple[str, int], ...]


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
    return Seen(tuple(sorted(secrets)), tuple(_searched(one, secrets) for one in captures))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    missing = [
        Mismatch(f"{key} in {want.env_file}", "a secret to look for", "absent or too short")
        for key in want.keys
        if key not in seen.keys
    ]
    return missing + [
        Mismatch(
            f"log of {log.name}", f"without the value of {key}", f"it stands in {number} lines"
        )
        for log in seen.logs
        for key, number in log.found
    ]


CHECK = Check(Params, observe, judge)


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


def _searched(one: Capture, secrets: dict[str, frozenset[str]]) -> Log:
    counts = (
        (key, sum(any(shape in line for shape in forms) for line in one.lines))
        for key, forms in sorted(secrets.items())
    )
    return Log(one.service, len(one.lines), one.is_cut, tuple(c for c in counts if c[1]))
