"""`verifier duty`: the check-ups that come back, how they stand, one of them done now, and the files
that have them done at their times.
"""

from __future__ import annotations

import datetime as dt
import getpass
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from verifier.checklist.items import Checklist, Item, find_checklists, load_checklists
from verifier.checks.base import find_check
from verifier.cli import options as o
from verifier.document import to_json
from verifier.duty import (
    FILE,
    Duty,
    DutyRun,
    Record,
    Standing,
    append_run,
    choose,
    load_duties,
    load_record,
    record_path,
    refuse_strangers,
    stand,
)
from verifier.errors import GuardRefused, UsageError, VerifierError
from verifier.inventory import find_inventory
from verifier.pipeline import Context, run_verify
from verifier.run import Run
from verifier.schedule import Job, cron_file, systemd_units, write_schedule

app = typer.Typer(
    help="Check-ups that come back daily, weekly, monthly, quarterly: what is due, and doing it.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(help="Name of the duty.", show_default=False)]
Names = Annotated[list[str] | None, typer.Argument(help="Only these duties; default: all.")]
Format = Annotated[
    Literal["text", "json"], typer.Option("--format", help="For people, or for machines.")
]
ScheduleFormat = Annotated[
    Literal["systemd", "cron"],
    typer.Option("--format", help="A service and a timer for each duty, or one file for cron.d."),
]
Folder = Annotated[Path, typer.Option("--output", help="Folder that the files are written to.")]

_COLOURS = {"ok": "green", "due": "yellow", "overdue": "bold red", "never": "bold red"}


@app.command(name="list")
def list_(inventory: o.InventoryName, output: Format = "text") -> int:
    """Show each duty with its last success and when it is due again. Exit 1 when one is overdue or
    never succeeded.
    """
    project = Path.cwd()
    find_inventory(inventory, project)
    duties = _load(project)
    record = load_record(record_path(project, inventory))
    now = dt.datetime.now(dt.UTC)
    found = [stand(name, duty.every, record.runs, now) for name, duty in duties.items()]
    if output == "json":
        o.write_out(to_json([_plain(one, duties[one.duty]) for one in found]))
    else:
        _show(found, duties, record, o.make_console())
    return 1 if any(one.state in ("overdue", "never") for one in found) else 0


@app.command(name="run")
def run(
    name: Name,
    inventory: o.InventoryName,
    limit: o.Limit = None,
    attestations: o.AttestationFile = None,
    yes: o.Yes = False,
    reporter: o.Reporters = None,
    vault_password_file: o.VaultFile = None,
    verbose: o.Verbose = 0,
) -> int:
    """Verify the items of one duty now, as `verifier verify` would, and record the run. No item is
    advisory then; with --limit it is not the whole duty, and no success.
    """
    duties = _load(Path.cwd())
    duty = choose(duties, [name])[name]
    given = o.Given(
        inventory=inventory,
        limit=limit,
        items=duty.items,
        vault_file=vault_password_file,
        verbosity=verbose,
        reporters=tuple(reporter or ()),
        attestations=attestations,
        load=duty.load,
    )
    context = o.make_context(given)
    context = replace(context, checklists=_demanded(context.checklists, duty))
    o.ask_for_load(context, yes=yes)
    return o.show_run(_recorded(name, context), context, given.reporters)


@app.command(name="schedule")
def schedule(
    inventory: o.InventoryName,
    output: ScheduleFormat,
    folder: Folder,
    names: Names = None,
    vault_password_file: o.VaultFile = None,
) -> int:
    """Write the systemd units, or the cron file, that run the duties. It starts nothing, and
    overwrites only what it wrote itself.
    """
    project = Path.cwd()
    duties = _load(project)
    chosen = choose(duties, names or [])
    context = o.make_context(o.Given(inventory=inventory, vault_file=vault_password_file))
    _refuse_load(chosen, context)
    tail = ["--inventory", inventory]
    if vault_password_file:
        tail += ["--vault-password-file", str(vault_password_file.absolute())]
    jobs = [
        Job(
            name, duty, inventory, project,
            (*_program(), "duty", "run", name, *tail), getpass.getuser(),
        )
        for name, duty in chosen.items()
    ]  # fmt: skip
    if output == "cron":
        files = cron_file(jobs)
    else:
        files = {name: text for job in jobs for name, text in systemd_units(job).items()}
    _tell(write_schedule(folder, files), output)
    return 0


def _load(project: Path) -> Mapping[str, Duty]:
    """The project's duties, every item of which can be looked at."""
    duties = load_duties(project)
    checklists = load_checklists(find_checklists(project))
    items = [item for checklist in checklists for item in checklist.items]
    refuse_strangers(duties, {n for i in items for n in (i.id, i.binding.source) if n})
    for name, duty in duties.items():
        for item in items:
            if _is_of(item, duty):
                _refuse_unanswerable(name, duty, item)
    return duties


def _is_of(item: Item, duty: Duty) -> bool:
    return item.id in duty.items or item.binding.source in duty.items


def _refuse_unanswerable(name: str, duty: Duty, item: Item) -> None:
    binding = item.binding
    if not binding.check and not binding.attest:
        raise UsageError(
            f"duty '{name}' names '{item.id}', which nobody looks at",
            where=FILE,
            do="name items with a check or an attestation",
        )
    if binding.check and find_check(binding.check).burdens and not duty.load:
        raise UsageError(
            f"duty '{name}' names '{item.id}', which puts load on the service",
            where=FILE,
            do="say load: true, or leave it out",
        )


def _demanded(checklists: tuple[Checklist, ...], duty: Duty) -> tuple[Checklist, ...]:
    """The checklists with the duty's items required: what it is for does not fail on the side."""

    def demanded(item: Item) -> Item:
        strict = item.binding.model_copy(update={"advisory": False})
        return replace(item, binding=strict) if _is_of(item, duty) else item

    return tuple(replace(one, items=tuple(map(demanded, one.items))) for one in checklists)


def _recorded(name: str, context: Context) -> Run:
    """The verification, with its line in the record even if it broke off. A mistake on the command
    line or in a document is no run.
    """
    path = record_path(context.project, context.inventory.name)
    began = dt.datetime.now(dt.UTC)
    try:
        made = run_verify(context)
    except UsageError:
        raise
    except VerifierError as error:
        append_run(path, _line(name, "", began, error.exit_code, context.limit))
        raise
    append_run(
        path, _line(name, made.id, began, made.exit_code, context.limit, made.verdict.is_open)
    )
    return made


def _line(
    name: str, run_id: str, began: dt.datetime, code: int, limit: str, is_open: bool = False
) -> DutyRun:
    now = dt.datetime.now(dt.UTC)
    return DutyRun(name, run_id, began, now, "open" if is_open else "closed", code, limit)


def _refuse_load(duties: Mapping[str, Duty], context: Context) -> None:
    """Nobody can be asked when the time comes."""
    loads = [name for name, duty in duties.items() if duty.load]
    careful = [h.name for h in context.hosts({}) if h.variable("load_allowed", False) is not True]
    if loads and careful:
        raise GuardRefused(
            f"the load of duty '{loads[0]}' on {', '.join(careful)} would be refused every time",
            do="set load_allowed: true in the inventory of hosts that may bear it",
        )


def _program() -> tuple[str, ...]:
    """How this program is called again, from anywhere and without a PATH."""
    called = Path(sys.argv[0]).absolute()
    if called.name == "verifier" and called.is_file():
        return (str(called),)
    return (sys.executable, "-m", "verifier")


def _plain(one: Standing, duty: Duty) -> dict[str, object]:
    return {
        "duty": one.duty,
        "title": duty.title,
        "title_ko": duty.title_ko,
        "every": one.every,
        "state": one.state,
        "last_success": one.success,
        "failed_since": one.failure,
        "next_due": one.next_due,
    }


def _show(
    found: Sequence[Standing], duties: Mapping[str, Duty], record: Record, console: Console
) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("duty", "every", "last success", "by run", "next due", "state"):
        table.add_column(column, overflow="fold")
    for one in found:
        last = one.success
        table.add_row(
            one.duty,
            one.every,
            _time(last.finished_at) if last else "never",
            last.run if last else "-",
            _time(one.next_due) if last else "now",
            f"[{_COLOURS[one.state]}]{one.state}[/]",
        )
    console.print(table)
    for one in found:
        if one.failure:
            words = (
                f"{one.duty}: a run on {_time(one.failure.finished_at)} failed since: gate"
                f" {one.failure.verdict}, exit {one.failure.exit_code}  {one.failure.run}"
            )
            console.print(escape(words.rstrip()), soft_wrap=True)
    if record.torn:
        lines = ", ".join(map(str, record.torn))
        console.print(f"damaged lines in the record, which count for nothing: {lines}")
    console.print("\n" + "\n".join(f"{n}: {_title(d)}" for n, d in duties.items()), markup=False)


def _title(duty: Duty) -> str:
    return f"{duty.title_ko} / {duty.title}" if duty.title_ko else duty.title


def _time(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M")


def _tell(written: Sequence[Path], kind: str) -> None:
    console = o.make_console()
    for path in written:
        console.print(escape(str(path)), soft_wrap=True)
    if kind == "systemd":
        timers = " ".join(p.name for p in written if p.suffix == ".timer")
        console.print(
            f"\nIn /etc/systemd/system: systemctl daemon-reload && systemctl enable --now {timers}",
            soft_wrap=True,
        )
    else:
        console.print("\nCron reads it in /etc/cron.d, where it must belong to root.")
