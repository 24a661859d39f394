"""Takes known secrets out of text before it is stored or printed: by value (also base64, URL- and
JSON-encoded) and by shape (`PASSWORD=...`). A secret value found is replaced by a name-free mark;
nothing else changes.
"""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Iterable

MARK = "[redacted]"

_NAME = (
    r"(?P<name>[A-Za-z0-9_.-]*(?:password|passwd|secret|token|api_?key|credential)[A-Za-z0-9_.-]*)"
)
_QUOTED = re.compile(
    _NAME
    + r"(?P<between>[\"']?\s*[=:]\s*(?P<quote>[\"']))(?P<value>(?:(?!(?P=quote))[^\n]){4,}?)(?=(?P=quote))",
    re.IGNORECASE,
)
_BY_NAME = re.compile(
    _NAME + r"(?P<between>[\"']?\s*[=:]\s*[\"']?)"
    r"(?P<value>[^\s\"',;&}\\]{6,})",
    re.IGNORECASE,
)
_IN_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*://[^\s:/@]*:)(?P<value>[^\s/@]+)(?P<at>@)", re.IGNORECASE
)
# What follows a secret's name and is plainly no secret: our own marks, digests, placeholders, variables.
_HARMLESS = re.compile(
    r"^(\[redacted\]|hmac-sha256|sha256|\$\{|\{\{|null|None|true|false|REDACTED|\*+|required|optional|wanted|saw|<)",
    re.IGNORECASE,
)


class Redactor:
    """Callable: text in, text without secrets out. `known` are secret values in clear; it never
    shows them.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        shapes = {shape for value in known if value for shape in _shapes(value)}
        ordered = sorted(shapes, key=len, reverse=True)  # a long form contains its short one
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __call__(self, text: str) -> str:
        if self._known:
            text = self._known.sub(MARK, text)
        text = _IN_URL.sub(lambda m: f"{m['scheme']}{MARK}{m['at']}", text)
        return _BY_NAME.sub(_hide_value, _QUOTED.sub(_hide_value, text))

    def __repr__(self) -> str:
        return "Redactor()"


def _hide_value(match: re.Match[str]) -> str:
    if _HARMLESS.match(match["value"]):
        return match[0]
    return f"{match['name']}{match['between']}{MARK}"


def _shapes(value: str) -> Iterable[str]:
    raw = value.encode()
    yield value
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield urllib.parse.quote(value, safe="")
    yield urllib.parse.quote_plus(value)
    # base64 depends on the bytes before it: three alignments, without the characters that vary at the ends
    for lead in range(3):
        encoded = base64.b64encode(b"\0" * lead + raw).decode().rstrip("=")
        yield encoded[(0, 2, 3)[lead] : len(encoded) - 1]
