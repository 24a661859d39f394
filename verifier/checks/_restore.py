"""What several checks know about a backup of a database: how the newest one looks, and what is in it
once it has been restored. It is restored by a server of its own: a container from the image the
database runs from, without a network, without an account of the real one, with an empty data
directory, that ends by itself. So nothing in a dump, a `USE` or a change of connection, can reach the real
database. The whole look is one program on the host, so that it cleans up even when the connection
to it breaks. Of an error only its number and line are kept: its words quote the data.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from verifier.checks._compose import Container, container_of
from verifier.checks._database import Database, query
from verifier.checks.base import CommandResult, Host, Mismatch
from verifier.errors import CannotObserve

SCRATCH = "verifier-scratch"  # what everything made here is called
_MIB = 1_048_576
_TIMED_OUT = 124
_ENGINE_USERS = {"mariadb": "mysql", "postgresql": "postgres"}
_NO_NAME = ("", "0", "root")

# Numbers of errors that tell of the scratch server and not of the backup: no room, no memory, gone.
_SERVERS_OWN = re.compile(
    r"ERROR: +(08|53|57|58|XX)|ERROR (1021|1041|1114|2002|2006|2013|5)\b|FATAL|PANIC"
)

_COUNT_POSTGRESQL = """
SELECT CASE nspname WHEN 'public' THEN relname ELSE nspname || '.' || relname END,
       substring(query_to_xml(format('SELECT count(*) AS c FROM %I.%I', nspname, relname),
                              false, true, '')::text FROM '<c>([0-9]+)</c>')
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
 WHERE relkind = 'r' AND relpersistence <> 't'
   AND nspname <> 'information_schema' AND nspname !~ '^pg_'
 ORDER BY 1
"""

_COUNT_MARIADB = """
SELECT CONCAT('SELECT ', QUOTE(TABLE_NAME), ', COUNT(*) FROM `', REPLACE(TABLE_NAME, '`', '``'), '`')
  FROM information_schema.TABLES
 WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE' ORDER BY TABLE_NAME
"""

# Inside the scratch container. The dump is the standard input of the one command that reads it.
_INSIDE = {
    "mariadb": f"""
tell() {{ printf '%s\\t%s\\n' "$1" "$2"; }}
give_up() {{ tell unready "$1"; exit 1; }}
data=/var/lib/mysql
[ -w "$data" ] && [ -z "$(ls -A "$data")" ] || data=$(mktemp -d) || give_up "no folder for its data"
ask() {{ mariadb --no-defaults --user=root --socket="$data/socket" --default-character-set=utf8mb4 \
    --batch --skip-column-names --raw "$@"; }}
mariadb-install-db --auth-root-authentication-method=normal --skip-test-db --datadir="$data" \
    </dev/null >/dev/null 2>/tmp/said || give_up "mariadb-install-db: $(tail -n 1 /tmp/said)"
mariadbd --datadir="$data" --socket="$data/socket" --pid-file="$data/pid" --skip-networking \
    --event-scheduler=OFF --innodb-buffer-pool-size=64M --innodb-flush-log-at-trx-commit=0 \
    </dev/null >/dev/null 2>/tmp/said &
until ask --execute="SELECT 1" </dev/null >/dev/null 2>&1; do
    kill -0 $! 2>/dev/null || give_up "mariadbd: $(tail -n 1 /tmp/said)"
    sleep 0.2
done
ask --execute="CREATE DATABASE verifier_scratch CHARACTER SET utf8mb4" </dev/null ||
    give_up "no scratch database"
mariadb --no-defaults --user=root --socket="$data/socket" --default-character-set=utf8mb4 \
    verifier_scratch >/dev/null 2>/tmp/said
code=$?
if [ "$code" != 0 ]; then
    tell refused "$(sed -n 's/^\\(ERROR [0-9]* ([0-9A-Z]*) at line [0-9]*\\).*/\\1/p; s/^\\(ERROR [0-9]*\\) .*/\\1/p' \
        /tmp/said | head -n 1) (mariadb ended with $code)"
    exit 0
