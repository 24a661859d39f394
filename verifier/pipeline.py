"""The stages in order. Each takes earlier values and returns one new one; every value is saved in
the run directory before the next stage begins. Nothing here looks at a host, judges or prints.

    verify     load -> plan -> verify -> decide
    deploy     load -> plan -> preflight -> Stage -> verify what is staged -> decide
                    -> Switch -> verify what runs -> decide -> Finish, or roll back -> verify -> decide
    rollback   load -> plan -> Rollback -> verify -> decide
    prove      load -> plan -> prove
"""

from __future__ import annotations

import contextlib
import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from verifier.checklist.items import Checklist
from verifier.deploy.events import Event, PlayResult
from verifier.deploy.steps import Ansible, run_play
from verifier.errors import InfrastructureError, UsageError, VerifierError
from verifier.gate import Reason, Verdict, decide
from verifier.inventory import Host, Inventory
from verifier.plan import Plan, Step, make_plan, read_steps, refuse_unbound, with_releases
from verifier.redact import Redactor
from verifier.result import Outcome, Result
from verifier.run import Rollback, Run
from verifier.store import RunDirectory, new_run_id
from verifier.verify.attest import NOBODY, People, refuse_none
from verifier.verify.connect import Connections
from verifier.verify.current import current_releases, unreachable_hosts
from verifier.verify.observe import unreached, verify
from verifier.verify.prove import prove
from verifier.verify.suite import answered, items_named_in, run_suite
from verifier.waiver import Waiver

OPEN, CLOSED, INFRASTRUCTURE, STEP_FAILED, ROLLED_BACK, ROLLBACK_FAILED, WAITING = (
    0,
    1,
    3,
    4,
    5,
    6,
    7,
)

PLAYS = ("Stage", "Switch", "Finish")


