"""No database migration is pending, and the schema is at the planned one.

    - id: no-pending-migration
      check: migrations
      with:
        project: "{{ compose_project }}"
        service: app
        command: [python3, -m, app.migrate, status]
    - id: alembic-at-head
      check: migrations
      with: {tool: alembic, command: [.venv/bin/alembic, -c, alembic.ini], chdir: /srv/app}

`command` prints the state of the migrations and changes nothing; it runs in the service's container,
or with `chdir:` and no `service:` on the host. `tool` says whose words it prints: `json` (one last
line `{"current", "head", "pending": []}`), `prisma` (migrate status), `django` (showmigrations, with
or without --plan), `rails` (db:migrate:status), `laravel` (artisan migrate:status), `typeorm`
(migration:show), `knex` (migrate:status), `sequelize` (db:migrate:status), `flyway` (info), or
`alembic`: then `command` is alembic with its options, and both `current` and `heads` are asked.
Without `tool` it is told by the words; when they could be two tools', or nobody's, there is no answer.

With `expected` the schema must be at exactly that migration (of one app or branch, where there are
several); prisma names none that is applied, so with it `expected` is refused. A database that knows
of no migration at all is red, whatever is pending; `min_applied` asks for more than one, as far as
the tool lists them (of `json` and alembic only the current ones count). A migration that failed or
that the code does not have is red, too. The exit status decides nothing, but when it tells of a
failure and the words do not, there is no answer.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field

from verifier.checks._compose import container_of
from verifier.checks._migration_status import Status, read_alembic, read_status, tell_tool
from verifier.checks.base import Check, CommandResult, Host, Mismatch
from verifier.errors import CannotObserve

_UNKNOWN_REVISION = re.compile(r"Can't locate revision identified by '([^']+)'")

Tool = Literal[
    "",
    "json",
    "prisma",
    "django",
    "alembic",
    "rails",
    "laravel",
    "typeorm",
    "knex",
    "sequelize",
    "flyway",
]


@dataclass(frozen=True, slots=True)
class Params:
    command: Annotated[tuple[str, ...], Field(min_length=1)]
    project: str = ""
    service: str = ""
    chdir: str = ""
    expected: str = ""
    tool: Tool = ""
    min_applied: Annotated[int, Field(ge=1)] = 1

    def __post_init__(self) -> None:
        if self.tool == "prisma" and self.expected:
            raise ValueError("prisma does not name what is applied: leave `expected` out")
        if self.tool == "alembic" and {"current", "heads"} & set(self.command):
            raise ValueError("with `tool: alembic` the command is alembic without a subcommand")


@dataclass(frozen=True, slots=True)
class Seen:
    """`at` are the last migrations applied, of each app or branch, and empty if the tool does not
    name them; `applied` is 0 when none ever was; `wrong` is what is broken, in words.
    """

    tool: str
    at: tuple[str, ...]
    head: str
    pending: tuple[str, ...]
    applied: int
    wrong: tuple[str, ...] = ()


def observe(host: Host, want: Params) -> Seen:
    where = container_of(host, want.project, want.service).id if want.service else ""
    if want.tool == "alembic":
        status = _ask_alembic(host, want, where)
        return _seen("alembic", status)
    said = _run(host, want, where, want.command)
    # Some tools say it on standard error; a log there must not hide what the other one says.
    text = said.stdout if said.stdout.strip() else said.stderr
    try:
        tool = want.tool or tell_tool(text)
        status = read_status(tool, text)
    except CannotObserve as error:
        if said.rc == 0:
            raise
        raise CannotObserve(f"{_shown(want)} ended with {said.rc}: {_last(said)}") from error
    is_green = status.applied and not (status.pending or status.wrong)
    if said.rc != 0 and is_green:
        raise CannotObserve(f"{_shown(want)} ended with {said.rc}: {_last(said)}")
    if want.expected and not status.at and status.applied:
        raise CannotObserve(f"{tool} does not name what is applied: leave `expected` out")
    return _seen(tool, status)


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    at = ", ".join(seen.at) or (f"{seen.applied} applied" if seen.applied else "nothing")
    found = []
    if not seen.applied:
        found.append(Mismatch("migrations", "some have been applied", "none was ever applied"))
    elif seen.applied < want.min_applied:
        wanted = f"{want.min_applied} or more applied"
        found.append(Mismatch("migrations", wanted, str(seen.applied)))
    if seen.pending:
        saw = f"pending: {', '.join(seen.pending)} (the schema is at {at})"
        upto = f" up to {seen.head}" if seen.head else ""
        found.append(Mismatch("migrations", f"all applied{upto}", saw))
    found += [Mismatch("migrations", "none that is broken", wrong) for wrong in seen.wrong]
    if want.expected and want.expected not in seen.at:
        found.append(Mismatch("schema", f"at {want.expected}", f"at {at}"))
    return found


def _impossible(want: Params) -> Params:
    # Not `expected`: some tools do not name what is applied.
    return replace(want, min_applied=1_000_000_000)


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _ask_alembic(host: Host, want: Params, where: str) -> Status:
    current, heads = (
        _run(host, want, where, (*want.command, asked)) for asked in ("current", "heads")
    )
    if heads.rc != 0:
        raise CannotObserve(f"{_shown(want, 'heads')} ended with {heads.rc}: {_last(heads)}")
    if unknown := _UNKNOWN_REVISION.search(current.stdout + current.stderr):
        newest = read_alembic("", heads.stdout)
        wrong = f"the schema is at {unknown[1]}, which the code does not have"
        return Status((unknown[1],), newest.head, (), 1, (wrong,))
    if current.rc != 0:
        raise CannotObserve(f"{_shown(want, 'current')} ended with {current.rc}: {_last(current)}")
    return read_alembic(current.stdout, heads.stdout)


def _run(host: Host, want: Params, where: str, words: tuple[str, ...]) -> CommandResult:
    if where:
        return host.run(shlex.join(("docker", "exec", where, *words)))
    return host.run(f"cd {shlex.quote(want.chdir or '.')} && {shlex.join(words)}")


def _seen(tool: str, status: Status) -> Seen:
    return Seen(tool, status.at, status.head, status.pending, status.applied, status.wrong)


def _shown(want: Params, *more: str) -> str:
    words = shlex.join((*want.command, *more))
    return f"`{words if len(words) <= 120 else words[:120] + '...'}`"  # noqa: PLR2004  a line's worth


def _last(said: CommandResult) -> str:
    lines = (said.stderr.strip() or said.stdout.strip() or "no output").splitlines()
    return lines[-1][:300]
