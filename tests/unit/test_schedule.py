from __future__ import annotations

import re
import shlex
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from verifier.duty import Duty
from verifier.errors import GuardRefused, UsageError
from verifier.schedule import (
    File,
    Job,
    cron_fields,
    cron_file,
    find_jobs,
    on_calendar,
    systemd_units,
    write_schedule,
)


def duty(**given: object) -> Duty:
    plain = {"title": "A check", "every": "day", "at": "06:05", "items": ["a"]}
    return Duty.model_validate({**plain, **given})


def job(name: str = "daily", *, project: str = "/srv/p", **given: object) -> Job:
    command = ("/opt/v/bin/verifier", "duty", "run", name, "--inventory", "prod")
    return Job(name, duty(**given), "prod", Path(project), command, "ops")


TIMES = [
    ({}, "*-*-* 06:05:00", "5 6 * * *"),
    ({"every": "week"}, "Mon *-*-* 06:05:00", "5 6 * * 1"),
    ({"every": "week", "weekday": "Sun"}, "Sun *-*-* 06:05:00", "5 6 * * 0"),
    ({"every": "month", "at": "23:59"}, "*-*-01 23:59:00", "59 23 1 * *"),
    ({"every": "month", "day": 28}, "*-*-28 06:05:00", "5 6 28 * *"),
    ({"every": "quarter"}, "*-01,04,07,10-01 06:05:00", "5 6 1 1,4,7,10 *"),
    ({"every": "year", "month": 3, "day": 9}, "*-03-09 06:05:00", "5 6 9 3 *"),
]


@pytest.mark.parametrize(("given", "calendar", "fields"), TIMES)
def test_a_time_is_written_as_systemd_and_cron_read_it(
    given: dict[str, object], calendar: str, fields: str
) -> None:
    assert on_calendar(duty(**given)) == calendar
    assert cron_fields(duty(**given)) == fields
    program = shutil.which("systemd-analyze")
    if program:
        read = subprocess.run(
            [program, "calendar", calendar], capture_output=True, text=True, check=False
        )
        assert read.returncode == 0, read.stderr
        normal = re.search(r"Normalized form: (.*)", read.stdout)
        assert normal is None or normal[1] == calendar


def test_the_units_run_the_duty_where_the_project_is() -> None:
    units = systemd_units(job(every="week", title="100% of it"))
    assert list(units) == ["verifier-duty-daily.service", "verifier-duty-daily.timer"]
    service, timer = (text.splitlines() for text in units.values())
    assert "ExecStart=/opt/v/bin/verifier duty run daily --inventory prod" in service
    assert {"WorkingDirectory=/srv/p", "User=ops", "NoNewPrivileges=true"} <= set(service)
    assert "Description=verifier: 100%% of it (prod)" in service
    assert {"OnCalendar=Mon *-*-* 06:05:00", "Persistent=true"} <= set(timer)
    assert service[0] == timer[0] == "# Written by `verifier duty schedule` for prod of /srv/p"


