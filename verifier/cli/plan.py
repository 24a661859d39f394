"""`verifier plan`: everything that would happen, without touching a host."""

from __future__ import annotations

import shlex
from collections import Counter
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from verifier.cli import options as o
from verifier.document import to_json
from verifier.pipeline import Context, plan_of
from verifier.plan import Assignment, Plan, Step
from verifier.redact import Redactor
from verifier.report.text import answers_words


def command(
    inventory: o.InventoryName,
    limit: o.Limit = None,
    release: o.Release = None,
    tags: o.Tags = None,
    checklist: o.ChecklistNames = None,
    item: o.ItemNames = None,
    vault_password_file: o.VaultFile = None,
    verbose: o.Verbose = 0,
) -> int:
    """Show hosts, steps, how each item will be checked, what will be destroyed and what cannot be
    undone.
    """
    given = o.Given(
        inventory=inventory,
        limit=limit,
        release=release,
        tags=tags,
        checklists=tuple(checklist or ()),
        items=tuple(item or ()),
        vault_file=vault_password_file,
        verbosity=verbose,
    )
    context = o.make_context(given)
    plan = plan_of(context)
    console = o.make_console()
    _show(plan, context, console, verbose=verbose > 0)
    command_word = "deploy" if any(step.hosts for step in plan.steps) else "verify"
    words = shlex.join(["verifier", command_word, *_given_words(given)])
    console.print(
        f"\nNothing was touched. Plan {plan.digest[:12]}; run it: {escape(words)}", soft_wrap=True
    )
    return 0


def _given_words(given: o.Given) -> list[str]:
    """The options as they were given: what is run must be what was planned."""
    words = ["--inventory", given.inventory]
    for option, value in (("limit", given.limit), ("release", given.release), ("tags", given.tags)):
        words += [f"--{option}", value] if value else []
    for option, values in (("checklist", given.checklists), ("item", given.items)):
        words += [word for value in values for word in (f"--{option}", value)]
    vault = given.vault_file
    return [*words, "--vault-password-file", str(vault)] if vault else words


def _show(plan: Plan, context: Context, console: Console, *, verbose: bool) -> None:
    _show_hosts(plan, context, console)
    _show_steps(plan.steps, console)
    _show_losses(plan, context, console)
    _show_items(plan, context, console, verbose=verbose)
    if verbose:
        redact = Redactor(context.inventory.secrets)
        for assignment in plan.assignments:
            if assignment.method == "check":
                words = " ".join(redact(to_json(assignment.params)).split())
                console.print(
                    f"[dim]{assignment.host} {assignment.item}: {escape(words)}[/dim]",
                    soft_wrap=True,
                )


def _show_hosts(plan: Plan, context: Context, console: Console) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("host", "reached as", "groups", "release"):
        table.add_column(column)
    for host in context.hosts({}):
        reach = host.reach
        user = f"{reach.user}@" if reach.user else ""
        way = f"{reach.kind}://{user}{reach.address}" + (
            f":{reach.port}" if reach.kind == "ssh" else ""
        )
        table.add_row(host.name, way, ", ".join(host.groups), plan.releases[host.name] or "-")
    console.print(table)


def _show_steps(steps: tuple[Step, ...], console: Console) -> None:
    if not any(step.hosts for step in steps):
        console.print("\nNo steps: these hosts are only verified (they have no deploy_steps).")
        return
    table = Table(
        box=None, pad_edge=False, header_style="bold", title="\nSteps", title_justify="left"
    )
    for column in ("play", "step", "effect", "what it does", "hosts"):
        table.add_column(column, overflow="fold")
    for step in (step for step in steps if step.hosts):
        table.add_row(
            step.play, step.name, step.effect, escape(step.summary), ", ".join(step.hosts)
        )
    console.print(table)


def _show_losses(plan: Plan, context: Context, console: Console) -> None:
    losses = [step for step in plan.steps if step.destroys and step.hosts]
    console.print("\n[bold]What will be destroyed[/bold]")
    for step in losses:
        console.print(f"  {step.name}: {escape(step.destroys)}", soft_wrap=True)
    pruned = [h.name for h in context.hosts({}) if h.variable("prune_volumes")]
    if pruned and any(step.name == "prune" and step.hosts for step in plan.steps):
        console.print(
            f"  [bold red]prune_volumes is on for {', '.join(pruned)}[/bold red]: volumes that nothing uses,"
            " no compose project made and the release does not declare, each listed by its name",
            soft_wrap=True,
        )
    if not losses:
        console.print("  nothing")
        return
    console.print("\n[bold]How it is undone[/bold]")
    for step in plan.steps:
        if step.effect != "reads" and step.hosts:
            console.print(f"  {step.name}: {escape(step.undo)}", soft_wrap=True)


def _show_items(plan: Plan, context: Context, console: Console, *, verbose: bool) -> None:
    ways = Counter(
        "a check" if a.applicable and a.check else _answered_by(a) for a in plan.assignments
    )
    words = ", ".join(
        f"{n} by {way}" if way[:2] == "a " else f"{n} {way}" for way, n in ways.most_common()
    )
    items = list({a.item: a for a in plan.assignments}.values())
    console.print(f"\n[bold]Items[/bold]  {answers_words(plan)}: {words}", soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("item", "when", "answered by", "title"):
        table.add_column(column, overflow="fold", no_wrap=column == "item")
    for assignment in items:
        if verbose or assignment.method == "check":
            weight = "" if assignment.required else " (advisory)"
            table.add_row(
                assignment.item,
                assignment.phase,
                _answered_by(assignment) + weight,
                escape(assignment.title),
            )
    console.print(table)
    for waiver in context.waivers:
        holds = "expired on" if waiver.has_expired(datetime.now(UTC).date()) else "holds until"
        where = ", ".join(waiver.hosts) or "all hosts"
        words = f"waiver of {waiver.owner}: {waiver.item} on {where} {holds} {waiver.expires.isoformat()}"
        console.print(escape(words), soft_wrap=True)
    silent = [a for a in items if a.method != "check"]
    if silent and not verbose:
        console.print(
            f"[dim]and {len(silent)} items that no check answers (plan -v names them)[/dim]"
        )


def _answered_by(assignment: Assignment) -> str:
    if not assignment.applicable:
        return "not applicable"
    if assignment.method == "check":
        where = " from the controller" if assignment.vantage == "controller" else ""
        return f"check {assignment.check}{where}"
    words = {"attest": "a person", "below": "the lines below it"}
    return words.get(assignment.method, "not checked")
