"""Lines that name settings: their values, their presence, how well a secret is kept."""

from __future__ import annotations

import re

from verifier.checklist.markdown import plain
from verifier.proposal.concepts import mentions
from verifier.proposal.evidence import is_placeholder
from verifier.proposal.places import content_of, env_path, path_of
from verifier.proposal.proposal import Proposal, bound
from verifier.proposal.subject import Subject


def setting(subject: Subject) -> Proposal | None:
    settings = [(k, v) for k, v in subject.evidence.settings if not is_placeholder(v)]
    named = re.match(r"\W*([A-Z][A-Z0-9_]+)[`*]*\s*[:=→]\s*`([^`\s]+)`\s*$", subject.line.title)
    if named and not settings and not is_placeholder(named.group(2)):
        settings = [(named.group(1), named.group(2))]
    if not settings or subject.evidence.own_command:
        return None
    secret = re.compile(r"SECRET|PASSWORD|TOKEN|KEY$|DSN$")
    if any(secret.search(k) for k, _ in settings):
        return None
    return bound(
        subject,
        "env_values",
        {"path": env_path(subject), "wants": dict(settings)},
        "a setting with its value",
        span=f"{settings[0][0]}={settings[0][1]}",
    )


_HOLDS = re.compile(
    r"contain|includ|포함|含[みむんま有]|包含|enthält|contien|contém|içer|содерж|memuat|chứa"
)


def keys(subject: Subject) -> Proposal | None:
    """Settings by their names; None when the names stand for something else."""
    names = [k for k in subject.evidence.keys if _is_a_key(k, subject)]
    if not names:
        return None
    script = next((f for f in subject.parent_evidence.files if _SCRIPT.search(f)), "")
    if script and not re.search(r"\.env\b", subject.text.near):
        pattern = rf"^\s*(?:export\s+|set\s+|\$)?{re.escape(names[0])}\s*[=:]"
        return content_of(subject, script, pattern, names[0])
    return _answer(subject, names) if _is_about_settings(subject) else None


_SCRIPT = re.compile(r"\.(?:sh|py|js|ts|json|ya?ml|toml|conf|ini|cfg|tf|cmd|ps1)$")
_LENGTH = re.compile(r"(\d+)\+?\s*(?:자(?:리)?|文字|字符|位|characters?|chars?)")


def _is_a_key(name: str, subject: Subject) -> bool:
    word = re.fullmatch(r"(?:[A-Z]{2,5}|HTTP_\w+|TODO|README)", name)
    if word and name not in subject.evidence.spans:
        return False
    number = re.search(r"^(?:TKT|ISSUE|STEP|PHASE)_?|REDACTED", name)
    return not number and not _is_a_value(name, subject)


def _is_about_settings(subject: Subject) -> bool:
    by_hand = subject.says("handled_by_hand") and not subject.says("configured")
    if by_hand or any(subject.says(group) for group in ("recorded", "grants", "table")):
        return False
    first = subject.evidence.begins_with == "key"
    if subject.says("says_ui_strong") and not first:
        return False
    groups = ("env_var", "env_file", "secret", "api_key", "settings_word")
    marked = first and subject.line.title.lstrip()[:1] in "`*"
    if subject.says("points_to") or any(subject.near(group) for group in groups):
        return True
    if marked and not subject.says("says_ui"):
        return True
    return subject.says("configured") and not subject.says("says_ui")


def _answer(subject: Subject, names: list[str]) -> Proposal:
    span, path = names[0], env_path(subject)
    long = bool(_LENGTH.search(plain(subject.line.title)))
    if (long or _wants_strength(subject)) and any(_is_secret(name) for name in names):
        length = _LENGTH.search(plain(subject.line.title))
        given: dict[str, object] = {"path": path, "keys": names}
        if length:
            given["min_length"] = int(length.group(1))
        return bound(
            subject, "secret_strength", given, "a secret that must not be guessed", span=span
        )
    stated = re.search(
        rf"{re.escape(span)}`?\**\s+(?:is\s+|must be\s+)?(?:set to|equals|=|は|가|이)?\s*`([^`\s]+)`",
        subject.line.title,
    )
    if stated and not is_placeholder(stated.group(1)) and not _is_secret(span):
        wants: dict[str, object] = {span: stated.group(1)}
        given = {"path": path, "wants": wants}
        return bound(subject, "env_values", given, "a setting with its value", span=span)
    if _HOLDS.search(subject.title):
        why = "what the setting must hold is for you to say"
        return Proposal(subject.line, "review", reason=why, span=span)
    somewhere = subject.says("production_value") and not subject.says("exists")
    if subject.says("points_to") or somewhere:
        given = {"path": path, "wants": dict.fromkeys(names, "{{ expected_value }}")}
        why = "a setting that must point somewhere"
        return bound(subject, "env_values", given, why, ("expected_value",), span=span)
    given = {"path": path, "keys": names}
    return bound(subject, "env_complete", given, "settings that must be there", span=span)


def parent_of_keys(subject: Subject) -> Proposal | None:
    """A line whose children are all names of settings: it means all of them."""
    below = subject.children or (() if subject.line.kind == "row" else subject.line.notes)
    names = [re.match(r"[`*]*([A-Z][A-Z0-9]*_[A-Z0-9_]+)\b", child) for child in below]
    if not names or not all(names) or subject.evidence.files or subject.evidence.commands:
        return None
    wanted = [name.group(1) for name in names if name]
    return bound(
        subject,
        "env_complete",
        {"path": env_path(subject), "keys": wanted},
        "settings that must be there, as the lines below it say",
        span=wanted[0],
    )


def env_vars(subject: Subject) -> Proposal:
    examples = subject.around.env_examples
    if examples and not subject.says("production_value"):
        return bound(
            subject,
            "env_complete",
            {"path": env_path(subject), "example": path_of(examples[0])},
            "settings that the example asks for",
            span=examples[0],
        )
    return bound(
        subject,
        "env_complete",
        {"path": env_path(subject), "keys": "{{ keys }}"},
        "settings that must be there",
        ("keys",),
    )


def secret_strength(subject: Subject) -> Proposal:
    return bound(
        subject,
        "secret_strength",
        {"path": env_path(subject), "keys": "{{ keys }}"},
        "a secret that must not be guessed",
        ("keys",),
    )


def _wants_strength(subject: Subject) -> bool:
    """Also what stands in brackets says how good a secret must be."""
    whole = plain(subject.line.title)
    return mentions("strong", whole) or mentions("secret_quality", whole)


def _is_a_value(key: str, subject: Subject) -> bool:
    """`Policy: ON_FAILURE` names a value, `ON_FAILURE: ...` would name a key."""
    return bool(
        re.search(rf"\w[:：]\s*`?{re.escape(key)}`?", subject.line.title)
    ) and not subject.says("env_var")


def _is_secret(key: str) -> bool:
    return bool(re.search(r"SECRET|PASSWORD|PASSWD|_KEY$|^KEY_|TOKEN|SALT", key)) and not re.search(
        r"PUBLIC|KEY_ID|PUBLISHABLE", key
    )
