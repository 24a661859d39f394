"""An init service runs, and is started at boot.

    - id: ssh-runs-and-comes-back
      check: service
      with: {name: ssh, enabled: true}

`running: false` asks that it does not run. `enabled` asks whether it is started at boot; without it
that is not judged. A service that init does not know is red either way: a misspelt name must not
pass for a stopped service. (To ask that a service is not even installed, ask `file` with
`exists: false` for its unit.)

Where systemd runs, it is asked: a service runs when it is active and its process lives, or when it
is of the kind that ends after its work (oneshot). Restarts are told beside a state that is wrong.
Where systemd does not run, the words of `/etc/init.d/<name> status` count, and the process it names
(in its words, or in /run/<name>.pid) must live; it is started at boot when a link in /etc/rc2.d to
/etc/rc5.d starts it. Words that are not understood, words that the exit status contradicts, and a
stopped service whose process lives (somebody else started it) are no answer, and neither is a host
with no init system to ask.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_PROPERTIES = "LoadState,ActiveState,SubState,Type,UnitFileState,NRestarts"
_LIVES_ON = ("active", "reloading")
_AT_BOOT = ("enabled", "alias")


@dataclass(frozen=True, slots=True)
class Params:
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_@][\w@.:+-]*$")]
    running: bool = True
    enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """`state` is init's word for it, `running` and `stopped` what that means (a service that is just
    starting is neither); `boot` is the word for what happens at boot.
    """

    init: str
    known: bool
    state: str = ""
    running: bool = False
    stopped: bool = False
    boot: str = ""
    enabled: bool = False


def observe(host: Host, want: Params) -> Seen:
    init = ask(host, _WHICH_INIT).strip()
    if init == "systemd":
        return _ask_systemd(host, want.name)
    if init == "sysv":
        return _ask_script(host, want.name)
    raise CannotObserve("there is no init system to ask: neither systemd nor /etc/init.d")


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    what = f"service {want.name}"
    if not seen.known:
        return [Mismatch(what, "a service of this host", f"no such service for {seen.init}")]
    found = []
    if not (seen.running if want.running else seen.stopped):
        found.append(Mismatch(what, "running" if want.running else "stopped", seen.state))
    if want.enabled is not None and want.enabled != seen.enabled:
        wanted = "started at boot" if want.enabled else "not started at boot"
        found.append(Mismatch(what, wanted, seen.boot))
    return found


def _impossible(want: Params) -> Params:
    return replace(want, name="verifier-no-such-service")


CHECK = Check(Params, observe, judge, impossible=_impossible)


_WHICH_INIT = """
if [ -d /run/systemd/system ]; then echo systemd; elif [ -d /etc/init.d ]; then echo sysv
else echo none; fi
"""


def _ask_systemd(host: Host, name: str) -> Seen:
    told = ask(host, "systemctl show -p %s -- %s", _PROPERTIES, name)
    facts = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
    load, active, sub = (facts.get(key, "") for key in ("LoadState", "ActiveState", "SubState"))
    if not (load and active and sub):
        raise CannotObserve(f"what systemd says of {name} is not understood")
    if load == "not-found":
        return Seen("systemd", known=False)
    restarts = facts.get("NRestarts", "0")
    again = f", restarted {restarts} times" if restarts not in ("", "0") else ""
    # A script that systemd wraps stays "active (exited)" when its process has died.
    ended = sub == "exited" and facts.get("Type") != "oneshot"
    boot = facts.get("UnitFileState", "")
    enabled = boot in _AT_BOOT
    if boot == "generated":
        boot, enabled = _links(host, name.removesuffix(".service"))
    return Seen(
        "systemd",
        known=True,
        state=f"{'' if load == 'loaded' else f'{load}, '}{active} ({sub}){again}",
        running=active in _LIVES_ON and not ended,
        stopped=active in ("inactive", "failed"),
        boot=boot or "no unit file",
        enabled=enabled,
    )


def _ask_script(host: Host, name: str) -> Seen:
    there = ask(host, "sh -c %s sh %s", _IS_THERE, f"/etc/init.d/{name}").strip()
    if there == "missing":
        return Seen("/etc/init.d", known=False)
    if there != "there":
        raise CannotObserve(f"/etc/init.d/{name} cannot be run by this user")
    answer = host.run("LC_ALL=C %s status </dev/null", f"/etc/init.d/{name}")
    said = " ".join(f"{answer.stdout} {answer.stderr}".split())
    says_it_runs = _says_it_runs(f"/etc/init.d/{name} status", said, answer.rc)
    gone = _missing_process(host, name, said, runs=says_it_runs)
    boot, enabled = _links(host, name)
    return Seen(
        "/etc/init.d",
        known=True,
        state=f"'{said[:200]}'" + (f", but process {gone} is not there" if gone else ""),
        running=says_it_runs and not gone,
        stopped=not says_it_runs,
        boot=boot,
        enabled=enabled,
    )


_IS_THERE = """
if [ -x "$1" ] && [ -f "$1" ]; then echo there; elif [ -e "$1" ]; then echo closed
else echo missing; fi
"""
_STOPPED = re.compile(
    r"\b(not (currently )?(running|active|started)|(is|are) (stopped|dead|down|inactive)"
    r"|stopped|inactive|dead but)\b",
    re.IGNORECASE,
)
_RUNS = re.compile(
    r"\b((is|are) (running|active|up|online)|running|started|active)\b", re.IGNORECASE
)


def _says_it_runs(command: str, said: str, status: int) -> bool:
    """The words decide and the status must agree: 0 is running, 1 to 3 is stopped (LSB)."""
    words = f"`{command}` said '{said[:200]}'" if said else f"`{command}` said nothing"
    if _STOPPED.search(said):
        if status == 0:
            raise CannotObserve(f"{words}, but ended with 0, which is for a service that runs")
        return False
    if not _RUNS.search(said):
        raise CannotObserve(f"{words} and ended with {status}: that is not understood")
    if status != 0:
        raise CannotObserve(f"{words}, but ended with {status}, which is for one that does not run")
    return True


_PROCESS = """
pid=$2
[ "$pid" ] || for file in "/run/$1.pid" "/var/run/$1.pid" "/run/$1/$1.pid"; do
  [ -r "$file" ] && { pid=$(tr -dc 0-9 <"$file"); break; }
