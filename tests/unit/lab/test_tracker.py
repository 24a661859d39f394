"""The lab's tracker, and the check that asks one, against each other over a real connection."""

from __future__ import annotations

import gzip
import importlib.util
import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType

import pytest

from verifier.checks.base import CommandResult, Host, find_check

SOURCE = Path(__file__).resolve().parents[3] / "lab" / "services" / "tracker.py"
EVENT_ID = "0" * 31 + "1"


class LocalHost:
    """Runs a check's commands here."""

    def run(self, command: str, *args: str) -> CommandResult:
        assert not args
        done = subprocess.run(["sh", "-c", command], check=False, capture_output=True, text=True)
        return _Done(done)


class _Done:
    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.rc, self.stdout, self.stderr = done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def tracker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tracker", SOURCE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def port(tracker: ModuleType) -> Iterator[int]:
    tracker.Handler.projects = tracker.Projects({"1": "k3y", "2": "other"})
    server = ThreadingHTTPServer(("127.0.0.1", 0), tracker.Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def send(
    port: int, body: bytes, path: str = "/api/1/envelope/", key: str = "k3y", packed: str = ""
) -> tuple[int, dict[str, object]]:
    headers = {"X-Sentry-Auth": f"Sentry sentry_version=7, sentry_key={key}"}
    headers |= {"Content-Encoding": packed} if packed else {}
    return answer(urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, headers))


def get(port: int, path: str) -> tuple[int, dict[str, object]]:
    return answer(urllib.request.Request(f"http://127.0.0.1:{port}{path}"))


def answer(request: urllib.request.Request) -> tuple[int, dict[str, object]]:
    try:
        with urllib.request.urlopen(request, timeout=5) as said:  # noqa: S310  loopback
            return said.status, json.load(said)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def envelope(*, with_length: bool = False) -> bytes:
    event = json.dumps({"event_id": EVENT_ID, "message": "broken"})
    item = {"type": "event", **({"length": len(event)} if with_length else {})}
    return f"{json.dumps({'event_id': EVENT_ID})}\n{json.dumps(item)}\n{event}\n".encode()


@pytest.mark.parametrize("with_length", [False, True])
def test_an_event_is_taken_and_can_be_read(port: int, with_length: bool) -> None:  # noqa: FBT001
    assert send(port, envelope(with_length=with_length)) == (200, {"id": EVENT_ID})
    status, event = get(port, f"/api/1/events/{EVENT_ID}/")
    assert (status, event["message"], event["type"]) == (200, "broken", "event")


def test_the_older_form_and_a_packed_envelope_are_taken_too(port: int) -> None:
    assert send(port, gzip.compress(envelope()), packed="gzip")[0] == 200
    store = json.dumps({"event_id": EVENT_ID, "message": "x"}).encode()
    assert send(port, store, "/api/2/store/", "other") == (200, {"id": EVENT_ID})


@pytest.mark.parametrize(("key", "project"), [("", "1"), ("other", "1"), ("k3y", "9")])
def test_only_the_projects_own_key_is_taken(port: int, key: str, project: str) -> None:
    assert send(port, envelope(), f"/api/{project}/envelope/", key)[0] == 403
    assert get(port, f"/api/1/events/{EVENT_ID}/")[0] == 404


@pytest.mark.parametrize("body", [b"", b"hello", b'{"event_id": "x"}\n{"type": "event"}\n{}'])
def test_what_is_no_envelope_is_refused(port: int, body: bytes) -> None:
    assert send(port, body)[0] == 400


def test_a_host_is_up_when_all_that_is_scraped_there_is(tracker: ModuleType) -> None:
    series = [
        {"metric": {"host": host}, "value": [0, value]}
        for host, value in (("a", "1"), ("a", "1"), ("b", "1"), ("b", "0"))
    ]
    assert tracker.states(series) == {"a": "up", "b": "down"}


def check(env: Path, **given: object) -> list[str]:
    host: Host = LocalHost()
    found = find_check("event_intake")
    want = found.read({"env_file": str(env), "dsn_key": "DSN", "max_time_s": 1, **given})
    return [str(wrong) for wrong in found.judge(want, found.observe(host, want))]


@pytest.fixture
def env(tmp_path: Path, port: int) -> Path:
    file = tmp_path / ".env"
    file.write_text(f"DSN=http://k3y@127.0.0.1:{port}/1\n")
    return file


@pytest.mark.parametrize("kind", ["error", "transaction"])
def test_the_check_sends_a_marked_event_that_can_be_read(env: Path, port: int, kind: str) -> None:
    lookup = f"http://127.0.0.1:{port}/api/1/events/{{event_id}}/"
    assert check(env, kind=kind, lookup_url=lookup) == []
    (newest,) = get(port, "/api/1/events/")[1]
    assert newest["title"] == "Test event by verifier: the tracker takes events"  # type: ignore[index]


def test_the_check_is_red_for_a_key_that_is_refused_and_does_not_show_it(
    env: Path, port: int
) -> None:
    env.write_text(f"DSN=http://wrong-key@127.0.0.1:{port}/1\n")
    (said,) = check(env)
    assert "wanted the key to be accepted, saw 403" in said
    assert "wrong-key" not in said


def test_the_check_is_red_for_an_event_that_is_never_readable(env: Path, port: int) -> None:
    lookup = f"http://127.0.0.1:{port}/api/2/events/{{event_id}}/"
    (said,) = check(env, lookup_url=lookup)
    assert "wanted the accepted event to be readable, saw 404" in said


@pytest.mark.parametrize(
    ("dsn", "reason"),
    [
        ("http://k3y@127.0.0.1:1/1", "wanted an answer, saw Connection refused"),
        ("http://k3y@tracker.invalid/1", "the name tracker.invalid cannot be resolved"),
        ("http://127.0.0.1/1", "wanted a DSN"),
        ("tracker", "wanted a DSN"),
        ("http://k3y@127.0.0.1:x/1", "wanted a DSN"),
    ],
)
def test_the_check_is_red_for_a_tracker_that_is_none(env: Path, dsn: str, reason: str) -> None:
    env.write_text(f"DSN={dsn}\n")
    (said,) = check(env)
    assert reason in said


def test_the_check_is_red_without_a_dsn(env: Path) -> None:
    env.write_text("OTHER=1\n")
    assert check(env) == [f"tracker of DSN: wanted to be configured, saw no value for DSN in {env}"]


def test_the_check_is_red_for_a_web_server_that_is_no_tracker(env: Path, port: int) -> None:
    env.write_text(f"DSN=http://k3y@127.0.0.1:{port}/sub/1\n")
    (said,) = check(env)
    assert "accepted with its id, saw 404" in said
