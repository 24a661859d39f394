"""No database migration is pending, and the schema is at the planned one.

    - id: no-pending-migration
      check: migrations
      with:
        project: "{{ compose_project }}"
        service: app
        command: [python3, -m, app.migrate, status]

`command` prints one JSON line `{"current", "head", "pending": []}`; it runs in the service's
container, or with `chdir:` and no `service:` on the host. With `expected` the schema must be at
exactly that migration. A database that knows of no migration at all is red, whatever is pending.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass

from verifier.checks._compose import container_of, execute
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve


@dataclass(frozen=True)
class Params:
    command: tuple[str, ...]
    project: str = ""
    service: str = ""
    chdir: str = ""
    expected: str = ""


@dataclass(frozen=True)
class Seen:
    current: str
    head: str
    pending: tuple[str, ...]


def observe(host: Host, want: Params) -> Seen:
    if want.service:
        said = execute(host, container_of(host, want.project, want.service), *want.command)
    else:
        line = f"cd {shlex.quote(want.chdir or '.')} && {shlex.join(want.command)}"
        said = ask(host, line)
    try:
        state = json.loads(said.strip().splitlines()[-1])
        pending = tuple(str(name) for name in state["pending"])
        return Seen(str(state["current"] or ""), str(state["head"] or ""), pending)
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise CannotObserve("the migration status is not understood") from error


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    found = []
    if not seen.current:
        found.append(Mismatch("migrations", "some have been applied", "none was ever applied"))
    if seen.pending:
        saw = f"pending: {', '.join(seen.pending)} (the schema is at {seen.current or 'nothing'})"
        found.append(Mismatch("migrations", f"all applied up to {seen.head}", saw))
    if want.expected and seen.current != want.expected:
        found.append(Mismatch("schema", f"at {want.expected}", f"at {seen.current or 'nothing'}"))
    return found


CHECK = Check(Params, observe, judge)
