from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from verifier.checks import _log_lines as log_lines
from verifier.checks._log_lines import Asked, fold, kinds_of, moment, own_time, report, severity
from verifier.checks.log_analysis import _PROGRAM

ASKED = Asked(
    containers=[], files=[], window_s=900, slow_ms=500, refused=[401, 403], ignore=[], patterns={},
    most_bytes=1_000_000,
)  # fmt: skip


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ('{"level": "ERROR", "message": "x"}', "error"),
        ('{"level": 50, "msg": "x"}', "error"),
        ('{"level": "info", "message": "ERROR is only talked about"}', "other"),
        ("2026-01-01 0:00:00 0 [ERROR] x", "error"),
        ("2026-01-01 00:00:00 UTC [1] LOG:  logging ERROR statements", "other"),
        ("[오류] 디스크", "error"),
        ("2026-01-01 00:00:00 에러: 연결할 수 없음", "error"),
        ("[경고] 느린 요청", "warning"),
        ("오류 없이 끝났다", "other"),
    ],
)
def test_a_level_is_read_in_both_languages(line: str, level: str) -> None:
    assert severity(line) == level


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ('{"message": "request", "path": "/files", "status": 200, "duration_ms": 20}', ()),
        ('{"message": "request", "path": "/files", "status": 200, "ms": 501}', ("performance",)),
        ('{"message": "request", "path": "/api", "status": 403}', ("security",)),
        ('{"message": "request", "path": "/%2e%2e%2fetc%2fpasswd", "status": 404}', ("security",)),
        ('{"message": "request", "path": "/wp-admin/x", "status": 200}', ("security",)),
        ('1.2.3.4 - - [25/Nov/2026:11:39:35 +0000] "GET /.env HTTP/1.1" 404 0', ("security",)),
        ('1.2.3.4 - - [25/Nov/2026:11:39:35 +0000] "GET /a HTTP/1.1" 401 0', ("security",)),
        ('1.2.3.4 - - [25/Nov/2026:11:39:35 +0000] "GET /environment HTTP/1.1" 200 0', ()),
        ("[Warning] Access denied for user 'root'@'1.2.3.4' (using password: YES)", ("security",)),
        ("FATAL:  password authentication failed for user", ("errors", "security")),
        ("[오류] 로그인 실패: 관리자", ("errors", "security")),
        ("요청 시간 초과", ("performance",)),
        ("reading /srv/app/.env", ()),
        ("ERROR 1205 Lock wait timeout exceeded", ("errors", "performance")),
    ],
)
def test_a_line_is_of_its_kinds(line: str, kinds: tuple[str, ...]) -> None:
    assert kinds_of(line, ASKED) == kinds


def test_more_patterns_may_be_given_for_a_kind() -> None:
    asked = ASKED._replace(patterns={"security": ["knock"]})
    assert kinds_of("a knock", asked) == ("security",)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2026-11-25 11:39:35 85 [Warning] from 10.0.0.1", "2026-11-26 1:02:03 7 [Warning] from 10.9.0.1"),
        (
            '{"time": "a", "message": "request failed", "path": "/files/17", "id": "9a288b195b0c4a7a99a36165d795a3d1"}',
            '{"time": "b", "message": "request failed", "path": "/files/4", "id": "0a079ee8121d4756b4ad3054b744b0ab"}',
        ),
        ("job 3f2a1b9c-0000-4000-8000-123456789abc failed", "job 00000000-1111-4000-8000-123456789abc failed"),
    ],
)  # fmt: skip
def test_lines_that_say_the_same_fold_into_one_pattern(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_a_status_keeps_two_patterns_apart() -> None:
    line = '{"message": "request", "method": "GET", "path": "/a", "status": %d}'
    assert fold(line % 200) != fold(line % 503)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-25T11:23:19.147378704Z", 1795605799.147),
        ("2026-11-25T20:23:19.147+09:00", 1795605799.147),
        ("2026-11-25 11:23:19,147 UTC", 1795605799.147),
        ("[25/Nov/2026:11:23:19 +0000]", 1795605799),
    ],
)
def test_a_time_is_read_with_its_zone(text: str, seconds: float) -> None:
    found = moment(text)
    assert found is not None
    assert abs(found - seconds) < 0.01


def test_a_time_without_a_zone_is_the_machines_own() -> None:
    found = moment("2026-11-25 11:23:19")
    assert found == time.mktime((2026, 11, 25, 11, 23, 19, 0, 0, -1))


def test_a_time_in_milliseconds_is_understood() -> None:
    assert own_time('{"time": 1795605799147, "msg": "x"}') == 1795605799.147


def _at(ago_s: float, message: str, level: str = "error") -> str:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - ago_s))
    return json.dumps({"timestamp": stamp, "level": level, "message": message})


