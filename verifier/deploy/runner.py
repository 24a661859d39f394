"""The only import of ansible_runner, and the program of the child process it runs in: reads one Job
as JSON from stdin, runs the playbook, prints one JSON line per event to stdout. It decides nothing
and keeps nothing.

A process of its own, because ansible-runner is not safe in threads, copies the whole environment it
finds into a file, and can be stopped for certain only with its process tree. (`python -m
verifier.deploy.runner`)
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shlex
import signal
import sys
from dataclasses import dataclass, field
from typing import Any, TextIO

# Longer texts of a task's answer are cut here: they are for people, and a verdict never depends on them.
_LONGEST_TEXT = 4000
_PR_SET_PDEATHSIG = 1  # prctl(2)
# What Ansible fills a field with when it has nothing to say there.
_SAYS_NOTHING = frozenset({"non-zero return code", "(traceback unavailable)"})


@dataclass(frozen=True, slots=True)
class Job:
    """One playbook run. `private_dir` is ansible-runner's own, empty and 0700; paths are absolute."""

    playbook: str
    inventory: str
    private_dir: str
    config: str
    roles_path: str
    limit: tuple[str, ...]
    tags: tuple[str, ...] = ()
    vault_file: str = ""
    extra_vars: dict[str, Any] = field(default_factory=dict)
    extra_args: tuple[str, ...] = ()
    forks: int = 20
    verbosity: int = 0
    check: bool = False

    def command_line(self) -> str:
        """What follows `ansible-playbook -i INVENTORY PLAYBOOK`."""
        words = ["--limit", ",".join(self.limit), "--forks", str(self.forks)]
        words += ["--tags", ",".join(self.tags)] if self.tags else []
        words += ["--vault-password-file", self.vault_file] if self.vault_file else []
        words += ["--check", "--diff"] if self.check else []
        words += ["-" + "v" * self.verbosity] if self.verbosity else []
        words += self.extra_args
        # Last, because the last one wins: what was planned is what is run.
        words += ["--extra-vars", json.dumps(self.extra_vars)] if self.extra_vars else []
        return shlex.join(words)


def main() -> int:
    import ansible_runner  # noqa: PLC0415  only in the child: it is slow, and nobody else may touch it

    _end_with_parent()
    job = Job(**json.load(sys.stdin))
    # Whatever else prints to stdout must not be taken for an event.
    events = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    outcome = ansible_runner.run(
        private_data_dir=job.private_dir,
        playbook=job.playbook,
        inventory=job.inventory,
        cmdline=job.command_line(),
        envvars={
            "ANSIBLE_CONFIG": job.config,
            "ANSIBLE_ROLES_PATH": job.roles_path,
            # ansible-runner turns host key checking off unless it finds this set
            "ANSIBLE_HOST_KEY_CHECKING": "True",
            # an inventory that does not parse must stop the run, not shrink it
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
            "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "True",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": os.path.join(job.private_dir, "cp"),  # noqa: PTH118  a plain text
            "ANSIBLE_LOCAL_TEMP": os.path.join(job.private_dir, "tmp"),  # noqa: PTH118
        },
        quiet=True,
        suppress_env_files=True,
        event_handler=lambda event: _print(event, events),
    )
    _print_line({"event": "verifier_end", "status": outcome.status, "rc": outcome.rc}, events)
    return 0


def _end_with_parent() -> None:
    """SIGTERM for this process when verifier dies in a way that it cannot clean up after (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _print(event: dict[str, Any], events: TextIO) -> bool:
    data = event.get("event_data") or {}
    answer = data.get("res") or {}
    _print_line(
        {
            "event": event.get("event", ""),
            "counter": event.get("counter", 0),
            "host": data.get("host", ""),
            "play": data.get("play", ""),
            "role": data.get("role", ""),
            "task": data.get("task", ""),
            "changed": answer.get("changed") is True,
            "ignored": data.get("ignore_errors") is True,
            "message": _message(answer),
            "stats": _stats(data) if event.get("event") == "playbook_on_stats" else {},
            "stdout": str(event.get("stdout", ""))[:_LONGEST_TEXT],
        },
        events,
    )
    return False  # nothing of the event needs to be kept in ansible-runner's own files


def _print_line(line: dict[str, Any], events: TextIO) -> None:
    events.write(json.dumps(line) + "\n")


def _message(answer: dict[str, Any]) -> str:
    if answer.get("censored"):
        return str(answer["censored"])
    for key in ("msg", "stderr", "stdout", "exception"):
        text = str(answer.get(key) or "").strip()
        if text and text not in _SAYS_NOTHING:
            return text[-_LONGEST_TEXT:]
    return str(answer.get("msg") or "")


def _stats(data: dict[str, Any]) -> dict[str, dict[str, int]]:
    kinds = ("ok", "changed", "failures", "dark", "ignored", "rescued", "skipped")
    return {kind: dict(data.get(kind) or {}) for kind in kinds}


if __name__ == "__main__":
    sys.exit(main())
