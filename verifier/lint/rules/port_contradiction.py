"""An address on this host names a port that nothing publishes there.

The port inside a container is not the port on the host: with `18000:8000` the host answers on
18000, and a healthy system fails a check that asks 8000. Compared are addresses such as
`localhost:8000` with the merged compose files, variables from the environment file put in; without
compose, with PORT of the environment file. Ports that the document itself forwards or starts are
known.

    curl http://localhost:8000/health    (published is 18000)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from verifier.checks._dotenv import parse_env
from verifier.lint.finding import Finding, error, warning
from verifier.lint.production import Production, found_file, production_of
from verifier.lint.sheet import Sheet

_LOCAL = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\]|0\.0\.0\.0):(?P<port>\d{2,5})(?!\d)")
_MADE = re.compile(
    r"(?<![\d.])(?P<a>\d{2,5}):\d{2,5}(?!\d)|--(?:port|http-port)[ =](?P<b>\d{2,5})"
    r"|(?:--bind|-b|--addr)[ =]\S*:(?P<c>\d{2,5})"
    r"|\bPORT=(?P<d>\d{2,5})|runserver (?:\S+:)?(?P<e>\d{2,5})|-p (?P<f>\d{2,5})\b"
    r"|proxy_pass|http\.server (?P<g>\d{2,5})"
)
_INSIDE = re.compile(
    r"\b(?:exec|run|ssh)\b|proxy_pass|upstream|^\s*server\s|DATABASE_URL|REDIS_URL|://[^\s@/]*@|_URL\s*=|_HOST\s*=|_ORIGINS?\s*="
)


def look(sheet: Sheet) -> Iterator[Finding]:
    if sheet.project is None:
        return
    production = production_of(sheet)
    made = {int(p) for row in sheet.rows for m in _MADE.finditer(row) for p in m.groups() if p}
    asked: dict[int, list[int]] = {}
    for number, row in enumerate(sheet.rows, 1):
        for port in {int(m["port"]) for m in _LOCAL.finditer(row)} - made:
            if not _INSIDE.search(row):
                asked.setdefault(port, []).append(number)
    for port, numbers in asked.items():
        first = numbers[0]
        finding = _of_stack(production, first, port) or _of_env(sheet, production, first, port)
        if finding:
            more = f" (and in {len(numbers) - 1} more lines)" if len(numbers) > 1 else ""
            yield replace(finding, message=finding.message + more)


def _of_stack(production: Production, number: int, port: int) -> Finding | None:
    stack = production.stack
    if stack is None or not stack.is_whole or not stack.ports:
        return None
    published = {p.host for p in stack.ports}
    if port in published or 0 in published:
        return None
    files = ", ".join(stack.files)
    behind = [p for p in stack.ports if p.container == port]
    if behind:
        there = behind[0]
        return error(
            number,
            f"port {port} is the one inside the container of '{there.service}';"
            f" on the host {files} publish it as {there.host}",
            f"write {there.host}",
        )
    if not any(c.verb for c in production.calls):
        return None
    shown = ", ".join(str(p) for p in sorted(published))
    return warning(
        number,
        f"nothing publishes port {port} on the host; {files} publish {shown}",
        "write the port that is published",
    )


def _of_env(sheet: Sheet, production: Production, number: int, port: int) -> Finding | None:
    if production.stack is not None or sheet.project is None:
        return None
    files = found_file(sheet.project, "", production.env_file)
    if len(files) != 1:
        return None
    said = parse_env(sheet.project.text(files[0])).values.get("PORT", "")
    if not said.isdigit() or int(said) == port:
        return None
    return warning(
        number,
        f"asks port {port}, but {files[0]} sets PORT to {said}",
        f"write {said}, or correct {files[0]}",
    )
