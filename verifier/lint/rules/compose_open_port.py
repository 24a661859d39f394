"""An overlay tries to close a port with an empty list.

Compose adds the lists of its files together: `ports: []` takes nothing away, and the port of the
base file, often the database's, stays published.

    services:
      db:
        ports: []                        (write: ports: !reset [])
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.lint.finding import Finding, warning
from verifier.lint.production import production_of
from verifier.lint.sheet import Sheet


def look(sheet: Sheet) -> Iterator[Finding]:
    stack = production_of(sheet).stack
    for file, service in stack.emptied if stack else ():
        ports = ", ".join(str(p.host) for p in stack.services[service].ports) if stack else ""
        yield warning(
            sheet.line_naming(file),
            f"{file} says `ports: []` for '{service}', which takes nothing away: {ports} stays published",
            "write `ports: !reset []`, or publish the port in the development file only",
        )
