"""How checks handle secrets: which names hold one, what a placeholder looks like, a hash under a
key that lasts for one look, and the shapes in which a value may stand in other text. A value in
clear never leaves `observe`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import urllib.parse
from collections.abc import Iterable

SHORTEST_SECRET = 6  # a shorter value would be found in ordinary words
PLACEHOLDERS = (
    r"(?i)example|placeholder|change[-_ ]?(me|it|this)|replace[-_ ]?me|your[-_ ]|todo|xxxx",
    r"(?i)^(secret|password|passwd|admin|root|test|default|1234)",
)

_SECRET_NAME = re.compile(
    r"password|passwd|secret|token|private_?key|api_?key|credential|jwt|dsn$", re.IGNORECASE
)


def is_secret(name: str) -> bool:
    """Whether a variable of this name holds something that must not be shown."""
    return bool(_SECRET_NAME.search(name))


def fresh_key() -> str:
    """A key for one look: with it gone, a stored hash says only which readings were equal."""
    return secrets.token_hex(16)


def keyed_hash(key: str, value: str) -> str:
    digest = hmac.new(key.encode(), value.encode(), hashlib.sha256).hexdigest()
    return f"hmac-sha256:{digest}"


def is_placeholder(value: str, patterns: Iterable[str] = PLACEHOLDERS) -> bool:
    return not value or any(re.search(pattern, value) for pattern in patterns)


def shapes(value: str) -> frozenset[str]:
    """The value as it may stand in a log: raw, JSON- and URL-encoded, base64 at each of the three
    alignments.
    """
    found = {
        value,
        json.dumps(value)[1:-1],
        urllib.parse.quote(value, safe=""),
        urllib.parse.quote_plus(value),
    }
    for lead in range(3):
        encoded = base64.b64encode(b"\0" * lead + value.encode()).decode().rstrip("=")
        found.add(encoded[(0, 2, 3)[lead] : len(encoded) - 1])
    return frozenset(shape for shape in found if len(shape) >= SHORTEST_SECRET)
