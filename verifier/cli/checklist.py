"""`verifier checklist`: what was read of a checklist, what changed, how far it is bound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape

from verifier.checklist.binding import BindingDocument
from verifier.checklist.coverage import OPEN, Coverage, cover, refuse_nonsense
from verifier.checklist.difference import Difference, compare
from verifier.checklist.identity import recognise, remembered
from verifier.checklist.items import find_checklists, load_checklists, read_page
from verifier.checklist.markdown import Line
from verifier.checks.base import check_names
from verifier.cli import options as o
from verifier.document import read_document, read_text, to_json
from verifier.inventory import load_inventory
from verifier.manual import binding_schema
from verifier.proposal.draft import binding_path
from verifier.waiver import load_waivers

app = typer.Typer(
    help="Read a checklist, compare two versions, see how far it is bound.", no_args_is_help=True
)

File = Annotated[Path, typer.Argument(help="The Markdown checklist.", show_default=False)]
OldFile = Annotated[Path, typer.Argument(help="The older version.", show_default=False)]
NewFile = Annotated[Path, typer.Argument(help="The newer version.", show_default=False)]
Names = Annotated[
    list[str] | None, typer.Argument(help="Checklists, by name or file; default: all.")
]
Format = Annotated[
    Literal["text", "json"], typer.Option("--format", help="For people, or for machines.")
]
BindingFile = Annotated[
    Path | None, typer.Option("--binding", help="The binding file; default: beside OLD or NEW.")
]
InventoryName = Annotated[
    str | None, typer.Option("--inventory", "-i", help="Values that this inventory gives count.")
]


@app.command(name="show")
def show(file: File, output: Format = "text") -> int:
    """Show every line that was read: its id, kind, section, parent, and whether it arrived ticked."""
    page = read_page(read_text(file), where=str(file))
    path = binding_path(file)
    memory = remembered(read_document(path, BindingDocument)) if path.exists() else ()
    lines = tuple(change.line for change in recognise(page.lines, memory))
    if output == "json":
        o.write_out(to_json([_plain(line) for line in lines]))
        return 0
    console = o.make_console()
    section = None
    for line in lines:
        if line.section != section:
            section = line.section
            console.print(f"\n[bold]{escape(section)}[/bold]", soft_wrap=True)
        box = "x" if line.ticked else " "
        below = "  " if line.parent else ""
        console.print(
            f"{line.number:5} {line.kind:8} [dim]{box}[/dim] {below}{escape(line.title)}  [dim]{escape(line.id)}[/dim]",
            soft_wrap=True,
        )
    console.print(f"\n{len(lines)} lines")
    return 0


@app.command(name="diff")
def diff(old: OldFile, new: NewFile, binding: BindingFile = None, output: Format = "text") -> int:
    """Say which lines were added, removed, moved or reworded, and which bindings, attestations and
    waivers that touches.
    """
    path = binding or next((p for p in (binding_path(old), binding_path(new)) if p.exists()), None)
    found = compare(
        read_page(read_text(old), where=str(old)).lines,
        read_page(read_text(new), where=str(new)).lines,
        read_document(path, BindingDocument) if path else None,
        [waiver.item for waiver in load_waivers(Path.cwd())],
    )
    if output == "json":
        o.write_out(to_json(found))
    else:
        _show_differences(found, o.make_console())
    return 0


@app.command(name="coverage")
def coverage(names: Names = None, inventory: InventoryName = None, output: Format = "text") -> int:
    """Show how every line is answered: bound, waiting for a value, attested, open; and the checks that
    nobody asks for. Exit 1 while a required line is open.
    """
    checklists = load_checklists(find_checklists(Path.cwd(), tuple(names or ())))
    refuse_nonsense(checklists)
    known: frozenset[str] = frozenset()
    if inventory:
        hosts = load_inventory(inventory, project=Path.cwd()).hosts
        known = frozenset.intersection(*(frozenset(host.variables) for host in hosts))
    found = cover(checklists, check_names(), known)
    if output == "json":
        o.write_out(to_json({"lines": found.lines, "unused_checks": found.unused}))
    else:
        _show_coverage(found, o.make_console())
    return 1 if found.open else 0


@app.command(name="schema")
def schema() -> int:
    """Print the JSON Schema of the binding file, for editors."""
    o.write_out(to_json(binding_schema()))
    return 0


def _plain(line: Line) -> dict[str, object]:
    return {
        "id": line.id,
        "line": line.number,
        "section": line.section,
        "text": line.title,
        "parent": line.parent or None,
        "ticked": line.ticked,
        "kind": line.kind,
    }


def _show_differences(found: tuple[Difference, ...], console: Console) -> None:
    if not found:
        console.print("No line changed.")
        return
    for one in found:
        where = (
            f"line {one.line or one.was}"
            if not (one.line and one.was)
            else f"line {one.was} → {one.line}"
        )
        console.print(
            f"[bold]{one.kind}[/bold]  {where}  [dim]{escape(one.id)}[/dim]", soft_wrap=True
        )
        if one.kind == "reworded":
            console.print(f"    was: {escape(one.old_text)}", soft_wrap=True)
        console.print(f"    {escape(one.text or one.old_text)}", soft_wrap=True)
        if one.touches:
            console.print(f"    touches: {escape(', '.join(one.touches))}", soft_wrap=True)
    kinds = ("added", "removed", "moved", "reworded")
    counts = ", ".join(f"{sum(f.kind == kind for f in found)} {kind}" for kind in kinds)
    console.print(f"\n{counts}")


def _show_coverage(found: Coverage, console: Console) -> None:
    total = len(found.lines)
    console.print(
        f"[bold]{total} lines[/bold]: " + ", ".join(f"{n} {s}" for s, n in found.counts.items())
    )
    for line in found.lines:
        if line.state in OPEN:
            weight = "" if line.required else " (advisory)"
            what = f"needs {', '.join(line.missing)}" if line.missing else line.by
            console.print(
                f"  {escape(line.checklist)}:{line.line}  {line.state}{weight}: {escape(what)}"
                f"\n      {escape(line.text)}  [dim]{escape(line.id)}[/dim]",
                soft_wrap=True,
            )
    console.print(
        f"\nChecks that no line asks for ({len(found.unused)}): {', '.join(found.unused)}",
        soft_wrap=True,
    )
    if found.open:
        console.print(
            f"\n[bold]{len(found.open)} required lines are open[/bold]: a deployment is refused until they are bound.",
            soft_wrap=True,
        )
