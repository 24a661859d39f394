"""The document validates an overlay that none of its commands names.

Without `-f` compose reads `docker-compose.yml` and its override only. What the overlay says of
limits, restarts, users and closed ports is then checked in the file and true of nothing that runs.

    - [ ] `docker-compose.prod.yml` is valid
    docker compose up -d                 (-f docker-compose.yml -f docker-compose.prod.yml is missing)
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from verifier.lint.compose_call import ComposeCall, calls_in, chooses_files_elsewhere
from verifier.lint.finding import Finding, error, quoted, warning
from verifier.lint.production import STARTS, overlays_of
from verifier.lint.sheet import Sheet

_LOOKS = frozenset(
    ("ps", "logs", "exec", "restart", "down", "stop", "pull", "build", "config", "run", "start")
)


def look(sheet: Sheet) -> Iterator[Finding]:
    calls = [call for call in calls_in(sheet) if call.said.block or call.said.item]
    if not calls or chooses_files_elsewhere(sheet):
        return
    named = {PurePosixPath(f).name for call in calls for f in call.files}
    forgotten = [o for o in overlays_of(sheet) if PurePosixPath(o).name not in named]
    starting = [c for c in calls if c.verb in STARTS and not c.said.is_picked]
    for call in starting:
        if forgotten and not call.files:
            yield error(
                call.said.line,
                f"{quoted(call.said.command.text)} does not name {forgotten[0]}, which line"
                f" {sheet.line_naming(forgotten[0])} relies on: what it says is never applied",
                f"add `-f docker-compose.yml -f {forgotten[0]}` to every compose command, or set COMPOSE_FILE",
            )
    yield from _stragglers(calls, starting)


def _stragglers(calls: list[ComposeCall], starting: list[ComposeCall]) -> Iterator[Finding]:
    """Commands without files where every start has the same ones."""
    sets = {call.files for call in starting}
    if len(sets) != 1 or not next(iter(sets)):
        return
    files = " ".join(f"-f {f}" for f in next(iter(sets)))
    for call in calls:
        if call.verb in _LOOKS and not call.files:
            yield warning(
                call.said.line,
                f"{quoted(call.said.command.text)} reads other files than the `up` of line {starting[0].said.line}",
                f"add `{files}`",
            )
