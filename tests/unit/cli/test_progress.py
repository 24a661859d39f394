from __future__ import annotations

import io

from rich.console import Console

from support import assignment, plan, result
from verifier.cli.progress import Progress
from verifier.deploy.events import Event, PlayResult
from verifier.result import Outcome


def _progress(*, verbose: bool = False) -> tuple[Progress, io.StringIO]:
    text = io.StringIO()
    return Progress(Console(file=text, width=120, highlight=False), verbose=verbose), text


def test_without_a_terminal_only_whole_lines_are_written() -> None:
    progress, text = _progress()
    progress.planned(plan(assignment("web")))
    progress.stage("Stage", "images")
    progress.event(Event("runner_on_start", host="h1", role="images", task="Images | pull"))
    progress.event(Event("runner_on_failed", host="h1", role="images", task="t", message="no disk"))
    progress.played(PlayResult("Stage", (), ("events are missing",)))
    progress.result(result("web", Outcome.FAIL, reason="closed"))
    said = text.getvalue()
    assert "\r" not in said
    assert "\x1b" not in said
    for word in ("images", "no disk", "Stage FAILED", "events are missing", "✗ web closed"):
        assert word in said


def test_a_step_is_named_once_per_host() -> None:
    progress, text = _progress()
    for task in ("first", "second"):
        for host in ("h1", "h2"):
            progress.event(Event("runner_on_start", host=host, role="images", task=task))
    assert text.getvalue().count("images") == 2


def test_what_a_host_says_cannot_move_the_cursor_or_be_markup() -> None:
    progress, text = _progress()
    evil = "\x1b[2J\x1b]0;owned\x07 [bold]x[/bold]"
    progress.event(Event("runner_on_failed", host="h1", role="r", task="t", message=evil))
    progress.result(result("web", Outcome.FAIL, reason=evil))
    said = text.getvalue()
    assert "\x1b" not in said
    assert "\x07" not in said
    assert said.count("[bold]x[/bold]") == 2


def test_an_ignored_failure_is_no_line_of_its_own() -> None:
    progress, text = _progress()
    progress.event(Event("runner_on_failed", host="h1", role="r", task="t", ignored=True))
    assert "✗" not in text.getvalue()


def test_a_dead_host_is_said_once() -> None:
    progress, text = _progress()
    for host in ("h1", "h2"):
        for item in ("web", "tls", "alive"):
            progress.result(result(item, Outcome.ERROR, host, "unreachable: no route"))
    assert text.getvalue().count("no route") == 2
