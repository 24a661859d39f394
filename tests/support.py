"""What the tests share: a fake shell at the seam below every look, and nothing of our own mocked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from verifier.checklist.binding import Binding
from verifier.checklist.identity import with_ids
from verifier.checklist.items import Checklist, Item
from verifier.checklist.markdown import read_markdown
from verifier.checks.base import Host, Mismatch
from verifier.deploy.events import PlayResult, StepResult, StepState
from verifier.gate import decide
from verifier.inventory import Host as InventoryHost
from verifier.inventory import Reach
from verifier.plan import Assignment, Plan
from verifier.result import Outcome, Result
from verifier.run import Run
from verifier.verify.connect import Connection, Connections, Shell
from verifier.waiver import Waiver


@dataclass(frozen=True)
class Recorded:
    """An answer for every command that contains `run`; the first that matches wins."""

    run: str
    out: str = ""
    err: str = ""
    rc: int = 0


class FakeShell:
    """Answers from recordings and remembers what was asked; a command nobody recorded is a failing
    test.
    """

    def __init__(self, recorded: Sequence[Recorded] = ()) -> None:
        self.recorded = tuple(recorded)
        self.asked: list[str] = []

    def __call__(self, command: str, timeout_s: float, stdin: bytes) -> tuple[int, bytes, bytes]:
        del timeout_s, stdin
        self.asked.append(command)
        for answer in self.recorded:
            if answer.run in command:
                return answer.rc, answer.out.encode(), answer.err.encode()
        message = f"nobody recorded an answer for: {command}"
        raise AssertionError(message)


class FakeConnections(Connections):
    """Every host answers through `shell`; how often one was connected to is counted."""

    def __init__(self, shell: Callable[[InventoryHost], Shell]) -> None:
        super().__init__()
        self._make, self.attempts = shell, 0

    def _shell_for(self, host: InventoryHost) -> Shell:
        self.attempts += 1
        return self._make(host)


def fake_host(*recorded: Recorded) -> Host:
    """A testinfra host whose commands are answered from recordings."""
    return host_behind(FakeShell(recorded))


def host_behind(shell: FakeShell) -> Host:
    """The same, for a test that also wants to know what was asked."""
    name = InventoryHost("fake", (), Reach("local", "fake"))
    host, _ = Connection(name, shell).look()
    return host


def assignment(
    item: str,
    host: str = "h1",
    *,
    required: bool = True,
    applicable: bool = True,
    method: Literal["check", "attest", "none"] = "check",
    section: str = "section",
) -> Assignment:
    """An Assignment whose unimportant parts are made up."""
    return Assignment(
        item=item,
        host=host,
        source=f"src.{item}",
        title=f"{item} 제목 / title",
        section=section,
        checklist="list",
        place="list.yml:1",
        phase="after",
        required=required,
        method=method,
        check="port" if method == "check" else "",
        applicable=applicable,
    )


def plan(*assignments: Assignment) -> Plan:
    """A Plan of these Assignments and the hosts they name."""
    hosts = tuple(dict.fromkeys(a.host for a in assignments))
    return Plan(
        "test",
        hosts,
        dict.fromkeys(hosts, ("g",)),
        dict.fromkeys(hosts, "1"),
        {"list": "d"},
        (),
        assignments,
    )


def result(item: str, outcome: Outcome, host: str = "h1", reason: str = "") -> Result:
    return Result(item, host, outcome, "port", reason)


def finished_run(reason: str = "port 80: wanted open, saw nothing listens") -> Run:
    """One Run with every outcome in it, on two hosts of which one cannot be reached."""
    planned = plan(
        assignment("web", section="네트워크 / Network"),
        assignment("cache", section="네트워크 / Network", applicable=False),
        assignment("tls", section="네트워크 / Network"),
        assignment("guide", section="문서 / Documents", required=False, method="none"),
        assignment("alive"),
        assignment("web", "h2", section="네트워크 / Network"),
    )
    results = (
        Result(
            "web", "h1", Outcome.FAIL, "port", mismatches=(Mismatch("port 80", "open", reason),)
        ),
        Result("cache", "h1", Outcome.NOT_APPLICABLE, "", "no cache is configured"),
        result("tls", Outcome.FAIL, reason="the certificate ends in 3 days"),
        Result("guide", "h1", Outcome.NOT_CHECKED, "", "no check reads documents yet"),
        Result("alive", "h1", Outcome.PASS, "port", evidence=("ab" * 32,), duration_s=0.25),
        result("web", Outcome.ERROR, "h2", "unreachable: the host refuses the key"),
    )
    waivers = (
        Waiver(
            item="tls", justification="renewal is booked", owner="kim", expires=dt.date(2026, 3, 1)
        ),
    )
    return Run(
        id="20260301T000000Z-verify-test-0000",
        command="verify",
        started_at="2026-03-01T00:00:00.000+00:00",
        finished_at="2026-03-01T00:00:09.000+00:00",
        versions={"verifier": "0"},
        plan=planned,
        plays=(PlayResult("Stage", (StepResult("images", "h1", StepState.CHANGED, 2),), (), 3.0),),
        results=results,
        verdict=decide(planned, results, waivers, dt.date(2026, 3, 1)),
        exit_code=1,
        unreachable={"h2": "the host refuses the key"},
        checklists=(_checklist(),),
    )


def _checklist() -> Checklist:
    text = "# 목록\n- [ ] 웹 / web <!-- id: web -->\n- [x] 살아 있다 / alive <!-- id: alive -->\n"
    lines = with_ids(read_markdown(text, where="list.md").lines)
    binding = Binding(check="port")
    return Checklist(
        "list",
        Path("list.md"),
        text,
        "d",
        tuple(Item(x, binding, "g", "list.yml:1") for x in lines),
    )
