"""`verifier deploy`: plan, preflight, deploy, verify, and back again when the gate stays closed."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from verifier.cli import options as o
from verifier.errors import GuardRefused
from verifier.pipeline import Context, run_deploy


def command(
    inventory: o.InventoryName,
    limit: o.Limit = None,
    release: o.Release = None,
    tags: o.Tags = None,
    check: o.CheckMode = False,
    yes: o.Yes = False,
    no_rollback: Annotated[
        bool, typer.Option("--no-rollback", help="Leave a refused release in place.")
    ] = False,
    checklist: o.ChecklistNames = None,
    item: o.ItemNames = None,
    tests: o.Tests = None,
    attestations: o.AttestationFile = None,
    load: o.Load = False,
    reporter: o.Reporters = None,
    forks: o.Forks = 20,
    vault_password_file: o.VaultFile = None,
    verbose: o.Verbose = 0,
    ansible_arguments: Annotated[
        list[str] | None, typer.Argument(help="After `--`: passed to ansible-playbook.")
    ] = None,
) -> int:
    """Deploy a release to every host, verify every line of the checklist, roll back when the gate
    stays closed.

    Exit codes: 0 open, 1 closed and nothing was rolled back, 3 unreachable or preflight failed, 4 a
    step failed and nothing was rolled back, 5 rolled back and verified, 6 rollback failed, 7
    waiting for people.
    """
    given = o.Given(
        inventory=inventory,
        limit=limit,
        release=release,
        tags=tags,
        checklists=tuple(checklist or ()),
        items=tuple(item or ()),
        tests=tuple(tests or ()),
        vault_file=vault_password_file,
        verbosity=verbose,
        forks=forks,
        check=check,
        extra_args=tuple(ansible_arguments or ()),
        reporters=tuple(reporter or ()),
        attestations=attestations,
        load=load,
        deploys=True,
    )
    context = o.make_context(given)
    o.ask_for_load(context, yes=yes or check)
    if not yes and not check:
        _ask(context)
    run = run_deploy(context, may_roll_back=not no_rollback)
    return o.show_run(run, context, given.reporters)


def _ask(context: Context) -> None:
    hosts = context.hosts({})
    pruned = [host.name for host in hosts if host.variable("prune_volumes")]
    if not sys.stdin.isatty():
        if pruned:
            raise GuardRefused(
                f"prune_volumes is on for {', '.join(pruned)}",
                do="read `verifier plan`, then give --yes",
            )
        return
    releases = ", ".join(sorted({str(host.variable("release_id", "?")) for host in hosts}))
    question = f"Deploy release {releases} to {len(hosts)} hosts of '{context.inventory.name}'?"
    if pruned:
        question += f" Unused volumes on {', '.join(pruned)} WILL BE REMOVED."
    typer.confirm(question, abort=True, err=True)
