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


def keys(subject: Subject) -> Proposal | None:
    keys = [
        k
        for k in subject.evidence.keys
        if not re.fullmatch(r"(?:[A-Z]{2,5}|HTTP_\w+|TODO|README)", k)
        or k in subject.evidence.spans
    ]
    keys = [
        k
        for k in keys
        if not re.search(r"^(?:TKT|ISSUE|STEP|PHASE)_?|REDACTED", k) and not _is_a_value(k, subject)
    ]
    if not keys:
        return None
    script = next(
        (
            f
            for f in subject.parent_evidence.files
            if re.search(r"\.(?:sh|py|js|ts|json|ya?ml|toml|conf|ini|cfg|tf|cmd|ps1)$", f)
        ),
        "",
    )
    if script and not re.search(r"\.env\b", subject.text.near):
        return content_of(
            subject, script, rf"^\s*(?:export\s+|set\s+|\$)?{re.escape(keys[0])}\s*[=:]", keys[0]
        )
    if subject.says("recorded") or (
        subject.says("handled_by_hand") and not subject.says("configured")
    ):
        return None
    if not keys or subject.says("grants") or subject.says("table"):
        return None
    if subject.says("says_ui_strong") and subject.evidence.begins_with != "key":
        return None
    about_settings = any(
        subject.near(group)
        for group in ("env_var", "env_file", "secret", "api_key", "settings_word")
    )
    marked = subject.evidence.begins_with == "key" and subject.line.title.lstrip()[:1] in "`*"
    about_settings = about_settings or subject.says("points_to") or marked
    if not (about_settings or (subject.says("configured") and not subject.says("says_ui"))):
        return None
    span = keys[0]
    path = env_path(subject)
    if _wants_strength(subject) and any(_is_secret(k) for k in keys):
        return bound(
            subject,
            "secret_strength",
            {"path": path, "keys": keys},
            "a secret that must not be guessed",
            span=span,
        )
    stated = re.search(
        rf"{re.escape(keys[0])}`?\**\s+(?:is\s+|must be\s+)?(?:set to|equals|=|は|가|이)?\s*`([^`\s]+)`",
        subject.line.title,
    )
    if stated and not is_placeholder(stated.group(1)) and not _is_secret(keys[0]):
        return bound(
            subject,
            "env_values",
            {"path": path, "wants": {keys[0]: stated.group(1)}},
            "a setting with its value",
            span=span,
        )
    if subject.says("points_to") or (
        subject.says("production_value") and not subject.says("exists")
    ):
        wants = dict.fromkeys(keys, "{{ expected_value }}")
        return bound(
            subject,
            "env_values",
            {"path": path, "wants": wants},
            "a setting that must point somewhere",
            ("expected_value",),
            span=span,
        )
    return bound(
        subject,
        "env_complete",
        {"path": path, "keys": keys},
        "settings that must be there",
        span=span,
    )


def parent_of_keys(subject: Subject) -> Proposal | None:
    """A line whose children are all names of settings: it means all of them."""
    below = subject.children or subject.line.notes
    names = [re.match(r"[`*]*([A-Z][A-Z0-9_]{2,})\b", child) for child in below]
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
