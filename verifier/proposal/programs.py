"""Lines that name a command or a program: what looks at it, or that it is a step and no look."""

from __future__ import annotations

import re

from verifier.checklist.markdown import plain
from verifier.proposal.evidence import Version
from verifier.proposal.proposal import STACK, Proposal, bound
from verifier.proposal.subject import Subject

_PROGRAMS = {
    "node.js": "node",
    "nodejs": "node",
    "python": "python3",
    "postgresql": "psql",
    "postgres": "psql",
    "golang": "go",
    "rust": "rustc",
    "jdk": "java",
    "openjdk": "java",
    ".net": "dotnet",
    "github cli": "gh",
    "aws cli": "aws",
    "docker compose": "docker-compose",
    "redis": "redis-server",
    "apache": "apache2",
    "mongodb": "mongod",
    "maven": "mvn",
    "sqlite": "sqlite3",
    "supervisor": "supervisord",
}


_VERSION_WORDS = {
    "java": ("-version",),
    "nginx": ("-v",),
    "go": ("version",),
    "kubectl": ("version", "--client"),
    "haproxy": ("-v",),
}


def versions(subject: Subject) -> Proposal | None:
    named = subject.evidence.versions
    if named and (
        subject.says("installed") or subject.says("version") or ">=" in named[0].constraint
    ):
        if (
            subject.says("image")
            or subject.says("decide")
            or subject.says("database_migration_word")
        ):
            return None
        return program(subject, named[0])
    return None


def program(subject: Subject, version: Version) -> Proposal:
    """The check for a program that must be installed."""
    name = _PROGRAMS.get(version.program, version.program)
    given: dict[str, object] = {"name": name}
    if version.constraint:
        given["version"] = version.constraint
    if name in _VERSION_WORDS:
        given["argv"] = list(_VERSION_WORDS[name])
    return bound(subject, "program", given, "a program that must be installed", span=version.span)


def named_program(subject: Subject) -> Proposal | None:
    found = re.search(
        r"(?<![A-Za-z0-9_.-])(node(?:\.?js)?|python|php|ruby|java|golang|docker[ -]compose|docker|git|nginx|apache2?"
        r"|npm|pnpm|yarn|composer|certbot|pm2|kubectl|helm|terraform|ansible|gh|github cli|aws cli|gcloud"
        r"|ffmpeg|openssl|redis|postgresql|mysql)(?![A-Za-z0-9_-])",
        subject.title,
    )
    if not found or subject.near("database_word_only"):
        return None
    if not subject.says("installed_strictly"):
        return None
    return program(subject, Version(found.group(1), "", found.group(1)))


def is_up(subject: Subject) -> Proposal | None:
    """`name → Up (healthy)`, as `docker ps` writes it."""
    named = bool(subject.evidence.spans) and re.search(r"\bhealthy\b", subject.title)
    if named and subject.says("running"):
        return bound(
            subject,
            "container_state",
            {"stack": STACK},
            "containers that must run, and stay running",
            span="healthy",
        )
    if not re.search(
        r"\bup \(healthy\)|(?:→|->|:)\s*`?up\b", plain(subject.line.title), re.IGNORECASE
    ):
        return None
    return bound(
        subject,
        "container_state",
        {"stack": STACK},
        "containers that must run, and stay running",
        span="Up",
    )