def _errors(path: Path, **more: object) -> tuple[dict[str, object], dict[str, object]]:
    asked = ASKED._replace(files=[str(path)], **more)  # type: ignore[arg-type]
    log = report(asked)["logs"][0]  # type: ignore[index]
    return log, log["kinds"][0]


def test_a_file_is_counted_in_two_windows(tmp_path: Path) -> None:
    lines = [_at(4000, "disk 0"), _at(1000, "disk 1"), *(_at(10, f"disk {n}") for n in range(5))]
    (tmp_path / "app.log").write_text("\n".join(lines) + "\n")
    log, errors = _errors(tmp_path / "app.log")
    assert (errors["now"], errors["before"], errors["patterns"]) == (5, 1, 1)
    assert (log["reaches_back"], log["recent"]) == (True, 5)
    group = errors["groups"][0]  # type: ignore[index]
    assert group["pattern"] == "disk <n>"
    assert len(group["first"]) == 3


def test_a_file_that_began_lately_does_not_reach_back(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text(_at(1000, "x") + "\n")
    assert not _errors(tmp_path / "app.log")[0]["reaches_back"]


def test_a_line_without_a_time_has_that_of_the_line_before(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text(f"{_at(4000, 'x')}\nTraceback (most recent call last):\n")
    assert _errors(tmp_path / "app.log")[1]["now"] == 0


def test_a_file_without_times_counts_by_its_last_change(tmp_path: Path) -> None:
    file = tmp_path / "app.log"
    file.write_text("Error: connect ECONNREFUSED\n")
    assert _errors(file)[1]["now"] == 1
    os.utime(file, (time.time() - 1000,) * 2)
    assert (_errors(file)[1]["now"], _errors(file)[1]["before"]) == (0, 1)


def test_a_secret_is_not_shown(tmp_path: Path) -> None:
    text = "login with password=hunter2222 at mysql://app:hunter2222@db failed"
    (tmp_path / "app.log").write_text(_at(1, text) + "\n")
    assert "hunter2222" not in json.dumps(_errors(tmp_path / "app.log"))


def test_known_lines_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text(f"{_at(1, 'known')}\n{_at(1, 'new')}\n")
    assert _errors(tmp_path / "app.log", ignore=["known"])[1]["now"] == 1


def test_patterns_are_bounded(tmp_path: Path) -> None:
    words = [f"{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(300)]
    (tmp_path / "app.log").write_text("".join(_at(1, word) + "\n" for word in words))
    errors = _errors(tmp_path / "app.log")[1]
    assert errors["now"] == 300
    assert errors["patterns"] == 201


def test_a_file_with_more_than_may_be_read_in_one_window_is_no_answer(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text("".join(_at(1, "x") + "\n" for _ in range(100)))
    with pytest.raises(ValueError, match="more than 1000 bytes"):
        _errors(tmp_path / "app.log", most_bytes=1000)


def test_a_pattern_without_a_file_is_told(tmp_path: Path) -> None:
    asked = ASKED._replace(files=[f"{tmp_path}/none/*.log"])
    assert report(asked)["unmatched"] == [f"{tmp_path}/none/*.log"]


def test_the_program_runs_by_itself(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text(_at(1, "x") + "\n")
    asked = json.dumps(ASKED._replace(files=[f"{tmp_path}/app.log"])._asdict())
    done = subprocess.run(
        [sys.executable, "-I", "-c", _PROGRAM, asked], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["logs"][0]["kinds"][0]["now"] == 1


@pytest.mark.parametrize(("script", "said"), [
    ("echo 2026-11-25T11:23:19.1Z x; exit 1", "x"),
    ("echo 'configured logging driver does not support reading' >&2; exit 1", "does not support"),
])  # fmt: skip
def test_an_engine_that_cannot_read_a_log_is_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    _docker(tmp_path, monkeypatch, script)
    with pytest.raises(OSError, match=said):
        report(_container())


def test_a_container_counts_by_the_engines_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, before = (f"{_stamp(ago)} [ERROR] x" for ago in (5, 1000))
    _docker(tmp_path, monkeypatch, f"echo '{before}'; echo '{now}'; echo '{now}' >&2")
    log = report(_container())["logs"][0]  # type: ignore[index]
    assert (log["kinds"][0]["now"], log["kinds"][0]["before"]) == (2, 1)
    assert log["ever"]
    assert log["reaches_back"]


def test_a_container_that_is_silent_lately_has_logged_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _docker(tmp_path, monkeypatch, 'case "$*" in *--tail*) echo started;; esac')
    log = report(_container())["logs"][0]  # type: ignore[index]
    assert (log["recent"], log["ever"]) == (0, True)


def _container() -> Asked:
    one = {"name": "app-1", "id": "9c62508136d8", "since": _stamp(10_000)}
    return ASKED._replace(containers=[one])


def _stamp(ago_s: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - ago_s))


def _docker(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = folder / "docker"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_the_kinds_are_those_of_the_check() -> None:
    assert log_lines.KINDS == ("errors", "performance", "security")
