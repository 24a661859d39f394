"""The error family. Every error says what is wrong, where, and what to do next, in one line.

    VerifierError
    ├── UsageError            2  a flag, a name or a number that makes no sense; zero hosts, zero items
    │   └── DocumentError     2  a file that cannot be read as what it should be (has a path and a line)
    ├── InfrastructureError   3  a missing engine or program, a crash of a tool we depend on
    │   └── Unreachable       3  a host that does not answer, refuses the key or shows another host key
    ├── GuardRefused          9  a destructive step without consent, a way back that is not there
    ├── Interrupted         130  Ctrl-C, or 143 for SIGTERM
    └── CannotObserve         -  a check could not look; verify/observe.py turns it into Outcome.ERROR

The number is the exit code that `cli` returns for it. Codes that follow from a verdict (0, 1, 4, 5,
6, 7) are not errors; they live in `pipeline.py`.
"""

from __future__ import annotations

from typing import ClassVar


class VerifierError(Exception):
    """One line for a person: `what` is wrong, `where`, and what to `do` about it."""

    exit_code: ClassVar[int] = 3

    def __init__(self, what: str, *, where: str = "", do: str = "") -> None:
        super().__init__(what, where, do)
        self.what = what
        self.where = where
        self.do = do

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f" ({self.do})" if self.do else ""
        return f"{place}{self.what}{advice}"


class UsageError(VerifierError):
    exit_code = 2


class DocumentError(UsageError):
    pass


class InfrastructureError(VerifierError):
    exit_code = 3


class Unreachable(InfrastructureError):
    pass


class GuardRefused(VerifierError):
    exit_code = 9


class Interrupted(VerifierError):
    exit_code = 130


class CannotObserve(VerifierError):
    """A check could not look. Never a FAIL: nothing is known about the host."""
