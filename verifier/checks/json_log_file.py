"""Log files are written, hold JSON lines, are rotated, and hold no secret.

    - id: logs-are-json
      check: json_log_file
      with:
        files: ["{{ release_dir }}/logs/app.log", "{{ release_dir }}/logs/error.log"]
        app: o4o
        fields: [timestamp, level, message]
        env_file: "{{ release_dir }}/.env"
        secrets: [DB_PASSWORD, JWT_SECRET]

`files` are paths or shell patterns; one that matches nothing is red. Of each file the last
`last_lines` lines are read: every one must be a JSON object with `fields`. With `app`, the name of
the application in PM2, at least one of the files must have a line that is not older than the
application's oldest process. Rotation shows in what it leaves: no file above `max_bytes`, and
beside each file (`app.log`, `app1.log`, `app.log.2` ...) no more than `max_files`. The values that
`env_file` gives for the names in `secrets` must not occur in any of these files, rotated ones too,
as they are or in base64, percent or JSON form. All of it is looked at by a program on the host; no
line and no value leaves it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from verifier.checks._pm2 import list_processes
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve


@dataclass(frozen=True)
class Params:
    files: tuple[str, ...]
    app: str = ""
    fields: tuple[str, ...] = ()
    max_bytes: int = 10_000_000
    max_files: int = 10
    last_lines: int = 2000
    env_file: str = ""
    secrets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.files:
            raise ValueError("files names at least one")
        if self.secrets and not self.env_file:
            raise ValueError("`secrets` needs the env_file that has their values")


@dataclass(frozen=True)
class LogFile:
    """`bad_line` is the first of `lines` that is not as wanted (0: none) and `bad_why`; `leaks` are
    names only.
    """

    path: str
    bytes: int
    lines: int
    bad_line: int
    bad_why: str
    written_at: float
    leaks: tuple[str, ...]


@dataclass(frozen=True)
class Seen:
    """`started_at` is the start of the oldest process, 0 without `app`; `siblings` counts files
    beside each path.
    """

    files: tuple[LogFile, ...]
    unmatched: tuple[str, ...]
    siblings: Mapping[str, int]
    started_at: float


def observe(host: Host, want: Params) -> Seen:
    asked = {
        "files": list(want.files),
        "fields": list(want.fields),
        "last": want.last_lines,
        "env_file": want.env_file,
        "secrets": list(want.secrets),
    }
    started = _started_at(host, want.app) if want.app else 0.0
    printed = ask(host, "python3 -c %s %s", _PROGRAM, json.dumps(asked))
    try:
        raw = json.loads(printed)
        files = tuple(LogFile(**{**one, "leaks": tuple(one["leaks"])}) for one in raw["files"])
        return Seen(files, tuple(raw["unmatched"]), raw["siblings"], started)
    except (KeyError, TypeError, ValueError) as error:
        raise CannotObserve("the program on the host printed something else") from error


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    wrong = [Mismatch(pattern, "a file", "none") for pattern in seen.unmatched]
    for file in seen.files:
        wrong += _judge_file(want, file)
    for path, count in seen.siblings.items():
        if count > want.max_files:
            wanted = f"{want.max_files} or fewer"
            wrong.append(Mismatch(f"files beside {path}", wanted, str(count)))
    if not any(file.lines for file in seen.files):
        wrong.append(Mismatch("lines in the log", "at least one", "none"))
    elif want.app and not any(f.lines and f.written_at >= seen.started_at for f in seen.files):
        wrong.append(Mismatch("the log", "written since the start", "nothing since"))
    return wrong


def _impossible(want: Params) -> Params:
    return replace(want, fields=(*want.fields, "verifier-no-such-field"))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _started_at(host: Host, app: str) -> float:
    starts = [p.started_at for p in list_processes(host, app).processes if p.pid]
    if not starts:
        raise CannotObserve(f"PM2 runs no process of '{app}'")
    return min(starts)


def _judge_file(want: Params, file: LogFile) -> list[Mismatch]:
    wrong = []
    if file.bad_line:
        wanted = "a JSON object" + (f" with {', '.join(want.fields)}" if want.fields else "")
        wrong.append(Mismatch(f"{file.path} line {file.bad_line}", wanted, file.bad_why))
    if file.bytes > want.max_bytes:
        wanted = f"rotated at {want.max_bytes} bytes"
        wrong.append(Mismatch(file.path, wanted, f"{file.bytes} bytes"))
    leaks = (f"the value of {name} in {file.path}" for name in file.leaks)
    return [*wrong, *(Mismatch(leak, "not there", "found") for leak in leaks)]


_PROGRAM = """
import base64, collections, glob, json, os, re, sys, urllib.parse

