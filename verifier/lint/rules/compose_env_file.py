"""Some commands of the same stack name an environment file and others do not.

The file may set the project's name, images and ports. A `down` without it can stop another project,
or nothing, while the old containers keep running; a `ps` without it shows another stack.

    docker compose down
    docker compose --env-file .env.prod up -d
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.lint.compose_call import calls_in
from verifier.lint.finding import Finding, quoted, warning
from verifier.lint.production import STARTS
from verifier.lint.sheet import Sheet

_SAME_STACK = frozenset(
    ("down", "stop", "ps", "logs", "exec", "restart", "pull", "build", "config", "up", "run", "rm")
)


def look(sheet: Sheet) -> Iterator[Finding]:
    calls = tuple(calls_in(sheet))
    starting = [c for c in calls if c.verb in STARTS and c.env_files and not c.said.is_picked]
    files = {call.env_files for call in starting}
    if len(files) != 1:
        return
    env_file = starting[0].env_files[-1]
    for call in calls:
        if call.verb in _SAME_STACK and not call.env_files:
            yield warning(
                call.said.line,
                f"{quoted(call.said.command.text)} lacks the `--env-file {env_file}` of line {starting[0].said.line}",
                f"add `--env-file {env_file}`: without it the command may mean another project",
            )
