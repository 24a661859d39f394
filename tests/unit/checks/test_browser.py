from __future__ import annotations

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support import FakeShell, Recorded, host_behind
from verifier.checks import page_speed
from verifier.checks._browser import Browser, open_page
from verifier.checks.base import CommandResult, Host
from verifier.errors import CannotObserve
from verifier.verify.connect import Connections

URL = "http://127.0.0.1:3000/"
AUDITS = ("first-contentful-paint", "largest-contentful-paint", "interactive")
TOLD = {
    "taken_at": "2026-01-25T12:26:58.168Z",
    "lighthouse": "12.8.2",
    "browser": "Chrome/150.0.0.0",
    "benchmark": 2000,
    "url": URL,
    "error": "",
    "audits": {audit: [400, ""] for audit in AUDITS},
    "requests": [[URL, 200, "Document", 1000]],
}


class SlowShell(FakeShell):
    """A machine called `name` whose browser opens a page only once it may."""

    def __init__(self, may: threading.Event, name: str = "one", told: object = TOLD) -> None:
        page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
        super().__init__(
            [
                Recorded("uname -n", name),
                Recorded("curl", page),
                Recorded("python3 -c", json.dumps(told)),
            ]
        )
        self._may = may

    def __call__(self, command: str, timeout_s: float, stdin: bytes) -> tuple[int, bytes, bytes]:
        if "python3 -c" in command:
            assert self._may.wait(10)
        return super().__call__(command, timeout_s, stdin)

    @property
    def loads(self) -> int:
        return sum("python3 -c" in command for command in self.asked)


def _want(**limits: float) -> page_speed.Params:
    return page_speed.CHECK.read({"url": URL, **limits})


def _ask_at_once(
    shells: list[SlowShell], wants: list[page_speed.Params], may: threading.Event
) -> list[page_speed.Seen | CannotObserve]:
    def look(shell: SlowShell, want: page_speed.Params) -> page_speed.Seen | CannotObserve:
        try:
            return page_speed.observe(host_behind(shell), want)
        except CannotObserve as error:
            return error

    with ThreadPoolExecutor() as pool:
        asked = [pool.submit(look, *one) for one in zip(shells, wants, strict=True)]
        while not all(shell.asked for shell in shells):
            time.sleep(0.01)
        time.sleep(0.3)  # from asking which machine this is to joining
        may.set()
        return [one.result() for one in asked]


def test_items_that_are_looked_at_together_share_one_measurement() -> None:
    may = threading.Event()
    shells = [SlowShell(may) for _ in range(3)]
    seen = _ask_at_once(shells, [_want(fcp_ms=1), _want(lcp_ms=1), _want(tti_ms=1)], may)
    assert sorted(shell.loads for shell in shells) == [0, 0, 3]
    assert seen[0] == seen[1] == seen[2]


def test_a_finished_measurement_is_not_used_again() -> None:
    may = threading.Event()
    may.set()
    shell = SlowShell(may)
    for _ in range(2):
        page_speed.observe(host_behind(shell), _want(fcp_ms=1))
    assert shell.loads == 6


def test_machines_and_other_parameters_do_not_share_a_measurement() -> None:
    may = threading.Event()
    shells = [SlowShell(may, "one"), SlowShell(may, "two"), SlowShell(may, "one")]
    _ask_at_once(shells, [_want(fcp_ms=1), _want(fcp_ms=1), _want(fcp_ms=1, runs=2)], may)
    assert [shell.loads for shell in shells] == [3, 3, 2]


def test_all_who_share_a_measurement_that_fails_are_told_why() -> None:
    may = threading.Event()
    shells = [SlowShell(may, told={"cannot": "no browser here"}) for _ in range(2)]
    seen = _ask_at_once(shells, [_want(fcp_ms=1), _want(lcp_ms=1)], may)
    assert sum(shell.loads for shell in shells) == 1
    assert [str(one) for one in seen] == ["no browser here"] * 2


_LIGHTHOUSE = """
import json, os, subprocess, sys
folder = os.environ["TMPDIR"]
open({mark!r}, "w").write(folder)
profile = "--user-data-dir=" + folder + "/profile"
subprocess.Popen(["sh", "-c", "sleep 600; :", profile], start_new_session=True)
{then}
"""
_REPORT = {
    "fetchTime": "2026-01-25T12:26:58.168Z",
    "lighthouseVersion": "12.8.2",
    "mainDocumentUrl": URL + "?token=secret",
    "environment": {"hostUserAgent": "Mozilla/5.0 Chrome/150.0.0.0", "benchmarkIndex": 2000},
    "audits": {
        **{audit: {"numericValue": 400} for audit in AUDITS},
        "network-requests": {"details": {"items": [{"url": URL + "?token=secret"}]}},
    },
}
_WRITE = f"""
path = [word.partition("=")[2] for word in sys.argv if word.startswith("--output-path=")][0]
json.dump({_REPORT!r}, open(path, "w"))
"""


def _look(folder: Path, then: str, timeout_s: float) -> str:
    """What comes of a look with a Lighthouse that leaves a browser behind and then does `then`."""
    mark, program = folder / "mark", folder / "lighthouse.py"
    program.write_text(_LIGHTHOUSE.format(mark=str(mark), then=then))
    curl = folder / "curl"
    curl.write_text("#!/bin/sh\nprintf 'HTTP/1.1 200 OK\\r\\n\\r\\n'\n")
    curl.chmod(0o755)
    browser = Browser(command=(sys.executable, str(program)))
    with Connections() as connections:
        host, _ = connections.controller().look(timeout_s=timeout_s)
        try:
            return str(open_page(_WithPath(host, folder), browser, URL, 1))
        except CannotObserve as error:
            return str(error)


class _WithPath:
    """The same host, with programs of the test before its own."""

    def __init__(self, host: Host, folder: Path) -> None:
        self._host, self._folder = host, folder

    def run(self, command: str, *args: str) -> CommandResult:
        return self._host.run(f'PATH="{self._folder}:$PATH"; {command}', *args)


def _left_behind(folder: Path) -> list[str]:
    """The folder of the look, and what was started in it, unless both are soon gone."""
    place = (folder / "mark").read_text()
    for _ in range(50):
        words = [p.read_bytes() for p in Path("/proc").glob("[0-9]*/cmdline") if _is_there(p)]
        left = [str(w) for w in words if f"--user-data-dir={place}".encode() in w]
        left += [place] if Path(place).exists() else []
        if not left:
            break
        time.sleep(0.1)
    return left


def _is_there(path: Path) -> bool:
    try:
        return bool(path.read_bytes())
    except OSError:
        return False


@pytest.mark.parametrize(
    ("then", "timeout_s", "said"),
    [
        (_WRITE, 30, "Opened(refused=''"),
        ("sys.exit('Unable to connect to Chrome')", 30, "no report: Unable to connect to Chrome"),
        ("import time; time.sleep(600)", 1.5, "no answer in 1.5 s"),
    ],
    ids=["measured", "failed", "killed"],
)
def test_nothing_is_left_of_a_browser_however_a_look_ends(
    tmp_path: Path, then: str, timeout_s: float, said: str
) -> None:
    assert said in _look(tmp_path, then, timeout_s)
    assert _left_behind(tmp_path) == []


def test_what_stands_in_a_query_is_not_kept(tmp_path: Path) -> None:
    assert "secret" not in _look(tmp_path, _WRITE, 30)
