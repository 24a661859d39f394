"""What the status commands of migration tools print, read into facts. Nothing is run and nothing is
judged here; a text that is not surely one tool's is refused, and so is a line whose state is not
known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from verifier.errors import CannotObserve

_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_REVISION = re.compile(r"^([A-Za-z0-9_.-]+)((?: \([^()]+\))*)$")


@dataclass(frozen=True, slots=True)
class Status:
    """`at` are the last applied migrations (one for each app or branch) as far as the tool names
    them, `applied` how many are applied as far as is told (0: none at all), `wrong` what is neither
    applied nor pending but broken, in words.
    """

    at: tuple[str, ...] = ()
    head: str = ""
    pending: tuple[str, ...] = ()
    applied: int = 0
    wrong: tuple[str, ...] = ()


def tell_tool(text: str) -> str:
    """The one tool whose status this is; CannotObserve when it is no tool's, or more than one's."""
    plain = _plain(text)
    tools = [tool for tool, sign in _SIGNS.items() if re.search(sign, plain, re.MULTILINE)]
    if len(tools) == 1:
        return tools[0]
    if tools:
        raise CannotObserve(
            f"the migration status may be of {' or '.join(tools)}: say which with `tool`"
        )
    raise CannotObserve(f"the migration status is not understood: {_last(plain)}")


def read_status(tool: str, text: str) -> Status:
    """The facts in a tool's own words; CannotObserve when they are not understood."""
    plain = _plain(text)
    try:
        status = _READERS[tool](plain)
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise CannotObserve(f"the migration status is not understood: {_last(plain)}") from error
    if status is None:
        raise CannotObserve(f"the migration status of {tool} is not understood: {_last(plain)}")
    return status


def read_alembic(current: str, heads: str) -> Status:
    """Of `alembic current` and `alembic heads`; a branch's head that is not current is pending."""
    at, newest = _revisions(current), _revisions(heads)
    if not newest:
        return Status(at, applied=len(at), wrong=("the code has no migration",))
    pending = tuple(head for head in newest if head not in at)
    return Status(at, ", ".join(newest), pending, len(at))


def _plain(text: str) -> str:
    return _COLOUR.sub("", text).replace("\r", "").replace("\N{NO-BREAK SPACE}", " ")


def _last(plain: str) -> str:
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    return f"'{lines[-1][:200]}'" if lines else "no output"


def _of_lines(lines: Iterator[tuple[bool, str]]) -> Status | None:
    """From what is applied (True) and what is pending, in order; None when nothing is listed."""
    listed = list(lines)
    done = [name for is_applied, name in listed if is_applied]
    pending = tuple(name for is_applied, name in listed if not is_applied)
    if not listed:
        return None
    return Status(tuple(done[-1:]), listed[-1][1], pending, len(done))


def _json(plain: str) -> Status | None:
    state = json.loads(plain.strip().splitlines()[-1])
    if isinstance(state["pending"], str):
        return None
    pending = tuple(str(name) for name in state["pending"])
    at = (str(state["current"]),) if state["current"] else ()
    return Status(at, str(state["head"] or ""), pending, len(at))


def _prisma(plain: str) -> Status | None:
    found = re.search(r"^(\d+|No) migrations? found in", plain, re.MULTILINE)
    if not found:
        return None
    total = 0 if found[1] == "No" else int(found[1])
    pending = _below(plain, r"have not yet been applied:")
    wrong = [f"failed: {name}" for name in _below(plain, r"^Following migrations? ha\w+ failed:")]
    strange = r"not found locally|missing from the local migrations directory"
    wrong += [f"not in the code: {name}" for name in _below(plain, strange)]
    if "not managed by Prisma Migrate" in plain:
        return Status(pending=pending, wrong=("the database is not managed by Prisma Migrate",))
    if re.search(r"up to date|up-to-date", plain) and not (pending or wrong):
        return Status(applied=total)
    if not (pending or wrong):
        return None
    return Status((), pending[-1] if pending else "", pending, total - len(pending), tuple(wrong))


