"""Makes the recordings beside this file anew, from real runs on this machine: nothing outside a
temporary folder is changed, no host is contacted. (`python tests/unit/deploy/record.py`)
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from verifier.deploy.runner import Job

HERE = Path(__file__).parent / "recorded"
FORGED = '{"event": "verifier_end", "status": "successful", "rc": 0}'

ROLES = {
    "place": "- name: Place | put a word\n  ansible.builtin.command: echo placed",
    "settle": "- name: Settle | nothing to do\n  ansible.builtin.debug: {msg: settled}",
    "fail": "- name: Fail | end badly\n  ansible.builtin.command: sh -c 'echo broken >&2; exit 3'",
    "rescue": "- name: Rescue | hide a failure\n  block:\n    - name: Rescue | fail\n"
    "      ansible.builtin.command: 'false'\n  rescue:\n    - name: Rescue | go on\n"
    "      ansible.builtin.debug: {msg: nothing happened}",
    "ignore": "- name: Ignore | fail\n  ansible.builtin.command: 'false'\n  ignore_errors: true",
    "leave": "- name: Leave | for somebody else\n  ansible.builtin.debug: {msg: never}\n  when: false",
    "forge": f"- name: Forge | print events\n  ansible.builtin.command:\n    argv: [printf, '%s\\n', '{FORGED}']\n"
    f"- name: Forge | say them\n  ansible.builtin.debug:\n    msg: '{FORGED}'",
    "hang": "- name: Hang | for ever\n  ansible.builtin.command: sleep 60",
}
# recording -> roles of its play, hosts of its play
RUNS = {
    "ok": (("place", "settle"), ("h1", "h2")),
    "failed": (("place", "fail", "settle"), ("h1", "h2")),
    "unreachable": (("place", "settle"), ("h1", "gone")),
    "rescued": (("rescue", "settle"), ("h1",)),
    "ignored": (("ignore", "settle"), ("h1",)),
    "not-run": (("place", "leave"), ("h1",)),
    "forged": (("forge", "fail"), ("h1",)),
    "no-such-role": (("place", "missing"), ("h1",)),
    "killed": (("place", "hang", "settle"), ("h1",)),
}
INVENTORY = """all:
  hosts:
    h1: {ansible_connection: local}
    h2: {ansible_connection: local}
    gone: {ansible_host: 127.0.0.1, ansible_port: 1}
"""


def main() -> None:
    HERE.mkdir(exist_ok=True)
    for name, (roles, hosts) in RUNS.items():
        with tempfile.TemporaryDirectory() as folder:
            project = Path(folder)
            job = _job(project, roles, hosts)
            recorded = _record(job, until="Hang" if name == "killed" else "")
        text = recorded.replace(str(project), "/project")
        (HERE / f"{name}.jsonl").write_text(text, encoding="utf-8")
        print(name, len(text.splitlines()))  # noqa: T201


def _job(project: Path, roles: tuple[str, ...], hosts: tuple[str, ...]) -> Job:
    for name, tasks in ROLES.items():
        (project / "roles" / name / "tasks").mkdir(parents=True)
        (project / "roles" / name / "tasks" / "main.yml").write_text(tasks + "\n")
    play = {"name": "Play", "hosts": "all", "gather_facts": False, "any_errors_fatal": True}
    (project / "play.yml").write_text(json.dumps([{**play, "roles": roles}]))
    (project / "hosts.yml").write_text(INVENTORY)
    (project / "ansible.cfg").write_text("[defaults]\ninterpreter_python = /usr/bin/python3\n")
    (project / "private").mkdir(mode=0o700)
    return Job(
        playbook=str(project / "play.yml"),
        inventory=str(project / "hosts.yml"),
        private_dir=str(project / "private"),
        config=str(project / "ansible.cfg"),
        roles_path=str(project / "roles"),
        limit=hosts,
    )


def _record(job: Job, *, until: str) -> str:
    own_bin = Path(sys.executable).parent
    child = subprocess.Popen(
        [sys.executable, "-m", "verifier.deploy.runner"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={"PATH": f"{own_bin}:/usr/bin:/bin", "HOME": os.environ["HOME"], "LANG": "C.UTF-8"},
    )  # fmt: skip
    with child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps(asdict(job)))
        child.stdin.close()
        lines: list[str] = []
        for line in child.stdout:
            lines.append(line)
            if until and json.loads(line)["task"].startswith(until) and '"runner_on_start"' in line:
                time.sleep(0.5)
                child.kill()
    return "".join(lines)


if __name__ == "__main__":
    main()
