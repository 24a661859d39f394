"""The options that several subcommands share, and the Context they become: everything loaded and
checked, no host touched.
"""

from __future__ import annotations

import getpass
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from verifier import attestation
from verifier.assets import ansible_config, find_asset
from verifier.checklist.items import find_checklists, load_checklists
from verifier.cli.ansible_arguments import read_extra_vars
from verifier.cli.progress import Progress
from verifier.deploy.steps import Ansible
from verifier.errors import GuardRefused, UsageError
from verifier.inventory import load_inventory, read_vault_password_file
from verifier.pipeline import Context
from verifier.report import find_reporter
from verifier.report.markdown import ticked_copy
from verifier.report.text import show, visible
from verifier.run import Run
from verifier.store import RunDirectory
from verifier.verify.attest import People
from verifier.waiver import load_waivers, refuse_strangers

WIDTH_OF_A_PIPE = 120


def not_empty(value: str | None) -> str | None:
    """An option's callback: `--limit "$UNSET"` must not mean everything."""
    if value is not None and not value.strip(" ,"):
        raise typer.BadParameter("is empty")
    return value


InventoryName = Annotated[
    str,
    typer.Option("--inventory", "-i", help="Name below inventory/, or any path Ansible accepts."),
]
Limit = Annotated[
    str | None,
    typer.Option("--limit", "-l", help="Only these hosts or groups: a,b,!c.", callback=not_empty),
]
Release = Annotated[
    str | None,
    typer.Option(
        "--release",
        help="Release to deploy; default: release_id of the inventory.",
        callback=not_empty,
    ),
]
JudgedRelease = Annotated[
    str | None,
    typer.Option(
        "--release",
        help="Release to judge by; default: the one that each host's `current` names.",
        callback=not_empty,
    ),
]
ChecklistNames = Annotated[
    list[str] | None,
    typer.Option("--checklist", "-c", help="Only this checklist (name or file); repeatable."),
]
ItemNames = Annotated[
    list[str] | None, typer.Option("--item", help="Only this item (id or source id); repeatable.")
]
Tags = Annotated[
    str | None,
    typer.Option("--tags", "-t", help="Only these steps: a,b.", callback=not_empty),
]
CheckMode = Annotated[
    bool,
    typer.Option("--check", "-C", help="Ansible's check mode: change nothing, say what would."),
]
Verbose = Annotated[
    int, typer.Option("--verbose", "-v", count=True, help="Say more; twice: Ansible's own -v.")
]
Forks = Annotated[
    int, typer.Option("--forks", "-f", min=1, help="Hosts that Ansible works on at once.")
]
VaultFile = Annotated[
    Path | None,
    typer.Option(
        "--vault-password-file", help="Default: .vault-password in the inventory's folder."
    ),
]
Reporters = Annotated[
    list[str] | None,
    typer.Option(
        "--reporter", help="NAME:FILE or NAME:- (json, junit, markdown, text); repeatable."
    ),
]
AttestationFile = Annotated[
    Path | None,
    typer.Option(
        "--attestations", help="What people say; default: attestations/<inventory>.yml if there."
    ),
]
Load = Annotated[
    bool, typer.Option("--load", help="Also look at items that put load on the service.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Tests = Annotated[
    list[Path] | None,
    typer.Option(
        "--tests", help="Plain testinfra files or folders; default: checks/ if the project has it."
    ),
]


@dataclass(frozen=True, slots=True)
class Given:
    """What a person typed, as the subcommands share it."""

    inventory: str
    limit: str | None = None
    release: str | None = None
    checklists: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    tags: str | None = None
    tests: tuple[Path, ...] = ()
    vault_file: Path | None = None
    verbosity: int = 0
    forks: int = 20
    check: bool = False
    extra_args: tuple[str, ...] = ()
    reporters: tuple[str, ...] = ()
    attestations: Path | None = None
    load: bool = False
    deploys: bool = False


def make_context(given: Given) -> Context:
    """Loads and checks everything a run begins with. Raises UsageError and its family."""
    project = Path.cwd()
    targets = [_target(reporter) for reporter in given.reporters]
    if sum(file == "-" for _, file in targets) > 1:
        raise UsageError(
            "only one reporter may write to stdout", do="give the others a file: NAME:FILE"
        )
    if given.vault_file:
        read_vault_password_file(given.vault_file)
    inventory = load_inventory(
        given.inventory,
        project=project,
        vault_file=given.vault_file,
        extra_vars={
            **read_extra_vars(given.extra_args),
            **({"release_id": given.release} if given.release else {}),
        },
    )
    checklists = load_checklists(find_checklists(project, given.checklists))
    waivers = load_waivers(project)
    said = attestation.load_attestations(project, inventory.name, given.attestations)
    if not given.checklists:
        known = {item.id for one in checklists for item in one.items}
        refuse_strangers(waivers, known)
        if said:
            attestation.refuse_strangers(said, known)
    return Context(
        project=project,
        inventory=inventory,
        checklists=checklists,
        waivers=waivers,
        ansible=Ansible(
            config=ansible_config(),
            roles=find_asset("roles", project),
            playbooks=find_asset("playbooks", project),
            forks=given.forks,
            verbosity=max(0, given.verbosity - 1),
            check=given.check,
            extra_args=given.extra_args,
            environment=dict(os.environ),
        ),
        watcher=Progress(make_console(stderr=True), verbose=given.verbosity > 0),
        limit=given.limit or "",
        release=given.release or "",
        items=frozenset(given.items),
        tags=frozenset(filter(None, map(str.strip, (given.tags or "").split(",")))),
        tests=_test_files(given.tests, project),
        people=People(
            said,
            operator=getpass.getuser() if given.deploys else "",
            insist=given.attestations is not None,
        ),
        load=given.load,
    )


def ask_for_load(context: Context, *, yes: bool) -> None:
    """Load is put on a host only when its inventory allows it (`load_allowed`) or a person does.
    GuardRefused without anybody to ask.
    """
    careful = [h.name for h in context.hosts({}) if h.variable("load_allowed", False) is not True]
    if not context.load or not careful or yes:
        return
    names = ", ".join(careful)
    if not sys.stdin.isatty():
        raise GuardRefused(
            f"--load would put load on {names}",
            do="give --yes, or set load_allowed: true in the inventory of hosts that may bear it",
        )
    typer.confirm(f"Put load on {names}?", abort=True, err=True)


def make_console(*, stderr: bool = False) -> Console:
    """Stdout or stderr for people. A pipe has no width: tables get room there, unless COLUMNS says otherwise."""
    stream = sys.stderr if stderr else sys.stdout
    known = stream.isatty() or os.environ.get("COLUMNS", "0").strip("0")
    return _Console(file=stream, width=None if known else WIDTH_OF_A_PIPE, highlight=False)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """A reader that has seen enough (`| head`) must not change the exit code, as rich's own way does."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


def show_run(run: Run, context: Context, reporters: tuple[str, ...]) -> int:
    """Writes every report into the run directory, those asked for where they were asked, and the
    summary to stdout unless a reporter owns it. Returns the run's exit code.
    """
    store = RunDirectory.find(context.project, run.id)
    owns_stdout = False
    for name in ("json", "junit", "text"):
        store.write(
            f"report.{ {'json': 'json', 'junit': 'xml', 'text': 'txt'}[name] }",
            find_reporter(name)(run),
        )
    for checklist in run.checklists:
        store.write(f"{checklist.path.stem}.ticked.md", ticked_copy(run, checklist))
    for reporter in reporters:
        name, file = _target(reporter)
        text = find_reporter(name)(run)
        if file == "-":
            owns_stdout = True
            write_out(text)
        else:
            _write(Path(file), text)
    console = make_console(stderr=owns_stdout)
    if owns_stdout:
        console.print(
            f"Gate {run.verdict.word.upper()}, exit {run.exit_code}  {escape(run.note)}",
            soft_wrap=True,
        )
    else:
        show(run, console)
    console.print(f"Reports and evidence: {os.path.relpath(store.path)}", soft_wrap=True)
    _complain(run)
    return run.exit_code


def write_out(text: str) -> None:
    """To stdout. A reader that has seen enough (`| head`) does not change the exit code."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(run: Run) -> None:
    """What is wrong with the way to the hosts, as every other error is said: a line on stderr."""
    complaints = Console(stderr=True, highlight=False)
    for host, why in run.unreachable.items():
        words = escape(visible(f"{host} is unreachable: {why}"))
        complaints.print(f"[red]error:[/red] {words}", soft_wrap=True)


def _target(reporter: str) -> tuple[str, str]:
    name, _, file = reporter.partition(":")
    find_reporter(name)
    return name, file or "-"


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"report cannot be written: {error.strerror}", where=str(path)) from error


def _test_files(given: tuple[Path, ...], project: Path) -> tuple[Path, ...]:
    folders = given or ((project / "checks",) if (project / "checks").is_dir() else ())
    files: list[Path] = []
    for place in folders:
        if not place.exists():
            raise UsageError("no such test file", where=str(place))
        found = sorted(place.rglob("test_*.py")) if place.is_dir() else [place]
        if not found:
            raise UsageError("has no test_*.py", where=str(place))
        files += (file.resolve() for file in found)
    return tuple(files)
