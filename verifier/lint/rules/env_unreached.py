"""A line sets a variable that no service of the stack ever receives.

Compose uses the environment file to fill in its own files; a container gets only what `environment`
or `env_file` of its service names. The application silently runs with its built-in default.

    - [ ] `SECRET_KEY` is set            (in .env.prod, and in no service)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from verifier.checks._dotenv import parse_env
from verifier.lint.finding import Finding, warning
from verifier.lint.production import found_file, production_of
from verifier.lint.sheet import Sheet

_KEY = re.compile(r"`(?P<key>[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|DEBUG|ENVIRONMENT)(?:\s*=[^`]*)?`")


def look(sheet: Sheet) -> Iterator[Finding]:
    production = production_of(sheet)
    stack = production.stack
    if stack is None or not stack.is_whole or sheet.project is None:
        return
    if any(service.env_files for service in stack.services.values()):
        return
    found = found_file(sheet.project, "", production.env_file)
    in_file = parse_env(sheet.project.text(found[0])).values if found else {}
    received = {key for service in stack.services.values() for key in service.environment}
    told: set[str] = set()
    for line in sheet.page.lines:
        for match in _KEY.finditer(line.title):
            key = match["key"]
            is_set = "=" in match.group(0) or key in in_file
            if (
                is_set
                and key not in received | stack.variables | told
                and not key.startswith(("COMPOSE_", "DOCKER_"))
            ):
                told.add(key)
                yield warning(
                    line.number,
                    f"{key} reaches no service: {', '.join(stack.files)} neither name it nor an env_file",
                    f"add `{key}: ${{{key}:?}}` to the service's `environment`",
                )