def test_systemd_itself_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if not program:
        pytest.skip("there is no systemd-analyze")
    here = Job("daily", duty(), "prod", tmp_path, ("/bin/sh", "-c", "a b", "$x%y"), "root")
    written = write_schedule(tmp_path, systemd_units(here))
    done = subprocess.run(
        [program, "verify", *map(str, written)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_words_with_blanks_and_signs_stay_one_word() -> None:
    odd = Job("d", duty(), "prod", Path("/srv/a b%"), ("/o p/verifier", 'q"u', "$5"), "ops")
    service = systemd_units(odd)["verifier-duty-d.service"]
    assert 'ExecStart="/o p/verifier" "q\\"u" $$5\n' in service
    assert "WorkingDirectory=/srv/a b%%\n" in service
    line = cron_file([odd])["verifier-duties-prod"].splitlines()[-1]
    assert line.startswith("5 6 * * * ops cd '/srv/a b\\%' && ")
    said = line.removeprefix("5 6 * * * ops ").replace("\\%", "%")
    assert shlex.split(said) == ["cd", "/srv/a b%", "&&", "/o p/verifier", 'q"u', "$5"]


def test_one_cron_file_holds_all_duties() -> None:
    files = cron_file([job(), job("monthly", every="month")])
    assert list(files) == ["verifier-duties-prod"]
    text = files["verifier-duties-prod"]
    assert text.endswith("\n")
    assert [x for x in text.splitlines() if x[0] not in "#P"] == [
        "5 6 * * * ops cd /srv/p && /opt/v/bin/verifier duty run daily --inventory prod",
        "5 6 1 * * ops cd /srv/p && /opt/v/bin/verifier duty run monthly --inventory prod",
    ]
    dotted = Job("d", duty(), "eu.west", Path("/p"), ("v",), "ops")
    assert list(cron_file([dotted])) == ["verifier-duties-eu-west"]


def test_what_is_written_is_found_as_a_job(tmp_path: Path) -> None:
    for path in write_schedule(tmp_path, {**cron_file([job()]), **systemd_units(job())}):
        lines = tuple(enumerate(path.read_text().splitlines(), 1))
        beside = path.with_suffix(".service")
        service = tuple(enumerate(beside.read_text().splitlines(), 1)) if beside.exists() else ()
        found = find_jobs([File(str(path), lines, service)], "daily", "prod")
        assert bool(found.jobs) == (path.suffix != ".service")
        assert find_jobs([File(str(path), lines, service)], "daily", "lab").jobs == ()
        assert find_jobs([File(str(path), lines, service)], "weekly", "prod").jobs == ()


def cron_line(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    found = find_jobs([File("f", ((3, text),))], "daily", "prod")
    return found.jobs, found.disabled


@pytest.mark.parametrize(
    "line",
    [
        "0 6 * * * root cd /p && /v/verifier duty run daily --inventory prod",
        "*/5 6-8 * jan-mar mon,tue root cd /p&&verifier duty run daily -i inventory/prod",
        "@daily cd /p; python3 -m verifier duty run daily --inventory=prod >/dev/null 2>&1",
        "0 6 * * * cd '/p # q' && nice verifier duty run daily -i prod --limit 'a b'",
    ],
)
def test_a_cron_line_that_runs_the_duty_is_a_job(line: str) -> None:
    assert cron_line(line) == (("f:3",), ())
    assert cron_line(f"#{line}") == ((), ("f:3: a comment",))
    assert cron_line(f" ## {line}") == ((), ("f:3: a comment",))


@pytest.mark.parametrize(
    "line",
    [
        "0 6 * * * root verifier duty run daily",
        "0 6 * * * root verifier duty run daily-too -i prod",
        "0 6 * * * root verifier duty run weekly -i daily",
        "0 6 * * * root verifier duty list daily -i prod",
        "0 6 * * * root : verifier duty run daily -i prod",
        "0 6 * * * root echo verifier duty run daily -i prod",
        "0 6 * * * root date % verifier duty run daily -i prod",
        "0 6 * * * root true # verifier duty run daily -i prod",
        "0 6 * * * root echo 'verifier duty run daily -i prod'",
        "0 6 * * * root echo 'open",
        "@reboot root verifier duty run daily -i prod",
        "6 * * * root verifier duty run daily -i prod",
        "# verifier duty run daily -i prod is run by hand",
        "verifier duty run daily -i prod",
    ],
)
def test_a_line_that_does_not_run_the_duty_is_none(line: str) -> None:
    assert cron_line(line) == ((), ())


def test_nothing_foreign_is_overwritten(tmp_path: Path) -> None:
    files = cron_file([job(), job("monthly", every="month")])
    (path,) = write_schedule(tmp_path / "new" / "folder", files)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert write_schedule(path.parent, cron_file([job()])) == (path,)
    assert "monthly" not in path.read_text()
    for foreign in ("", "# another tool's\n", path.read_text().replace("/srv/p", "/srv/q")):
        path.write_text(foreign)
        with pytest.raises(GuardRefused, match="was not written by this command"):
            write_schedule(path.parent, {"before-it": f"{files[path.name]}", **files})
        assert path.read_text() == foreign
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written"):
        write_schedule(tmp_path / "file", cron_file([job()]))
