from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from support import FakeConnections, FakeShell, Recorded, assignment, plan
from verifier.checklist.binding import Retry
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


class _Sequence(FakeShell):
    """Answers with one recording after the other, the last one for good."""

    def __init__(self, *texts: str) -> None:
        super().__init__()
        self._texts = list(texts)

    def __call__(self, command: str, timeout_s: float, stdin: bytes) -> tuple[int, bytes, bytes]:
        del timeout_s, stdin
        self.asked.append(command)
        text = self._texts.pop(0) if len(self._texts) > 1 else self._texts[0]
        return 0, text.encode(), b""


def _retried(folder: Path, retry: Retry, *texts: str) -> tuple[Result, int]:
    shell = _Sequence(*texts)
    asked = replace(_asked("web"), retry=retry)
    (result,), *_ = _verified(plan(asked), lambda _: shell, folder)
    return result, len(shell.asked)


_INSPECTED = """[{"Id": "c0ffee", "Name": "/shop-app-1", "Image": "sha256:1", "RestartCount": 0,
  "State": {"Status": "running", "ExitCode": 0, "OOMKilled": false, "Pid": 7,
            "StartedAt": "2026-03-01T00:00:00Z"},
  "Config": {"Labels": {"com.docker.compose.oneoff": "False", "com.docker.compose.project": "shop",
                        "com.docker.compose.service": "app"}}}]"""
CLOSED = "LISTEN 0 128 0.0.0.0:22 0.0.0.0:*\n"


def test_without_a_retry_there_is_one_look(tmp_path: Path) -> None:
    result, looks = _retried(tmp_path, Retry(), CLOSED, SS.out)
    assert (result.outcome, result.looks, looks) == (Outcome.FAIL, 1, 1)


def test_a_look_is_repeated_until_it_passes_within_its_time(tmp_path: Path) -> None:
    retry = Retry(within_s=30, every_s=0.01)
    result, looks = _retried(tmp_path, retry, CLOSED, CLOSED, SS.out)
    assert (result.outcome, result.looks, looks) == (Outcome.PASS, 3, 3)
    assert len(result.evidence) == 2  # what the first look saw is kept, too


def test_a_look_that_never_passes_ends_with_its_time(tmp_path: Path) -> None:
    result, looks = _retried(tmp_path, Retry(within_s=0.05, every_s=0.02), CLOSED)
    assert result.outcome is Outcome.FAIL
    assert 2 <= looks <= 4


def test_so_many_successes_must_follow_each_other(tmp_path: Path) -> None:
    retry = Retry(within_s=30, every_s=0.01, successes=3)
    texts = (SS.out, SS.out, CLOSED, SS.out, SS.out, SS.out)
    result, looks = _retried(tmp_path, retry, *texts)
    assert (result.outcome, looks) == (Outcome.PASS, 6)


def test_a_success_that_does_not_last_is_no_pass(tmp_path: Path) -> None:
    result, looks = _retried(tmp_path, Retry(every_s=0.01, successes=3), SS.out, SS.out, CLOSED)
    assert (result.outcome, looks) == (Outcome.FAIL, 3)


def test_what_puts_load_on_a_host_comes_last_and_alone(tmp_path: Path) -> None:
    order: list[str] = []
    planned = plan(
        replace(_asked("load1"), burdens=True), _asked("a"), replace(_asked("load2"), burdens=True),
        _asked("b"),
    )  # fmt: skip
    store = RunDirectory.create(tmp_path, "run", Redactor())
    hosts = [Host("h1", (), Reach("ssh", "h1"))]
    with FakeConnections(lambda _: FakeShell([SS])) as connections:
        verify(planned, hosts, connections, store, lambda r: order.append(r.item))
    assert set(order[:2]) == {"a", "b"}
    assert order[2:] == ["load1", "load2"]


def test_a_look_inside_a_container_runs_in_it(tmp_path: Path) -> None:
    shell = FakeShell(
        [
            Recorded("docker exec -i c0ffee /bin/sh -c", SS.out),
            Recorded("docker ps", "c0ffee\n"),
            Recorded("docker inspect", _INSPECTED),
        ]
    )
    asked = replace(_asked("web"), vantage="container", inside=("shop", "app"))
    (result,), *_ = _verified(plan(asked), lambda _: shell, tmp_path)
    assert result.outcome is Outcome.PASS, result.reasons
    assert shell.asked[-1].startswith("docker exec -i c0ffee /bin/sh -c ")


def test_a_container_that_does_not_run_is_no_verdict(tmp_path: Path) -> None:
    shell = FakeShell([Recorded("docker ps", "")])
    asked = replace(_asked("web"), vantage="container", inside=("shop", "app"))
    (result,), *_ = _verified(plan(asked), lambda _: shell, tmp_path)
    assert result.outcome is Outcome.ERROR
