"""Which names of variables hold a secret, as a document's project uses them. Names only; a value is
judged where it is read and never leaves there.
"""

from __future__ import annotations

import re

from verifier.checks._secret import is_secret as is_secret_word

_KEY = re.compile(
    r"(?:^|_)(?:signing|sign|encryption|encrypt|master|app|access|hash|cipher|cookie|session|auth)_?key$|(?:^|_)salt$|_pass$",
    re.IGNORECASE,
)
_ABOUT_A_SECRET = re.compile(
    r"_(?:file|path|dir|ttl\w*|expir\w*|length|min|max|size|host|port|user|username|name|url|uri|enabled|header|lifetime"
    r"|age|rounds|algorithm|id|prefix|type|issuer|audience|days|hours|minutes|seconds|policy)(?:_\w+)?$|public|publishable|(?:^|_)allow_|_in$",
    re.IGNORECASE,
)

_SWITCH = re.compile(r"true|false|yes|no|on|off|none|null|\d{1,3}|/\S*", re.IGNORECASE)


def is_secret(name: str) -> bool:
    """Whether a variable of this name holds a secret itself, and does not only speak about one."""
    return bool(is_secret_word(name) or _KEY.search(name)) and not _ABOUT_A_SECRET.search(name)


def may_be_secret(value: str) -> bool:
    """Whether a value is more than a switch, a small number or a path."""
    return bool(value) and not _SWITCH.fullmatch(value)
