"""Progress for people, on stderr: a line per step and host as it happens, and one that counts the
answers. Calm without a terminal: whole lines only, nothing is redrawn.
"""

from __future__ import annotations

import threading
import time
from collections import Counter

from rich.console import Console
from rich.markup import escape

from verifier.deploy.events import Event, PlayResult
from verifier.plan import Plan
from verifier.report.text import answers_words, visible
from verifier.result import Outcome, Result

_EVERY_S = 10.0


class Progress:
    """A pipeline Watcher that prints."""

    def __init__(self, console: Console, *, verbose: bool = False) -> None:
        self._console, self._verbose = console, verbose
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._role: dict[str, str] = {}
        self._counts: Counter[str] = Counter()
        self._dead: set[tuple[str, str]] = set()
        self._said_at = 0.0
        self._task = ""

    def stage(self, name: str, detail: str) -> None:
        self._clear()
        self._counts.clear()
        self._role.clear()
        self._console.print(
            f"[dim]{self._clock()}[/dim] [bold]{escape(name)}[/bold]  {escape(detail)}",
            soft_wrap=True,
        )

    def planned(self, plan: Plan) -> None:
        checked = sum(a.method == "check" and a.applicable for a in plan.assignments)
        self.stage("Plan", f"{answers_words(plan)}: {checked} of them by a check")

    def event(self, event: Event) -> None:
        with self._lock:
            if event.kind in (
                "runner_on_start",
                "runner_on_ok",
                "runner_on_failed",
                "runner_on_unreachable",
            ):
                self._begin_role(event)
            if event.kind in ("runner_on_failed", "runner_on_unreachable") and not event.ignored:
                self._line(event.host, f"[red]✗ {escape(event.role)}[/red] {escape(event.task)}")
                self._line(event.host, f"  {_shown(event.message[:300])}")
            elif self._verbose and event.kind == "runner_on_ok":
                self._line(
                    event.host, f"{'changed' if event.changed else 'ok     '} {escape(event.task)}"
                )

    def played(self, play: PlayResult) -> None:
        self._clear()
        changes = sum(step.changes for step in play.steps)
        word = "done" if play.is_done else "FAILED"
        self._console.print(
            f"{'':>7} {escape(play.play)} {word}: {changes} changes in {play.duration_s:.0f} s"
        )
        for problem in play.problems:
            self._console.print(f"{'':>7} [red]✗[/red] {_shown(problem)}", soft_wrap=True)

    def result(self, result: Result) -> None:
        with self._lock:
            self._counts[result.outcome.value] += 1
            if result.outcome in (Outcome.FAIL, Outcome.ERROR) and not self._is_known(result):
                why = _shown("; ".join(result.reasons)[:200])
                sign = "✗" if result.outcome is Outcome.FAIL else "!"
                self._line(result.host, f"[red]{sign} {escape(result.item)}[/red] {why}")
            elif self._verbose and result.outcome is Outcome.PASS:
                self._line(
                    result.host, f"[green]✓[/green] {escape(result.item)} {result.duration_s:.1f} s"
                )
            self._tell_counts()

    def _is_known(self, result: Result) -> bool:
        # A dead host is said once, not once for each of its items.
        if not result.reason.startswith("unreachable: "):
            return False
        known = (result.host, result.reason) in self._dead
        self._dead.add((result.host, result.reason))
        return known

    def _begin_role(self, event: Event) -> None:
        if event.role and event.host and self._role.get(event.host) != event.role:
            self._role[event.host] = event.role
            self._line(event.host, escape(event.role))

    def _tell_counts(self) -> None:
        total = sum(self._counts.values())
        words = f"{total} answered: " + ", ".join(
            f"{n} {word}" for word, n in sorted(self._counts.items())
        )
        if self._console.is_terminal:
            self._console.print(f"{'':>7} {words}", end="\r", soft_wrap=True)
        elif time.monotonic() - self._said_at > _EVERY_S:
            self._said_at = time.monotonic()
            self._console.print(f"{'':>7} {words}", soft_wrap=True)

    def _line(self, host: str, text: str) -> None:
        self._clear()
        self._console.print(f"[dim]{self._clock()}[/dim] {host:<10} {text}", soft_wrap=True)

    def _clear(self) -> None:
        if self._console.is_terminal:
            self._console.print(" " * (self._console.width - 1), end="\r", soft_wrap=True)

    def _clock(self) -> str:
        elapsed = int(time.monotonic() - self._began)
        return f"{elapsed // 60:>3}:{elapsed % 60:02}"


def _shown(text: str) -> str:
    return escape(visible(" ".join(text.split())))
