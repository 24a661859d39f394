"""Walks the plan and answers every Assignment: concurrent over hosts and over the checks of a host,
one connection per host, a dead host asked once; what puts load on a service comes last and alone.
The only maker of Outcome.ERROR; whatever a check says is kept as evidence.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import UTC, datetime

from verifier.checks import base
from verifier.checks._compose import container_of
from verifier.checks.base import Mismatch, find_check
from verifier.errors import CannotObserve, Unreachable
from verifier.inventory import Host
from verifier.plan import Assignment, Plan
from verifier.result import Outcome, Result, conjunction
from verifier.store import RunDirectory
from verifier.verify.attest import NOBODY, People, attest
from verifier.verify.connect import Connection, Connections, Transcript

LOOKS_PER_HOST = 4
LOOKS_IN_ALL = 64

_KEPT_OF_OUTPUT = 20_000  # characters of one command's output kept as evidence

Progress = Callable[[Result], None]


def verify(
    plan: Plan,
    hosts: Sequence[Host],
    connections: Connections,
    store: RunDirectory,
    progress: Progress,
    people: People = NOBODY,
) -> tuple[Result, ...]:
    """One Result for each Assignment of `plan`, in the plan's order. Never raises for what a host
    does.
    """
    by_name = {host.name: host for host in hosts}

    def answer(assignment: Assignment) -> Result:
        if assignment.method == "attest" and assignment.applicable:
            result = attest(assignment, plan, people, store)
        else:
            result = _answer(assignment, by_name[assignment.host], connections, store)
        progress(result)
        return result

    found: dict[tuple[str, str], Result] = {}
    for lanes in _in_turn(plan.assignments):
        found |= {(r.item, r.host): r for r in _run_lanes(lanes, answer, len(plan.hosts))}
    for assignment in reversed(plan.assignments):  # what stands below a line comes after it
        if assignment.method == "below" and assignment.applicable:
            found[assignment.key] = _of_those_below(assignment, found)
    return tuple(found[assignment.key] for assignment in plan.assignments)


def unreached(plan: Plan, why: str) -> tuple[Result, ...]:
    """A NOT_CHECKED Result for each Assignment that will not be looked at, so that no line is
    without an answer.
    """
    return tuple(
        _not_applicable(a)
        if not a.applicable
        else Result(a.item, a.host, Outcome.NOT_CHECKED, a.check, why)
        for a in plan.assignments
    )


# Looks that are made at the same time, and what comes after them.
Batch = list[Assignment]
Lanes = list[list[Batch]]


def _in_turn(assignments: tuple[Assignment, ...]) -> tuple[Lanes, Lanes]:
    """First whatever disturbs nobody, each in a lane of its own; then, one lane for each host, what
    puts load on a service.
    """
    calm = [[[a]] for a in _fairly(tuple(a for a in assignments if not a.burdens))]
    loads: dict[str, dict[str, Batch]] = {}
    for assignment in assignments:
        if assignment.burdens:
            shared = find_check(assignment.check).shares
            batch = assignment.check if shared else assignment.item
            loads.setdefault(assignment.host, {}).setdefault(batch, []).append(assignment)
    return calm, [list(batches.values()) for batches in loads.values()]


def _run_lanes(
    lanes: Lanes, answer: Callable[[Assignment], Result], hosts: int
) -> Iterator[Result]:
    def run(lane: list[Batch]) -> list[Result]:
        return [result for batch in lane for result in _at_once(batch, answer)]

    workers = min(LOOKS_IN_ALL, LOOKS_PER_HOST * max(1, hosts))
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="look") as pool:
        try:
            for results in pool.map(run, lanes):
                yield from results
        except BaseException:
            # Ctrl-C: what has begun ends within its own time limit, nothing more begins
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _at_once(batch: Batch, answer: Callable[[Assignment], Result]) -> list[Result]:
    if len(batch) == 1:
        return [answer(batch[0])]
    with ThreadPoolExecutor(max_workers=len(batch), thread_name_prefix="shared") as pool:
        return list(pool.map(answer, batch))


def _fairly(assignments: tuple[Assignment, ...]) -> list[Assignment]:
    # Host by host in turn, so that no host waits for another one's slow items.
    turn: dict[str, int] = {}
    order: list[tuple[int, int, Assignment]] = []
    for position, assignment in enumerate(assignments):
        turn[assignment.host] = turn.get(assignment.host, 0) + 1
        order.append((turn[assignment.host], position, assignment))
    return [assignment for *_, assignment in sorted(order, key=lambda entry: entry[:2])]


def _answer(
    assignment: Assignment, host: Host, connections: Connections, store: RunDirectory
) -> Result:
    if not assignment.applicable:
        return _not_applicable(assignment)
    if assignment.method != "check":
        return Result(assignment.item, assignment.host, Outcome.NOT_CHECKED, "", assignment.why_not)
    began, started_at = time.monotonic(), datetime.now(UTC).isoformat()
    result = _looked(assignment, lambda: look(assignment, host, connections, store))
    return replace(
        result,
        # What a host said may hold a secret; from here on it is printed, reported and kept.
        reason=store.redact(result.reason),
        mismatches=tuple(_redacted(m, store) for m in result.mismatches),
        started_at=started_at,
        duration_s=round(time.monotonic() - began, 3),
    )


def _looked(assignment: Assignment, look: Callable[[], Result]) -> Result:
    """The look, repeated as the item's `retry` says. A line of passes that began in time is seen to
    its end; otherwise the last look counts, and what the first one saw stays as evidence.
    """
    retry = assignment.retry
    time.sleep(retry.settle_s)
    deadline = time.monotonic() + retry.within_s
    first = result = look()
    passes, looks = int(result.outcome is Outcome.PASS), 1
    while passes < retry.successes and (passes or time.monotonic() < deadline):
        time.sleep(retry.every_s)
        result, looks = look(), looks + 1
        passes = passes + 1 if result.outcome is Outcome.PASS else 0
    kept = tuple(dict.fromkeys((*first.evidence, *result.evidence)))
    return replace(result, evidence=kept, looks=looks)


def _of_those_below(assignment: Assignment, found: Mapping[tuple[str, str], Result]) -> Result:
    """A line that is true when all lines below it are."""
    host = assignment.host
    parts = [found[item, host] for item in assignment.below if (item, host) in found]
    outcome = conjunction(tuple(part.outcome for part in parts))
    open_ = [p.item for p in parts if p.outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE)]
    why = f"not every line below it holds: {', '.join(open_)}" if open_ else ""
    return Result(assignment.item, host, outcome, "", why or ("" if parts else "nothing below it"))


def _redacted(mismatch: Mismatch, store: RunDirectory) -> Mismatch:
    return Mismatch(
        store.redact(mismatch.what), store.redact(mismatch.wanted), store.redact(mismatch.saw)
    )


def _not_applicable(assignment: Assignment) -> Result:
    return Result(
        assignment.item,
        assignment.host,
        Outcome.NOT_APPLICABLE,
        assignment.check,
        assignment.why_not,
    )


def look(
    assignment: Assignment,
    host: Host,
    connections: Connections,
    store: RunDirectory,
    *,
    impossible: bool = False,
) -> Result:
    """One look and its judgement; with `impossible`, of an expectation that no host can meet."""
    check = find_check(assignment.check)
    want = check.read(assignment.params or {})
    if impossible:
        want = check.impossible(want)
    try:
        connection = _vantage(assignment, host, connections)
    except Unreachable as error:
        return _error(assignment, f"unreachable: {error.what}", ())
    transcripts: list[Transcript] = []
    try:
        view, transcripts = _view(assignment, connection)
        seen = check.observe(view, want)
        mismatches = tuple(check.judge(want, seen))
    except CannotObserve as error:
        return _error(assignment, str(error), (_keep(store, assignment, None, transcripts),))
    except Exception as error:  # noqa: BLE001  a fault of the check is no verdict on the host
        trace = traceback.format_exc()
        evidence = _keep(store, assignment, {"traceback": trace}, transcripts)
        return _error(
            assignment, f"the check itself failed: {type(error).__name__}: {error}", (evidence,)
        )
    evidence = _keep(store, assignment, asdict(seen), transcripts)
    outcome = Outcome.FAIL if mismatches else Outcome.PASS
    return Result(
        assignment.item,
        assignment.host,
        outcome,
        assignment.check,
        mismatches=mismatches,
        evidence=(evidence,),
        series=tuple(asdict(moment) for moment in getattr(seen, "series", ())),
    )


def _vantage(assignment: Assignment, host: Host, connections: Connections) -> Connection:
    # A dead host is asked nothing from outside either: a port that must be closed would pass, and each look would wait.
    own = connections.open(host)
    return connections.controller() if assignment.vantage == "controller" else own


def _view(assignment: Assignment, connection: Connection) -> tuple[base.Host, list[Transcript]]:
    become, timeout_s = assignment.become, assignment.timeout_s
    view, transcripts = connection.look(become=become, timeout_s=timeout_s)
    if assignment.vantage != "container":
        return view, transcripts
    container = container_of(view, *assignment.inside)
    return connection.look(become=become, timeout_s=timeout_s, inside=container.id)


def _error(assignment: Assignment, why: str, evidence: tuple[str, ...]) -> Result:
    return Result(
        assignment.item,
        assignment.host,
        Outcome.ERROR,
        assignment.check,
        " ".join(why.split()),
        evidence=evidence,
    )


def _keep(
    store: RunDirectory, assignment: Assignment, seen: object, transcripts: Sequence[Transcript]
) -> str:
    return store.add_evidence(
        {
            "item": assignment.item,
            "host": assignment.host,
            "vantage": assignment.vantage,
            "check": assignment.check,
            "wanted": assignment.params,
            "seen": seen,
            "commands": [
                replace(t, stdout=_shortened(t.stdout), stderr=_shortened(t.stderr))
                for t in transcripts
            ],
        }
    )


def _shortened(text: str) -> str:
    if len(text) <= _KEPT_OF_OUTPUT:
        return text
    half = _KEPT_OF_OUTPUT // 2
    return f"{text[:half]}\n[... {len(text) - _KEPT_OF_OUTPUT} characters left out ...]\n{text[-half:]}"
