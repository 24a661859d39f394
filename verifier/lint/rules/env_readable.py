"""An environment file with secrets can be read by others on this machine.

Ansible and `cp` keep the mode: what is readable here is readable on the host.

    chmod 600 .env.prod
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from verifier.lint.finding import Finding, warning
from verifier.lint.production import ENV_TEMPLATE
from verifier.lint.rules.env_tracked import secret_keys
from verifier.lint.sheet import Sheet

_ENV = re.compile(r"(?:^|/)\.env(?:\.[\w.-]+)?$")
_OTHERS = 0o077


def look(sheet: Sheet) -> Iterator[Finding]:
    project = sheet.project
    if project is None:
        return
    for path in sorted(f for f in project.files if _ENV.search(f) and not ENV_TEMPLATE.search(f)):
        mode = project.mode(path)
        is_tracked = project.tracked is not None and path in project.tracked  # said by env-tracked
        if mode & _OTHERS and not is_tracked and secret_keys(project.text(path)):
            yield warning(
                sheet.line_naming(PurePosixPath(path).name),
                f"{path} holds secrets and has mode {mode:o}: others can read it",
                f"`chmod 600 {path}`",
            )
