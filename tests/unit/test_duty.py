from __future__ import annotations

import datetime as dt
import json
import stat
from pathlib import Path

import pytest

from verifier.checklist.items import find_checklists, load_checklists
from verifier.document import read_document
from verifier.duty import (
    GRACE,
    Duty,
    DutyRun,
    Every,
    after,
    append_run,
    choose,
    is_overdue,
    last_success,
    load_duties,
    load_record,
    next_due,
    read_record,
    record_path,
    refuse_strangers,
    stand,
)
from verifier.errors import DocumentError, InfrastructureError, UsageError

ROOT = Path(__file__).resolve().parents[2]
ONE = """version: 1
duties:
  daily: {title: Daily check, title_ko: 일일 점검, every: day, at: "06:00", items: [web-answers]}
  nightly: {title: Old check, every: week, weekday: Sun, at: "23:30", items: [src.1], load: true}
"""


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def a_run(finished: str, *, duty: str = "daily", code: int = 0, limit: str = "") -> DutyRun:
    end = moment(finished)
    return DutyRun(duty, f"run-{finished}", end, end, "closed" if code else "open", code, limit)


def test_the_duties_of_a_project_are_read(tmp_path: Path) -> None:
    (tmp_path / "duties.yml").write_text(ONE)
    duties = load_duties(tmp_path)
    assert {name: (d.every, d.at, d.items, d.load) for name, d in duties.items()} == {
        "daily": ("day", "06:00", ("web-answers",), False),
        "nightly": ("week", "23:30", ("src.1",), True),
    }
    assert duties["daily"].title_ko == "일일 점검"
    assert list(choose(duties, ["nightly"])) == ["nightly"]
    assert list(choose(duties, [])) == ["daily", "nightly"]


def test_a_project_without_duties_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"duties\.yml: no duties \(write it"):
        load_duties(tmp_path)
    (tmp_path / "duties.yaml").write_text(ONE)
    with pytest.raises(UsageError, match=r"is not read \(name it duties\.yml\)"):
        load_duties(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("items: [web-answers]", "items: []", "duties.daily.items: Tuple should have at least 1"),
        ("items: [web-answers]", "itmes: [a]", "duties.daily.itmes: unknown key"),
        (
            'at: "23:30"',
            "at: 23:30",
            'duties.nightly.at: wants a time of day in quotes, such as "06',
        ),
        ('at: "06:00"', 'at: "24:00"', "duties.daily.at: wants a time of day"),
        ('at: "06:00"', 'at: "6:00"', "duties.daily.at: wants a time of day"),
        ("every: day", "every: hour", "duties.daily.every: Input should be 'day', 'week'"),
        (
            "every: day",
            "every: day, weekday: Mon",
            "'weekday' makes no sense for a duty of every day",
        ),
        ("weekday: Sun", "day: 1", "'day' makes no sense for a duty of every week"),
        (
            "every: day",
            "every: quarter, month: 2",
            "'month' makes no sense for a duty of every quar",
        ),
        ("every: day", "every: month, day: 31", "duties.daily.day: Input should be less than or"),
        ("  daily:", "  Daily check:", "duties.Daily check"),
        ("title: Daily check", 'title: "a\\nb"', "duties.daily.title: String should match"),
        ("title: Daily check", 'title: " "', "duties.daily.title: String should have at least 1"),
        ("version: 1", "version: 2", "version: Input should be 1"),
    ],
)
def test_what_is_wrong_with_a_duty_is_one_line(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    assert old in ONE
    (tmp_path / "duties.yml").write_text(ONE.replace(old, new))
    with pytest.raises(DocumentError, match=r"duties\.yml:\d") as caught:
        load_duties(tmp_path)
    assert says in str(caught.value)


def test_no_duty_at_all_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "duties.yml").write_text("version: 1\nduties: {}\n")
    with pytest.raises(DocumentError, match="duties: Dictionary should have at least 1"):
        load_duties(tmp_path)


def test_an_item_or_a_name_that_is_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "duties.yml").write_text(ONE)
    duties = load_duties(tmp_path)
    refuse_strangers(duties, {"web-answers", "src.1"})
    with pytest.raises(UsageError, match=r"duty 'daily' names 'web-answers', .*'web-answer'\?"):
        refuse_strangers(duties, {"web-answer", "src.1"})
    with pytest.raises(UsageError, match=r"no duty 'dayly' \(known: daily, nightly\)"):
        choose(duties, ["dayly"])


@pytest.mark.parametrize(
    ("every", "given", "later"),
    [
        ("day", "2026-12-31T06:00", "2027-01-01T06:00"),
        ("week", "2026-02-25T06:00", "2026-03-04T06:00"),
        ("month", "2026-01-31T06:00", "2026-02-28T06:00"),
        ("month", "2028-01-31T06:00", "2028-02-29T06:00"),
        ("month", "2026-12-15T23:59", "2027-01-15T23:59"),
        ("month", "2026-02-28T06:00", "2026-03-28T06:00"),
        ("quarter", "2026-11-30T06:00", "2027-02-28T06:00"),
        ("quarter", "2026-01-31T06:00", "2026-04-30T06:00"),
        ("year", "2028-02-29T06:00", "2029-02-28T06:00"),
    ],
)
def test_a_period_is_one_of_the_calendar(every: Every, given: str, later: str) -> None:
    assert after(moment(given), every) == moment(later)


def test_a_period_is_counted_in_utc() -> None:
    seoul = dt.timezone(dt.timedelta(hours=9))
    begun = dt.datetime(2026, 3, 1, 8, 0, tzinfo=seoul)  # still February in UTC
    assert after(begun, "month") == moment("2026-03-28T23:00")


