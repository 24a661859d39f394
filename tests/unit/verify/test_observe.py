from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from support import FakeConnections, FakeShell, Recorded, assignment, plan
from verifier.errors import Unreachable
from verifier.inventory import Host, Reach
from verifier.plan import Assignment, Plan
from verifier.redact import Redactor
from verifier.result import Outcome, Result
from verifier.store import RunDirectory
from verifier.verify.connect import Shell
from verifier.verify.observe import unreached, verify

SECRET = "hunter2-hunter2-hunter2"  # noqa: S105  the example
SS = Recorded("ss -Hltn", "LISTEN 0 128 0.0.0.0:80 0.0.0.0:*\n")


def _asked(item: str, host: str = "h1", *, number: int = 80, become: bool = False) -> Assignment:
    return replace(assignment(item, host), params={"number": number}, become=become)


def _verified(
    planned: Plan, shell: Callable[[Host], Shell], folder: Path, *secrets: str
) -> tuple[tuple[Result, ...], RunDirectory, int]:
    store = RunDirectory.create(folder, "run", Redactor(secrets))
    hosts = [Host(name, (), Reach("ssh", name)) for name in planned.hosts]
    with FakeConnections(shell) as connections:
        results = verify(planned, hosts, connections, store, lambda _: None)
    return results, store, connections.attempts


def _dead(host: Host) -> Shell:
    raise Unreachable("no answer in 20 s", where=host.name)


def test_a_dead_host_costs_one_attempt_and_is_an_error_for_every_item(tmp_path: Path) -> None:
    outside = replace(_asked("outside"), vantage="controller")
    planned = plan(*(_asked(f"item{n}") for n in range(29)), outside)
    results, _, attempts = _verified(planned, _dead, tmp_path)
    assert attempts == 1
    assert {(r.outcome, r.reason) for r in results} == {
        (Outcome.ERROR, "unreachable: no answer in 20 s")
    }
    assert len(results) == 30


def test_a_dead_host_takes_no_answer_from_the_others(tmp_path: Path) -> None:
    planned = plan(_asked("web", "dead"), _asked("web", "alive"))
    results, *_ = _verified(
        planned, lambda h: FakeShell([SS]) if h.name == "alive" else _dead(h), tmp_path
    )
    assert [r.outcome for r in results] == [Outcome.ERROR, Outcome.PASS]


def test_results_come_in_the_order_of_the_plan(tmp_path: Path) -> None:
    planned = plan(
        *(_asked(f"item{n}", host) for n in (9, 1, 5) for host in ("b", "a")),
        assignment("person", "a", method="attest"),
    )
    results, *_ = _verified(planned, lambda _: FakeShell([SS]), tmp_path)
    assert [(r.item, r.host) for r in results] == [a.key for a in planned.assignments]


def test_a_check_that_crashes_is_an_error_with_its_traceback_as_evidence(tmp_path: Path) -> None:
    def crash(command: str, timeout_s: float, stdin: bytes) -> tuple[int, bytes, bytes]:
        del command, timeout_s, stdin
        raise ZeroDivisionError("of all things")

    (result,), store, _ = _verified(plan(_asked("web")), lambda _: crash, tmp_path)
    assert result.outcome is Outcome.ERROR
    assert result.reason == "the check itself failed: ZeroDivisionError: of all things"
    assert "Traceback" in _evidence(store, result)["seen"]["traceback"]  # type: ignore[index]


def test_becoming_root_that_is_refused_is_an_error_and_no_answer(tmp_path: Path) -> None:
    refused = Recorded("sudo -n -u root", err="sudo: a password is required\n", rc=1)
    (result,), *_ = _verified(
        plan(_asked("web", become=True)), lambda _: FakeShell([refused]), tmp_path
    )
    assert result.outcome is Outcome.ERROR
    assert result.reason == "become failed: sudo: a password is required"


def test_a_closed_port_is_a_failure_with_evidence_and_so_is_a_pass(tmp_path: Path) -> None:
    planned = plan(_asked("open"), _asked("closed", number=81))
    (passed, failed), store, _ = _verified(planned, lambda _: FakeShell([SS]), tmp_path)
    assert (passed.outcome, failed.outcome) == (Outcome.PASS, Outcome.FAIL)
    assert failed.reasons == ("port 81: wanted open, saw nothing listens",)
    for result in (passed, failed):
        commands = _evidence(store, result)["commands"]
        assert isinstance(commands, list)
        assert commands[0]["command"] == "ss -Hltn"


def test_a_secret_that_a_host_says_reaches_neither_results_nor_evidence(tmp_path: Path) -> None:
    said = Recorded("ss -Hltn", err=f"ss: cannot open {SECRET}", rc=2)
    (result,), store, _ = _verified(
        plan(_asked("web")), lambda _: FakeShell([said]), tmp_path, SECRET
    )
    assert result.outcome is Outcome.ERROR
    assert result.reason == "`ss -Hltn` ended with 2: ss: cannot open [redacted]"
    stored = "".join(p.read_text() for p in store.path.rglob("*.json"))
    assert "[redacted]" in stored
    assert SECRET not in stored


def test_what_planning_decided_is_not_looked_at(tmp_path: Path) -> None:
    planned = plan(
        replace(_asked("off"), applicable=False, why_not="no cache is configured"),
        replace(assignment("person", method="attest"), why_not="needs an attestation by: lead"),
        replace(assignment("nobody", method="none"), why_not="no check reads documents"),
    )
    results, _, attempts = _verified(planned, _dead, tmp_path)
    assert attempts == 0
    assert [(r.outcome, r.reason) for r in results] == [
        (Outcome.NOT_APPLICABLE, "no cache is configured"),
        (Outcome.NOT_CHECKED, "needs an attestation by: lead"),
        (Outcome.NOT_CHECKED, "no check reads documents"),
    ]


def test_what_was_never_reached_is_not_checked() -> None:
    planned = plan(_asked("web"), replace(_asked("off"), applicable=False, why_not="not here"))
    assert [(r.outcome, r.reason) for r in unreached(planned, "the run ended")] == [
        (Outcome.NOT_CHECKED, "the run ended"),
        (Outcome.NOT_APPLICABLE, "not here"),
    ]


def _evidence(store: RunDirectory, result: Result) -> dict[str, object]:
    found: dict[str, object] = json.loads(
        (store.path / "evidence" / f"{result.evidence[0]}.json").read_text()
    )
    return found
