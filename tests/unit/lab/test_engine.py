from __future__ import annotations

from pathlib import Path

import pytest

from verifier.errors import InfrastructureError
from verifier.lab.engine import Docker, find_docker


def make_client(folder: Path, body: str) -> str:
    folder.mkdir()
    client = folder / "docker"
    client.write_text(f"#!/bin/sh\n{body}\n")
    client.chmod(0o755)
    return str(client)


def test_a_client_that_cannot_build_still_serves_everyday_calls(tmp_path: Path) -> None:
    plain = make_client(tmp_path / "a", "exit 1")
    builder = make_client(tmp_path / "b", "exit 0")
    assert find_docker(f"{tmp_path / 'a'}:{tmp_path / 'b'}") == Docker(plain, builder)


def test_no_client_that_builds_is_an_error_that_names_the_plugin(tmp_path: Path) -> None:
    make_client(tmp_path / "a", "exit 1")
    with pytest.raises(InfrastructureError, match="docker-buildx"):
        find_docker(str(tmp_path / "a"))


def test_a_failed_call_is_told_in_dockers_last_line(tmp_path: Path) -> None:
    client = make_client(tmp_path / "a", "echo first >&2; echo 'no such thing' >&2; exit 1")
    with pytest.raises(InfrastructureError, match=r"docker rm failed: no such thing$"):
        Docker(client, client).run("rm", "x")


def test_a_call_that_does_not_end_is_an_answer_too(tmp_path: Path) -> None:
    client = make_client(tmp_path / "a", "exec sleep 5")
    assert Docker(client, client).ask("info", seconds=0.1).code == 124
