"""Values of the environment file are read differently by different readers.

`$` starts a variable for compose, `#` a comment; quotes are kept by some readers and taken off by
others. The password that arrives is then another one than the file shows, without any error.

    DB_PASSWORD=pa$word1                 (write 'pa$word1')
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from verifier.checks._dotenv import parse_env
from verifier.lint.finding import Finding, info, warning
from verifier.lint.production import found_file, production_of
from verifier.lint.sheet import Sheet

_CHANGES = re.compile(r"`\$` starts|is neither KEY=value|stands already|does not surround|UTF-16")


_DOLLAR = re.compile(r"^\s*(?:export\s+)?(?P<key>\w+)\s*=\s*\"[^\"\n]*\$", re.MULTILINE)


def look(sheet: Sheet) -> Iterator[Finding]:
    if sheet.project is None:
        return
    for path in found_file(sheet.project, "", production_of(sheet).env_file)[:1]:
        text = sheet.project.text(path)
        complaints = (*_dollars(text), *parse_env(text).complaints)
        worst = [c for c in complaints if _CHANGES.search(c)]
        if not complaints:
            continue
        shown = "; ".join((worst or list(complaints))[:2])
        more = f" (and {len(complaints) - 2} more)" if len(complaints) > 2 else ""  # noqa: PLR2004  two are shown
        made = warning if worst else info
        yield made(
            sheet.line_naming(PurePosixPath(path).name),
            f"{path}: {shown}{more}",
            "write KEY=value, with single quotes around a value that holds `$`, `#` or blanks",
        )


def _dollars(text: str) -> tuple[str, ...]:
    """Double quotes keep no reader of compose from putting in a variable."""
    return tuple(
        f"line {text[: m.start('key')].count(chr(10)) + 1}: {m['key']}: `$` starts a variable, in double quotes, too"
        for m in _DOLLAR.finditer(text)
    )