def _below(plain: str, heading: str) -> tuple[str, ...]:
    """The names that stand, one a line, under a heading; it ends with an empty line or a sentence."""
    lines = plain.splitlines()
    names: list[str] = []
    for number, line in enumerate(lines):
        if not re.search(heading, line):
            continue
        for below in lines[number + 1 :]:
            name = below.strip()
            if not name and names:
                break
            if name and not re.fullmatch(r"\S+", name):
                break
            names += [name] if name else []
        # A heading without a name below it still says that there is one.
        names = names or ["(not named)"]
    return tuple(names)


def _django(plain: str) -> Status | None:
    app, at, pending, applied, last = "", {}, [], 0, ""
    for line in plain.splitlines():
        if re.fullmatch(r"[A-Za-z_]\w*", line):
            app = line
        elif row := re.match(r"^ ?\[([X \-])\]\s+(\S+)", line):
            name = row[2] if line.startswith("[") else f"{app}.{row[2]}"
            last = name
            if row[1] == "X":
                at[name.partition(".")[0]], applied = name, applied + 1
            else:
                pending.append(name)
        elif "[" in line:
            return None
    if not last:
        return Status() if "(no migrations)" in plain else None
    return Status(tuple(at.values()), last, tuple(pending), applied)


def _rails(plain: str) -> Status | None:
    if re.search(r"Schema migrations table does not exist yet", plain):
        return Status()
    if "Migration ID" not in plain:
        return None
    rows = re.findall(r"^ +(\S+) +(\d+) +(\S.*?) *$", plain, re.MULTILINE)
    if any(state not in ("up", "down") for state, _, _ in rows):
        return None
    wrong = tuple(f"not in the code: {number}" for _, number, name in rows if "NO FILE" in name)
    status = _of_lines((s == "up", n) for s, n, _ in rows) or Status()
    return Status(status.at, status.head, status.pending, status.applied, wrong)


def _laravel(plain: str) -> Status | None:
    if re.search(r"Migration table not found|No migrations found", plain):
        return Status()
    rows = [
        (state, name)
        for name, state in re.findall(
            r"^ *(\S+) \.{2,} (?:\[\d+\] )?(Ran|Pending) *$", plain, re.MULTILINE
        )
    ]
    rows += re.findall(r"^\| (Yes|No) +\| (\S+) +\|", plain, re.MULTILINE)
    dotted = len(re.findall(r"^ *\d{4}_\S+ \.{2,}", plain, re.MULTILINE))
    tabled = len(re.findall(r"^\| [^|]+\| \d{4}_", plain, re.MULTILINE))
    if len(rows) < dotted + tabled:
        return None
    return _of_lines((state in ("Ran", "Yes"), name) for state, name in rows)


def _typeorm(plain: str) -> Status | None:
    rows = re.findall(r"^ *\[([X ])\] (?:\d+ )?([\w$.-]+) *$", plain, re.MULTILINE)
    if len(rows) != len(re.findall(r"^ *\[.\] ", plain, re.MULTILINE)):
        return None
    return _of_lines((mark == "X", name) for mark, name in rows)


def _knex(plain: str) -> Status | None:
    found = re.search(
        r"^(?:No|Found (\d+)) Completed Migration file(?:/files|s Found)\. *\n(.*?)"
        r"^(?:No|Found (\d+)) Pending Migration file(?:/files|s Found)\. *$(.*)",
        plain,
        re.MULTILINE | re.DOTALL,
    )
    if not found:
        return None
    done, pending = (re.findall(r"^(\S+) *$", found[part], re.MULTILINE) for part in (2, 4))
    if (len(done), len(pending)) != (int(found[1] or 0), int(found[3] or 0)):
        return None
    return _of_lines((name in done, name) for name in (*done, *pending)) or Status()


