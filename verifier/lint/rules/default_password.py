"""A compose file of the stack holds a password, as itself or as a default.

With `${DB_PASSWORD:-...}` a missing variable is no error: the database starts with a password that
everybody with the source knows. Looked at is what is left after the files that the commands name are merged:
a base for development may keep its default if the overlay asks for a value and is really used.

    MYSQL_PASSWORD: ${DB_PASSWORD:-...}  (write ${DB_PASSWORD:?})
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from verifier.lint.finding import Finding, error, warning
from verifier.lint.production import STARTS, production_of
from verifier.lint.project import Project
from verifier.lint.secret import is_secret, may_be_secret
from verifier.lint.sheet import Sheet
from verifier.lint.stack import VARIABLE, Stack

_IN_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s:/@$]*:(?P<password>[^\s/@$]+)@", re.IGNORECASE)


def look(sheet: Sheet) -> Iterator[Finding]:
    production = production_of(sheet)
    stack = production.running
    starts = [c for c in production.calls if c.verb in STARTS and not c.said.is_picked]
    if stack is None or sheet.project is None or not starts:
        return
    told: set[tuple[str, int]] = set()
    for service in stack.services.values():
        for key, value in service.environment.items():
            how = _how(key, value)
            place = _place(sheet.project, stack, service.name, key, value)
            if not how or place in told:
                continue
            told.add(place)
            file, row = place
            made = error if how == "a password" else warning
            yield made(
                sheet.line_naming(PurePosixPath(file).name, otherwise=starts[0].said.line),
                f"{file}:{row}: {key} of service '{service.name}' has {how} written into the file",
                f"write `${{{_variable(value) or key}:?}}`: a missing value is then an error",
            )


def _how(key: str, value: str) -> str:
    if not is_secret(key):
        return (
            "a password"
            if _IN_URL.search(value)
            else "a default password"
            if _default_in_url(value)
            else ""
        )
    if not may_be_secret(value):
        return ""
    variables = list(VARIABLE.finditer(value))
    if any(m["word"] and (m["sign"] or "").endswith("-") for m in variables):
        return "a default password"
    if variables:
        return ""
    return "a password"


def _default_in_url(value: str) -> bool:
    return bool(re.search(r"://[^\s/@]*:\$\{\w+:?-[^}]+\}@", value))


def _variable(value: str) -> str:
    found = VARIABLE.search(value)
    return (found["name"] or found["bare"] or "") if found else ""


def _place(project: Project, stack: Stack, service: str, key: str, value: str) -> tuple[str, int]:
    """File and row where the value is written: below its service, or wherever an anchor has it."""
    for file in reversed(stack.files):
        rows = project.text(file).split("\n")
        start = next(
            (n for n, r in enumerate(rows) if re.match(rf"\s+{re.escape(service)}:", r)), 0
        )
        for number in (*range(start, len(rows)), *range(start)):
            if re.search(rf"\b{re.escape(key)}\b", rows[number]) and value in rows[number]:
                return file, number + 1
    return stack.files[0], 1
