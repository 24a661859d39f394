"""`verifier report`: renders a finished run again, from its run directory. Touches no host."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from verifier.cli.options import make_console, write_out
from verifier.report import find_reporter
from verifier.report.text import show
from verifier.run import Run
from verifier.store import RunDirectory


def command(
    run: Annotated[str, typer.Option("--run", help="Run id, or `last`.")] = "last",
    reporter: Annotated[
        str, typer.Option("--reporter", help="json, junit, markdown or text.")
    ] = "text",
) -> int:
    """Show a finished run again. The exit code is the run's own."""
    found = RunDirectory.find(Path.cwd(), run).load("run", Run)
    if reporter == "text":
        show(found, make_console())
    else:
        write_out(find_reporter(reporter)(found))
    return found.exit_code