class Watcher(Protocol):
    """Whoever wants to know what is under way. It is told; it is never asked."""

    def stage(self, name: str, detail: str) -> None: ...
    def planned(self, plan: Plan) -> None: ...
    def event(self, event: Event) -> None: ...
    def played(self, play: PlayResult) -> None: ...
    def result(self, result: Result) -> None: ...


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a run begins with, loaded and checked; no host has been touched yet."""

    project: Path
    inventory: Inventory
    checklists: tuple[Checklist, ...]
    waivers: tuple[Waiver, ...]
    ansible: Ansible
    watcher: Watcher
    limit: str = ""
    release: str = ""
    items: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    tests: tuple[Path, ...] = ()
    people: People = NOBODY
    load: bool = False
    secrets: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        chosen = self.inventory.matching(self.limit) if self.limit else self.inventory.hosts
        if not chosen:
            raise UsageError(f"--limit '{self.limit}' leaves no host", do="see `verifier plan`")
        return tuple(host.name for host in chosen)

    def hosts(self, releases: Mapping[str, str]) -> tuple[Host, ...]:
        """The chosen hosts with the releases they should have."""
        wanted = dict.fromkeys(self.names, self.release) if self.release else dict(releases)
        return tuple(h for h in with_releases(self.inventory, wanted) if h.name in self.names)


class Session:
    """One Run being made: its directory, its connections, and the stages as methods that save what
    they return.
    """

    def __init__(self, context: Context, command: str, connections: Connections) -> None:
        self.context, self.command, self.connections = context, command, connections
        self.started_at = _now()
        redact = Redactor(context.inventory.secrets | context.secrets)
        run_id = new_run_id(self.started_at, command, context.inventory.name)
        self.store = RunDirectory.create(context.project, run_id, redact)
        self.run_id = run_id

    def plan(
        self, hosts: tuple[Host, ...], steps: tuple[Step, ...] = (), *, save: str = "plan"
    ) -> Plan:
        plan = make_plan(
            self.context.checklists,
            self.context.inventory,
            hosts,
            steps,
            self.context.items,
            load=self.context.load,
        )
        refuse_none(plan, self.context.people)
        self.store.save(save, plan)
        return plan

    def play(self, name: str, steps: Sequence[Step], releases: Mapping[str, str]) -> PlayResult:
        """Runs the steps of one play that apply to at least one host; a play without any is done at
        once.
        """
        chosen = [step for step in steps if step.play == name and step.hosts]
        if not chosen:
            return PlayResult(name, ())
        self.context.watcher.stage(name, ", ".join(step.name for step in chosen))
        played = run_play(
            self.context.ansible,
            self.context.inventory,
            chosen,
            releases,
            self.context.watcher.event,
            self.store.redact,
        )
        self.store.save(name.lower(), played)
        self.context.watcher.played(played)
        return played

    def verify(self, plan: Plan, hosts: Sequence[Host], *, save: str) -> tuple[Result, ...]:
        if not plan.assignments:
            return ()
        self.context.watcher.stage("Verify", f"{len(plan.assignments)} answers wanted")
        results = verify(
            plan,
            hosts,
            self.connections,
            self.store,
            self.context.watcher.result,
            self.context.people,
        )
        answers = run_suite(self.context.tests, plan, hosts, self.connections, self.store.redact)
        results = answered(plan, results, answers)
        self.store.save(save, results)
        return results

    def decide(self, plan: Plan, results: Sequence[Result]) -> Verdict:
        return decide(plan, results, self.context.waivers, datetime.now(UTC).date())

    def finish(self, run: Run) -> Run:
        self.store.save("verdict", run.verdict)
        self.store.save("run", run)
        return run

    def run(
        self,
        plan: Plan,
        results: tuple[Result, ...],
        verdict: Verdict,
        exit_code: int,
        **more: object,
    ) -> Run:
        made = Run(
            id=self.run_id,
            command=self.command,
            started_at=self.started_at,
            finished_at=_now(),
            versions=_versions(),
            plan=plan,
            plays=(),
            results=results,
            verdict=verdict,
            exit_code=exit_code,
            checklists=self.context.checklists,
        )
        return self.finish(replace(made, **more))  # type: ignore[arg-type]  # fields of Run, checked by replace


def plan_of(context: Context) -> Plan:
    """The Plan of a deployment, from the documents alone. Raises UsageError and its family."""
    hosts = context.hosts({})
    steps = _steps(context, "deploy.yml", hosts)
    chosen = tuple(step for step in steps if not context.tags or step.name in context.tags)
    named = items_named_in(context.tests)
    known = {item.id for checklist in context.checklists for item in checklist.items}
    for item in named.keys() - known:
        raise UsageError(f"test answers item '{item}', which no checklist has", where=named[item])
    return make_plan(
        context.checklists, context.inventory, hosts, chosen, context.items, load=context.load
    )


def run_verify(context: Context) -> Run:
    """Looks at every host as it is now: each is judged against the release its `current` link
    names.
    """
    plan_of(context)  # what is wrong with the documents is said before any host is asked
    with Connections() as connections:
        session = Session(context, "verify", connections)
        inventory_hosts = context.hosts({})
        context.watcher.stage("Connect", ", ".join(context.names))
        dead = unreachable_hosts(inventory_hosts, connections)
        hosts = context.hosts(current_releases(inventory_hosts, connections))
        plan = session.plan(hosts)
        context.watcher.planned(plan)
        results = session.verify(plan, hosts, save="results")
        verdict = session.decide(plan, results)
        return session.run(plan, results, verdict, _verify_code(verdict, dead), unreachable=dead)


def run_deploy(context: Context, *, may_roll_back: bool = True) -> Run:
    """Deploys the wanted release, verifies it, and goes back to what ran before when the gate stays
    closed.
    """
    hosts = context.hosts({})
    planned = plan_of(context)
    refuse_unbound(planned)
    steps = planned.steps
    for host in context.names:
        if not context.items and all(a.host != host for a in planned.assignments):
            raise UsageError(
                f"no item is for host '{host}': nothing would show that it is right",
                do="check the target: of the checklists, or leave it out with --limit",
            )
        if not any(host in step.hosts for step in steps):
            raise UsageError(
                f"host '{host}' has no deploy_steps",
                do="list its steps in group_vars, see inventory/README.md",
            )
    with Connections() as connections:
        session = Session(context, "deploy", connections)
        plan = session.plan(hosts, steps)
        context.watcher.planned(plan)
        return _Deployment(session, plan, hosts, may_roll_back).run()


def run_rollback(context: Context, releases: Mapping[str, str]) -> Run:
    """Puts each host back to its release in `releases` and verifies the result."""
    with Connections() as connections:
        session = Session(context, "rollback", connections)
        rollback = _roll_back(session, releases)
        code = OPEN if rollback.is_verified else ROLLBACK_FAILED
        return session.run(
            rollback.plan, rollback.results, rollback.verdict, code, plays=(rollback.play,),
            note=f"rolled back to {_release_words(releases)}",
        )  # fmt: skip


def run_prove(context: Context) -> tuple[Result, ...]:
    """Gives each check of what runs an expectation that no host can meet; see `verify.prove`."""
    plan_of(context)
    with Connections() as connections:
        session = Session(context, "prove", connections)
        inventory_hosts = context.hosts({})
        hosts = context.hosts(current_releases(inventory_hosts, connections))
        plan = session.plan(hosts)
        wanted = sum(a.method == "check" and a.applicable for a in plan.assignments)
        context.watcher.stage("Prove", f"{wanted} checks, each asked for the impossible")
        results = prove(plan, hosts, connections, session.store, context.watcher.result)
        session.store.save("proofs", results)
        return results


@dataclass
class _Deployment:
    """`run_deploy` in sentences; what has been learned so far is kept here, so that any end can
    tell all of it.
    """

    session: Session
    plan: Plan
    hosts: tuple[Host, ...]
    may_roll_back: bool
    plays: list[PlayResult] = field(default_factory=list)
    results: tuple[Result, ...] = ()
    previous: dict[str, str] = field(default_factory=dict)

    def run(self) -> Run:
        return self._not_ready() or self._not_staged() or self._switch()

    def _not_ready(self) -> Run | None:
        dead = unreachable_hosts(self.hosts, self.session.connections)
        if dead:
            return self._end(
                INFRASTRUCTURE, "no change was made: a host is unreachable", unreachable=dead
            )
        try:
            self.previous = current_releases(self.hosts, self.session.connections, strict=True)
        except VerifierError as error:
            return self._end(INFRASTRUCTURE, f"no change was made: what runs is not known: {error}")
        if not self._preflight().is_done:
            return self._end(INFRASTRUCTURE, "no change was made: preflight failed")
        return self._dry_run() if self.session.context.ansible.check else None

    def _not_staged(self) -> Run | None:
        if not self._play("Stage").is_done:
            return self._end(STEP_FAILED, "a staging step failed; what was running still runs")
        staged = self.plan.only(phase="before")
        self.results = self.session.verify(staged, self.hosts, save="results-before")
        verdict = self.session.decide(staged, self.results)
        # What proves nothing before the switch may still prove enough after it.
        if verdict.is_open or not any(a.required and a.applicable for a in staged.assignments):
            return None
        code = WAITING if verdict.waits_for_people else CLOSED
        return self._end(
            code, "the gate is closed before the switch; what was running still runs", verdict
        )

    def _switch(self) -> Run:
        try:
            if not self._play("Switch").is_done:
                return self._go_back("a deploy step failed", STEP_FAILED)
            running = self.plan.only(phase="after")
            self.results += self.session.verify(running, self.hosts, save="results")
        except VerifierError as error:  # a full disk here, for one: hosts were changed all the same
            return self._go_back(f"it could not be verified ({error})", STEP_FAILED)
        verdict = self.session.decide(self.plan, self.results)
        if not verdict.is_open:
            if verdict.waits_for_people:
                return self._end(WAITING, "waiting for people; nothing was rolled back", verdict)
            return self._go_back("the gate is closed", CLOSED)
        if not self._play("Finish").is_done:
            return self._end(
                STEP_FAILED, "the release is verified and runs, but cleaning up failed", verdict
            )
        return self._end(OPEN, "", verdict)

    def _preflight(self) -> PlayResult:
        steps = _preflight_steps(self.session.context, self.hosts)
        played = self.session.play("Preflight", steps, self.plan.releases)
        self.plays.append(played)
        return played

    def _play(self, name: str) -> PlayResult:
        played = self.session.play(name, self.plan.steps, self.plan.releases)
        self.plays.append(played)
        return played

    def _dry_run(self) -> Run:
        plays = [self._play(name) for name in PLAYS]  # all of them, whatever the first one says
        done = all(play.is_done for play in plays)
        return self._end(
            OPEN if done else STEP_FAILED, "check mode: nothing was changed, nothing was verified"
        )

    def _go_back(self, why: str, code_without: int) -> Run:
        targets = {
            host: release
            for host, release in self.previous.items()
            if release != self.plan.releases.get(host)
        }
        if not self.may_roll_back:
            return self._end(code_without, f"{why}; --no-rollback: nothing was rolled back")
        if not targets:
            known = (
                "this release ran before, too"
                if self.previous
                else "no host has an earlier release"
            )
            return self._end(code_without, f"{why}; nothing was rolled back: {known}")
        rollback = _roll_back(self.session, targets)
        whole = set(targets) == set(self.plan.hosts)
        good = rollback.is_verified and whole
        note = f"{why}; rolled back to {_release_words(targets)}"
        if not rollback.is_verified:
            note = f"{why}; the rollback to {_release_words(targets)} FAILED or could not be verified: call someone"
        elif not whole:
            left = ", ".join(sorted(set(self.plan.hosts) - set(targets)))
            note += f", but {left} had no other release before and still runs the refused one: call someone"
        return self._end(ROLLED_BACK if good else ROLLBACK_FAILED, note, rollback=rollback)

    def _end(self, code: int, note: str, verdict: Verdict | None = None, **more: object) -> Run:
        answered_keys = {(r.item, r.host) for r in self.results}
        missing = tuple(a for a in self.plan.assignments if a.key not in answered_keys)
        rest = unreached(
            replace(self.plan, assignments=missing), "never reached: " + (note or "the run ended")
        )
        results = _in_plan_order(self.plan, (*self.results, *rest))
        decided = self.session.decide(self.plan, results) if verdict is None else verdict
        if verdict is None and decided.is_open and code != OPEN:
            decided = Verdict(
                is_open=False, reasons=(Reason("", "", "error", note, needs_person=False),)
            )
        return self.session.run(
            self.plan, results, decided, code, plays=tuple(self.plays), note=note, **more
        )


def _roll_back(session: Session, releases: Mapping[str, str]) -> Rollback:
    context = replace(session.context, release="", limit=",".join(releases), tags=frozenset())
    hosts = context.hosts(releases)
    steps = _steps(context, "rollback.yml", hosts)
    # Every item again, whatever --item chose: what runs afterwards must be known whole.
    plan = make_plan(context.checklists, context.inventory, hosts, steps)
    with contextlib.suppress(
        InfrastructureError
    ):  # a full disk must not keep anyone from going back
        session.store.save("plan-rollback", plan)
    play = session.play("Rollback", steps, releases)
    results = session.verify(plan, hosts, save="results-rollback")
    return Rollback(dict(releases), play, plan, results, session.decide(plan, results))


def _steps(context: Context, playbook: str, hosts: tuple[Host, ...]) -> tuple[Step, ...]:
    steps = read_steps(context.ansible.playbooks / playbook, context.ansible.roles, hosts)
    for tag in context.tags:
        if tag not in {step.name for step in steps}:
            known = ", ".join(step.name for step in steps)
            raise UsageError(f"--tags '{tag}' is no step", do=f"known: {known}")
    return steps


def _preflight_steps(context: Context, hosts: tuple[Host, ...]) -> tuple[Step, ...]:
    # Preflight is for every host, whatever its deploy_steps say.
    everywhere = tuple(host.with_variables(deploy_steps=["preflight"]) for host in hosts)
    return read_steps(
        context.ansible.playbooks / "preflight.yml", context.ansible.roles, everywhere
    )


def _verify_code(verdict: Verdict, dead: Mapping[str, str]) -> int:
    if verdict.is_open:
        return OPEN
    if dead and not any(reason.outcome == Outcome.FAIL.value for reason in verdict.reasons):
        return INFRASTRUCTURE
    return WAITING if verdict.waits_for_people else CLOSED


def _in_plan_order(plan: Plan, results: Sequence[Result]) -> tuple[Result, ...]:
    by_key = {(r.item, r.host): r for r in results}
    return tuple(by_key[a.key] for a in plan.assignments)


def _release_words(releases: Mapping[str, str]) -> str:
    names = sorted(set(releases.values()))
    if len(names) == 1:
        return names[0]
    return ", ".join(f"{host}: {release}" for host, release in sorted(releases.items()))


def _versions() -> dict[str, str]:
    names = ("verifier", "ansible-core", "ansible-runner", "pytest-testinfra")
    return {name: importlib.metadata.version(name) for name in names}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
