"""The newest backup of a database is fresh, whole, and can be restored: it is.

    - id: backup-restorable
      check: database_restore
      timeout_s: 240
      with:
        directory: "{{ release_root }}/backups"
        pattern: "shop-*.sql.gz"
        database: {engine: postgresql, project: shop, service: db}
        tables: [orders]

The newest file that matches must be younger than `max_age_s`, have the SHA-256 in `<file>.sha256`,
the permissions `mode`, unpack without an error and end with the line a dump program writes last.
Then it is restored by a server of its own: a container called `verifier-scratch-...` from the very
image the database's service runs from, with an empty data directory, no network and no account of
the real server, which is not touched. `memory_mb` and `within_s` bound it, and afterwards it is
gone. The rows of each restored table must be those that the backup recorded: `<file>.counts` holds
lines `before TABLE ROWS` and `after TABLE ROWS`, parted by tabs, counted when the dump began and
when it ended, and a table that grew meanwhile may have any number in between. A backup from
elsewhere has no such file: with `compare: live` the rows are held against the real tables instead,
of which `may_differ_rows` may have come or gone since. A missing table, one too many, a copy
without any table, and a dump the scratch server refuses are red; so is an absent one of `tables`.
A scratch container that outlived its time is red and named, never removed.

No running database container, an image that cannot start a second server, a dump that unpacks to
more than `max_mb`, and a restore that takes longer than `within_s` are no answer: give the item's
`timeout_s` more than that. It does not see wrong values in the right number of rows; the checksum
says that they are the ones that were dumped. Accounts are no part of a backup of one database: the
roles that a PostgreSQL dump names are made first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field

from verifier.checks._database import Database
from verifier.checks._restore import (
    Backup,
    Megabytes,
    Room,
    Rows,
    Seconds,
    between,
    live_rows,
    look_at_newest,
    wrong_with_file,
    wrong_with_leftovers,
    wrong_with_rows,
)
from verifier.checks.base import Check, Host, Mismatch

_Word = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Params:
    directory: _Word
    pattern: _Word
    database: Database
    tables: tuple[_Word, ...] = ()
    max_age_s: Annotated[int, Field(gt=0)] = 86400
    mode: str = "0600"
    compare: Literal["recorded", "live"] = "recorded"
    may_differ_rows: Annotated[int, Field(ge=0)] = 0
    within_s: Seconds = 120
    max_mb: Megabytes = 512
    memory_mb: Annotated[int, Field(ge=128, le=65536)] = 512

    def __post_init__(self) -> None:
        if self.may_differ_rows and self.compare == "recorded":
            raise ValueError(
                "may_differ_rows belongs to `compare: live`: what was recorded is exact"
            )


@dataclass(frozen=True, slots=True)
class Seen:
    """`live` are the rows of the real tables, when they are what is compared with."""

    backup: Backup
    live: tuple[Rows, ...] = ()


def observe(host: Host, want: Params) -> Seen:
    room = Room(want.within_s, want.max_mb, want.memory_mb)
    backup = look_at_newest(host, want.database, room, want.directory, want.pattern)
    if want.compare == "recorded" or not backup.tables:
        return Seen(backup)
    now = live_rows(host, want.database)
    return Seen(backup, between(now, now))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    backup = seen.backup
    left = wrong_with_leftovers(backup)
    if not backup.file:
        return [Mismatch(f"backups in {want.directory}", f"a file {want.pattern}", "none"), *left]
    found = left + wrong_with_file(backup, want.mode)
    if backup.age_s > want.max_age_s:
        wanted = f"younger than {want.max_age_s} s"
        found.append(Mismatch(f"backup {backup.file}", wanted, f"{backup.age_s} s old"))
    if not backup.whole or backup.recorded != backup.counted or backup.refused:
        return found  # nothing was restored, and why has been said
    wanted_rows = seen.live if want.compare == "live" else backup.recorded_rows
    if not wanted_rows:
        beside = "there are none" if backup.recorded_rows == () else "there is no .counts file"
        saw = "no table there" if want.compare == "live" else beside
        found.append(Mismatch(f"backup {backup.file}", "row counts to compare with", saw))
    return found + wrong_with_rows(backup, wanted_rows or (), want.may_differ_rows, want.tables)


def _impossible(want: Params) -> Params:
    return replace(want, tables=(*want.tables, "verifier_no_such_table"))


CHECK = Check(Params, observe, judge, impossible=_impossible)
