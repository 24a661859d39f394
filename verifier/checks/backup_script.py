"""The application's own backup program exists, runs, and what it writes can be restored: it is.

    - id: backup-program-works
      check: backup_script
      timeout_s: 300
      with:
        path: "{{ release_dir }}/backup.sh"
        arguments: ["{folder}"]
        pattern: "shop-*.sql.gz"
        database: {engine: postgresql, project: shop, service: db}
        tables: [orders]

The program is run as the user of the look, in `chdir` (its own folder when empty), with `arguments`,
of which `{folder}` becomes a scratch folder (0700) that is removed afterwards with everything in it.
It must be there, be executable and end with 0, and the newest file in that folder that matches
`pattern` must be a dump with a checksum beside it that a scratch server restores, as
`database_restore` describes. What the program records of its own work is not believed: the rows of
each table are counted in the real database before and after, and the restored copy must hold a
number in between; `may_differ_rows` allows for tables that lose rows as well as gain them.

So a program that says 0 and writes an empty, cut or partial dump is red. What it prints may hold
data and is not kept: run it by hand to read it. No running database container and a program or a
restore that takes longer than `within_s` are no answer. That the program is also called regularly
is for `cron_job` and the age in `database_restore`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from verifier.checks._database import Database
from verifier.checks._restore import (
    Backup,
    Megabytes,
    Program,
    Room,
    Rows,
    Seconds,
    between,
    live_rows,
    look_at_output,
    wrong_with_file,
    wrong_with_leftovers,
    wrong_with_rows,
)
from verifier.checks.base import Check, Host, Mismatch

_Word = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Params:
    path: Annotated[str, Field(pattern=r"^/.*[^/]$")]
    pattern: _Word
    database: Database
    arguments: tuple[str, ...] = ("{folder}",)
    chdir: str = ""
    tables: tuple[_Word, ...] = ()
    mode: str = "0600"
    may_differ_rows: Annotated[int, Field(ge=0)] = 0
    within_s: Seconds = 120
    max_mb: Megabytes = 512
    memory_mb: Annotated[int, Field(ge=128, le=65536)] = 512

    def __post_init__(self) -> None:
        if "{folder}" not in self.arguments:
            raise ValueError("arguments: one of them is `{folder}`, where the program writes to")


@dataclass(frozen=True, slots=True)
class Seen:
    """`live` is how many rows the real tables had around the run."""

    program: Program
    backup: Backup
    live: tuple[Rows, ...] = ()


def observe(host: Host, want: Params) -> Seen:
    room = Room(want.within_s, want.max_mb, want.memory_mb)
    argv = (want.path, *want.arguments)
    chdir = want.chdir or want.path.rpartition("/")[0] or "/"
    before = live_rows(host, want.database)
    program, backup = look_at_output(host, want.database, room, argv, want.pattern, chdir)
    after = live_rows(host, want.database) if backup.tables else before
    return Seen(program, backup, between(before, after))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    program, backup = seen.program, seen.backup
    left = wrong_with_leftovers(backup)
    if not program.exists:
        return [Mismatch(want.path, "the backup program", "nothing there"), *left]
    if not program.executable:
        saw = f"not executable: chmod +x {want.path}"
        return [Mismatch(want.path, "a program that can be run", saw), *left]
    found = left
    if program.exit_code != 0:
        saw = f"{program.exit_code}: run it by hand to read what it says"
        found = [*left, Mismatch(want.path, "to end with 0", saw)]
    if not backup.file:
        return [*found, Mismatch(f"what {want.path} wrote", f"a file {want.pattern}", "none")]
    found = found + wrong_with_file(backup, want.mode)
    if not backup.whole or backup.recorded != backup.counted or backup.refused:
        return found  # nothing was restored, and why has been said
    return found + wrong_with_rows(backup, seen.live, want.may_differ_rows, want.tables)


def _impossible(want: Params) -> Params:
    return replace(want, tables=(*want.tables, "verifier_no_such_table"))


CHECK = Check(Params, observe, judge, impossible=_impossible)
