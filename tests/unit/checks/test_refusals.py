"""Parameters that make no sense are refused while a checklist is read, in words, and no host is
asked.
"""

from __future__ import annotations

import pytest

from verifier.checks.base import find_check
from verifier.errors import UsageError

_DB = {"engine": "postgresql", "project": "p", "service": "db"}

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
    ("port", {}, "either number or numbers"),
    ("port", {"number": 80, "numbers": [443]}, "either number or numbers"),
    ("port", {"numbers": [80, 70000]}, "from 1 to 65535"),
    ("port", {"number": 0}, "from 1 to 65535"),
    ("port", {"numbers": [80, 80]}, "each of them once"),
    ("port", {"numbers": list(range(1, 102))}, "100 or fewer"),
    ("host_capacity", {}, "at least one of memory_gb, cores, free_disk_gb"),
    ("host_capacity", {"path": "/srv"}, "at least one of memory_gb, cores, free_disk_gb"),
    ("host_capacity", {"memory_gb": 0}, "greater than 0"),
    ("host_capacity", {"cores": 1.5}, "'cores'"),
    ("host_capacity", {"free_disk_gb": 1, "path": "srv"}, "path is absolute"),
    ("smtp", {"host": ""}, "at least 1 character"),
    ("smtp", {"host": "m", "port": 0}, "greater than or equal to 1"),
    ("smtp", {"host": "m", "env_file": "/srv/.env"}, "all of env_file, user_key and password_key"),
    ("smtp", {"host": "m", "user_key": "U", "password_key": "P"}, "all of env_file"),
    (
        "smtp",
        {"host": "m", "starttls": False, "env_file": "/e", "user_key": "U", "password_key": "P"},
        "others would read the password",
    ),
    ("load", {"url": "127.0.0.1:8000"}, "begins with http:// or https://"),
    ("load", {"url": "http://h/a b"}, "percent-encoded"),
    ("load", {"url": "http://h/", "rate_per_s": 201}, "less than or equal to 200"),
    ("load", {"url": "http://h/", "duration_s": 61}, "less than or equal to 60"),
    ("load", {"url": "http://h/", "rate_per_s": 0.1, "duration_s": 5}, "no request begins"),
    ("load", {"url": "http://h/", "max_error_percent": 100}, "less than 100"),
    ("load", {"url": "http://h/", "p95_ms": 0}, "greater than 0"),
    ("injection", {"url": "h/{probe}"}, "begins with http:// or https://"),
    ("injection", {"url": "http://h/"}, "either {probe} in url or field"),
    ("injection", {"url": "http://h/{probe}?q={probe}"}, "{probe} stands once"),
    ("injection", {"url": "http://{probe}/"}, "in the path or the query"),
    ("injection", {"url": "http://h/{probe}", "field": "a", "method": "POST"}, "either {probe}"),
    ("injection", {"url": "http://h/", "field": "a"}, "sent with method POST"),
    (
        "injection",
        {"url": "http://h/", "field": "a", "method": "POST", "fields": {"a": 1}},
        "fields has the field that is tried",
    ),
    ("injection", {"url": "http://h/{probe}", "kinds": []}, "kinds leaves nothing"),
    ("injection", {"url": "http://h/{probe}", "kinds": ["ldap"]}, "'sql' or 'xss'"),
    ("injection", {"url": "http://h/{probe}", "value": "a'b"}, "only letters, digits"),
    ("injection", {"url": "http://h/{probe}", "method": "DELETE"}, "'GET' or 'POST'"),
    ("secret_scan", {"path": ""}, "at least 1 character"),
    ("secret_scan", {"skip": ["**"]}, "leaves nothing to look at"),
    ("secret_scan", {"skip": ["*/"]}, "leaves nothing to look at"),
    ("secret_scan", {"max_commits": 0}, "greater than or equal to 1"),
    ("secret_scan", {"allow": ["a.py:1"]}, "'allow.0'"),
    ("secret_scan", {"allow": [{"what": "a.py:1"}]}, "'allow.0.why'"),
    ("secret_scan", {"allow": [{"what": "a.py", "why": "x"}]}, "'allow.0.what'"),
    ("secret_scan", {"allow": [{"what": "a.py:1", "why": " "}]}, "'allow.0.why'"),
    ("firewall", {}, "'allow'"),
    ("firewall", {"allow": ["22"]}, "'allow.0'"),
    ("firewall", {"allow": ["22/icmp"]}, "'allow.0'"),
    ("firewall", {"allow": ["70000/tcp"]}, "no port or range"),
    ("firewall", {"allow": ["0/tcp"]}, "no port or range"),
    ("firewall", {"allow": ["90-80/tcp"]}, "no port or range"),
    ("firewall", {"allow": [], "engine": "pf"}, "'engine'"),
    ("image", {"name": ""}, "'name'"),
    ("image", {"name": "--all"}, "'name'"),
    ("image", {"name": "app", "id": "latest"}, "'id'"),
    ("image", {"name": "app", "max_age_s": 0}, "greater than 0"),
    ("image", {"name": "app", "max_size_mb": 0}, "greater than 0"),
    ("migrations", {"command": []}, "at least 1 item"),
    ("migrations", {"command": ["x"], "tool": "liquibase"}, "'tool'"),
    ("migrations", {"command": ["prisma"], "tool": "prisma", "expected": "a"}, "does not name"),
    ("migrations", {"command": ["alembic", "heads"], "tool": "alembic"}, "without a subcommand"),
    *(
        ("database_query", {"database": _DB, "query": query, "rows": 1}, complaint)
        for query, complaint in (
            ("", "at least 1 character"),
            ("DELETE FROM t", "only SELECT, WITH and SHOW"),
            ("EXPLAIN SELECT 1", "only SELECT, WITH and SHOW"),
            ("SELECT 1; SELECT 2", "one single statement"),
            ("SELECT 1; DROP TABLE t;", "one single statement"),
            ("SELECT 1 -- x", "no comment"),
            ("SELECT /*! 1 */ 2", "no comment"),
            ("SELECT 1 # x", "no comment"),
            ("SELECT $$a$$", "no comment and no `\\$`"),
            ("SELECT 'a", "is not closed"),
            ("SELECT 'a\\' OR 1", "a backslash"),
            ("SELECT * INTO OUTFILE '/x' FROM t", "'INTO' is not for a question"),
            ("SELECT * FROM t FOR UPDATE", "'FOR UPDATE' is not for a question"),
            ("SELECT * FROM t LOCK IN SHARE MODE", "'LOCK' is not for a question"),
            ("WITH a AS (DELETE FROM t RETURNING 1) SELECT 1", "'DELETE' is not for a question"),
            ("SELECT set_config('x', 'off', false)", "'set_config' is not for a question"),
            ("SELECT load_file('/etc/passwd')", "'load_file' is not for a question"),
            ("SELECT pg_sleep(9)", "'pg_sleep' is not for a question"),
        )
    ),
    ("database_query", {"database": _DB, "query": "SELECT 1"}, "one of equals"),
    (
        "database_query",
        {"database": _DB, "query": "SELECT 1", "equals": "1", "rows": 0},
        "ask about",
    ),
    (
        "database_query",
        {"database": _DB, "query": "SELECT 1", "rows": 0, "empty": True},
        "the same",
    ),
    (
        "database_query",
        {"database": _DB, "query": "SELECT 1", "at_least": 2, "at_most": 1},
        "at_least is more",
    ),
)


@pytest.mark.parametrize(
    ("check", "given", "complaint"), NONSENSE, ids=lambda value: str(value)[:60]
)
def test_what_makes_no_sense_is_refused(
    check: str, given: dict[str, object], complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        find_check(check).read(given)
