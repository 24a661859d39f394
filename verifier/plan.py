"""Plan: everything that will happen, resolved before a host is touched. Items meet hosts and become
Assignments with their parameters filled from the inventory; roles meet hosts and become Steps. An
empty plan is an error.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from verifier.checklist.binding import ONCE, Retry, is_empty
from verifier.checklist.items import Checklist, Item
from verifier.checks.base import find_check
from verifier.document import Document, parse_yaml, read_document, read_text, to_plain
from verifier.errors import DocumentError, UsageError
from verifier.inventory import Host, Inventory

Phase = Literal["before", "after"]
RELEASE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Step:
    """One role of one play, and the hosts it applies to. The words come from the role's
    `meta/verifier.yml`.
    """

    name: str
    play: str
    playbook: str
    summary: str
    summary_ko: str
    effect: str
    destroys: str
    undo: str
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """One Item on one Host; it must end in a Result. `why_not` is set when planning already knows
    the answer.
    """

    item: str
    host: str
    source: str
    title: str
    section: str
    checklist: str
    place: str
    phase: Phase
    required: bool
    method: Literal["check", "attest", "below", "none"]
    check: str = ""
    params: Mapping[str, object] | None = None
    vantage: Literal["host", "controller", "container"] = "host"
    inside: tuple[str, str] = ("", "")  # compose project and service of the container looked from
    become: bool = False
    timeout_s: float = 60.0
    retry: Retry = ONCE
    burdens: bool = False  # puts load on the service
    role: str = ""  # of the person who must answer, and how often: for every release, day, ...
    every: str = ""
    applicable: bool = True
    why_not: str = ""
    bound: bool = True  # false while a value or a person's decision is missing
    below: tuple[str, ...] = ()  # the items whose conjunction this is

    @property
    def key(self) -> tuple[str, str]:
        return self.item, self.host


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps and Assignments in order. `releases` maps each host to the release it should have."""

    inventory: str
    hosts: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]]
    releases: Mapping[str, str]
    checklists: Mapping[str, str]
    steps: tuple[Step, ...]
    assignments: tuple[Assignment, ...]

    def only(self, *, phase: Phase) -> Plan:
        """The same plan with the Assignments of one phase."""
        chosen = tuple(a for a in self.assignments if a.phase == phase)
        return replace(self, assignments=chosen)

    @property
    def digest(self) -> str:
        return hashlib.sha256(repr(to_plain(self)).encode()).hexdigest()


class RoleFacts(Document):
    """`meta/verifier.yml` of a role: what the step does, in words, and what it takes away."""

    summary: str
    summary_ko: str = ""
    effect: Literal["reads", "adds", "replaces", "destroys"]
    destroys: str = ""
    undo: str


def with_releases(inventory: Inventory, releases: Mapping[str, str]) -> tuple[Host, ...]:
    """The hosts with their release set, as `--extra-vars release_id=...` would. UsageError for a
    bad name.
    """
    for name in releases.values():
        _refuse_no_name(name)
    return tuple(
        host.with_variables(release_id=releases[host.name]) if host.name in releases else host
        for host in inventory.hosts
    )


def _refuse_no_name(release: str, host: str = "") -> None:
    if not RELEASE_NAME.fullmatch(release):
        of_host = f"host '{host}': release_id " if host else ""
        raise UsageError(
            f"{of_host}'{release}' is no release name",
            do="use letters, digits, dot, dash, underscore",
        )


