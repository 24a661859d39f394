"""`verifier checks`: the catalogue's manual, and the negative control of the checks in use."""

from __future__ import annotations

from typing import Annotated, Literal

import typer
from rich.markup import escape
from rich.table import Table

from verifier.cli import options as o
from verifier.document import to_json
from verifier.manual import manual_of, manuals
from verifier.pipeline import CLOSED, OPEN, run_prove
from verifier.report.text import visible
from verifier.result import Outcome, Result

app = typer.Typer(help="What can be checked, and how.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the check.", show_default=False)]
Format = Annotated[
    Literal["text", "json"], typer.Option("--format", help="For people, or for machines.")
]


@app.command(name="list")
def list_(output: Format = "text") -> int:
    """List every kind of check with what it asks."""
    found = manuals()
    if output == "json":
        o.write_out(to_json([{"name": one.name, "summary": one.summary} for one in found]))
        return 0
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in found:
        table.add_row(one.name, escape(one.summary))
    o.make_console().print(table)
    return 0


@app.command(name="show")
def show(name: Name, output: Format = "text") -> int:
    """Show the manual of one check: what it asks, an example, its parameters."""
    manual = manual_of(name)
    if output == "json":
        o.write_out(to_json(manual))
        return 0
    console = o.make_console()
    console.print(f"[bold]{manual.name}[/bold]\n\n{escape(manual.text)}\n", soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("parameter", "type", "default"):
        table.add_column(column, overflow="fold")
    for one in manual.parameters:
        table.add_row(one.name, escape(one.type), escape(one.default))
    console.print(table)
    return 0


@app.command(name="prove")
def prove(
    inventory: o.InventoryName,
    limit: o.Limit = None,
    checklist: o.ChecklistNames = None,
    item: o.ItemNames = None,
    load: o.Load = False,
    yes: o.Yes = False,
    vault_password_file: o.VaultFile = None,
    output: Format = "text",
) -> int:
    """Ask each check in use for what no host can meet: it must fail. Nothing is changed.

    Ends with 0 when every check failed it, and with 1 when one passed it (it is vacuous) or could
    not look.
    """
    given = o.Given(
        inventory=inventory,
        limit=limit,
        checklists=tuple(checklist or ()),
        items=tuple(item or ()),
        vault_file=vault_password_file,
        load=load,
    )
    context = o.make_context(given)
    o.ask_for_load(context, yes=yes)
    results = run_prove(context)
    if output == "json":
        o.write_out(to_json(results))
    else:
        _show_proofs(results)
    return OPEN if all(r.outcome is Outcome.PASS for r in results) else CLOSED


def _show_proofs(results: tuple[Result, ...]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("", "host", "item", "check", "what it says of the impossible"):
        table.add_column(column, overflow="fold")
    for result in results:
        proven = result.outcome is Outcome.PASS
        sign = "[green]✓[/green]" if proven else "[bold magenta]![/bold magenta]"
        said = escape(visible("; ".join(result.reasons)[:160]))
        table.add_row(sign, result.host, escape(result.item), result.check, said)
    console = o.make_console()
    console.print(table)
    red = sum(result.outcome is Outcome.PASS for result in results)
    console.print(f"\n{len(results)} checks, {red} proven able to fail")
