"""The lab as tests see it: deployed, verified in this process over kept connections, and broken on
purpose.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from verifier.checklist.items import find_checklists, load_checklists
from verifier.inventory import load_inventory
from verifier.plan import make_plan, with_releases
from verifier.redact import Redactor
from verifier.result import Outcome, Result
from verifier.store import RunDirectory, new_run_id
from verifier.verify.connect import Connections
from verifier.verify.current import current_releases
from verifier.verify.observe import verify

ROOT = Path(__file__).resolve().parent.parent
VERIFIER = str(Path(sys.executable).with_name("verifier"))
PATIENCE_S = 60


def run_verifier(
    *arguments: str, cwd: Path = ROOT, timeout: float = 900
) -> subprocess.CompletedProcess[str]:
    """The real command, as a person calls it, without colour and without a terminal."""
    return subprocess.run(
        [VERIFIER, *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=timeout,
        stdin=subprocess.DEVNULL, env={**os.environ, "NO_COLOR": "1", "COLUMNS": "120"},
    )  # fmt: skip


def do_duties() -> None:
    """Has the duties done that are not done, and scheduled: without that their items are red on a
    new lab. Whether they succeed is for those items to say.
    """
    standing = json.loads(run_verifier("duty", "list", "-i", "lab", "--format", "json").stdout)
    for duty in standing:
        if duty["state"] != "ok" or duty["failed_since"]:
            run_verifier("duty", "run", duty["duty"], "-i", "lab", "--yes")
    folder = load_inventory("lab", project=ROOT).hosts[0].variable("lab_state_dir")
    run_verifier(
        "duty", "schedule", "-i", "lab", "--format", "cron", "--output", f"{folder}/duties"
    )


@dataclass(frozen=True)
class Answer:
    """A Result with the source id of its item."""

    source: str
    result: Result


class LabView:
    """Looks at lab hosts as `verifier verify` does, item by item as a test wants."""

    def __init__(self, connections: Connections, folder: Path) -> None:
        self._connections, self._folder = connections, folder
        self._checklists = load_checklists(find_checklists(ROOT))
        self._inventory = load_inventory("lab", project=ROOT)
        items = [item for checklist in self._checklists for item in checklist.items]
        self._sources = {item.id: item.binding.source for item in items}

    def source(self, item: str) -> str:
        """The source id of an item given by id or by source id."""
        return self._sources.get(item, item)

    def verify(self, host: str, sources: AbstractSet[str] = frozenset()) -> list[Answer]:
        """The answers of the host's automatic items, or of those named by source id."""
        hosts = self._inventory.matching(host)
        releases = current_releases(hosts, self._connections)
        chosen = tuple(h for h in with_releases(self._inventory, releases) if h.name == host)
        plan = make_plan(
            self._checklists, self._inventory, chosen, (), frozenset(sources), load=True
        )
        wanted = tuple(a for a in plan.assignments if a.method == "check")
        store = RunDirectory.create(
            self._folder,
            new_run_id(datetime.now(UTC).isoformat(), "test", host),
            Redactor(self._inventory.secrets),
        )
        results = verify(
            replace(plan, assignments=wanted), chosen, self._connections, store, lambda _: None
        )
        by_key = {(r.item, r.host): r for r in results}
        return [Answer(a.source, by_key[a.key]) for a in wanted]

    def verify_until_healthy(self, host: str, sources: AbstractSet[str]) -> list[Answer]:
        """The same, again and again for a while: what was stopped needs a moment to come back."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            answers = self.verify(host, sources)
            bad = any(a.result.outcome in (Outcome.FAIL, Outcome.ERROR) for a in answers)
            if not bad or time.monotonic() > deadline:
                return answers
            time.sleep(2)

    def inject(
        self, host: str, script: str, on: Literal["host", "controller"], *, become: bool
    ) -> str:
        """Runs a fault's script; a script that fails is a broken test, not a result."""
        if on == "controller":
            view, _ = self._connections.controller().look(timeout_s=120)
        else:
            view, _ = self._connections.open(self._inventory.host(host)).look(
                become=become, timeout_s=120
            )
        done = view.run("sh -ec %s", script)
        assert done.rc == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout
