"""The running processes of an application have the environment they should have, and so has their
env file.

    - id: production-in-the-process
      check: process_env
      with:
        app: o4o
        values: {NODE_ENV: production}
        env_file: "{{ release_dir }}/.env"
        same: [DB_PASSWORD, JWT_SECRET]

Looks into each process that PM2 runs for `app`: what the kernel was given at the start, with PM2's
own additions for cluster mode on top. `values` are wanted in every process and, with `env_file`, in
that file; they are shown, so they are for settings that are no secret. `same` are names whose value
must be the same in file and process: compared on the host, only the verdict leaves it. A name that
a process does not have is fine if the application reads the file itself (`reads_file: true`, the
default with an `env_file`), and then the file must not be newer than the process, which would still
run with the old values. Zero processes are an error, not a pass.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from verifier.checks._pm2 import list_processes
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

SAME, DIFFERS, ABSENT = "same", "differs", "absent"


@dataclass(frozen=True)
class Params:
    app: str
    values: Mapping[str, str] = field(default_factory=dict)
    env_file: str = ""
    same: tuple[str, ...] = ()
    reads_file: bool = True

    def __post_init__(self) -> None:
        if not self.values and not self.same:
            raise ValueError("give `values`, `same` or both")
        if self.same and not self.env_file:
            raise ValueError("`same` needs an env_file to compare with")


@dataclass(frozen=True)
class Environment:
    """One process: values of names that may be shown (None: not set), verdicts of the others."""

    pid: int
    values: Mapping[str, str | None]
    verdicts: Mapping[str, str]
    older_than_file: bool


@dataclass(frozen=True)
class Seen:
    """`in_file` holds the shown names' values in the env file; `missing` the names of `same` it
    lacks.
    """

    processes: tuple[Environment, ...]
    in_file: Mapping[str, str | None]
    missing: tuple[str, ...]


def observe(host: Host, want: Params) -> Seen:
    running = [p for p in list_processes(host, want.app).processes if p.pid]
    if not running:
        raise CannotObserve(f"PM2 runs no process of '{want.app}'")
    asked = {
        "processes": [[p.pid, p.started_at] for p in running],
        "show": list(want.values),
        "file": want.env_file,
        "same": list(want.same),
    }
    printed = ask(host, "python3 -c %s %s", _PROGRAM, json.dumps(asked))
    try:
        raw = json.loads(printed)
        environments = tuple(Environment(**one) for one in raw["processes"])
        return Seen(environments, raw["in_file"], tuple(raw["missing"]))
    except (KeyError, TypeError, ValueError) as error:
        raise CannotObserve("the program on the host printed something else") from error


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    wrong = [m for process in seen.processes for m in _judge_process(want, process)]
    wrong += [Mismatch(f"{name} in {want.env_file}", "set", "absent") for name in seen.missing]
    if want.env_file:
        for name, value in want.values.items():
            saw = seen.in_file[name]
            if saw != value:
                wrong.append(Mismatch(f"{name} in {want.env_file}", value, saw or "absent"))
    return wrong


def _impossible(want: Params) -> Params:
    if want.values:
        return replace(want, values=dict.fromkeys(want.values, "verifier-no-such-value"))
    return replace(want, same=(*want.same, "VERIFIER_NO_SUCH_NAME"))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _judge_process(want: Params, process: Environment) -> list[Mismatch]:
    where = f"in process {process.pid}"
    wrong = []
    for name, value in want.values.items():
        saw = process.values[name]
        if saw != value:
            wrong.append(Mismatch(f"{name} {where}", value, "absent" if saw is None else saw))
    for name, verdict in process.verdicts.items():
        if verdict == DIFFERS or (verdict == ABSENT and not want.reads_file):
            wrong.append(Mismatch(f"{name} {where}", f"as in {want.env_file}", verdict))
    if process.older_than_file:
        wrong.append(Mismatch(f"process {process.pid}", f"newer than {want.env_file}", "older"))
    return wrong


_PROGRAM = """
import json, os, sys

want = json.loads(sys.argv[1])

def read_file(path):
    found = {}
    with open(path, encoding="utf-8-sig") as file:
        for line in file:
            name, equals, value = line.strip().removeprefix("export ").partition("=")
            if equals and not name.startswith("#"):
                value = value.strip()
                if len(value) > 1 and value[0] == value[-1] and value[0] in "'\\"":
                    value = value[1:-1]
                found[name.strip()] = value
    return found

def read_process(pid):
    with open("/proc/%d/environ" % pid, "rb") as file:
        pairs = file.read().decode("utf-8", "replace").split("\\0")
    found = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    # A cluster worker gets its environment in one variable and sets it up itself.
    own = json.loads(found.get("pm2_env") or "{}")
    own = {name: value for name, value in own.items() if not isinstance(value, (dict, list))}
    found.update((name, str(value)) for name, value in own.items())
    return found

def verdict(env, name):
    if name not in env:
        return "absent"
    return "same" if env[name] == from_file.get(name) else "differs"

def look(pid, started):
    env = read_process(pid)
    # The start is known to a hundredth of a second, the clock it counts from to a second.
    newer = bool(want["file"]) and os.stat(want["file"]).st_mtime > started + 1
    return {
        "pid": pid, "values": {name: env.get(name) for name in want["show"]},
        "verdicts": {name: verdict(env, name) for name in want["same"] if name in from_file},
        "older_than_file": newer,
    }

try:
    from_file = read_file(want["file"]) if want["file"] else {}
    print(json.dumps({
        "processes": [look(pid, started) for pid, started in want["processes"]],
        "in_file": {name: from_file.get(name) for name in want["show"]},
        "missing": [name for name in want["same"] if name not in from_file],
    }))
except (OSError, ValueError) as error:
    where = getattr(error, "filename", "") or "unreadable"
    sys.stderr.write("%s: %s\\n" % (type(error).__name__, where))
    sys.exit(1)
"""
