"""The one rule for a regular expression in a checklist: it is refused while the checklist is read,
in words, and never fails for the first time on a host.
"""

from __future__ import annotations

import re
from collections.abc import Iterable


def refuse_bad_patterns(name: str, patterns: Iterable[str]) -> None:
    """ValueError that names the parameter and the first pattern of it that cannot be used."""
    for pattern in patterns:
        if not pattern:
            raise ValueError(f"{name}: an empty regular expression is found in any text")
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{name}: '{pattern}' is not a regular expression: {error}") from error
