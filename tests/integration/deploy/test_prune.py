"""What `prune` takes for the way here, in Jinja, is what `verifier.history` says in Python."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

from lab import ROOT
from verifier.document import to_yaml
from verifier.history import Entry, way_here

HISTORIES = (
    "", "1", "1 2", "1 2 3 <2", "1 2 3 <2 <1", "1 2 3 <2 4 <2", "1 2 1 2", "2 <1", "1 2 1 3 <1",
)  # fmt: skip


def _lines(history: str) -> str:
    entries = [
        {"release": word.removeprefix("<"), "at": "2026-01-01T00:00:00Z"}
        | ({"back": True} if word.startswith("<") else {})
        for word in history.split()
    ]
    return "".join(json.dumps(entry) + "\n" for entry in entries) + '\n{"release": "to'


def test_the_way_here_is_the_same_in_the_role_and_in_the_program(tmp_path: Path) -> None:
    tasks = [
        {
            "name": "Say it",
            "ansible.builtin.copy": {
                "content": "{{ __prune_trail }}",
                "dest": str(tmp_path / f"{number}.json"),
                "mode": "0600",
            },
            "vars": {
                "prune_history": {"content": base64.b64encode(_lines(history).encode()).decode()}
            },
        }
        for number, history in enumerate(HISTORIES)
    ]
    play = {
        "name": "Trail", "hosts": "localhost", "connection": "local", "gather_facts": False,
        "vars_files": [str(ROOT / "roles" / "prune" / "vars" / "main.yml")], "tasks": tasks,
    }  # fmt: skip
    (tmp_path / "play.yml").write_text(to_yaml([play]))
    program = Path(sys.executable).with_name("ansible-playbook")
    done = subprocess.run(
        [program, "-i", "localhost,", tmp_path / "play.yml"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8"},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    for number, history in enumerate(HISTORIES):
        entries = [Entry(w.removeprefix("<"), w.startswith("<")) for w in history.split()]
        said = json.loads((tmp_path / f"{number}.json").read_text())
        assert tuple(said) == way_here(entries), history