def make_plan(
    checklists: tuple[Checklist, ...],
    inventory: Inventory,
    hosts: tuple[Host, ...],
    steps: tuple[Step, ...] = (),
    items: frozenset[str] = frozenset(),
    *,
    load: bool = False,
) -> Plan:
    """Every item on every host it is for. `hosts` are those chosen by `--limit`, with their
    variables as they shall be; `items` chooses some by id or source id; without `load` those that
    put load on a service are not looked at. Raises UsageError when nothing would be verified.
    """
    assignments = [
        _without_load(_assign(item, checklist, host), load=load)
        for checklist in checklists
        for item in checklist.items
        if not items or item.id in items or item.binding.source in items
        for host in _targets(item, inventory, hosts)
    ]
    if items:
        known = {i.id for c in checklists for i in c.items} | {
            i.binding.source for c in checklists for i in c.items
        }
        for wanted in items - known:
            raise UsageError(f"no item '{wanted}'", do="see the ids in checklists/*.md")
    if not assignments:
        raise UsageError(
            "nothing to verify: no item is for any of these hosts", do="check --limit and target:"
        )
    if not any(a.applicable for a in assignments):
        raise UsageError(
            "nothing to verify: no item applies", do="check the only_if: of the bindings"
        )
    return Plan(
        inventory=inventory.name,
        hosts=tuple(h.name for h in hosts),
        groups={h.name: h.groups for h in hosts},
        releases={h.name: _release_of(h) for h in hosts},
        checklists={c.name: c.digest for c in checklists},
        steps=steps,
        assignments=tuple(assignments),
    )


def refuse_unbound(plan: Plan) -> None:
    """A deployment whose gate could never open is not begun. UsageError names the lines."""
    waiting = {a.item: a.why_not for a in plan.assignments if a.required and not a.bound}
    if waiting:
        first, why = next(iter(waiting.items()))
        more = f", and {len(waiting) - 1} more" if len(waiting) > 1 else ""
        raise UsageError(
            f"{len(waiting)} required items are not bound: {first} ({why}){more}",
            do="see `verifier checklist coverage`; fill in the values, decide, or say advisory: true",
        )


def read_steps(playbook: Path, roles: Path, hosts: tuple[Host, ...]) -> tuple[Step, ...]:
    """The roles of a playbook, and of those it imports, in their order: each with the hosts whose
    `deploy_steps` name it.
    """
    wanted = {host.name: _deploy_steps(host) for host in hosts}
    steps = tuple(
        _step(
            file.name, play, role, roles, tuple(n for n, names in wanted.items() if role in names)
        )
        for file, play, role in _roles_of(playbook)
    )
    # A list may name steps of another playbook: deploy.yml and rollback.yml read the same one.
    known = {folder.name for folder in roles.iterdir()}
    for host, names in wanted.items():
        for name in names:
            if name not in known:
                raise UsageError(f"host '{host}': deploy_steps names '{name}', which is no role")
    return steps


def _release_of(host: Host) -> str:
    found = host.variable("release_id", "")
    if isinstance(found, float):
        raise UsageError(
            f"host '{host.name}': release_id {found} is a number, 1.10 would be 1.1", do="quote it"
        )
    if "release_id" in host.variables:
        _refuse_no_name(str(found), host.name)
    return str(found)


def _deploy_steps(host: Host) -> tuple[str, ...]:
    names = host.variable("deploy_steps", [])
    if not isinstance(names, list):
        raise UsageError(
            f"host '{host.name}': deploy_steps is no list", do="see inventory/README.md"
        )
    return tuple(map(str, names))


def _roles_of(playbook: Path) -> Iterator[tuple[Path, str, str]]:
    plays = parse_yaml(read_text(playbook), where=str(playbook))
    if not isinstance(plays, list) or not plays:
        raise DocumentError("is no list of plays", where=str(playbook))
    for play in plays:
        if isinstance(play, dict) and "ansible.builtin.import_playbook" in play:
            yield from _roles_of(playbook.parent / str(play["ansible.builtin.import_playbook"]))
        elif isinstance(play, dict) and play.get("name") and play.get("roles"):
            for entry in play["roles"]:
                yield (
                    playbook,
                    str(play["name"]),
                    str(entry["role"] if isinstance(entry, dict) else entry),
                )
        else:
            raise DocumentError("a play needs a name and roles", where=str(playbook))


