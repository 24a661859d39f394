"""A real ansible-playbook, driven by the real runner in its child process, against this machine."""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from pathlib import Path

import pytest

from verifier.deploy.events import Event, PlayResult, StepState
from verifier.deploy.steps import Ansible, run_play
from verifier.inventory import Inventory, load_inventory
from verifier.plan import Step
from verifier.redact import Redactor

SECRET = "hunter2-hunter2-hunter2"  # noqa: S105  the example
ROLES = {
    "say": "- name: Say | the release\n  ansible.builtin.debug: {msg: 'release {{ release_id }}'}",
    "look": "- name: Look | at the environment\n  ansible.builtin.command: env\n  changed_when: false",
    "spill": f"- name: Spill | a secret\n  ansible.builtin.command: sh -c 'echo {SECRET} >&2; exit 1'",
    "hang": "- name: Hang | for ever\n  ansible.builtin.command: sleep 61.5",
}


class Project:
    """A playbook with these roles and an inventory of this machine."""

    def __init__(self, folder: Path) -> None:
        for name, tasks in ROLES.items():
            (folder / "roles" / name / "tasks").mkdir(parents=True)
            (folder / "roles" / name / "tasks" / "main.yml").write_text(tasks + "\n")
        (folder / "hosts.yml").write_text("all: {hosts: {h1: {ansible_connection: local}}}\n")
        (folder / "ansible.cfg").write_text("[defaults]\ninterpreter_python = /usr/bin/python3\n")
        self.folder, self.events = folder, list[Event]()
        self.inventory: Inventory = load_inventory(str(folder / "hosts.yml"), project=folder)

    def play(self, *roles: str, **changes: object) -> PlayResult:
        play = {"name": "Play", "hosts": "all", "gather_facts": False}
        tagged = [{"role": role, "tags": [role]} for role in roles]
        (self.folder / "play.yml").write_text(json.dumps([{**play, "roles": tagged}]))
        ansible = Ansible(
            config=self.folder / "ansible.cfg",
            roles=self.folder / "roles",
            playbooks=self.folder,
            environment=dict(os.environ),
        )
        ansible = dataclasses.replace(ansible, **changes)  # type: ignore[arg-type]
        steps = [Step(r, "Play", "play.yml", "", "", "adds", "", "", ("h1",)) for r in roles]
        return run_play(
            ansible, self.inventory, steps, {"h1": "7"}, self.events.append, Redactor([SECRET])
        )


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    own = tmp_path / "tmp"
    own.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(own))
    return Project(tmp_path / "project")


def test_a_play_runs_with_the_release_and_leaves_nothing_behind(
    project: Project, tmp_path: Path
) -> None:
    played = project.play("say")
    assert played.is_done, played
    assert "release 7" in {event.message for event in project.events}
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_persons_own_settings_of_ansible_and_docker_are_not_followed(
    project: Project,
) -> None:
    loud = {"ANSIBLE_CHECK_MODE": "1", "DOCKER_HOST": "tcp://192.0.2.1:1", "COMPOSE_FILE": "x"}
    played = project.play("look", environment={**os.environ, **loud})
    assert played.is_done, played
    seen = next(event.message for event in project.events if event.kind == "runner_on_ok")
    assert "PATH=" in seen
    assert not [name for name in loud if f"{name}=" in seen]


def test_a_secret_in_what_a_task_says_is_taken_out_before_anybody_is_told(
    project: Project,
) -> None:
    played = project.play("spill", "say")
    assert [s.state for s in played.steps] == [StepState.FAILED, StepState.NOT_RUN]
    assert "[redacted]" in played.steps[0].why
    assert SECRET not in repr(played) + repr(project.events)


def test_a_play_that_does_not_end_is_stopped_with_everything_it_started(
    project: Project,
) -> None:
    played = project.play("hang", "say", deadline_s=8)
    assert not played.is_done
    assert "stopped, it had not ended in 8 s" in played.problems[0]
    assert played.steps[-1].state is StepState.NOT_RUN
    assert not _sleepers()


def _sleepers() -> list[int]:
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"sleep\x0061.5\x00" in file.read_bytes():
                found.append(int(file.parent.name))
        except OSError:
            continue
    return found
