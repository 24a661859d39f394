"""`verifier checks`: the catalogue's manual."""

from __future__ import annotations

from typing import Annotated, Literal

import typer
from rich.markup import escape
from rich.table import Table

from verifier.cli import options as o
from verifier.document import to_json
from verifier.manual import manual_of, manuals

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
