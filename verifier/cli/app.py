"""The `verifier` program: its subcommands, and the one place where an error becomes a line and an
exit code.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import traceback

import typer
from rich.console import Console
from rich.markup import escape

from verifier import __version__
from verifier.cli import checklist, checks, duty, init, lab, lint, plan, report, rollback, verify
from verifier.cli import deploy as deploy_command
from verifier.errors import Interrupted, VerifierError

_SIGTERM_CODE = 143
_CRASH_CODE = 3

app = typer.Typer(
    name="verifier",
    help="Your Markdown deployment checklist, executed: deploy, verify every line on every host, roll back.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command(name="init")(init.command)
app.command(name="lint")(lint.command)
app.add_typer(checklist.app, name="checklist")
app.add_typer(checks.app, name="checks")
app.command(name="plan")(plan.command)
app.command(name="deploy")(deploy_command.command)
app.command(name="verify")(verify.command)
app.command(name="rollback")(rollback.command)
app.add_typer(duty.app, name="duty")
app.command(name="report")(report.command)
app.add_typer(lab.app, name="lab")


def _version(value: bool) -> None:
    if value:
        typer.echo(f"verifier {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Options of the program itself."""


def main() -> None:
    """Runs the program and leaves with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no ✓ still gets the rest
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs one command line and returns its exit code; never a traceback unless VERIFIER_DEBUG is
    set.
    """
    signal.signal(signal.SIGTERM, _terminated)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup's wish is kept
        signal.signal(
            signal.SIGHUP, _terminated
        )  # the terminal was closed: nothing goes on unwatched
    try:
        code = app(arguments, standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        return _say("interrupted", Interrupted.exit_code)
    except typer.TyperException as error:
        if not arguments or arguments in (["lab"], ["checklist"], ["checks"], ["duty"]):
            typer.echo(_words_of(error), err=True)  # the help, as nothing was asked for
            return 2
        return _say(_words_of(error), 2, hint="see --help")
    except _Terminated:
        return _say("terminated", _SIGTERM_CODE)
    except VerifierError as error:
        return _say(str(error), error.exit_code)
    except BrokenPipeError:
        return 0
    except Exception as error:  # noqa: BLE001  the last resort: one line, not a traceback
        if os.environ.get("VERIFIER_DEBUG"):
            traceback.print_exc()
        return _say(
            f"verifier itself failed: {type(error).__name__}: {error}",
            _CRASH_CODE,
            hint="VERIFIER_DEBUG=1 shows where",
        )
    return code if isinstance(code, int) else 0


def _words_of(error: typer.TyperException) -> str:
    # Typer carries its own copy of click, whose errors format themselves.
    words = getattr(error, "format_message", None)
    return str(words() if words else error) or type(error).__name__


class _Terminated(BaseException):
    pass


def _terminated(*_: object) -> None:
    raise _Terminated


def _say(message: str, code: int, *, hint: str = "") -> int:
    console = Console(stderr=True, highlight=False)
    tail = f" ({hint})" if hint else ""
    console.print(f"[red]error:[/red] {escape(' '.join(message.split()) + tail)}", soft_wrap=True)
    return code
