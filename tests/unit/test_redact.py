from __future__ import annotations

import base64
import json
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.redact import MARK, Redactor

SECRET = 'p@ss "word"/+=&%한글-9x'  # noqa: S105  made up


@pytest.mark.parametrize(
    "shape",
    [
        SECRET,
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        urllib.parse.quote(SECRET, safe=""),
        urllib.parse.quote_plus(SECRET),
    ],
)
def test_a_known_secret_is_taken_out_in_every_encoding(shape: str) -> None:
    assert Redactor([SECRET])(f"before {shape} after") == f"before {MARK} after"


@given(st.binary(max_size=8), st.binary(max_size=8))
def test_a_known_secret_is_taken_out_of_base64_wherever_it_stands(
    before: bytes, after: bytes
) -> None:
    secret = "correct-horse-battery"  # noqa: S105  made up
    text = base64.b64encode(before + secret.encode() + after).decode()
    cleaned = Redactor([secret])(text)
    assert MARK in cleaned
    # at most the characters that mix with the neighbours' bytes are left of it
    assert len(cleaned.replace(MARK, "")) <= len(text) - len(secret) * 4 // 3 + 4


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("DB_PASSWORD=hunter2hunter2", f"DB_PASSWORD={MARK}"),
        ('{"api_key": "abcdef123456"}', f'{{"api_key": "{MARK}"}}'),
        ("mysql+pymysql://app:sup3rs3cret@db/x", f"mysql+pymysql://app:{MARK}@db/x"),
        ("LOG_LEVEL=WARNING", "LOG_LEVEL=WARNING"),
        ("DB_PASSWORD: wanted the file's value", "DB_PASSWORD: wanted the file's value"),
        ('"SECRET_KEY": {"hmac-sha256": "ab12"}', '"SECRET_KEY": {"hmac-sha256": "ab12"}'),
        ("PASSWORD=${DB_PASSWORD}", "PASSWORD=${DB_PASSWORD}"),
    ],
)
def test_values_are_hidden_by_their_names_and_nothing_else_is(text: str, cleaned: str) -> None:
    assert Redactor()(text) == cleaned


def test_the_redactor_itself_shows_nothing() -> None:
    assert SECRET not in repr(Redactor([SECRET]))


def test_a_quoted_value_with_blanks_is_taken_out_whole() -> None:
    said = Redactor()('DB_PASSWORD="p#ss w0rd"\nAPI_TOKEN=\'a b c d\'\nNAME="left alone"')
    assert "w0rd" not in said
    assert "b c d" not in said
    assert "left alone" in said
