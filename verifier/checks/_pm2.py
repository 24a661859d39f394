"""The look that several checks share: the processes of one application as PM2 and the kernel know
them. PM2's own listing carries the whole environment of each process, so it is read by a small
program on the host that gives away only what has a name here. Nothing is asked of PM2 when its
daemon does not run: asking would start one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from verifier.checks.base import Host, ask
from verifier.errors import CannotObserve


@dataclass(frozen=True)
class Process:
    """One process: `cwd` is the kernel's, links resolved when it was entered; `started_at` is Unix
    time.
    """

    id: int
    pid: int
    status: str
    mode: str
    restarts: int
    unstable_restarts: int
    script: str
    cwd: str
    started_at: float


@dataclass(frozen=True)
class Saved:
    """The application in PM2's dump, which is what comes back after a reboot."""

    found: bool
    mode: str = ""
    instances: int = 0
    scripts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listing:
    """`daemon` is False when no PM2 of this user runs; then there is nothing else."""

    user: str
    daemon: bool
    processes: tuple[Process, ...] = ()
    saved: Saved = Saved(found=False)


def list_processes(host: Host, app: str, *, after_s: int = 0) -> Listing:
    """The application's processes, stopped ones too; may be empty. CannotObserve when PM2 cannot be
    asked.
    """
    wait = f"sleep {after_s:d} && " if after_s else ""
    printed = ask(host, f"{wait}python3 -c %s %s", _PROGRAM, app)
    try:
        raw = json.loads(printed)
        return Listing(
            raw["user"],
            raw["daemon"],
            tuple(Process(**process) for process in raw["processes"]),
            Saved(**{**raw["saved"], "scripts": tuple(raw["saved"].get("scripts", ()))}),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CannotObserve("the program on the host printed something else") from error


_PROGRAM = """
import getpass, json, os, stat, subprocess, sys

app = sys.argv[1]
home = os.environ.get("PM2_HOME") or os.path.expanduser("~/.pm2")

def fail(text):
    sys.stderr.write(text + "\\n")
    sys.exit(1)

def daemon_runs():
    try:
        with open(home + "/pm2.pid") as file:
            os.kill(int(file.read()), 0)
    except (OSError, ValueError):
        return False
    return os.path.exists(home + "/rpc.sock")

def started_at(pid):
    try:
        with open("/proc/%d/stat" % pid) as file:
            ticks = int(file.read().rpartition(")")[2].split()[19])
        with open("/proc/stat") as file:
            booted = next(int(line.split()[1]) for line in file if line.startswith("btime"))
        return booted + ticks / os.sysconf("SC_CLK_TCK")
    except OSError:
        return 0.0

def cwd(pid):
    try:
        return os.readlink("/proc/%d/cwd" % pid) if pid else ""
    except OSError:
        return ""

def process(raw):
    env = raw["pm2_env"]
    pid = raw.get("pid") or 0
    return {
        "id": raw["pm_id"], "pid": pid, "status": env["status"],
        "mode": env["exec_mode"].replace("_mode", ""), "restarts": env["restart_time"],
        "unstable_restarts": env.get("unstable_restarts", 0),
        "script": os.path.realpath(env["pm_exec_path"]), "cwd": cwd(pid),
        "started_at": started_at(pid) if pid else 0.0,
    }

def saved():
    path = home + "/dump.pm2"
    try:
        with open(path) as file:
            entries = [e for e in json.load(file) if e.get("name") == app]
    except FileNotFoundError:
        return {"found": False}
    except ValueError:
        fail(path + " is no JSON")
    mode = "%04o" % stat.S_IMODE(os.stat(path).st_mode)
    scripts = sorted({os.path.realpath(e["pm_exec_path"]) for e in entries})
    return {"found": True, "mode": mode, "instances": len(entries), "scripts": scripts}

result = {"user": getpass.getuser(), "daemon": daemon_runs()}
result.update(processes=[], saved={"found": False})
if result["daemon"]:
    try:
        done = subprocess.run(["pm2", "jlist"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        fail("pm2: %s" % type(error).__name__)
    if done.returncode:
        fail("`pm2 jlist` ended with %d" % done.returncode)
    try:
        # Warnings may stand before the list, which is the last line.
        listing = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        fail("`pm2 jlist` printed no JSON")
    result["processes"] = [process(raw) for raw in listing if raw["name"] == app]
    result["saved"] = saved()
print(json.dumps(result))
"""
