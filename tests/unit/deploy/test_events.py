from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from verifier.deploy.events import Event, PlayResult, StepState, conclude, read_event
from verifier.plan import Step

RECORDED = Path(__file__).parent / "recorded"


def _lines(name: str) -> list[str]:
    return (RECORDED / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()


def _events(lines: list[str]) -> list[Event]:
    return [event for event in map(read_event, lines) if event is not None]


def _concluded(
    events: list[Event], roles: tuple[str, ...], hosts: tuple[str, ...] = ("h1",)
) -> PlayResult:
    steps = [Step(r, "Play", "play.yml", "", "", "adds", "", "", hosts) for r in roles]
    return conclude("Play", steps, hosts, events)


def _states(played: PlayResult) -> dict[tuple[str, str], StepState]:
    return {(s.step, s.host): s.state for s in played.steps}


BOTH = ("h1", "h2")


def test_a_whole_run_is_done_and_counts_its_changes() -> None:
    played = _concluded(_events(_lines("ok")), ("place", "settle"), BOTH)
    assert played.is_done
    assert [(s.step, s.host, s.state, s.changes) for s in played.steps] == [
        ("place", "h1", StepState.CHANGED, 1),
        ("place", "h2", StepState.CHANGED, 1),
        ("settle", "h1", StepState.UNCHANGED, 0),
        ("settle", "h2", StepState.UNCHANGED, 0),
    ]


@pytest.mark.parametrize("length", range(len(_lines("ok"))))
def test_a_run_cut_short_anywhere_is_never_done(length: int) -> None:
    played = _concluded(_events(_lines("ok")[:length]), ("place", "settle"), BOTH)
    assert not played.is_done
    assert played.problems


@pytest.mark.parametrize("missing", range(len(_lines("ok"))))
def test_a_run_of_which_one_event_is_missing_is_never_done(missing: int) -> None:
    lines = _lines("ok")
    del lines[missing]
    assert not _concluded(_events(lines), ("place", "settle"), BOTH).is_done


def test_a_run_without_its_end_marker_is_not_done() -> None:
    played = _concluded(_events(_lines("ok")[:-1]), ("place", "settle"), BOTH)
    assert played.problems == ("the process that runs Ansible ended early",)


def test_a_run_without_statistics_is_not_done() -> None:
    events = [e for e in _events(_lines("ok")) if e.kind != "playbook_on_stats"]
    played = _concluded(events, ("place", "settle"), BOTH)
    assert not played.is_done
    assert played.problems == ("the playbook did not reach its end: no event said why",)


def test_a_host_that_no_statistics_mention_is_a_problem() -> None:
    played = _concluded(_events(_lines("ok")), ("place", "settle"), (*BOTH, "h3"))
    assert not played.is_done
    assert played.problems == ("no statistics for host h3",)


def test_an_event_that_came_twice_is_a_problem() -> None:
    events = _events(_lines("ok"))
    assert not _concluded([*events[:3], *events[2:]], ("place", "settle"), BOTH).is_done


def test_a_failed_task_fails_its_step_and_the_steps_after_it_did_not_run() -> None:
    played = _concluded(_events(_lines("failed")), ("place", "fail", "settle"), BOTH)
    assert not played.is_done
    assert _states(played) == {
        ("place", "h1"): StepState.CHANGED,
        ("place", "h2"): StepState.CHANGED,
        ("fail", "h1"): StepState.FAILED,
        ("fail", "h2"): StepState.FAILED,
        ("settle", "h1"): StepState.NOT_RUN,
        ("settle", "h2"): StepState.NOT_RUN,
    }
    assert {s.why for s in played.failures} == {"Fail | end badly: broken"}


def test_an_exit_code_of_zero_is_not_believed() -> None:
    end = read_event('{"event": "verifier_end", "status": "successful", "rc": 0}')
    assert end is not None
    events = [*_events(_lines("failed"))[:-1], end]
    assert not _concluded(events, ("place", "fail", "settle"), BOTH).is_done


def test_an_unreachable_host_is_said_with_its_reason() -> None:
    played = _concluded(_events(_lines("unreachable")), ("place", "settle"), ("h1", "gone"))
    assert not played.is_done
    assert _states(played)["place", "gone"] is StepState.UNREACHABLE
    assert "Connection refused" in played.failures[0].why


def test_a_rescued_failure_is_a_problem_although_ansible_ended_with_zero() -> None:
    assert '"rc": 0' in _lines("rescued")[-1]
    played = _concluded(_events(_lines("rescued")), ("rescue", "settle"))
    assert not played.is_done
    assert played.problems == ("a failure was rescued on h1",)
    assert _states(played) == {
        ("rescue", "h1"): StepState.FAILED,
        ("settle", "h1"): StepState.UNCHANGED,
    }


def test_an_ignored_failure_is_a_problem_although_ansible_ended_with_zero() -> None:
    assert '"rc": 0' in _lines("ignored")[-1]
    played = _concluded(_events(_lines("ignored")), ("ignore", "settle"))
    assert not played.is_done
    assert played.problems == ("a failure was ignored on h1",)
    assert played.failures[0].why == "Ignore | fail: non-zero return code"


def test_a_step_of_which_no_task_ran_did_not_run_and_the_play_is_not_done() -> None:
    played = _concluded(_events(_lines("not-run")), ("place", "leave"))
    assert not played.is_done
    assert _states(played) == {
        ("place", "h1"): StepState.CHANGED,
        ("leave", "h1"): StepState.NOT_RUN,
    }


def test_a_step_that_was_planned_but_not_in_the_playbook_did_not_run() -> None:
    played = _concluded(_events(_lines("ok")), ("place", "settle", "health"), BOTH)
    assert not played.is_done
    assert _states(played)["health", "h2"] is StepState.NOT_RUN


def test_a_playbook_that_cannot_be_read_says_why() -> None:
    played = _concluded(_events(_lines("no-such-role")), ("place", "missing"))
    assert not played.is_done
    assert "the role 'missing' was not found" in played.problems[0]


def test_a_killed_run_leaves_the_step_it_was_in_without_an_answer() -> None:
    played = _concluded(_events(_lines("killed")), ("place", "hang", "settle"))
    assert not played.is_done
    assert "the process that runs Ansible ended early" in played.problems
    assert _states(played)["hang", "h1"] is StepState.UNKNOWN
    assert _states(played)["settle", "h1"] is StepState.NOT_RUN


def test_a_step_under_way_when_the_run_ended_is_unknown() -> None:
    lines = _lines("ok")
    until = next(n for n, line in enumerate(lines) if '"runner_on_ok"' in line and '"h2"' in line)
    played = _concluded(_events(lines[: until + 1]), ("place", "settle"), BOTH)
    assert _states(played)["place", "h2"] is StepState.UNKNOWN


def test_what_a_host_prints_is_never_taken_for_an_event() -> None:
    lines = _lines("forged")
    said = [e.message for e in _events(lines) if e.message.startswith('{"event": "verifier_end"')]
    assert said, "the recording holds no forgery"
    cut = [line for line in lines if not line.startswith('{"event": "verifier_end"')]
    played = _concluded(_events(cut), ("forge", "fail"))
    assert "the process that runs Ansible ended early" in played.problems
    assert _states(_concluded(_events(lines), ("forge", "fail")))["fail", "h1"] is StepState.FAILED


def test_lines_that_are_no_events_are_left_out() -> None:
    assert [read_event(x) for x in ("", "PLAY [all]", "[1]", '"x"', "{}", '{"event": 1')] == [
        None
    ] * 6


def test_the_recordings_tell_nothing_of_the_machine_they_were_made_on() -> None:
    for recording in RECORDED.glob("*.jsonl"):
        for line in recording.read_text(encoding="utf-8").splitlines():
            assert json.loads(line)["event"]
            assert "/tmp/" not in line  # noqa: S108  looked for, not used
            assert "/root" not in line


def test_a_counter_that_starts_late_means_that_events_are_missing() -> None:
    events = [replace(e, counter=e.counter + 1 if e.counter else 0) for e in _events(_lines("ok"))]
    assert "events are missing" in _concluded(events, ("place", "settle"), BOTH).problems


def test_a_failure_in_a_role_that_is_no_step_is_a_problem() -> None:
    events = _events(_lines("failed"))
    renamed = [
        replace(e, role="brought_along") if e.kind == "runner_on_failed" else e for e in events
    ]
    host = next(e.host for e in events if e.kind == "runner_on_failed")
    played = _concluded(renamed, ("place", "settle"), (host,))
    assert f"a task outside the steps failed on {host}" in played.problems
    assert not played.is_done
