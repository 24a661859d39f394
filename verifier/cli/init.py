"""`verifier init`: any Markdown checklist becomes an executable one. Proposes an answer for every line
and writes the binding file beside it; runs nothing of the document and contacts no host.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape

from verifier.cli import options as o
from verifier.document import parse_yaml, read_text, to_json
from verifier.errors import UsageError
from verifier.inventory import load_inventory
from verifier.proposal.binding_text import write_again, write_new
from verifier.proposal.draft import Draft, binding_path, make_draft, proposed
from verifier.proposal.proposal import Kind, Proposal
from verifier.proposal.values import KINDS, NO_VALUES, Values, is_shared, read_values

_WORDS: dict[Kind, str] = {
    "check": "by a check",
    "needs_value": "by a check that waits for a value",
    "document": "by a document that must be there",
    "step": "done by a deployment step",
    "attestation": "answered by a person",
    "review": "for you to decide",
    "not_a_gate": "no gate",
}

File = Annotated[Path, typer.Argument(help="The Markdown checklist.", show_default=False)]
DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Only show; write nothing.")]
Format = Annotated[
    Literal["text", "json"], typer.Option("--format", help="For people, or for machines.")
]
ValuesFile = Annotated[
    Path | None,
    typer.Option(
        "--values", help="YAML file with values: base_url: ..., lines: {12: {path: ...}}."
    ),
]
InventoryName = Annotated[
    str | None,
    typer.Option("--inventory", "-i", help="Values that this inventory gives are not asked for."),
]
Target = Annotated[
    str, typer.Option("--target", help="Group, host or pattern that the checklist is for.")
]
NoInput = Annotated[bool, typer.Option("--no-input", help="Ask nothing, even at a terminal.")]


def command(
    file: File,
    dry_run: DryRun = False,
    output: Format = "text",
    values: ValuesFile = None,
    inventory: InventoryName = None,
    target: Target = "all",
    no_input: NoInput = False,
) -> int:
    """Propose how each line of a Markdown checklist is answered, and write the binding file beside
    it. Nothing of the document is run, no host is contacted.
    """
    given = read_values(values) if values else NO_VALUES
    if inventory:
        load_inventory(inventory, project=Path.cwd()).matching(target)  # a typo is told here
    draft = make_draft(file, values=given, known=_known(inventory))
    if not (no_input or dry_run or output == "json") and sys.stdin.isatty():
        draft = _asked(draft, given, inventory)
    if output == "json":
        o.write_out(to_json([proposed(one) for one in draft.proposals]))
    if not dry_run:
        _write(draft, target)
    if output == "text":
        _show(draft, o.make_console(), dry_run=dry_run)
    return 0


def _known(inventory: str | None) -> frozenset[str]:
    if not inventory:
        return frozenset()
    hosts = load_inventory(inventory, project=Path.cwd()).hosts
    return frozenset.intersection(*(frozenset(host.variables) for host in hosts))


def _asked(draft: Draft, given: Values, inventory: str | None) -> Draft:
    """Asks for each missing value that lines share, once. Enter leaves it open."""
    answers: dict[str, object] = {}
    for name, lines in draft.waiting.items():
        if is_shared(name):
            words = KINDS[name].words
            answer = typer.prompt(
                f"{name} ({words}; {len(lines)} lines)", default="", show_default=False
            )
            if answer.strip():
                answers[name] = parse_yaml(answer, where=name)
    if not answers:
        return draft
    values = replace(given, shared={**given.shared, **answers})
    return make_draft(draft.source, values=values, known=_known(inventory))


def _write(draft: Draft, target: str) -> None:
    path = binding_path(draft.source)
    text = write_again(draft, read_text(path)) if path.exists() else write_new(draft, target)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where=str(path)) from error


def _show(draft: Draft, console: Console, *, dry_run: bool) -> None:
    counts = Counter(one.kind for one in draft.proposals)
    path = binding_path(draft.source)
    known = len(draft.proposals) - len(draft.new)
    console.print(f"[bold]{len(draft.proposals)} lines[/bold] in {escape(str(draft.source))}")
    for kind, words in _WORDS.items():
        if counts[kind]:
            console.print(f"  {counts[kind]:4}  {words}")
    if known:
        console.print(
            f"  {known} of them are bound already and stay as they are in {escape(str(path))}"
        )
    _show_changes(draft, console)
    if dry_run:
        _show_proposals(draft.proposals, console)
    _show_waiting(draft, console)
    if dry_run:
        console.print("\nNothing was written (--dry-run).")
        return
    console.print(
        f"\nWritten: {escape(str(path))}. Read it: each line says why. Then:", soft_wrap=True
    )
    console.print(f"  verifier checklist coverage {escape(str(path))}", soft_wrap=True)
    console.print(
        f"  verifier verify --inventory NAME --checklist {escape(str(path))}", soft_wrap=True
    )


def _show_changes(draft: Draft, console: Console) -> None:
    for change in draft.changes:
        if change.kind == "reworded" and change.was:
            kept = (
                "says something else now: look at its binding, and write the new text: there yourself"
                if change.line.id in draft.doubtful
                else "was reworded, its binding is kept"
            )
            console.print(
                f"  line {change.line.number} {kept}  [dim]{escape(change.line.id)}[/dim]"
                f"\n    was: {escape(change.was.text)}\n    now: {escape(change.line.title)}",
                soft_wrap=True,
            )
    for name in draft.gone:
        console.print(
            f"  gone, or nothing stands below it any more; its binding is put into comments: {escape(name)}"
        )


def _show_proposals(proposals: tuple[Proposal, ...], console: Console) -> None:
    console.print()
    for one in proposals:
        by = one.check or one.role or one.step
        open_ = f"  needs {', '.join(one.missing)}" if one.missing else ""
        console.print(
            f"{one.line.number:5}  {one.kind:11}  {escape(by)}{escape(open_)}  [dim]{escape(one.reason)}[/dim]"
            f"\n       {escape(one.line.title)}",
            soft_wrap=True,
        )


def _show_waiting(draft: Draft, console: Console) -> None:
    if draft.assumed:
        console.print("\n[bold]Assumed[/bold] (change it under values:)")
        for name in draft.assumed:
            console.print(f"  {name}: {KINDS[name].words}", soft_wrap=True)
    if not draft.waiting:
        return
    console.print("\n[bold]Values that lines wait for[/bold]")
    for name, lines in draft.waiting.items():
        words = KINDS[name].words if name in KINDS else ""
        where = "once, under values:" if is_shared(name) else f"at each line: {_numbers(lines)}"
        console.print(f"  {name} ({len(lines)})  {words}; {where}", soft_wrap=True)


def _numbers(lines: tuple[object, ...]) -> str:
    numbers = [str(getattr(line, "number", "")) for line in lines]
    return ", ".join(numbers[:8]) + (" ..." if len(numbers) > 8 else "")  # noqa: PLR2004  enough to find them
