"""An environment file is in git.

What git tracks is in every clone, in the history for ever, and without a `.dockerignore` in the
image as well. A line in `.gitignore` does not take out a file that was added before.

    .env.prod                            (ignored, and tracked all the same)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from verifier.checks._dotenv import parse_env
from verifier.lint.finding import Finding, error, info, warning
from verifier.lint.production import ENV_TEMPLATE
from verifier.lint.secret import is_secret, may_be_secret
from verifier.lint.sheet import Sheet

_ENV = re.compile(r"(?:^|/)(?:\.env(?:\.[\w.-]+)?|[\w-]+\.env)$")

# What providers' tokens look like, whatever their key is called.
_TOKEN = re.compile(
    r"(?:sk|rk)_live_|sk-[A-Za-z0-9]{20}|gh[pousr]_[A-Za-z0-9]{20}|github_pat_|AKIA[0-9A-Z]{12}|xox[baprs]-|AIza[\w-]{20}"
    r"|glpat-|-----BEGIN [A-Z ]*PRIVATE KEY|eyJ[\w-]{10,}\.eyJ|SG\.[\w-]{16,}\."
)

_OTHER_STAGE = re.compile(r"dev|test|local|ci\b", re.IGNORECASE)


def look(sheet: Sheet) -> Iterator[Finding]:
    project = sheet.project
    for path in sorted(project.tracked or ()) if project else ():
        if project is None or not _ENV.search(path) or ENV_TEMPLATE.search(path):
            continue
        line = sheet.line_naming(PurePosixPath(path).name)
        secrets = secret_keys(project.text(path))
        ignored = " although .gitignore names it" if path in project.ignored_but_tracked else ""
        fix = f"`git rm --cached {path}`, and change every secret that was in it"
        if secrets:
            shown = ", ".join(secrets[:4])
            made = warning if _OTHER_STAGE.search(path) else error
            yield made(
                line,
                f"{path} is tracked by git{ignored} and holds {len(secrets)} secrets ({shown})",
                fix,
            )
        elif ignored:
            yield warning(line, f"{path} is tracked by git{ignored}", f"`git rm --cached {path}`")
        else:
            yield info(
                line,
                f"{path} is tracked by git; no key in it sounds like a secret",
                "keep it so, or take it out of git",
            )


def secret_keys(text: str) -> tuple[str, ...]:
    """The keys of an environment file that hold a secret, without those left empty."""
    entries = parse_env(text).entries
    return tuple(
        dict.fromkeys(
            e.key
            for e in entries
            if _TOKEN.match(e.value) or (may_be_secret(e.value) and is_secret(e.key))
        )
    )
