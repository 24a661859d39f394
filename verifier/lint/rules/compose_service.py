"""A command names a service that the merged compose files do not have.

Compose answers "no such service" and does nothing. The name in the document is an older one, or the
name of a container or an image.

    docker compose logs api              (the service is called app)
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from verifier.lint.compose_call import calls_in
from verifier.lint.finding import Finding, error, quoted, warning
from verifier.lint.production import files_of, production_of
from verifier.lint.sheet import Sheet
from verifier.lint.stack import Stack, read_stack


def look(sheet: Sheet) -> Iterator[Finding]:
    project = sheet.project
    if project is None:
        return
    whole = production_of(sheet).stack
    stacks: dict[tuple[str, ...], Stack] = {}
    for call in calls_in(sheet):
        files = files_of(call, project)
        if not files or (call.files and len(files) < len(call.files)):
            continue
        if files not in stacks:
            stacks[files] = read_stack(project, files)
        stack = stacks[files]
        for name in call.services:
            if not stack.is_whole or name in stack.services or ":" in name or "/" in name:
                continue
            near = difflib.get_close_matches(name, stack.services, 1)
            known = near[0] if near else ", ".join(sorted(stack.services)[:6])
            in_overlay = whole is not None and name in whole.services
            made = warning if in_overlay else error
            yield made(
                call.said.line,
                f"{quoted(call.said.command.text)}: {', '.join(files)} has no service '{name}'",
                "name the overlay that has it with `-f`"
                if in_overlay
                else f"the services are: {known}",
            )