def _step(playbook: str, play: str, role: str, roles: Path, hosts: tuple[str, ...]) -> Step:
    facts = read_document(roles / role / "meta" / "verifier.yml", RoleFacts)
    return Step(
        role,
        play,
        playbook,
        facts.summary,
        facts.summary_ko,
        facts.effect,
        facts.destroys,
        facts.undo,
        hosts,
    )


def _targets(item: Item, inventory: Inventory, hosts: tuple[Host, ...]) -> tuple[Host, ...]:
    try:
        names = {host.name for host in inventory.matching(item.target)}
    except UsageError as error:
        raise UsageError(
            f"target '{item.target}' matches no host and no group of inventory '{inventory.name}'",
            where=item.place,
            do=f"{error.do}; or choose with --checklist",
        ) from error
    if not names:
        raise UsageError(
            f"target '{item.target}' leaves no host of inventory '{inventory.name}'",
            where=item.place,
            do="nobody would ever be asked: fix it, or choose with --checklist",
        )
    return tuple(host for host in hosts if host.name in names)


def _assign(item: Item, checklist: Checklist, host: Host) -> Assignment:
    binding = item.binding
    plain = Assignment(
        item=item.id,
        host=host.name,
        source=binding.source,
        title=item.line.title,
        section=item.line.section,
        checklist=checklist.name,
        place=item.place,
        phase=binding.phase,
        required=item.required,
        method=_method(item),
        below=item.below if binding.all_below else (),
    )
    try:
        if binding.only_if is not None and not _is_true(host.value(binding.only_if)):
            return replace(plain, applicable=False, why_not=binding.otherwise)
        if binding.check:
            return _with_check(plain, item, host)
    except UsageError as error:
        raise UsageError(
            f"item '{item.id}': {error.what}", where=item.place, do=error.do
        ) from error
    if binding.attest:
        role, every = binding.attest.role, binding.attest.every
        return replace(plain, role=role, every=every, why_not=f"needs an attestation by: {role}")
    if binding.all_below:
        return plain
    if binding.step:
        return replace(plain, why_not=f"done by the deployment: {binding.step}")
    if binding.review:
        return replace(plain, bound=False, why_not=f"nobody decided yet: {binding.review}")
    return replace(plain, why_not=binding.not_checked or binding.not_a_gate)


def _without_load(assignment: Assignment, *, load: bool) -> Assignment:
    """Nobody asked for load: the line stays without an answer, and the gate does not wait for it."""
    if load or not assignment.burdens:
        return assignment
    return replace(
        assignment, method="none", required=False, why_not="puts load on the service: give --load"
    )


def _method(item: Item) -> Literal["check", "attest", "below", "none"]:
    binding = item.binding
    if binding.check:
        return "check"
    return "attest" if binding.attest else "below" if binding.all_below else "none"


def _with_check(plain: Assignment, item: Item, host: Host) -> Assignment:
    binding = item.binding
    missing = item.missing(frozenset(host.variables))
    if missing:
        return replace(
            plain, method="none", bound=False, why_not=f"needs a value: {', '.join(missing)}"
        )
    own = {name: value for name, value in binding.needs.items() if not is_empty(value)}
    shared = {name: value for name, value in item.values.items() if not is_empty(value)}
    given = host.with_defaults(shared).with_variables(**own).value(binding.given)
    if not isinstance(given, dict):
        raise UsageError("'with' is no mapping")
    check = find_check(binding.check)
    check.read(given)  # complains here, before any host is touched
    inside = binding.container
    return replace(
        plain,
        check=binding.check,
        params=given,
        vantage=binding.vantage,
        inside=(_text(host, inside.project), _text(host, inside.service)) if inside else ("", ""),
        become=binding.become,
        timeout_s=binding.timeout_s,
        retry=binding.retry,
        burdens=check.burdens,
    )


def _text(host: Host, template: str) -> str:
    return str(host.value(template))


def _is_true(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().lower() not in ("", "false", "no", "off", "0", "none")
    return bool(value)
