"""`verifier rollback`: back to an earlier release that is still on the hosts, then verify it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from verifier.cli import options as o
from verifier.errors import GuardRefused, UsageError
from verifier.pipeline import Context, run_rollback
from verifier.verify.connect import Connections
from verifier.verify.current import Releases, releases_on


def command(
    inventory: o.InventoryName,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", help="Release to go back to; default: the one before.", callback=o.not_empty
        ),
    ] = None,
    list_only: Annotated[
        bool, typer.Option("--list", help="Show what each host can go back to.")
    ] = False,
    limit: o.Limit = None,
    checklist: o.ChecklistNames = None,
    tests: o.Tests = None,
    reporter: o.Reporters = None,
    vault_password_file: o.VaultFile = None,
    verbose: o.Verbose = 0,
) -> int:
    """Put every host back to an earlier release and verify it.

    Exit codes: 0 rolled back and verified, 6 not, 9 refused because a host does not have that
    release.
    """
    given = o.Given(
        inventory=inventory,
        limit=limit,
        checklists=tuple(checklist or ()),
        tests=tuple(tests or ()),
        vault_file=vault_password_file,
        verbosity=verbose,
        reporters=tuple(reporter or ()),
    )
    context = o.make_context(given)
    with Connections() as connections:
        found = releases_on(context.hosts({}), connections)
    if list_only:
        return _show(found)
    run = run_rollback(context, _targets(context, found, to or ""))
    return o.show_run(run, context, given.reporters)


def _targets(context: Context, found: dict[str, Releases], to: str) -> dict[str, str]:
    targets: dict[str, str] = {}
    for host in context.names:
        releases = found[host]
        wanted = to or releases.previous
        if not wanted:
            raise GuardRefused(f"{host} has no earlier release", do="see --list")
        if wanted not in releases.present:
            raise GuardRefused(f"{host} does not have release '{wanted}'", do="see --list")
        targets[host] = wanted
    if not targets:
        raise UsageError("no host to roll back")
    return targets


def _show(found: dict[str, Releases]) -> int:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("host", "current", "before it", "on the host"):
        table.add_column(column)
    for host, releases in found.items():
        table.add_row(
            host,
            releases.current or "-",
            releases.previous or "-",
            ", ".join(releases.present) or "-",
        )
    o.make_console().print(table)
    return 0
