"""No secret of the vault, in any shape, in anything that these tests made the program write or say."""

from __future__ import annotations

import base64
import json
import urllib.parse
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from acceptance.ledger import Done, Ledger, Watched

pytestmark = pytest.mark.lab


def _shapes(secret: str) -> Iterator[str]:
    yield secret
    yield json.dumps(secret)[1:-1]
    yield urllib.parse.quote(secret, safe="")
    yield secret.encode().hex()
    for lead in range(3):
        # Whatever stands before it: the characters in the middle are always the same.
        whole = base64.b64encode(b"\0" * lead + secret.encode() + b"\0" * 3).decode()
        yield whole[4:40]
        yield whole[4:40].translate(str.maketrans("+/", "-_"))


def _found(texts: Iterable[tuple[str, str]], secrets: dict[str, str]) -> list[str]:
    shapes = {shape: name for name, secret in secrets.items() for shape in _shapes(secret)}
    return [
        f"{name} in {place}"
        for place, text in texts
        for shape, name in shapes.items()
        if shape in text
    ]


def test_the_search_would_find_a_secret_in_every_shape(secrets: dict[str, str]) -> None:
    assert len(secrets) >= 9
    secret = next(iter(secrets.values()))
    for text in (
        f'"{secret}"',
        base64.b64encode(f"user:{secret}@host".encode()).decode(),
        f"mysql://root:{urllib.parse.quote(secret)}@db",
    ):
        assert _found([("here", text)], secrets)


def test_no_secret_is_in_what_was_said(
    again: Watched, verified: Done, ledger: Ledger, secrets: dict[str, str]
) -> None:
    assert {again.done, verified} <= set(ledger.done)
    said = [(" ".join(d.words), d.out + d.err) for d in ledger.done]
    assert not _found(said, secrets)


def test_no_secret_is_in_a_run_directory(
    again: Watched, verified: Done, ledger: Ledger, secrets: dict[str, str]
) -> None:
    del again, verified
    runs = [done.run for done in ledger.done if done.run is not None and done.run.is_dir()]
    files = [file for run in runs for file in run.rglob("*") if file.is_file()]
    assert len(files) > 200
    assert not _found(((str(f), _text(f)) for f in files), secrets)


def _text(file: Path) -> str:
    return file.read_bytes().decode("utf-8", "replace")


def test_no_secret_is_in_a_command_line_while_it_deploys(
    again: Watched, secrets: dict[str, str]
) -> None:
    assert any("ansible-playbook" in line for line in again.here)
    assert any("dockerd" in line for line in again.hosts)
    assert len(again.here) > 100
    lines = [("this machine", x) for x in again.here] + [("a host", x) for x in again.hosts]
    assert not _found(lines, secrets)