def test_only_a_whole_run_with_an_open_gate_is_a_success() -> None:
    runs = [
        a_run("2026-03-01T06:00"),
        a_run("2026-03-02T06:00", limit="web1"),
        a_run("2026-03-03T06:00", code=1),
        a_run("2026-03-04T06:00", code=7),
    ]
    assert last_success(runs) == runs[0]
    assert last_success(runs[1:]) is None
    assert not DutyRun("d", "", runs[0].started_at, runs[0].finished_at, "open", 0).is_success


def test_never_is_due_at_once_and_overdue() -> None:
    now = moment("2026-03-01T06:00")
    assert next_due("month", None, now) == now
    assert is_overdue("month", None, now, GRACE["month"])
    never = stand("daily", "day", [], now)
    assert (never.state, never.next_due, never.success) == ("never", now, None)


@pytest.mark.parametrize(
    ("now", "state"),
    [
        ("2026-03-02T05:59", "ok"),
        ("2026-03-02T06:00", "due"),
        ("2026-03-02T12:00", "due"),
        ("2026-03-02T12:01", "overdue"),
    ],
)
def test_a_duty_is_due_for_as_long_as_its_grace(now: str, state: str) -> None:
    assert stand("daily", "day", [a_run("2026-03-01T06:00")], moment(now)).state == state


def test_a_failure_counts_until_the_next_success() -> None:
    runs = [a_run("2026-03-01T06:00"), a_run("2026-03-01T07:00", code=1)]
    now = moment("2026-03-01T08:00")
    failed = stand("daily", "day", runs, now)
    assert (failed.state, failed.failure) == ("ok", runs[1])
    assert stand("daily", "day", [*runs, a_run("2026-03-01T07:30")], now).failure is None
    assert stand("weekly", "week", runs, now).state == "never"


def test_a_success_in_the_future_is_none() -> None:
    now = moment("2026-03-01T06:00")
    assert stand("daily", "day", [a_run("2026-03-01T06:04")], now).state == "ok"
    assert stand("daily", "day", [a_run("2026-03-01T06:06")], now).state == "never"


def test_a_run_is_appended_for_its_owner_only(tmp_path: Path) -> None:
    path = record_path(tmp_path, "prod")
    assert load_record(path).runs == ()
    runs = (a_run("2026-03-01T06:00"), a_run("2026-03-02T06:00", code=3, limit="웹"))
    for run in runs:
        append_run(path, run)
    assert load_record(path).runs == runs
    assert path == tmp_path / ".verifier" / "duties" / "prod.jsonl"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert len(path.read_text().splitlines()) == len(runs)
    assert (tmp_path / ".verifier" / ".gitignore").read_text() == "*\n"


def test_a_torn_line_is_named_and_takes_no_other_with_it(tmp_path: Path) -> None:
    path = record_path(tmp_path, "prod")
    append_run(path, a_run("2026-03-01T06:00"))
    with path.open("a") as file:
        file.write('{"duty": "daily", "run": "x"')
    assert load_record(path).torn == (2,)
    append_run(path, a_run("2026-03-03T06:00"))
    record = load_record(path)
    assert record.torn == (2,)
    assert [run.finished_at.day for run in record.runs] == [1, 3]


def test_a_line_that_makes_no_sense_counts_for_nothing() -> None:
    good = json.dumps(
        {
            "duty": "d", "run": "r", "verdict": "open", "exit_code": 0,
            "started_at": "2026-03-01T06:00:00Z", "finished_at": "2026-03-01T06:00:09Z",
        }
    )  # fmt: skip
    lines = [good, good.replace("open", "ajar"), good.replace("09Z", "09"), "[]", "", "null", good]
    record = read_record(lines)
    assert len(record.runs) == 2
    assert record.torn == (2, 3, 4, 6)


def test_a_record_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    path = record_path(tmp_path, "prod")
    path.parent.mkdir(parents=True)
    path.write_text("garbage\n")
    with pytest.raises(DocumentError, match=r"prod\.jsonl: no line of it can be read"):
        load_record(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(DocumentError, match="cannot be read"):
        load_record(path)
    with pytest.raises(InfrastructureError, match=r"the run cannot be recorded: .*directory"):
        append_run(path, a_run("2026-03-01T06:00"))


@pytest.mark.parametrize(
    ("inventory", "file"),
    [
        ("prod", "prod.jsonl"),
        ("inventory/prod", "prod.jsonl"),
        ("../a b/hosts.yml", "hosts.yml.jsonl"),
    ],
)
def test_an_inventory_given_as_a_path_has_one_record(
    tmp_path: Path, inventory: str, file: str
) -> None:
    assert record_path(tmp_path, inventory).name == file


def test_the_duties_of_this_project_are_those_its_checklist_asks_for() -> None:
    duties = load_duties(ROOT)
    items = [i for one in load_checklists(find_checklists(ROOT)) for i in one.items]
    refuse_strangers(duties, {i.id for i in items})
    asked = {
        str(i.binding.given["name"]): i.binding.given["every"]
        for i in items
        if i.binding.check == "duty"
    }
    assert asked == {name: duty.every for name, duty in duties.items()}
    for inventory in ("lab", "prod"):
        values = read_document(
            ROOT / "inventory" / inventory / "group_vars" / "all" / "duty.yml", dict[str, object]
        )
        assert values["duty_record"] == str(record_path(Path(), inventory))


def test_a_duty_without_a_day_falls_on_the_first_one() -> None:
    duty = Duty(title="t", every="month", at="06:00", items=("a",))
    assert (duty.weekday, duty.day, duty.month) == (None, None, None)
