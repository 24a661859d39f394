"""What services wrote to their logs since they were started: readable, and without too many errors
or slow lines.

    - id: application-log
      check: container_logs
      with: {project: "{{ compose_project }}", services: [app], min_lines: 1, errors: 0}
    - id: slow-requests
      check: container_logs
      with: {project: "{{ compose_project }}", services: [app], errors: null, slow_ms: 500, slow: 0}

At most `tail` lines of each service are captured. A JSON line counts by its level, any other line
by its words. `errors`, `warnings` and `slow` are the allowed numbers (`null` leaves one unjudged);
a line is slow when its `slow_field` exceeds `slow_ms` or it matches `slow_pattern`. No line may
match a `forbidden` pattern. `ignore` takes known harmless lines out of every count. Fewer than
`min_lines` lines is wrong: an empty log looks like a good one. Without `services` every running
container of the project is read. The first lines of each kind are kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from verifier.checks._compose import container_of, containers
from verifier.checks._log_lines import as_json, severity
from verifier.checks._logs import Capture, capture
from verifier.checks.base import Check, Host, Mismatch

_KEPT = 5
_KEPT_CHARACTERS = 300


@dataclass(frozen=True)
class Params:
    project: str
    services: tuple[str, ...] = ()
    tail: int = 5000
    min_lines: int = 1
    errors: int | None = 0
    warnings: int | None = None
    slow: int | None = None
    slow_ms: float | None = None
    slow_field: str = "duration_ms"
    slow_pattern: str = ""
    forbidden: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """How many lines of one kind there were, and the first of them."""

    name: str
    count: int
    first: tuple[str, ...]


@dataclass(frozen=True)
class Log:
    service: str
    lines: int
    ignored: int
    is_cut: bool
    kinds: tuple[Kind, ...]


@dataclass(frozen=True)
class Seen:
    logs: tuple[Log, ...]


def observe(host: Host, want: Params) -> Seen:
    if want.services:
        found = [container_of(host, want.project, service) for service in want.services]
    else:
        found = [one for one in containers(host, want.project) if one.status == "running"]
    return Seen(tuple(_log(want, capture(host, one, want.tail)) for one in found))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if not seen.logs:
        return [Mismatch(f"project {want.project}", "running containers with a log", "none")]
    return [wrong for log in seen.logs for wrong in _wrong(want, log)]


def _impossible(want: Params) -> Params:
    # No line may be there, and without a line it is red as well.
    return replace(want, forbidden=("",), ignore=(), min_lines=max(1, want.min_lines))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _log(want: Params, captured: Capture) -> Log:
    lines = [line for line in captured.lines if not _matches(want.ignore, line)]
    return Log(
        service=captured.service,
        lines=len(captured.lines),
        ignored=len(captured.lines) - len(lines),
        is_cut=captured.is_cut,
        kinds=(
            _kind("errors", lines, lambda line: severity(line) == "error"),
            _kind("warnings", lines, lambda line: severity(line) == "warning"),
            _kind("slow", lines, lambda line: _is_slow(want, line)),
            _kind("forbidden", lines, lambda line: _matches(want.forbidden, line)),
        ),
    )


def _kind(name: str, lines: Iterable[str], belongs: Callable[[str], bool]) -> Kind:
    found = [line for line in lines if belongs(line)]
    return Kind(name, len(found), tuple(line[:_KEPT_CHARACTERS] for line in found[:_KEPT]))


def _matches(patterns: Iterable[str], line: str) -> bool:
    return any(re.search(pattern, line) for pattern in patterns)


def _is_slow(want: Params, line: str) -> bool:
    took = as_json(line).get(want.slow_field)
    if want.slow_ms is not None and isinstance(took, int | float) and took > want.slow_ms:
        return True
    return bool(want.slow_pattern) and bool(re.search(want.slow_pattern, line))


def _wrong(want: Params, log: Log) -> list[Mismatch]:
    what = f"log of {log.service}"
    if log.lines < want.min_lines:
        return [Mismatch(what, f"at least {want.min_lines} lines since the start", str(log.lines))]
    allowed = {"errors": want.errors, "warnings": want.warnings, "slow": want.slow, "forbidden": 0}
    found = []
    for kind in log.kinds:
        limit = allowed[kind.name]
        if limit is not None and kind.count > limit:
            number = f"{kind.count} in {log.lines}{' or more' if log.is_cut else ''} lines"
            saw = f"{number}, the first: {kind.first[0]}"
            found.append(Mismatch(what, f"at most {limit} {_words(kind.name)}", saw))
    return found


def _words(kind: str) -> str:
    return {"slow": "slow lines", "forbidden": "forbidden lines"}.get(kind, kind)
