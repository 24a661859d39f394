"""Lines that name a file: that it is there, what it holds, that git ignores it."""

from __future__ import annotations

import re
from dataclasses import replace

from verifier.proposal.places import content_of, is_env_file, is_example, path_of, vantage_of
from verifier.proposal.proposal import STACK, WHERE, Proposal, bound, by_person
from verifier.proposal.settings import secret_strength
from verifier.proposal.subject import Subject

_COMPOSE_FILE = re.compile(r"(?:^|/)(?:docker-)?compose[\w.-]*\.ya?ml$")
_DOCUMENT = re.compile(r"\.(?:md|rst|adoc|html|pdf|docx?)$|(?:openapi|swagger)[\w.-]*$")
_SENTENCE = 120  # a line longer than this speaks of more than the file it names


def named_file(subject: Subject) -> Proposal | None:
    """The first of the ways below that fits; None when the line only mentions the file."""
    files = subject.evidence.files
    if not files:
        return None
    if _COMPOSE_FILE.search(files[0]) and subject.says("valid"):
        return bound(
            subject,
            "compose_config",
            {"stack": STACK},
            "compose files that must be valid together",
            span=files[0],
        )
    if any(".." in name.split("/") for name in files):
        return Proposal(
            subject.line, "review", reason="its path leads out of the project", span=files[0]
        )
    if _only_mentions(subject, files[0]):
        return None
    ways = (_in_git, _env, _gone, _names_a_key, _holds, _names_its_children, _exists)
    return next((p for way in ways if (p := way(subject, files))), None)


def _only_mentions(subject: Subject, name: str) -> bool:
    by_hand = subject.says("handled_by_hand") and subject.evidence.begins_with != "file"
    build_tried = name.endswith("Dockerfile") and subject.says("tested")
    return subject.says("judgement") or by_hand or build_tried


def _in_git(subject: Subject, files: tuple[str, ...]) -> Proposal | None:
    if any(f.endswith(".gitignore") for f in files) or subject.says("gitignore"):
        return ignored(subject)
    if not subject.says("tracked"):
        return None
    return bound(
        subject,
        "git_state",
        {"untracked": list(files)},
        "a file that git must not track",
        span=files[0],
        vantage="controller",
    )


def _env(subject: Subject, files: tuple[str, ...]) -> Proposal | None:
    last = files[-1]
    secret = subject.says("password") or subject.says("secret")
    if is_env_file(last) and subject.says("strong") and secret:
        return secret_strength(subject)
    if is_env_file(files[0]) or (is_env_file(last) and not is_example(last)):
        return _env_file(subject, files)
    return None


def _gone(subject: Subject, files: tuple[str, ...]) -> Proposal | None:
    """A file that must be gone may be gone from anywhere: where it was is not written."""
    if not subject.says("gone"):
        return None
    return by_person(subject, "whether it is really gone is not told by one path", span=files[0])


def _names_a_key(subject: Subject, files: tuple[str, ...]) -> Proposal | None:
    keys = [key for key in subject.evidence.keys if key not in files[0]]
    title = subject.line.title
    first = bool(keys) and title.find(files[0]) < title.find(keys[0]) and len(title) < _SENTENCE
    if keys and ((subject.says("contains") and first) or subject.evidence.begins_with == "file"):
        return content_of(subject, files[0], re.escape(keys[0]), keys[0])
    return None


def _holds(subject: Subject, files: tuple[str, ...]) -> Proposal | None:
    name = files[0]
    if (
        not subject.says("contains")
        or subject.says("exists")
        or name not in _without_brackets(subject)
    ):
        return None
    given: dict[str, object] = {"path": path_of(name), "contains": ["{{ expected_value }}"]}
    return bound(
        subject,
        "file",
        given,
        "a file that must hold something",
        ("expected_value",),
        span=name,
        vantage=vantage_of(name),
    )


def _names_its_children(subject: Subject, files: tuple[str, ...]) -> Proposal | None:
    keys = _names_of_children(subject)
    if not keys:
        return None
    return bound(
        subject,
        "file",
        {"path": path_of(files[0]), "contains": list(keys)},
        "a file that must name what stands below the line",
        span=files[0],
        vantage=vantage_of(files[0]),
    )


def _exists(subject: Subject, files: tuple[str, ...]) -> Proposal | None:
    name = files[0]
    if name not in _without_brackets(subject) and not subject.says("exists"):
        return None
    if name.endswith(".sql") and subject.says("deployed_or_run"):
        return None
    words = ["exists", "installed", "configured", *(["written"] if _DOCUMENT.search(name) else [])]
    if subject.evidence.begins_with == "file" or any(subject.says(word) for word in words):
        return _is_there(subject, name)
    return None


def _without_brackets(subject: Subject) -> str:
    return re.sub(r"[（(][^()（）]*[)）]", " ", subject.line.title)


def ignored(subject: Subject) -> Proposal:
    wanted = [f for f in subject.evidence.files if not f.endswith(".gitignore")] or [".env"]
    return bound(
        subject,
        "git_state",
        {"ignored": wanted},
        "files that git must ignore",
        span=".gitignore",
        vantage="controller",
    )


def _env_file(subject: Subject, files: tuple[str, ...]) -> Proposal:
    real = [f for f in files if not is_example(f)]
    examples = [f for f in files if is_example(f)]
    name = next((f for f in reversed(real) if is_env_file(f)), "")
    folder = next((f for f in real if f.endswith("/")), "")
    if examples and not name and subject.evidence.begins_with == "file":
        return _is_there(subject, examples[0])
    if examples and not name:
        given: dict[str, object] = {"tree": WHERE}
    elif examples:
        given = {"path": path_of(name), "example": path_of(examples[0])}
    else:
        path = folder + name if folder else path_of(name)
        return bound(
            subject,
            "env_file",
            {"path": path},
            "an environment file that must be there and closed to others",
            span=name,
        )
    return bound(
        subject,
        "env_complete",
        given,
        "an environment file made from its example",
        span=examples[0],
    )


def _is_there(subject: Subject, name: str) -> Proposal:
    if (
        re.search(r"\.(?:md|rst|adoc|txt)$|(?:^|/)README$", name)
        and not name.startswith("/")
        and "requirements" not in name
        and "robots" not in name
    ):
        return replace(
            bound(
                subject,
                "document",
                {"path": name},
                "a document that must be there",
                span=name,
                vantage="controller",
            ),
            kind="document" if subject.near("document") else "check",
            check="document" if subject.near("document") else "file",
        )
    given: dict[str, object] = {"path": path_of(name)}
    if name.endswith("/"):
        given["kind"] = "directory"
    if subject.says("executable"):
        given["executable"] = True
    return bound(
        subject, "file", given, "a file that must be there", span=name, vantage=vantage_of(name)
    )


def _names_of_children(subject: Subject) -> tuple[str, ...]:
    if not (subject.says("configured") or subject.says("contains")):
        return ()
    return tuple(
        span
        for note in subject.line.notes
        for span in re.findall(r"^`([A-Z][A-Z0-9_]+)`", note.strip())
    )
