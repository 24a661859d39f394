"""Finding: one thing that is wrong, likely wrong or worth knowing, at one line of the document. What
a finding quotes never holds a secret.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from verifier.redact import MARK, Redactor

_LONGEST_QUOTE = 90
_READ = 500  # what lies behind is not shown
_CREDENTIALS = re.compile(
    r"(?P<before>(?<!\S)-p(?=[^\s$'\"-])(?!\s)|sshpass -p ?|(?:-u|--user)[ =][^\s:]+:|Bearer |--?pass(?:word)?[ =])"
    r"(?P<value>(?![$<{\[])[^\s'\"]+)"
)


class Severity(StrEnum):
    """`ERROR`: following the document breaks or loses something, or a verification is void."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """`line` counts from 1; `rule` is filled in by the one who asks the rule."""

    line: int
    rule: str
    severity: Severity
    message: str
    fix: str


def error(line: int, message: str, fix: str) -> Finding:
    return Finding(line, "", Severity.ERROR, message, fix)


def warning(line: int, message: str, fix: str) -> Finding:
    return Finding(line, "", Severity.WARNING, message, fix)


def info(line: int, message: str, fix: str) -> Finding:
    return Finding(line, "", Severity.INFO, message, fix)


def quoted(text: str) -> str:
    """A piece of the document as a message may show it: on one row, short, without credentials."""
    bare = " ".join(text.split())[:_READ].replace("`", "")
    bare = _CREDENTIALS.sub(lambda m: f"{m['before']}{MARK}", bare)
    bare = Redactor()(bare)
    return f"`{bare[:_LONGEST_QUOTE]}{'…' if len(bare) > _LONGEST_QUOTE else ''}`"
