"""The compose files expect a network or volume from outside that no line of the document makes.

`up` stops with "declared as external, but could not be found" on every host that has none yet.

    networks:
      app-network: {external: true}
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.lint.finding import Finding, warning
from verifier.lint.production import STARTS, production_of
from verifier.lint.sheet import Sheet


def look(sheet: Sheet) -> Iterator[Finding]:
    production = production_of(sheet)
    starting = [c for c in production.calls if c.verb in STARTS]
    if production.stack is None or not starting:
        return
    text = "\n".join(sheet.rows)
    for kind, name in production.stack.external:
        if f"docker {kind} create" not in text and f"{kind} inspect {name}" not in text:
            yield warning(
                starting[0].said.line,
                f"{', '.join(production.stack.files)} expect the {kind} '{name}' to be there already; no line makes it",
                f"add a line with `docker {kind} create {name}`",
            )
