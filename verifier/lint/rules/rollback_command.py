"""A way back that does not work: the command is no valid one.

`up` takes names of services, not images: `up -d app:previous-tag` answers that there is no such
service. Compose has no `rollback` and no `downgrade`. Whoever needs it finds out in the worst moment.

    docker compose up -d app:previous-tag
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from verifier.lint.compose_call import OF_SERVICES, calls_in
from verifier.lint.finding import Finding, error, quoted
from verifier.lint.sheet import Sheet

_NO_VERBS = frozenset(("rollback", "revert", "undo", "downgrade", "rollout"))
_NO_COMMANDS = re.compile(
    r"pm2 (?:rollback|undo)\b|docker rollback\b|kubectl rollback\b|systemctl rollback\b|npm rollback\b"
)


def look(sheet: Sheet) -> Iterator[Finding]:
    for call in calls_in(sheet):
        text = quoted(call.said.command.text)
        tagged = [s for s in call.services if ":" in s or "/" in s or "@" in s]
        if call.verb in OF_SERVICES and tagged:
            yield error(
                call.said.line,
                f"{text}: '{tagged[0]}' is an image, and `{call.verb}` takes names of services:"
                " there is no such service",
                "set the image's tag in the compose file through a variable, and write the service's name",
            )
        if call.verb in _NO_VERBS:
            yield error(
                call.said.line,
                f"{text}: compose has no `{call.verb}`",
                "start the former image's tag with `up -d`",
            )
    for said in sheet.commands:
        if _NO_COMMANDS.match(" ".join(said.command.words)):
            yield error(
                said.line,
                f"{quoted(said.command.text)}: there is no such command",
                "write the steps that lead back",
            )
