"""The record of the recent deployments can be trusted: it is readable, in order, and ends with the
release that is current.

    - id: recent-deployments-are-known
      check: release_history
      with:
        root: "{{ release_root }}"
        release: "{{ release_id }}"
        least: 1

`history.jsonl` has one line for each time a release became current, written by the role `activate`:
`release`, `at`, and `back` for a return after a failure. Red: no such file, a line that is not
understood, fewer than `least` deployments, a newest line without one of `fields` (a project whose
roles write down more, such as `by`, names it there), a newest release that is not the one `current`
points to or not `release`, a `current` that points to nothing, a time that is not understood, lies
in the future of the host's clock, or before the one above it.

The last `told` deployments are kept as they are, each with what became of it: `current`, `replaced`,
or `turned away from` (a return followed). Whether one can go back is the business of `rollback_ready`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve
from verifier.history import Entry, read_entry, way_here

_NEVER = 1_000_000
_SLACK_S = 60  # clocks of two machines


@dataclass(frozen=True)
class Params:
    root: str
    release: str = ""
    least: int = 1
    fields: tuple[str, ...] = ("release", "at")
    told: int = 10

    def __post_init__(self) -> None:
        if self.least < 1:
            raise ValueError("least is at least 1: an empty history says nothing")


@dataclass(frozen=True)
class Deployment:
    """One line: `at` is Unix time (None where it is not understood), `words` what else it has."""

    release: str
    at: float | None
    outcome: str
    words: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Seen:
    """`bad_line` is the first line that is not understood (0: none), `current` the name `current`
    points to ("" for none); `now` is the host's clock.
    """

    found: bool
    total: int
    bad_line: int
    last: tuple[Deployment, ...]
    current: str
    now: float


def observe(host: Host, want: Params) -> Seen:
    path = f"{want.root}/history.jsonl"
    answer = host.run("cat -- %s", path)
    if answer.rc and "No such file" not in answer.stderr:
        raise CannotObserve(f"{path}: {answer.stderr.strip()[:200]}")
    lines = [line for line in answer.stdout.splitlines() if line.strip()]
    entries = [read_entry(line) for line in lines]
    bad = next((n for n, entry in enumerate(entries, 1) if entry is None), 0)
    understood = [(e, line) for e, line in zip(entries, lines, strict=True) if e is not None]
    last = _deployments(understood)[-want.told :]
    link = host.run("readlink -e -- %s", f"{want.root}/current").stdout.strip()
    try:
        now = float(ask(host, "date +%s"))
    except ValueError as error:
        raise CannotObserve("the host's clock cannot be read") from error
    return Seen(not answer.rc, len(lines), bad, last, PurePosixPath(link).name, now)


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    path = f"{want.root}/history.jsonl"
    if not seen.found:
        return [Mismatch(path, "the record of the deployments", "no such file")]
    wrong = []
    if seen.bad_line:
        what = f"{path} line {seen.bad_line}"
        wrong.append(Mismatch(what, "a deployment", f"not understood; next: tail -n 5 {path}"))
    if seen.total < want.least:
        wrong.append(Mismatch("recorded deployments", f"at least {want.least}", str(seen.total)))
    if not seen.last:
        return wrong
    return [*wrong, *_judge_newest(want, seen, seen.last[-1]), *_judge_times(seen)]


def _impossible(want: Params) -> Params:
    return replace(want, least=_NEVER)


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _deployments(lines: Sequence[tuple[Entry, str]]) -> tuple[Deployment, ...]:
    """What became of each: a return turns away from all that ran since its release."""
    outcomes: list[str] = []
    for number, (entry, _) in enumerate(lines):
        outcomes = ["replaced" if word == "current" else word for word in outcomes]
        way = way_here(earlier for earlier, _ in lines[:number])
        if entry.back and entry.release in way:
            refused = way[way.index(entry.release) + 1 :]
            outcomes = [
                "turned away from" if lines[n][0].release in refused else word
                for n, word in enumerate(outcomes)
            ]
        outcomes.append("current")
    return tuple(_deployment(line, word) for (_, line), word in zip(lines, outcomes, strict=True))


def _deployment(line: str, outcome: str) -> Deployment:
    raw: dict[str, Any] = json.loads(line)
    words = tuple((key, str(value)) for key, value in raw.items())
    return Deployment(str(raw["release"]), _unix(raw.get("at")), outcome, words)


def _unix(value: object) -> float | None:
    try:
        return datetime.fromisoformat(str(value)).timestamp() if value else None
    except ValueError:
        return None


def _judge_newest(want: Params, seen: Seen, newest: Deployment) -> list[Mismatch]:
    wrong = []
    missing = sorted(set(want.fields) - {key for key, value in newest.words if value})
    if missing:
        wanted = f"with {', '.join(want.fields)}"
        wrong.append(Mismatch("newest deployment", wanted, f"without {', '.join(missing)}"))
    if not seen.current:
        saw = f"nothing; next: ls -l {want.root}"
        wrong.append(Mismatch(f"{want.root}/current", "a release", saw))
    elif newest.release != seen.current:
        saw = f"{newest.release}: somebody changed it by hand; next: ls -l {want.root}"
        wrong.append(Mismatch("newest deployment", f"{seen.current}, which is current", saw))
    if want.release and newest.release != want.release:
        wrong.append(Mismatch("newest deployment", want.release, newest.release))
    return wrong


def _judge_times(seen: Seen) -> list[Mismatch]:
    wrong = []
    before: float | None = None
    for one in seen.last:
        what = f"time of the deployment of {one.release}"
        if one.at is None:
            wrong.append(Mismatch(what, "a date and time", dict(one.words).get("at", "none")))
            continue
        if one.at > seen.now + _SLACK_S:
            saw = f"{one.at - seen.now:.0f} s in the future"
            wrong.append(Mismatch(what, "not after the host's clock", saw))
        if before is not None and one.at < before:
            wrong.append(Mismatch(what, "after the one before", f"{before - one.at:.0f} s earlier"))
        before = one.at
    return wrong
