"""A new image is built or pulled, and then the containers are only restarted.

`restart` starts the same container with its old image again: the release seems deployed and the old
code runs. The same holds for a changed environment file.

    docker compose build app
    docker compose restart app
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.lint.compose_call import ComposeCall, calls_in
from verifier.lint.finding import Finding, error, quoted
from verifier.lint.sheet import Sheet


def look(sheet: Sheet) -> Iterator[Finding]:
    made: dict[int, ComposeCall] = {}
    for call in calls_in(sheet):
        block = call.said.block
        if call.verb in ("build", "pull"):
            made[block] = call
        elif call.verb in ("up", "run", "create"):
            made.pop(block, None)
        elif call.verb == "restart" and block and block in made:
            before = made[block].said
            yield error(
                call.said.line,
                f"{quoted(call.said.command.text)} keeps the old image: what line {before.line} made is not started",
                "write `docker compose up -d`, which makes the containers anew",
            )