want = json.loads(sys.argv[1])
SHORTEST = 6

def fail(text):
    sys.stderr.write(text + "\\n")
    sys.exit(1)

def secrets():
    if not want["secrets"]:
        return {}
    found = {}
    with open(want["env_file"], encoding="utf-8-sig") as file:
        for line in file:
            name, equals, value = line.strip().removeprefix("export ").partition("=")
            if equals and name.strip() in want["secrets"]:
                found[name.strip()] = value.strip().strip("'\\"")
    for name in want["secrets"]:
        if len(found.get(name, "")) < SHORTEST:
            fail("%s has no value in %s that could be looked for" % (name, want["env_file"]))
    return {name: forms(value) for name, value in found.items()}

def forms(value):
    raw = value.encode()
    # In base64 only the middle is the same wherever in a text the value stood.
    shifted = (base64.b64encode(b"x" * n + raw)[4 if n else 0:-4].rstrip(b"=") for n in range(3))
    plain = {raw, urllib.parse.quote(value, safe="").encode(), json.dumps(value)[1:-1].encode()}
    return plain | {form for form in shifted if len(form) >= SHORTEST}

def fault(line):
    try:
        entry = json.loads(line)
    except ValueError:
        return "no JSON"
    if not isinstance(entry, dict):
        return "no object"
    missing = [name for name in want["fields"] if name not in entry]
    return "without " + ", ".join(missing) if missing else ""

def family(path):
    folder, name = os.path.split(path)
    stem, extension = os.path.splitext(name)
    stem, extension = re.escape(stem), re.escape(extension)
    like = re.compile(stem + r"[-._]?\\d*" + extension + r"(\\.\\d+)?(\\.gz)?")
    return [os.path.join(folder, n) for n in os.listdir(folder or ".") if like.fullmatch(n)]

def leaks(path, forms_of):
    found, tail = set(), b""
    longest = max((len(form) for forms in forms_of.values() for form in forms), default=1)
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            text = tail + chunk
            found |= {name for name, forms in forms_of.items() if any(f in text for f in forms)}
            tail = text[-longest:]
    return sorted(found)

def look(path, parsed):
    state = os.stat(path)
    last, number = collections.deque(maxlen=want["last"]), 0
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            last.append((number, line))
    # A line that is being written has no end yet.
    complete = [(n, l) for n, l in last if l.endswith(b"\\n") and l.strip()]
    bad = next(((n, why) for n, l in complete if (why := fault(l))), (0, "")) if parsed else (0, "")
    return {"path": path, "bytes": state.st_size, "lines": number, "bad_line": bad[0],
            "bad_why": bad[1], "written_at": state.st_mtime, "leaks": leaks(path, forms_of)}

try:
    forms_of = secrets()
    found = [[p for p in glob.glob(pattern) if os.path.isfile(p)] for pattern in want["files"]]
    matched = dict(zip(want["files"], found))
    paths = sorted({path for found in matched.values() for path in found})
    families = {path: family(path) for path in paths}
    rotated = sorted({p for members in families.values() for p in members} - set(paths))
    print(json.dumps({
        "files": [look(path, not path.endswith(".gz")) for path in paths + rotated],
        "unmatched": [pattern for pattern, found in matched.items() if not found],
        "siblings": {path: len(members) for path, members in families.items()},
    }))
except OSError as error:
    fail("%s: %s" % (error.strerror, error.filename))
"""
