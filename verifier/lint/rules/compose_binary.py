"""`docker-compose` with a hyphen is the first version of compose, which is no longer made.

New hosts have only `docker compose`, and the two read the same environment file differently (`$` in
a value, quotes). A document that uses both may deploy with the one and look with the other.

    docker-compose up -d
    docker compose ps
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.lint.compose_call import calls_in
from verifier.lint.finding import Finding, info, warning
from verifier.lint.sheet import Sheet


def look(sheet: Sheet) -> Iterator[Finding]:
    calls = tuple(calls_in(sheet))
    old = [call for call in calls if call.first_version]
    if not old:
        return
    lines = len({call.said.line for call in old})
    if len(old) < len(calls):
        yield warning(
            old[0].said.line,
            f"`docker-compose` here ({lines} commands), `docker compose` elsewhere:"
            " two programs that read environment files differently",
            "write `docker compose` everywhere",
        )
    else:
        yield info(
            old[0].said.line,
            f"`docker-compose` ({lines} commands) is the first version of compose, which new hosts do not have",
            "write `docker compose`",
        )
