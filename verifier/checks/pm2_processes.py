"""PM2 keeps an application running as planned: online, stable, of this release, saved, and really
serving.

    - id: pm2-runs-the-release
      check: pm2_processes
      with:
        app: o4o
        instances: 2
        release_dir: "{{ release_dir }}"
        url: http://127.0.0.1:3000/health

Two looks, `stable_for_s` seconds apart. Red: another number of instances; one that is not online,
not in `mode` (cluster or fork), or has another pid or restart count at the second look; a script or
a working directory (as the kernel knows it) outside of `release_dir`; an application missing in
PM2's saved list, or saved with other instances or another script, or saved in a file that others
may read (`dump_mode`; PM2 writes the whole environment into it); and a `url` that does not answer
with 200, because "online" only says that a process exists. The look is made as the user whose PM2
it is, so the binding has no `become`. The environment of the processes is the business of
`process_env`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from verifier.checks._http import Answer, Request, fetch, unanswered
from verifier.checks._pm2 import Listing, Process, list_processes
from verifier.checks.base import Check, Host, Mismatch, ask


@dataclass(frozen=True)
class Params:
    app: str
    instances: int
    release_dir: str
    url: str
    mode: str = "cluster"
    stable_for_s: int = 5
    dump_mode: str = "0600"


@dataclass(frozen=True)
class Seen:
    """`release_dir` has its links resolved."""

    release_dir: str
    first: Listing
    second: Listing
    answer: Answer


def observe(host: Host, want: Params) -> Seen:
    directory = ask(host, "readlink -e -- %s", want.release_dir).strip()
    first = list_processes(host, want.app)
    second = list_processes(host, want.app, after_s=want.stable_for_s if first.daemon else 0)
    return Seen(directory, first, second, fetch(host, Request(want.url)))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    listing = seen.second
    if not listing.daemon:
        return [Mismatch(f"PM2 of user {listing.user}", "running", "no daemon")]
    wrong = []
    if len(listing.processes) != want.instances:
        saw = str(len(listing.processes))
        wrong.append(Mismatch(f"instances of {want.app}", str(want.instances), saw))
    for process in listing.processes:
        wrong += _judge_process(want, seen, process)
    return [*wrong, *_judge_saved(want, seen), *unanswered(f"GET {want.url}", seen.answer)]


def _impossible(want: Params) -> Params:
    return replace(want, instances=-1)


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _judge_process(want: Params, seen: Seen, process: Process) -> list[Mismatch]:
    what = f"{want.app} {process.id}"
    wrong = []
    if process.status != "online":
        wrong.append(Mismatch(what, "online", process.status))
    if process.mode != want.mode:
        wrong.append(Mismatch(what, f"{want.mode} mode", process.mode))
    before = {p.id: p for p in seen.first.processes}.get(process.id)
    if not before or (before.pid, before.restarts) != (process.pid, process.restarts):
        saw = f"{process.restarts} restarts, {before.restarts if before else 'none'} before"
        wrong.append(Mismatch(what, f"the same process for {want.stable_for_s} s", saw))
    for name, path in (("script", process.script), ("working directory", process.cwd)):
        if not _is_within(path, seen.release_dir):
            wrong.append(Mismatch(f"{name} of {what}", f"in {seen.release_dir}", path or "none"))
    return wrong


def _is_within(path: str, directory: str) -> bool:
    return bool(path) and PurePosixPath(path).is_relative_to(directory)


def _judge_saved(want: Params, seen: Seen) -> list[Mismatch]:
    saved = seen.second.saved
    if not saved.found or not saved.instances:
        return [Mismatch(f"{want.app} in PM2's saved list", "there", "missing: run `pm2 save`")]
    wrong = []
    if saved.instances != want.instances:
        saw = str(saved.instances)
        wrong.append(Mismatch("saved instances", str(want.instances), saw))
    elsewhere = [s for s in saved.scripts if not _is_within(s, seen.release_dir)]
    if elsewhere:
        wrong.append(Mismatch("saved script", f"in {seen.release_dir}", ", ".join(elsewhere)))
    if want.dump_mode and saved.mode != want.dump_mode:
        wrong.append(Mismatch("mode of PM2's saved list", want.dump_mode, saved.mode))
    return wrong