fi
ask verifier_scratch >/tmp/questions <<'SQL' || give_up "the tables cannot be listed"
{_COUNT_MARIADB}
SQL
sed 's/$/;/' /tmp/questions | ask verifier_scratch >/tmp/rows || give_up "the rows cannot be counted"
sed 's/^/table\\t/' /tmp/rows
tell restored yes
""",
    "postgresql": f"""
tell() {{ printf '%s\\t%s\\n' "$1" "$2"; }}
give_up() {{ tell unready "$1"; exit 1; }}
data=/var/lib/postgresql/data
[ -w "$data" ] && [ -z "$(ls -A "$data")" ] || data=$(mktemp -d) || give_up "no folder for its data"
initdb --pgdata="$data/scratch" --username=postgres --encoding=UTF8 --locale=C --auth=trust --no-sync \
    </dev/null >/dev/null 2>/tmp/said || give_up "initdb: $(tail -n 1 /tmp/said)"
postgres -D "$data/scratch" -c listen_addresses= -c unix_socket_directories="$data" -c fsync=off \
    -c full_page_writes=off -c shared_buffers=32MB -c log_statement=none </dev/null >/dev/null 2>/tmp/said &
ask() {{ psql --no-psqlrc --quiet --no-align --tuples-only --field-separator="$(printf '\\t')" \
    --host="$data" --username=postgres "$@"; }}
until ask --dbname=postgres --command="SELECT 1" </dev/null >/dev/null 2>&1; do
    kill -0 $! 2>/dev/null || give_up "postgres: $(tail -n 1 /tmp/said)"
    sleep 0.2
done
ask --dbname=postgres --command="CREATE DATABASE verifier_scratch TEMPLATE template0" </dev/null ||
    give_up "no scratch database"
printf '%s\\n' "$1" | sed -n 's/..*/CREATE ROLE &;/p' | ask --dbname=postgres >/dev/null 2>&1
ask --dbname=verifier_scratch --set=ON_ERROR_STOP=1 --set=VERBOSITY=sqlstate >/dev/null 2>/tmp/said
code=$?
if [ "$code" != 0 ]; then
    tell refused "$(grep -o -m 1 '[0-9]*: \\(ERROR\\|FATAL\\|PANIC\\): *[0-9A-Z]*' /tmp/said |
        sed 's/^/line /') (psql ended with $code)"
    exit 0
fi
ask --dbname=verifier_scratch >/tmp/rows <<'SQL' || give_up "the rows cannot be counted"
{_COUNT_POSTGRESQL};
SQL
sed 's/^/table\\t/' /tmp/rows
tell restored yes
""",
}

# On the host. Accounts are no part of a backup of one database: the roles a dump names are made first.
_ON_HOST = r"""
umask 077
image=$1 user=$2 inside=$3 within=$4 memory=$5 max_bytes=$6 name=$7 marker=$8
shift 8
tab=$(printf '\t')
tell() { printf '%s\t%s\n' "$1" "$2"; }
remove() { docker rm --force --volumes "$name" >/dev/null 2>&1; }
trap remove EXIT
# PIPE: whoever reads this may be gone, and what was made here must still be removed.
trap 'exit 1' HUP INT PIPE TERM
for program in docker gzip sha256sum timeout; do
    command -v "$program" >/dev/null || { echo "$program is not installed" >&2; exit 1; }
done
now=$(date +%s)

newest() {
    found=$(find "$1" -maxdepth 1 -type f -name "$2" -printf '%T@ %p\n') || exit 1
    found=$(printf '%s\n' "$found" | sort -n | tail -n 1)
    printf '%s' "${found#* }"
}

look_at() {
    tell file "${1##*/}"
    tell age "$(($(date +%s) - $(stat -c %Y -- "$1")))"
    tell mode "$(stat -c %a -- "$1")"
    counted=$(sha256sum <"$1") || exit 1
    counted=${counted%% *} recorded=
    [ ! -f "$1.sha256" ] || read -r recorded rest <"$1.sha256"
    tell recorded "$recorded"
    tell counted "$counted"
    [ ! -f "$1.counts" ] || { tell counts yes; sed "s/^/count$tab/" "$1.counts"; }
    unpacked=$(gzip -cd -- "$1" 2>/dev/null | head -c "$((max_bytes + 1))" | wc -c)
    tell unpacked "$unpacked"
    gzip -t -- "$1" 2>/dev/null || return 0
    tell whole yes
    if gzip -cd -- "$1" | tail -n 8 | grep -q -e "$marker"; then tell ends yes; fi
    [ "$recorded" = "$counted" ] && [ "$unpacked" -le "$max_bytes" ] || return 0
    restore "$1"
}