done
if [ -z "$pid" ]; then echo unnamed; elif [ -d "/proc/$pid" ]; then echo "lives $pid"
else echo "gone $pid"; fi
"""


def _missing_process(host: Host, name: str, said: str, *, runs: bool) -> str:
    """The process that a service which says it runs names, when there is no such process."""
    named = re.search(r"\b(?:pids?|process(?:es)?)\W{0,3}(\d+)", said, re.IGNORECASE)
    found = ask(host, "sh -c %s sh %s %s", _PROCESS, name, named[1] if named else "").split()
    if not found or found[0] not in ("unnamed", "lives", "gone"):
        raise CannotObserve(f"the search for the process of {name} is not understood")
    if found[0] == "lives" and not runs:
        raise CannotObserve(f"init.d says '{said[:200]}', but its process {found[1]} lives")
    return found[1] if found[0] == "gone" and runs else ""


def _links(host: Host, name: str) -> tuple[str, bool]:
    """What /etc/rc?.d does with it, and whether that is a start."""
    listing = ask(host, _LINKS).split()
    if "none" in listing:
        raise CannotObserve("there is no /etc/rc2.d to tell what is started at boot")
    starts = [link for link in listing if re.fullmatch(rf"rc\d\.d/S\d+{re.escape(name)}", link)]
    return (", ".join(starts) if starts else "no link in /etc/rc2.d to rc5.d starts it"), bool(
        starts
    )


_LINKS = """
cd /etc && [ -d rc2.d ] || { echo none; exit 0; }
for link in rc[2-5].d/S*; do echo "$link"; done
"""
