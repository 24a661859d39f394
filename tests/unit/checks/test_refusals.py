"""Parameters that make no sense are refused while a checklist is read, in words, and no host is
asked.
"""

from __future__ import annotations

import pytest

from verifier.checks.base import find_check
from verifier.errors import UsageError

NONSENSE: tuple[tuple[str, dict[str, object], str], ...] = (
    ("file", {"path": ""}, "at least 1 character"),
    ("file", {"path": "/x", "exists": False, "contains": ["a"]}, "stands alone"),
    ("file", {"path": "/x", "exists": False, "max_age_s": 5}, "stands alone"),
    ("file", {"path": "/x", "exists": False, "kind": "file"}, "stands alone"),
    ("file", {"path": "/x", "kind": "directory", "lacks": ["a"]}, "kind says directory"),
    ("file", {"path": "/x", "kind": "folder"}, "'file', 'directory' or 'any'"),
    ("file", {"path": "/x", "matches": ["("]}, r"'\(' is not a regular expression"),
    ("file", {"path": "/x", "matches": [""]}, "found in any text"),
    ("file", {"path": "/x", "lacks": [""]}, "occurs in any file"),
    ("file", {"path": "/x", "mode": 0o600}, "'mode'"),  # what YAML makes of 0600 without quotes
    ("file", {"path": "/x", "max_age_s": 0}, "greater than 0"),
    ("document", {"path": "a.docx"}, "ask `file` for others"),
    ("document", {"path": "a.md", "headings": [" "]}, "occurs in any heading"),
    ("document", {"path": "a.md", "min_words": 0}, "greater than or equal to 1"),
    ("program", {"name": "python3", "version": 3.1}, "put the version in quotes"),
    ("program", {"name": "python3", "version": "newest"}, "'newest' is no condition"),
    ("program", {"name": "python3", "version": ">=3.10+"}, "is no condition"),
    ("program", {"name": "python3", "version": ">=3.10,"}, "'' is no condition"),
    ("program", {"name": "rm -rf", "version": "1"}, "'name'"),
    ("program", {"name": "--help"}, "'name'"),
    ("service", {"name": "-h"}, "'name'"),
    ("service", {"name": "../x"}, "'name'"),
    ("git_state", {"path": "."}, "at least one of clean, branch, pushed"),
    ("git_state", {"ignored": [""]}, "names nothing"),
    ("command", {"argv": [], "silent": True}, "at least 1 item"),
    ("command", {"argv": ["true"]}, "an exit status alone proves nothing"),
    ("command", {"argv": ["true"], "exit": 0}, "an exit status alone proves nothing"),
    ("command", {"argv": [" "], "silent": True}, "name of a program"),
    ("command", {"argv": ["x"], "silent": True, "matches": ["a"]}, "wants no output"),
    ("command", {"argv": ["x"], "lacks": ["["]}, "is not a regular expression"),
    ("command", {"argv": ["x"], "silent": True, "exit": 127}, "less than or equal to 125"),
    ("command", {"argv": "ls -l", "silent": True}, "'argv'"),
)


@pytest.mark.parametrize(
    ("check", "given", "complaint"), NONSENSE, ids=lambda value: str(value)[:60]
)
def test_what_makes_no_sense_is_refused(
    check: str, given: dict[str, object], complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        find_check(check).read(given)