restore() {
    roles=$(gzip -cd -- "$1" | sed -n -e 's/^ALTER .* OWNER TO \(.*\);$/\1/p' \
        -e 's/^\(GRANT\|REVOKE\) .* \(TO\|FROM\) \(.*\);$/\3/p' \
        -e 's/^ALTER DEFAULT PRIVILEGES FOR ROLE \([^ ]*\) .*/\1/p' |
        grep -Ex '"[^"]+"|[A-Za-z_][A-Za-z0-9_]*' | grep -vx 'PUBLIC\|postgres' | sort -u | head -n 200)
    gzip -cd -- "$1" | timeout -k 10 "$((within + 20))" docker run --interactive --rm --pull never \
        --name "$name" --label verifier.scratch.until="$((now + within + 120))" \
        --label com.docker.compose.project=verifier-scratch --label com.docker.compose.service= \
        --network none --cap-drop ALL --security-opt no-new-privileges --user "$user" \
        --memory "${memory}m" --memory-swap "${memory}m" --pids-limit 200 --cpu-shares 128 \
        --log-driver none --no-healthcheck --entrypoint timeout "$image" \
        -k 5 "$within" sh -c "$inside" sh "$roles"
    tell ended "$?"
}

docker ps --all --filter label=verifier.scratch.until --format '{{.Label "verifier.scratch.until"}} {{.Names}}' |
    while read -r until other; do
        [ "$now" -le "$until" ] || tell left "container $other: docker rm --force --volumes $other"
    done
find "${TMPDIR:-/tmp}" -maxdepth 1 -type d -name 'verifier-scratch-*' -user "$(id -u)" -mmin +60 2>/dev/null |
    while read -r other; do tell left "folder $other: rm -r $other"; done
"""

_NEWEST_IN = """
file=$(newest "$1" "$2") || exit 1
[ -z "$file" ] || look_at "$file"
tell looked yes
"""

# The program writes into a folder that is gone afterwards; what it says may hold data and is not kept.
_OF_PROGRAM = """
program=$1 pattern=$2 chdir=$3 allowed=$4
shift 4
folder=$(mktemp -d "${TMPDIR:-/tmp}/verifier-scratch-XXXXXXXX") || exit 1
remove() { docker rm --force --volumes "$name" >/dev/null 2>&1; rm -rf -- "$folder"; }
cd -- "$chdir" || exit 1
if [ -f "$program" ]; then tell program yes; fi
if [ -x "$program" ]; then
    tell executable yes
    for word; do
        shift
        [ "$word" != '{folder}' ] || word=$folder
        set -- "$@" "$word"
    done
    timeout -k 5 "$allowed" "$program" "$@" </dev/null >/dev/null 2>&1
    tell exit "$?"
    file=$(newest "$folder" "$pattern") || exit 1
    [ -z "$file" ] || look_at "$file"
fi
tell looked yes
"""

Seconds = Annotated[int, Field(ge=5, le=3600)]
Megabytes = Annotated[int, Field(ge=1, le=65536)]


@dataclass(frozen=True, slots=True)
class Room:
    """What a restore may take: `max_mb` is the size of the dump when it is unpacked."""

    within_s: int
    max_mb: int
    memory_mb: int


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows of one table, at the least and at the most: two looks need not agree."""

    table: str
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Backup:
    """One dump file, and what its restored copy holds. `file` is "" when there is none; `recorded`
    and `counted` are its checksum; `recorded_rows` is None when nothing was recorded beside it;
    `refused` says where the scratch server did not accept it.
    """

    file: str = ""
    age_s: int = 0
    mode: str = ""
    recorded: str = ""
    counted: str = ""
    whole: bool = False
    ends: bool = False
    recorded_rows: tuple[Rows, ...] | None = None
    refused: str = ""
    tables: tuple[Rows, ...] = ()
    left: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Program:
    """What became of a program that makes a backup. `exit_code` is None when it was not run."""

    exists: bool = False
    executable: bool = False
    exit_code: int | None = None


