from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import pytest

from support import FakeConnections, FakeShell, Recorded, assignment, plan
from verifier.checks.base import Check, Mismatch
from verifier.checks.base import Host as CheckedHost
from verifier.inventory import Host, Reach
from verifier.redact import Redactor
from verifier.result import Outcome, Result
from verifier.store import RunDirectory
from verifier.verify.prove import VACUOUS, prove


@dataclass(frozen=True)
class Params:
    number: int = 80


@dataclass(frozen=True)
class Seen:
    said: str


def _observe(host: CheckedHost, want: Params) -> Seen:
    return Seen(host.run("look %s", str(want.number)).stdout)


def _always_green(want: Params, seen: Seen) -> list[Mismatch]:
    del want, seen
    return []


def _proven(folder: Path, *recorded: Recorded) -> tuple[Result, ...]:
    asked = replace(assignment("web"), params={"number": 80})
    store = RunDirectory.create(folder, "run", Redactor())
    hosts = [Host("h1", (), Reach("ssh", "h1"))]
    with FakeConnections(lambda _: FakeShell(recorded)) as connections:
        return prove(
            plan(asked, assignment("who", method="attest")),
            hosts,
            connections,
            store,
            lambda _: None,
        )


def test_a_check_that_fails_the_impossible_is_proven_and_says_so(tmp_path: Path) -> None:
    (result,) = _proven(tmp_path, Recorded("ss -Hltn", "LISTEN 0 128 0.0.0.0:80 0.0.0.0:*\n"))
    assert result.outcome is Outcome.PASS
    assert result.reasons


def test_a_check_that_passes_the_impossible_is_vacuous_and_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("verifier.checks.port")
    vacuous = Check(Params, _observe, _always_green, impossible=lambda w: replace(w, number=-1))
    module.CHECK = vacuous  # type: ignore[attr-defined]  # as the finder looks for it
    monkeypatch.setitem(__import__("sys").modules, "verifier.checks.port", module)
    (result,) = _proven(tmp_path, Recorded("look", "anything"))
    assert (result.outcome, result.reason) == (Outcome.ERROR, VACUOUS)


def test_a_check_that_could_not_look_proves_nothing(tmp_path: Path) -> None:
    (result,) = _proven(tmp_path, Recorded("ss -Hltn", rc=127, err="ss: not found"))
    assert result.outcome is Outcome.ERROR
    assert "ss" in result.reason