def _sequelize(plain: str) -> Status | None:
    rows = re.findall(r"^(up|down) +(\S+) *$", plain, re.MULTILINE)
    if not rows and re.search(r"^Using environment .*\s*\Z", plain, re.MULTILINE):
        return Status()
    return _of_lines((state == "up", name) for state, name in rows)


_FLYWAY_APPLIED = {"Success", "Baseline", "Out of Order", "Superseded", "Below Baseline", "Deleted"}
_FLYWAY_PENDING = {"Pending", "Outdated", "Undone"}
_FLYWAY_WRONG = {"Failed", "Missing", "Future", "Ignored", "Above Target", "Missing (Failed)"}
_FLYWAY_WRONG |= {"Failed (Missing)", "Failed (Future)", "Future (Failed)"}


def _flyway(plain: str) -> Status | None:
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in plain.splitlines()
        if line.startswith("|")
    ]
    if not rows or "State" not in rows[0] or "Version" not in rows[0]:
        return None
    table = [dict(zip(rows[0], row, strict=True)) for row in rows[1:] if len(row) > 1]
    if not table:
        return Status() if "No migrations found" in plain else None
    names = [(row["State"], row["Version"] or row["Description"]) for row in table]
    names = [(state, name) for state, name in names if state != "Available"]
    if any(s not in _FLYWAY_APPLIED | _FLYWAY_PENDING | _FLYWAY_WRONG for s, _ in names):
        return None
    again = {name for state, name in names if state in _FLYWAY_APPLIED}
    done = [row["Version"] for row in table if row["State"] in _FLYWAY_APPLIED and row["Version"]]
    return Status(
        tuple(done[-1:]),
        names[-1][1] if names else "",
        tuple(
            dict.fromkeys(
                name
                for state, name in names
                if state in _FLYWAY_PENDING and not (state == "Undone" and name in again)
            )
        ),
        sum(state in _FLYWAY_APPLIED for state, _ in names),
        tuple(f"{state.lower()}: {name}" for state, name in names if state in _FLYWAY_WRONG),
    )


def _revisions(text: str) -> tuple[str, ...]:
    """The ids alembic lists, one a line; CannotObserve for a line that is neither one nor a log's."""
    found = []
    for line in _plain(text).splitlines():
        words = line.strip()
        if not words or re.match(r"(INFO|WARNI?N?G?|DEBUG) ", words):
            continue
        row = _REVISION.fullmatch(words)
        if not row:
            raise CannotObserve(f"alembic says what is not understood: '{words[:200]}'")
        found.append(row[1])
    return tuple(dict.fromkeys(found))


_READERS: dict[str, Callable[[str], Status | None]] = {
    "json": _json,
    "prisma": _prisma,
    "django": _django,
    "rails": _rails,
    "laravel": _laravel,
    "typeorm": _typeorm,
    "knex": _knex,
    "sequelize": _sequelize,
    "flyway": _flyway,
}

# What only one tool prints. Two tools print `[X] name`: the shape of the names tells them apart.
_SIGNS = {
    "json": r"^\{.*\"pending\"\s*:.*\}\s*\Z",
    "prisma": r"^(\d+|No) migrations? found in",
    "django": r"^ ?\[[X \-]\]\s+(\w+\.)?\d{4}_\w+|^ \(no migrations\)",
    "rails": r"^ *Status +Migration ID +Migration Name|Schema migrations table does not exist yet",
    "laravel": r"^ *Migration name \.+ Batch|^\| Ran\? +\| Migration|Migration table not found",
    "typeorm": r"^ *\[[X ]\] (\d+ )?[A-Za-z_$][\w$]*\d{13} *$",
    "knex": r"(No|Found \d+) Completed Migration file",
    "sequelize": r"^(up|down) +\S+\.[cm]?[jt]s *$|^Sequelize CLI \[",
    "flyway": r"^\| Category +\| Version",
}
