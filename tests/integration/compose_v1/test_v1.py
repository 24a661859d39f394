"""`docker-compose` 1.29.2 on Engine 20.10, from the first deployment to the way back. The tests are one story on one
host and run in their order.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from integration.compose_v1.host import OldHost
from lab import ROOT

pytestmark = pytest.mark.lab

VERIFIER = str(Path(sys.executable).with_name("verifier"))
STORY = ("--checklist", "filewallball")
AUTOMATIC = 55  # fewer answers would mean that most of the checklist was not looked at
CONTENT = "오래된 서버의 자료\n".encode() * 999

FOREIGN_NAMED = "foreign_data"
LOOSE_NAMED = "somebodys-data"
NAMELESS = hashlib.sha256(b"left by a container that is gone").hexdigest()
OWN_VOLUMES = ("filewallball_dbdata", "filewallball_redisdata", "filewallball_uploads")


@dataclass(frozen=True)
class Ended:
    """A command of verifier that has ended: its code, what it said, and its JSON report."""

    code: int
    said: str
    report: dict[str, Any]

    @property
    def changed_steps(self) -> list[str]:
        return [step["step"] for step in self.report["steps"] if step["state"] != "unchanged"]

    @property
    def passed(self) -> int:
        return sum(result["outcome"] == "pass" for result in self.report["results"])

    @property
    def not_passed(self) -> list[str]:
        """Required items that are neither passed nor, for a reason, not applicable."""
        return [
            f"{result['item']}: {result['outcome']} {result['reasons']}"
            for result in self.report["results"]
            if result["required"] and result["outcome"] not in ("pass", "not_applicable")
        ]


def verifier(host: OldHost, *words: str) -> Ended:
    done = subprocess.run(
        [VERIFIER, words[0], "--inventory", str(host.inventory), *words[1:], "--reporter", "json:-"],
        cwd=ROOT, check=False, capture_output=True, text=True, timeout=900, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    report = json.loads(done.stdout) if done.stdout.startswith("{") else {}
    return Ended(done.returncode, done.stderr[-6000:], report)


def containers(host: OldHost) -> list[str]:
    return sorted(host.run("docker ps --quiet --no-trunc").split())


def volumes(host: OldHost) -> set[str]:
    return set(host.run("docker volume ls --quiet").split())


def upload(host: OldHost, name: str) -> None:
    border = "a-border-that-is-not-in-it"
    body = (
        f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: text/plain\r\n\r\n"
    ).encode() + CONTENT + f"\r\n--{border}--\r\n".encode()  # fmt: skip
    ask(host, "/files", body, {"content-type": f"multipart/form-data; boundary={border}"})


def downloads(host: OldHost) -> dict[str, str]:
    """Every file the application has: its name, and the checksum of what it gives."""
    return {
        entry["name"]: hashlib.sha256(ask(host, f"/files/{entry['id']}")).hexdigest()
        for entry in json.loads(ask(host, "/files"))
    }


def ask(
    host: OldHost, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> bytes:
    request = urllib.request.Request(host.url + path, data=body, headers=headers or {})  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return bytes(answer.read())


PLANTED = {"보고서.txt": hashlib.sha256(CONTENT).hexdigest()}


def test_the_host_is_of_the_earlier_generation(host: OldHost) -> None:
    assert host.run("docker-compose version --short") == "1.29.2"
    assert host.run("docker compose version >/dev/null 2>&1 || echo none") == "none"
    server = host.run("docker version --format '{{.Server.Version}} {{.Server.APIVersion}}'")
    assert server.startswith("20.10.")
    assert server.endswith(" 1.41")


def test_release_1_is_deployed_and_verified(host: OldHost) -> None:
    done = verifier(host, "deploy", "--release", "1", "--yes", *STORY)
    assert (done.code, done.not_passed) == (0, []), done.said
    assert done.report["verdict"] == "open"
    assert done.passed >= AUTOMATIC
    upload(host, next(iter(PLANTED)))


def test_a_second_deployment_changes_nothing(host: OldHost) -> None:
    host.run(f"docker volume create --label com.docker.compose.project=foreign {FOREIGN_NAMED}")
    host.run(f"docker volume create {LOOSE_NAMED} && docker volume create {NAMELESS}")
    before = containers(host), volumes(host)
    done = verifier(host, "deploy", "--release", "1", "--yes", *STORY)
    assert (done.code, done.changed_steps) == (0, []), done.said
    assert (containers(host), volumes(host)) == before


def test_check_mode_says_that_nothing_would_change(host: OldHost) -> None:
    done = verifier(host, "deploy", "--release", "1", "--check", *STORY)
    assert (done.code, done.changed_steps) == (0, []), done.said


def test_release_2_migrates_and_pruning_spares_what_is_not_its_own(host: OldHost) -> None:
    """Before API 1.42 `docker volume prune` deletes named volumes. Here pruning is asked for."""
    kept = volumes(host) - {NAMELESS}
    assert {FOREIGN_NAMED, LOOSE_NAMED, *OWN_VOLUMES} <= kept

    host.set_variables("prune_volumes: true")
    done = verifier(host, "deploy", "--release", "2", "--yes", *STORY)
    host.set_variables("")

    assert (done.code, done.not_passed) == (0, []), done.said
    assert {"snapshot", "compose_down", "compose_up", "migrations"} <= set(done.changed_steps)
    assert volumes(host) == kept
    assert downloads(host) == PLANTED


def test_the_way_back_to_release_1(host: OldHost) -> None:
    done = verifier(host, "rollback", "--to", "1", *STORY)
    assert (done.code, done.not_passed) == (0, []), done.said
    assert json.loads(ask(host, "/health"))["release"] == "1"
    assert downloads(host) == PLANTED
    assert {FOREIGN_NAMED, LOOSE_NAMED, *OWN_VOLUMES} <= volumes(host)