def look_at_newest(
    host: Host, database: Database, room: Room, directory: str, pattern: str
) -> Backup:
    """The newest dump in a folder, restored. CannotObserve when it could not be tried."""
    said = _run(host, database, room, _NEWEST_IN, directory, pattern)
    return _backup(said, room)


def look_at_output(
    host: Host, database: Database, room: Room, argv: tuple[str, ...], pattern: str, chdir: str
) -> tuple[Program, Backup]:
    """What a program writes into a scratch folder (`{folder}` among its words), restored."""
    words = (argv[0], pattern, chdir, str(room.within_s), *argv[1:])
    said = _run(host, database, room, _OF_PROGRAM, *words)
    told = read_told(said)
    code = int(told["exit"][0]) if "exit" in told else None
    if code == _TIMED_OUT:
        raise CannotObserve(f"{argv[0]} did not end within {room.within_s} s")
    return Program("program" in told, "executable" in told, code), _backup(said, room)


def live_rows(host: Host, database: Database) -> dict[str, int]:
    """How many rows each table of the real database has now."""
    if database.engine == "postgresql":
        rows = query(host, database, _COUNT_POSTGRESQL)
    else:
        questions = [row[0] for row in query(host, database, _COUNT_MARIADB)]
        rows = query(host, database, " UNION ALL ".join(questions)) if questions else []
    return {name: int(count) for name, count in rows}


def between(before: dict[str, int], after: dict[str, int]) -> tuple[Rows, ...]:
    """What a copy made between two counts may hold; a table that was made or removed is left out."""
    both = sorted(before.keys() & after.keys())
    return tuple(
        Rows(name, min(before[name], after[name]), max(before[name], after[name])) for name in both
    )


def wrong_with_file(backup: Backup, mode: str) -> list[Mismatch]:
    """What keeps a dump from being restored at all."""
    what = f"backup {backup.file}"
    found = []
    if mode and backup.mode.zfill(4) != mode:
        found.append(Mismatch(what, f"mode {mode}", backup.mode.zfill(4)))
    if not backup.recorded:
        found.append(Mismatch(what, "a checksum beside it", "there is no .sha256 file"))
    elif backup.recorded != backup.counted:
        saw = f"{backup.counted[:12]}…: it was changed or cut"
        found.append(Mismatch(what, f"SHA-256 {backup.recorded[:12]}…", saw))
    if not backup.whole:
        found.append(
            Mismatch(what, "unpacks without an error", "gzip finds it damaged or cut short")
        )
    elif not backup.ends:
        saw = "no such line: the dump was cut short, or is empty"
        found.append(Mismatch(what, "the line a dump program writes at its end", saw))
    if backup.refused:
        saw = f"refused: {backup.refused}; see that line with `gzip -cd {backup.file}`"
        found.append(Mismatch(what, "a scratch server restores it without an error", saw))
    return found


def wrong_with_rows(
    backup: Backup, wanted: tuple[Rows, ...], may_differ: int, tables: Iterable[str]
) -> list[Mismatch]:
    """How the restored copy differs from what it should hold."""
    what = f"restored from {backup.file}"
    if not backup.tables:
        return [Mismatch(what, "tables", "none")]
    copy = {one.table: one.least for one in backup.tables}
    found = [
        Mismatch(f"table {name} {what}", "there", "missing")
        for name in sorted({*tables, *(w.table for w in wanted)} - copy.keys())
    ]
    for one in wanted:
        rows = copy.get(one.table, one.least)
        if not one.least - may_differ <= rows <= one.most + may_differ:
            exact = one.least - may_differ == one.most + may_differ
            span = f"{one.least - may_differ} to {one.most + may_differ}"
            wants = f"{one.least} rows" if exact else f"{span} rows"
            found.append(Mismatch(f"table {one.table} {what}", wants, str(rows)))
    extra = sorted(copy.keys() - {w.table for w in wanted})
    return found + [
        Mismatch(f"table {n} {what}", "not there", f"{copy[n]} rows") for n in extra if wanted
    ]


def wrong_with_leftovers(backup: Backup) -> list[Mismatch]:
    """What an earlier look that was killed has left behind. Never removed here."""
    return [
        Mismatch("scratch of an earlier look", "removed", f"still there: {left}")
        for left in backup.left
    ]


