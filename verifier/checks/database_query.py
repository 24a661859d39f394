"""A question to the database has the wanted answer.

    - id: one-administrator
      check: database_query
      with:
        database: {engine: postgresql, project: shop, service: db}
        query: SELECT count(*) FROM users WHERE role = 'admin'
        equals: "1"
    - id: no-orphans
      check: database_query
      with:
        database: {engine: mariadb, project: shop, service: db}
        query: SELECT id FROM files LEFT JOIN owners USING (owner) WHERE owners.owner IS NULL
        empty: true

`query` is one single statement that only reads: SELECT, WITH or SHOW. A second statement, a comment,
a backslash, a `$`, INTO, FOR UPDATE and other locks, every word that writes, and functions that wait,
read files or change the session are refused while the checklist is read. It is asked with the
account the container was configured with, in a transaction that the engine keeps from writing.
`equals` is compared with the first cell of the first row, as text; a missing value is `NULL`.
`at_least` and `at_most` are bounds of that cell as a number; `rows` is the number of rows,
`empty: true` asks that there is none and `empty: false` that there is one. One of them is required.

Without a row there is no first cell: that is red. Of the answer three rows of 200 characters are
kept at most, and nothing from columns whose name sounds like a secret. If the question itself names
a secret, only numbers are kept, for a column can be given another name. A question that the database
refuses, or whose answer is longer than 1 MiB, is no answer.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from verifier.checks._compose import container_of
from verifier.checks._database import Database
from verifier.checks._secret import is_secret
from verifier.checks.base import Check, CommandResult, Host, Mismatch
from verifier.errors import CannotObserve

_MAX_CHARACTERS = 1_048_576
_ROWS_KEPT = 3
_ROW_KEPT = 200
_COUNT_DIGITS = 15  # a longer number is no count of anything
_HIDDEN = "[hidden]"
_MORE_SECRETS = re.compile(
    r"\bgrants\b|\bcreate\s+user\b|authentication_string|\bpass|\bpwd", re.IGNORECASE
)
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`")
_WRITES = re.compile(
    r"\b(into|insert|update|delete|merge|upsert|drop|alter|create|truncate|grant|revoke|lock|call"
    r"|do|copy|handler|load_file|load|execute|prepare|vacuum|analyze|set_config|setval|nextval"
    r"|sleep|benchmark|pg_sleep\w*|get_lock|release_lock|release_all_locks|pg_advisory\w*"
    r"|pg_try_advisory\w*|pg_read\w*|pg_ls\w*|pg_terminate\w*|pg_cancel\w*|pg_reload\w*|pg_switch\w*"
    r"|pg_notify|lo_\w+|dblink\w*|for\s+(no\s+key\s+|key\s+)?(update|share))\b",
    re.IGNORECASE,
)

# As in `_database`, but the names of the columns come with the rows, and nothing can be written.
_CLIENTS = {
    "mariadb": (
        'client=$(command -v mariadb || command -v mysql) && export MYSQL_PWD="${password}" && '
        'exec "$client" --protocol=tcp --host=127.0.0.1 --connect-timeout=5 --user="${user}" '
        "--default-character-set=utf8mb4 --init-command='SET SESSION TRANSACTION READ ONLY' "
        '--batch --execute="$1" "${name}"'
    ),
    "postgresql": (
        'export PGPASSWORD="${password}" PGCONNECT_TIMEOUT=5 PGCLIENTENCODING=UTF8 '
        "PGOPTIONS='-c default_transaction_read_only=on -c statement_timeout=60000' && "
        "exec psql --no-psqlrc --quiet --csv --pset=null=NULL --host=127.0.0.1 "
        '--username="${user}" --dbname="${name}" --command="$1"'
    ),
}


@dataclass(frozen=True, slots=True)
class Params:
    database: Database
    query: Annotated[str, Field(min_length=1)]
    equals: str = ""
    at_least: float | None = None
    at_most: float | None = None
    rows: Annotated[int, Field(ge=0)] | None = None
    empty: bool | None = None

    def __post_init__(self) -> None:
        _refuse_what_is_no_question(self.query)
        needs_a_row = bool(self.equals) or self.at_least is not None or self.at_most is not None
        if not needs_a_row and self.rows is None and self.empty is None:
            raise ValueError("one of equals, at_least, at_most, rows and empty is required")
        if needs_a_row and (self.empty or self.rows == 0):
            raise ValueError("equals, at_least and at_most ask about a row that must not be there")
        if self.rows is not None and self.empty is not None:
            raise ValueError("rows and empty ask for the same: give one of them")
        if None not in (self.at_least, self.at_most) and self.at_least > self.at_most:  # type: ignore[operator]
            raise ValueError("at_least is more than at_most")


@dataclass(frozen=True, slots=True)
class Seen:
    """`shown` are the first rows as they may be kept; `first` is the first cell in the same way and
    `number` its value when it is a number. `equal` says whether the cell, hidden or not, is what
    `equals` wants.
    """

    rows: int
    columns: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    first: str = ""
    number: float | None = None
    equal: bool = False


def observe(host: Host, want: Params) -> Seen:
    script = _CLIENTS[want.database.engine]
    for variable in ("user", "password", "name"):
        name = getattr(want.database, variable)
        script = script.replace("${" + variable + "}", "${" + name + "}")
    container = container_of(host, want.database.project, want.database.service)
    asked = want.query.strip().rstrip(";")
    said = host.run("docker exec %s sh -c %s sh %s", container.id, script, asked)
    if said.rc != 0:
        raise CannotObserve(f"the database has no answer ({said.rc}): {_complaint(want, said)}")
    answer = said.stdout
    if len(answer) > _MAX_CHARACTERS:
        raise CannotObserve("the answer is longer than 1 MiB: ask for a number, or for fewer rows")
    read = _read_batch if want.database.engine == "mariadb" else _read_csv
    columns, rows = read(answer)
    if any(len(row) != len(columns) for row in rows):
        raise CannotObserve("the rows of the answer do not have the columns it names")
    return _seen(want, columns, rows)


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    what = _shown_query(want.query)
    shown = "; ".join(seen.shown)
    saw_rows = f"{seen.rows}: {shown}" if shown else str(seen.rows)
    found = []
    if want.rows is not None and seen.rows != want.rows:
        found.append(Mismatch(what, f"{want.rows} rows", saw_rows))
    if want.empty and seen.rows:
        found.append(Mismatch(what, "no row", saw_rows))
    if want.empty is False and not seen.rows:
        found.append(Mismatch(what, "a row", "none"))
    return found + _judge_cell(what, want, seen)


def _impossible(want: Params) -> Params:
    return replace(
        want, equals="verifier-no-such-thing", at_least=None, at_most=None, rows=None, empty=None
    )


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _refuse_what_is_no_question(query: str) -> None:
    if "\\" in query or "\0" in query:
        raise ValueError("query: a backslash means something else to each engine; leave it out")
    bare = _QUOTED.sub("''", query).strip().rstrip(";")
    if re.search(r"['\"`]", bare.replace("''", "")):
        raise ValueError("query: a quotation mark is not closed")
    if re.search(r"--|#|/\*|\$", bare):
        raise ValueError("query: no comment and no `$` outside of a quoted text")
    if ";" in bare:
        raise ValueError("query: one single statement")
    words = re.match(r"\(*\s*(select|with|show)\b", bare, re.IGNORECASE)
    if not words:
        raise ValueError("query: only SELECT, WITH and SHOW read and do nothing else")
    # SHOW CREATE TABLE reads: after SHOW such a word is a subject.
    if words[1].lower() != "show" and (writes := _WRITES.search(bare)):
        raise ValueError(f"query: '{writes[0]}' is not for a question that only reads")


def _complaint(want: Params, said: CommandResult) -> str:
    # An error may quote a value: "invalid input syntax for integer".
    if _names_a_secret(want.query):
        return f"its words are {_HIDDEN}, for the question names a secret"
    lines = said.stderr.strip().splitlines() or ["no output"]
    return next((line for line in lines if "ERROR" in line), lines[-1]).strip()[:300]


def _names_a_secret(text: str) -> bool:
    return is_secret(text) or bool(_MORE_SECRETS.search(text))


def _read_batch(answer: str) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    # In batch mode the client writes line ends and tabs of a value as \n and \t: a line is a row.
    lines = [tuple(line.split("\t")) for line in answer.split("\n")[:-1]]
    return (lines[0], lines[1:]) if lines else ((), [])


def _read_csv(answer: str) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    lines = [tuple(row) for row in csv.reader(io.StringIO(answer, newline=""))]
    if not lines:
        raise CannotObserve("the answer does not name its columns")
    # A single empty value is an empty line to the one who writes, and no value to the one who reads.
    rows = [row or ("",) for row in lines[1:]]
    return lines[0], rows


def _seen(want: Params, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> Seen:
    if not rows:
        return Seen(0, columns)
    secret = _names_a_secret(want.query)
    kept = [
        tuple(_keep(name, cell, secret) for name, cell in zip(columns, row, strict=True))
        for row in rows[:_ROWS_KEPT]
    ]
    return Seen(
        len(rows),
        columns,
        tuple(" | ".join(row)[:_ROW_KEPT] for row in kept),
        kept[0][0][:_ROW_KEPT],
        _number(kept[0][0]),
        rows[0][0] == want.equals,
    )


def _keep(column: str, cell: str, secret: bool) -> str:  # noqa: FBT001  it is the question's, for every cell
    if _names_a_secret(column):
        return _HIDDEN
    is_short_number = len(cell) <= _COUNT_DIGITS and _number(cell) is not None
    return cell if not secret or cell == "NULL" or is_short_number else _HIDDEN


def _number(cell: str) -> float | None:
    return (
        float(cell) if re.fullmatch(r"[-+]?\d{1,40}(\.\d{1,40})?(e[-+]?\d{1,2})?", cell) else None
    )


def _shown_query(query: str) -> str:
    words = " ".join(query.split())
    return f"`{words if len(words) <= 120 else words[:120] + '...'}`"  # noqa: PLR2004  a line's worth


def _judge_cell(what: str, want: Params, seen: Seen) -> list[Mismatch]:
    bounds = [
        text
        for text, bound in (
            (f"at least {want.at_least:g}" if want.at_least is not None else "", want.at_least),
            (f"at most {want.at_most:g}" if want.at_most is not None else "", want.at_most),
        )
        if bound is not None
    ]
    wanted = " and ".join([f"'{want.equals}'"] * bool(want.equals) + bounds)
    if not wanted:
        return []
    if not seen.rows:
        return [Mismatch(what, wanted, "no row")]
    if want.equals and not seen.equal:
        return [Mismatch(what, wanted, f"'{seen.first}'")]
    if bounds and seen.number is None:
        return [Mismatch(what, wanted, f"'{seen.first}', which is no number")]
    low = want.at_least is not None and (seen.number or 0) < want.at_least
    high = want.at_most is not None and (seen.number or 0) > want.at_most
    return [Mismatch(what, wanted, f"{seen.number:g}")] if low or high else []
