"""The summary a person reads in a terminal: items folded by section against hosts, what fails last
with its evidence, the verdict, and the next command. Right without colour and without a terminal.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from verifier.deploy.events import PlayResult
from verifier.gate import Verdict
from verifier.plan import Assignment, Plan
from verifier.result import Outcome, Result
from verifier.run import Run

SHOWN_FAILURES = 40
_BARS = "▁▂▃▄▅▆▇█"
SHORTEST_SECTION, SHORTEST_CELL = 40, 14  # cells; `12✓ 3✗ 4? 1–` must fit

_SIGNS = {
    "pass": ("✓", "green"),
    "fail": ("✗", "bold red"),
    "error": ("!", "bold magenta"),
    "waived": ("w", "yellow"),
    "not_checked": ("?", "yellow"),
    "not_applicable": ("–", "dim"),
}
_LEGEND = "✓ pass  ✗ fail  ! could not look  ? not checked  – not applicable  w waived"


def render(run: Run) -> str:
    """The summary without colour, 100 cells wide."""
    console = Console(file=io.StringIO(), width=100, color_system=None, force_terminal=False)
    show(run, console)
    assert isinstance(console.file, io.StringIO)  # noqa: S101  for the type checker: made two lines above
    return console.file.getvalue()


def show(run: Run, console: Console) -> None:
    """Prints the summary to `console`."""
    for play in run.plays:
        _show_play(play, console)
    _show_matrix(run.plan, run.results, run.verdict, console)
    _show_series(run.results, console)
    _show_failures(run, console)
    if run.rollback is not None:
        console.print("\n[bold]Rolled back to[/bold] " + escape(_releases(run.rollback.releases)))
        _show_play(run.rollback.play, console)
        _show_matrix(run.rollback.plan, run.rollback.results, run.rollback.verdict, console)
        _show_reasons(run.rollback.verdict, console)
    _show_verdict(run, console)


def _show_play(play: PlayResult, console: Console) -> None:
    if not play.steps and not play.problems:
        return
    changed = sum(step.changes for step in play.steps)
    state = "[green]done[/green]" if play.is_done else "[bold red]failed[/bold red]"
    console.print(f"{escape(play.play):<10} {state}, {changed} changes, {play.duration_s:.0f} s")
    for step in play.failures:
        console.print(
            f"  [red]✗[/red] {step.host} {step.step}: {step.state.value}: {escape(visible(step.why))}",
            soft_wrap=True,
        )
    for problem in play.problems:
        console.print(f"  [red]✗[/red] {escape(visible(problem))}", soft_wrap=True)


def _show_matrix(plan: Plan, results: Sequence[Result], verdict: Verdict, console: Console) -> None:
    if not results:
        return
    outcomes = {
        (r.item, r.host): "waived" if (r.item, r.host) in verdict.waived else r.outcome.value
        for r in results
    }
    for hosts in _side_by_side(plan.hosts, console.width):
        console.print()
        console.print(_matrix(plan, hosts, outcomes))
    counts = Counter(outcomes.values())
    words = ", ".join(f"{counts[word]} {word.replace('_', ' ')}" for word in _SIGNS if counts[word])
    console.print(f"\n{answers_words(plan)}: {words}")
    console.print(f"[dim]{_LEGEND}[/dim]")


def answers_words(plan: Plan) -> str:
    """How much is asked: items, hosts, and the answers that makes."""
    items = len({a.item for a in plan.assignments})
    hosts = "1 host" if len(plan.hosts) == 1 else f"{len(plan.hosts)} hosts"
    return f"{items} items on {hosts}, {len(plan.assignments)} answers"


def _side_by_side(hosts: Sequence[str], width: int) -> list[Sequence[str]]:
    """As many hosts beside the sections as there is room for; the others stand below."""
    each = max(SHORTEST_CELL, *map(len, hosts)) + 1
    fit = max(1, (width - SHORTEST_SECTION) // each)
    return [hosts[start : start + fit] for start in range(0, len(hosts), fit)]


def _matrix(plan: Plan, hosts: Sequence[str], outcomes: Mapping[tuple[str, str], str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    table.add_column("section", overflow="fold", ratio=1)
    for host in hosts:
        table.add_column(host, no_wrap=True)
    for checklist in plan.checklists:
        own = [a for a in plan.assignments if a.checklist == checklist and a.host in hosts]
        if own:
            table.add_row(f"[bold]{escape(checklist)}[/bold]")
        for section in dict.fromkeys(a.section for a in own):
            cells = [_cell(outcomes, own, section, host) for host in hosts]
            table.add_row(Padding(escape(section), (0, 0, 0, 2)), *cells)
    return table


def _cell(
    outcomes: Mapping[tuple[str, str], str], own: list[Assignment], section: str, host: str
) -> str:
    counts = Counter(
        outcomes.get(a.key, "error") for a in own if a.section == section and a.host == host
    )
    return " ".join(
        f"[{style}]{counts[word]}{sign}[/{style}]"
        for word, (sign, style) in _SIGNS.items()
        if counts[word]
    )


def _show_series(results: Sequence[Result], console: Console) -> None:
    """What was measured under load, drawn: a bar for each second."""
    drawn = [
        r for r in results if r.series and {"p95_ms", "errors", "requests"} <= set(r.series[0])
    ]
    if not drawn:
        return
    console.print("\n[bold]Under load[/bold], the slowest of twenty in each second")
    for result in drawn:
        times = [moment["p95_ms"] for moment in result.series]
        errors = sum(moment["errors"] for moment in result.series)
        asked = sum(moment["requests"] for moment in result.series)
        console.print(
            f"  {result.host} {escape(result.item)}  {bars(times)}  {min(times):.1f} to {max(times):.1f} ms,"
            f" {errors:.0f} errors in {asked:.0f} requests",
            soft_wrap=True,
        )


def bars(numbers: Sequence[float]) -> str:
    """A bar for each number, the highest for the greatest."""
    highest = max(numbers, default=0) or 1
    return "".join(
        _BARS[min(int(number / highest * len(_BARS)), len(_BARS) - 1)] for number in numbers
    )


def _show_failures(run: Run, console: Console) -> None:
    assignments = {a.key: a for a in run.plan.assignments}
    bad = [
        r for r in run.results
        if r.outcome in (Outcome.FAIL, Outcome.ERROR)
        or (r.outcome is Outcome.NOT_CHECKED and assignments[r.item, r.host].required)
    ]  # fmt: skip
    if not bad:
        return
    console.print(f"\n[bold]{'Not passed' if len(bad) > 1 else 'Did not pass'}[/bold]")
    folded = _folded_by_reason(bad)
    for results in folded[:SHOWN_FAILURES]:
        _show_failure(run, results, assignments[results[0].item, results[0].host], console)
    if len(folded) > SHOWN_FAILURES:
        console.print(f"  ... and {len(folded) - SHOWN_FAILURES} more, in the run directory")


def _folded_by_reason(bad: Sequence[Result]) -> list[list[Result]]:
    # One dead host would otherwise fill the screen with the same sentence.
    folded: dict[tuple[str, ...], list[Result]] = {}
    for result in bad:
        dead = result.outcome is Outcome.ERROR and result.reason.startswith("unreachable")
        never = result.outcome is Outcome.NOT_CHECKED
        key = (
            (result.host, result.reason)
            if dead
            else (result.reason,)
            if never
            else (result.item, result.host)
        )
        folded.setdefault(key, []).append(result)
    return list(folded.values())


def _show_failure(
    run: Run, results: list[Result], assignment: Assignment, console: Console
) -> None:
    result = results[0]
    sign, style = _SIGNS[run.shown_outcome(result)]
    weight = "" if assignment.required else " (advisory)"
    what = f"{result.item}  {assignment.title}" if len(results) == 1 else f"{len(results)} items"
    where = result.host if result.outcome is not Outcome.NOT_CHECKED else ""
    console.print(
        f"[{style}]{sign}[/{style}] [bold]{where}[/bold] {escape(what)}{weight}", soft_wrap=True
    )
    for reason in result.reasons[:6]:
        console.print(f"    {escape(visible(reason))}", soft_wrap=True)
    if len(results) == 1 and result.evidence:
        console.print(
            f"    [dim]evidence {result.evidence[0][:12]}…  bound in {escape(assignment.place)}[/dim]",
            soft_wrap=True,
        )


def _show_reasons(verdict: Verdict, console: Console) -> None:
    for reason in verdict.reasons[:SHOWN_FAILURES]:
        console.print(
            f"  [red]✗[/red] {reason.host} {reason.item}: {reason.outcome}: {escape(visible(reason.why))}",
            soft_wrap=True,
        )


def _show_verdict(run: Run, console: Console) -> None:
    colour = "green" if run.verdict.is_open else "red"
    console.print(f"\n[bold {colour}]Gate {run.verdict.word.upper()}[/bold {colour}]", end="")
    console.print(
        f"  release {escape(_releases(run.plan.releases))} on inventory {escape(run.plan.inventory)}"
    )
    if run.note:
        console.print(escape(run.note), soft_wrap=True)
    if run.rollback is not None:
        word = "verified" if run.rollback.is_verified else "NOT verified"
        console.print(f"Rollback {word}")
    for word in _unanswered(run.verdict):
        console.print(word, soft_wrap=True)
    console.print(f"[dim]run {run.id}, exit {run.exit_code}[/dim]")
    hint = _next_command(run)
    if hint:
        console.print(f"Next: {escape(hint)}", soft_wrap=True)


def _unanswered(verdict: Verdict) -> list[str]:
    people = [r for r in verdict.reasons if r.needs_person]
    return (
        [
            f"{len(people)} answers are missing from people: {', '.join(sorted({r.item for r in people}))}"
        ]
        if people
        else []
    )


def _next_command(run: Run) -> str:
    first = next((r for r in run.verdict.reasons if r.item), None)
    if first is None or run.note.startswith("check mode"):
        return ""
    if run.unreachable:
        dead = ", ".join(sorted(run.unreachable))
        return f"ssh to {dead} by hand, then verifier verify --inventory {run.plan.inventory}"
    return f"verifier verify --inventory {run.plan.inventory} --limit {first.host} --item {first.item} -v"


def _releases(releases: Mapping[str, str]) -> str:
    names = sorted({name or "(none)" for name in releases.values()})
    if len(names) == 1:
        return names[0]
    return ", ".join(f"{host}={name or '(none)'}" for host, name in sorted(releases.items()))


def visible(text: str) -> str:
    """What a host said, as it may be shown: it must not move the cursor or recolour the screen."""
    return "".join(c if c.isprintable() or c == " " else f"\\x{ord(c):02x}" for c in text)
