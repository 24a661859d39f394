"""Deploying, refusing and going back, on the lab. The tests of fwb2 leave release 2 running."""

from __future__ import annotations

import hashlib
import json
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from acceptance.ledger import HOSTS, Ledger, Watched, on_host, state_of

pytestmark = pytest.mark.lab

FWB2 = "http://127.0.0.1:18002"
ON_FWB2 = ("--inventory", "lab", "--limit", "fwb2")


@dataclass(frozen=True)
class Planted:
    """A file in the application on fwb2: a row in its database, and its bytes in a volume."""

    number: str
    sha256: str

    def is_whole(self) -> bool:
        rows = {str(row["id"]): row["sha256"] for row in json.loads(_ask(f"{FWB2}/files"))}
        content = _ask(f"{FWB2}/files/{self.number}")
        return {rows[self.number], hashlib.sha256(content).hexdigest()} == {self.sha256}


def _ask(url: str, body: bytes | None = None, **headers: str) -> bytes:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data=body, headers=given)  # noqa: S310  the lab's own address
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return bytes(answer.read())


@pytest.fixture(scope="module")
def planted(again: Watched) -> Iterator[Planted]:
    del again
    border, content = uuid.uuid4().hex, "지켜야 할 자료\n".encode() * 5000
    head = f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="자료.txt"\r\n'
    body = f"{head}Content-Type: text/plain\r\n\r\n".encode() + content
    body += f"\r\n--{border}--\r\n".encode()
    answer = _ask(f"{FWB2}/files", body, content_type=f"multipart/form-data; boundary={border}")
    made = Planted(str(json.loads(answer)["id"]), hashlib.sha256(content).hexdigest())
    assert made.is_whole()
    yield made
    gone = urllib.request.Request(f"{FWB2}/files/{made.number}", method="DELETE")  # noqa: S310
    urllib.request.urlopen(gone, timeout=30).close()  # noqa: S310


def _release_on_fwb2() -> str:
    return str(json.loads(_ask(f"{FWB2}/health"))["release"])


def test_a_second_deployment_changes_nothing_and_opens_the_gate(again: Watched) -> None:
    assert again.done.code == 0, again.done
    plays = {name: again.done.saved(name) for name in ("preflight", "stage", "switch", "finish")}
    steps = [step for play in plays.values() for step in play["steps"]]
    assert {step["host"] for step in steps} == set(HOSTS)
    assert {step["state"] for step in steps} == {"unchanged"}, steps
    assert not any(play["problems"] for play in plays.values())


def test_check_mode_says_done_and_touches_nothing(again: Watched, ledger: Ledger) -> None:
    assert again.done.code == 0
    before = {host: state_of(host) for host in HOSTS}
    done = ledger.run("deploy", "--inventory", "lab", "--release", "2", "--check")
    assert done.code == 0, done
    assert "check mode: nothing was changed" in done.out
    assert {host: state_of(host) for host in HOSTS} == before


def test_a_broken_release_is_rolled_back_and_the_data_is_whole(
    planted: Planted, ledger: Ledger
) -> None:
    done = ledger.run("deploy", *ON_FWB2, "--release", "3-files-500", "--yes")
    assert done.code == 5, done
    assert "the gate is closed; rolled back to 2" in done.out
    assert "Rollback verified" in done.out
    assert any(r["source"].startswith("fwb.") for r in _reasons_with_source(done.saved("report")))
    assert _release_on_fwb2() == "2"
    assert planted.is_whole()


def _reasons_with_source(report: dict[str, list[dict[str, str]]]) -> list[dict[str, str]]:
    sources = {entry["item"]: entry["source"] for entry in report["results"]}
    return [{**reason, "source": sources[reason["item"]]} for reason in report["reasons"]]


def test_a_step_that_fails_is_rolled_back_and_the_data_is_whole(
    planted: Planted, ledger: Ledger
) -> None:
    done = ledger.run("deploy", *ON_FWB2, "--release", "3-migration", "--yes")
    assert done.code == 5, done
    assert "a deploy step failed; rolled back to 2" in done.out
    failed = [s for s in done.saved("switch")["steps"] if s["state"] == "failed"]
    assert [s["step"] for s in failed] == ["migrations"]
    assert _release_on_fwb2() == "2"
    assert planted.is_whole()


def test_a_refused_release_stays_when_asked_to_and_rollback_brings_the_old_one_back(
    planted: Planted, ledger: Ledger
) -> None:
    left = ledger.run("deploy", *ON_FWB2, "--release", "3-files-500", "--yes", "--no-rollback")
    assert left.code == 1, left
    assert _release_on_fwb2() == "3-files-500"
    listed = ledger.run("rollback", "--list", *ON_FWB2)
    assert listed.code == 0
    assert listed.out.splitlines()[1].split()[:3] == ["fwb2", "3-files-500", "2"]
    back = ledger.run("rollback", *ON_FWB2)
    assert back.code == 0, back
    assert _release_on_fwb2() == "2"
    assert on_host("fwb2", "readlink /srv/filewallball/current").strip().endswith("releases/2")
    listed = ledger.run("rollback", "--list", *ON_FWB2)
    assert listed.out.splitlines()[1].split()[1] == "2"
    assert listed.out.splitlines()[1].split()[2] != "3-files-500", (
        "a refused release is no way back"
    )
    assert planted.is_whole()


@pytest.mark.usefixtures("deployed")
def test_a_release_that_is_not_on_the_host_is_refused(ledger: Ledger) -> None:
    before = state_of("fwb2")
    done = ledger.run("rollback", *ON_FWB2, "--to", "nope")
    assert (done.code, done.out) == (9, ""), done
    assert done.err == "error: fwb2 does not have release 'nope' (see --list)\n"
    assert state_of("fwb2") == before