def _run(host: Host, database: Database, room: Room, program: str, *words: str) -> CommandResult:
    container = container_of(host, database.project, database.service)
    marker = {
        "mariadb": "^-- Dump completed",
        "postgresql": "^-- PostgreSQL database dump complete",
    }
    given = (
        container.image_id,
        _user_of(container, database),
        _INSIDE[database.engine],
        str(room.within_s),
        str(room.memory_mb),
        str(room.max_mb * _MIB),
        f"{SCRATCH}-{secrets.token_hex(4)}",
        marker[database.engine],
        *words,
    )
    holes = " ".join(["%s"] * len(given))
    return host.run(f"sh -c %s sh {holes}", _ON_HOST + program, *given)


def _user_of(container: Container, database: Database) -> str:
    # An image that begins as root and changes to another user has no use for it here.
    user = str(container.raw["Config"].get("User") or "")
    return user if user.partition(":")[0] not in _NO_NAME else _ENGINE_USERS[database.engine]


def read_told(said: CommandResult) -> dict[str, list[str]]:
    """What a program on the host said of a backup, line by line: a key, a tab, the rest. CannotObserve
    when it did not come to its end.
    """
    told: dict[str, list[str]] = {}
    for line in said.stdout.splitlines():
        key, _, rest = line.partition("\t")
        told.setdefault(key, []).append(rest)
    if said.rc != 0 or "looked" not in told:
        lines = said.stderr.strip().splitlines() or ["no reason"]
        raise CannotObserve(f"the backup could not be looked at ({said.rc}): {lines[-1][:300]}")
    return told


def _backup(said: CommandResult, room: Room) -> Backup:
    told = read_told(said)
    if "file" not in told:
        return Backup(left=tuple(told.get("left", ())))
    if int(told["unpacked"][0]) > room.max_mb * _MIB:
        raise CannotObserve(f"{told['file'][0]} unpacks to more than {room.max_mb} MiB (max_mb)")
    refused = _refusal(told, said, room)
    return Backup(
        file=told["file"][0],
        age_s=int(told["age"][0]),
        mode=told["mode"][0],
        recorded=told["recorded"][0],
        counted=told["counted"][0],
        whole="whole" in told,
        ends="ends" in told,
        recorded_rows=_recorded_rows(told) if "counts" in told else None,
        refused=refused,
        tables=_tables(told),
        left=tuple(told.get("left", ())),
    )


def _refusal(told: dict[str, list[str]], said: CommandResult, room: Room) -> str:
    """Why the scratch server refused the dump; CannotObserve when it had nothing to say about it."""
    if "ended" not in told:
        return ""  # what is wrong with the file says why it was not tried
    if int(told["ended"][0]) == _TIMED_OUT:
        raise CannotObserve(f"{told['file'][0]} was not restored within {room.within_s} s")
    if "restored" in told and told["ended"] == ["0"]:
        return ""
    refused = told.get("refused", [""])[0]
    if refused and not _SERVERS_OWN.search(refused):
        return refused
    lines = said.stderr.strip().splitlines() or [f"it ended with {told['ended'][0]}"]
    why = refused or told.get("unready", [lines[-1]])[0]
    raise CannotObserve(f"the scratch server failed, which says nothing of the backup: {why[:300]}")


def _recorded_rows(told: dict[str, list[str]]) -> tuple[Rows, ...]:
    """Lines `before TABLE ROWS` and `after TABLE ROWS`: counts from before and after the dump."""
    counts: dict[str, dict[str, int]] = {"before": {}, "after": {}}
    for line in told.get("count", []):
        words = line.split("\t")
        if len(words) != 3 or words[0] not in counts or not words[2].isdigit():  # noqa: PLR2004
            raise CannotObserve("the .counts file beside the backup cannot be read")
        counts[words[0]][words[1]] = int(words[2])
    return between(counts["before"], counts["after"])


def _tables(told: dict[str, list[str]]) -> tuple[Rows, ...]:
    pairs = (line.rpartition("\t") for line in told.get("table", []))
    return tuple(Rows(name, int(rows), int(rows)) for name, _, rows in pairs)
