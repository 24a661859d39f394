"""Where the files that lines name are looked for: in the project, or on the host below the deploy root."""

from __future__ import annotations

import re

from verifier.proposal.proposal import WHERE, Proposal, Vantage, bound
from verifier.proposal.subject import Subject


def content_of(subject: Subject, name: str, pattern: str, span: str) -> Proposal:
    return bound(
        subject,
        "file",
        {"path": path_of(name), "matches": [pattern]},
        "a file that must name this",
        span=span,
        vantage=vantage_of(name),
    )


_ON_HOST = re.compile(
    r"^(?:\.env|data/|logs?/|backups?/|uploads?/|storage/|certs?/|ssl/|media/|var/)"
)


def path_of(name: str) -> str:
    """Absolute as it is; what lives on the host below the deploy root; the rest in the project."""
    clean = name.removeprefix("./")
    if clean.startswith(("/", "~")):
        return clean
    return f"{WHERE}/{clean}" if _ON_HOST.match(clean) else clean


def vantage_of(name: str) -> Vantage:
    return "host" if path_of(name).startswith(("/", "~", "{{")) else "controller"


def is_env_file(name: str) -> bool:
    return bool(re.search(r"(?:^|/)\.env(?:\.[\w-]+)*$", name))


def is_example(name: str) -> bool:
    return bool(re.search(r"\.(?:example|sample|template|dist)\b", name))


def env_path(subject: Subject) -> str:
    named = next((f for f in subject.evidence.files if is_env_file(f) and not is_example(f)), "")
    for heading in reversed(subject.line.path):
        found = re.search(r"(?:[\w.-]+/)*\.env(?:\.[\w-]+)*", heading)
        named = named or (found.group(0) if found and not is_example(found.group(0)) else "")
    return path_of(named) if named else WHERE + "/{{ env_file }}"
