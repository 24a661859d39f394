"""A secret in an environment file is a placeholder or very short.

The file is complete by its keys and open to anyone who tries the usual words. Named are file, line
and key; the value is never shown. Files for development and tests are left out.

    SECRET_KEY=change-me
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from verifier.checks._dotenv import parse_env
from verifier.checks._secret import is_placeholder
from verifier.lint.finding import Finding, error
from verifier.lint.production import ENV_TEMPLATE, found_file, production_of
from verifier.lint.secret import is_secret, may_be_secret
from verifier.lint.sheet import Sheet

_SHORTEST = 8


def look(sheet: Sheet) -> Iterator[Finding]:
    if sheet.project is None:
        return
    for path in _files(sheet):
        for entry in parse_env(sheet.project.text(path)).entries:
            value = entry.value
            if not may_be_secret(value) or not is_secret(entry.key) or "$" in value:
                continue
            why = (
                "is a placeholder"
                if is_placeholder(value)
                else f"has {len(value)} characters"
                if len(value) < _SHORTEST
                else ""
            )
            if why:
                yield error(
                    sheet.line_naming(PurePosixPath(path).name),
                    f"{path}:{entry.line}: {entry.key} {why}",
                    "make a new one: `openssl rand -base64 48`",
                )


def _files(sheet: Sheet) -> tuple[str, ...]:
    project = sheet.project
    if project is None:
        return ()
    mine = set(found_file(project, "", production_of(sheet).env_file)[:1])
    mine |= {
        f for f in project.tracked or () if re.search(r"(?:^|/)\.env\.(?:prod\w*|live|staging)$", f)
    }
    return tuple(
        sorted(
            f for f in mine if not ENV_TEMPLATE.search(f) and not re.search(r"dev|test|local", f)
        )
    )
