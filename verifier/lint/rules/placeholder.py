"""A command holds a placeholder that must be filled in before it can be run.

curl -I https://yourdomain.com
git checkout <previous-tag>
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from verifier.lint.finding import Finding, info, quoted
from verifier.lint.sheet import Said, Sheet

_PLACEHOLDER = re.compile(
    r"(?P<name>\b(?:your|my)[-_]?(?:domain|server|app|site|host|user(?:name)?|project|repo|bucket|ip|token|password|api|org)[\w-]*(?:\.\w+)*"
    r"|\b(?:[\w-]{1,60}\.)?example\.(?:com|org|net)\b|\bYOUR[-_][A-Z_-]+|(?<![<>\w-])<[A-Za-z가-힣぀-ヿ一-鿿][^<>|;&@\n]{0,40}>"
    r"|\[(?:[A-Za-z가-힣぀-ヿ一-鿿][\w -]{2,30})\](?!\()|\{\{?[a-z_]+\}?\}|\b(?:xxx+|XXX+)\b)",
    re.IGNORECASE,
)
_LONGEST = 2000
# Where brackets are the shell's own.
_NO_PLACE = re.compile(
    r"\$\{[^}]*\}|--?[\w-]*format[ =]\S.*$|awk\s+'[^']*'|\$\(.*?\)|\[\[?\s.*?\s\]\]?|<<-?\s*\S+|\[[:\w-]{1,9}\]"
)
_NONE = re.compile(r"\[\s|\[\[|\{[a-z]\}|^\{\{?\.")


def look(sheet: Sheet) -> Iterator[Finding]:
    found: dict[str, list[Said]] = {}
    for said in sheet.commands:
        match = _PLACEHOLDER.search(_NO_PLACE.sub("", said.command.text[:_LONGEST]))
        if match and not _NONE.search(match["name"]):
            found.setdefault(match["name"], []).append(said)
    for name, places in found.items():
        lines = {said.line for said in places}
        more = f" (and in {len(lines) - 1} more lines)" if len(lines) > 1 else ""
        yield info(
            places[0].line,
            f"{quoted(places[0].command.text)}: {quoted(name)} is a placeholder{more}",
            "put the value in, or name the variable that holds it",
        )
