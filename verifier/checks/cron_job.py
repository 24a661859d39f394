"""A job is scheduled, where cron or systemd really takes it up.

    - id: backups-are-scheduled
      check: cron_job
      become: true
      with: {matches: "/usr/local/sbin/backup( |$)", user: root, schedule: "30 2 * * *"}

`matches` is a regular expression that must be found in the command. `user` is who it must run as,
`schedule` when: the five fields or the word (`@daily`) exactly as they are written, for a timer its
`OnCalendar` or one of the words. `where` limits the look: `crontab` to the crontabs of users and
/etc/crontab, `cron.d` to /etc/cron.d and the scripts in /etc/cron.hourly, daily, weekly and
monthly, `timer` to systemd's timers, where the command is that of the unit it starts. A line in a
comment is no job, nor is what Debian's cron passes over: a file whose name has a dot, belongs to
somebody else than root or may be written by others, lacks the end of its last line, names an
unknown user in one of its lines or has one that is not understood; a script that may not be
executed, or whose directory nothing in /etc/crontab runs.
With `running` the job's own cron daemon must really run, or its timer be active. One job that is
right in everything is enough. What of it cannot be read (crontabs of others need root) makes a look
without a finding no verdict. Only schedules, users and places leave the host, never a command. It
needs python3 on the host.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Literal

from verifier.checks._pattern import refuse_bad_patterns
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_SCHEDULE = re.compile(r"@[a-z]+|\S+( \S+){4}")


@dataclass(frozen=True, slots=True)
class Params:
    matches: str
    user: str = ""
    schedule: str = ""
    where: Literal["any", "crontab", "cron.d", "timer"] = "any"
    running: bool = True

    def __post_init__(self) -> None:
        refuse_bad_patterns("matches", [self.matches])
        timed = " ".join(self.schedule.split())
        if self.schedule and self.where in ("crontab", "cron.d") and not _SCHEDULE.fullmatch(timed):
            raise ValueError("schedule is five fields, or a word like @daily")


@dataclass(frozen=True, slots=True)
class Job:
    """A job whose command matches. `ignored` says why it is never taken up; `active` is a timer's."""

    place: str
    schedule: str
    user: str
    kind: Literal["cron", "timer"]
    active: bool = True
    ignored: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """`others` counts the jobs that do not match, `comments` are places where one that does is
    switched off.
    """

    jobs: tuple[Job, ...]
    places: tuple[str, ...]
    comments: tuple[str, ...]
    others: int
    daemon: str


def observe(host: Host, want: Params) -> Seen:
    asked = {"matches": want.matches, "user": want.user, "where": want.where}
    printed = ask(host, "python3 -c %s %s", _PROGRAM, json.dumps(asked))
    try:
        raw = json.loads(printed)
        seen = Seen(
            tuple(Job(**job) for job in raw["jobs"]),
            tuple(raw["places"]),
            tuple(raw["comments"]),
            int(raw["others"]),
            str(raw["daemon"]),
        )
        unread = [str(one) for one in raw["unread"]]
    except (KeyError, TypeError, ValueError) as error:
        raise CannotObserve("the program on the host printed something else") from error
    # What was not read could hold the job; a job that was found stands, whatever else there is.
    if unread and all(list(_faults(want, seen, job)) for job in seen.jobs):
        raise CannotObserve(f"not all jobs can be read: {'; '.join(unread)}")
    return seen


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if not seen.jobs:
        looked = ", ".join(seen.places) or "no place where jobs are kept"
        saw = f"none among {seen.others} jobs ({looked})"
        if seen.comments:
            saw = f"only a comment in {', '.join(seen.comments)}"
        return [Mismatch(f"a job /{want.matches}/", "scheduled", saw)]
    faults = [list(_faults(want, seen, job)) for job in seen.jobs]
    if not all(faults):
        return []
    return [fault for of_one in faults for fault in of_one]


def _impossible(want: Params) -> Params:
    return replace(want, user="verifier-no-such-thing")


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _faults(want: Params, seen: Seen, job: Job) -> list[Mismatch]:
    what = f"job in {job.place}"
    found = []
    if job.ignored:
        found.append(Mismatch(what, "taken up", f"passed over: {job.ignored}"))
    if want.user and job.user != want.user:
        found.append(Mismatch(what, f"as {want.user}", f"as {job.user}"))
    wanted = " ".join(want.schedule.split())
    if wanted and wanted not in (job.schedule, _WORDS.get(job.schedule)):
        found.append(Mismatch(what, f"at '{wanted}'", f"at '{job.schedule}'"))
    if want.running and job.kind == "timer" and not job.active:
        found.append(Mismatch(f"timer of {job.place}", "active", "not active"))
    if want.running and job.kind == "cron" and not seen.daemon:
        found.append(Mismatch("cron daemon", "running", "no process of one"))
    return found


# How systemd writes out the words of cron.
_WORDS = {
    "*-*-* *:00:00": "@hourly",
    "*-*-* 00:00:00": "@daily",
    "Mon *-*-* 00:00:00": "@weekly",
    "*-*-01 00:00:00": "@monthly",
    "*-01-01 00:00:00": "@yearly",
}


_PROGRAM = r"""
import glob, json, os, pwd, re, shutil, stat, subprocess, sys

want = json.loads(sys.argv[1])
matches = re.compile(want["matches"])
jobs, places, comments, unread, others = [], [], [], [], 0
FIELDS = r"(?:[\d*~][\d*/,\-~]*\s+){3}[\w*/,\-~]+\s+[\w*/,\-~]+"
WHEN = re.compile(r"\s*-?(@[a-z]+|" + FIELDS + r")\s+(\S.*)")
SETTING = re.compile(r"\s*[^\s=*@\d][^\s=]*\s*=")
SPOOLS = ("/var/spool/cron/crontabs", "/var/spool/cron")
ENVIRONMENT = dict(os.environ, LC_ALL="C", SYSTEMD_COLORS="0")

def run(*words):
    done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=20,
                          env=ENVIRONMENT)
    return done.returncode, done.stdout, (done.stderr.strip() or "no reason").splitlines()[-1]

def exists(user):
    try:
        return bool(pwd.getpwnam(user))
    except KeyError:
        return False

def add(place, when, user, command, ignored="", kind="cron", active=True):
    global others
    if matches.search(command):
        jobs.append({"place": place, "schedule": " ".join(when.split()), "user": user,
                     "kind": kind, "active": active, "ignored": ignored})
    else:
        others += 1

def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        unread.append("%s: %s" % (path, error.strerror))
        return None

def table(place, text, owner="", ignored=""):
    places.append(place)
    found = []
    if text and not text.endswith("\n"):
        ignored = ignored or "its last line has no end"
    for number, line in enumerate(text.splitlines(), 1):
        comment = line.lstrip().startswith("#")
        entry = WHEN.fullmatch(line.lstrip("# \t") if comment else line)
        if not entry:
            # One line that cron does not understand, and it takes up none of the file.
            if line.strip() and not comment and not SETTING.match(line):
                ignored = ignored or "line %d of the file is not understood" % number
            continue
        user, command = (owner, entry[2]) if owner else (entry[2].split(None, 1) + [""])[:2]
        if not comment:
            found.append((entry[1], user, command))
            if not exists(user):
                ignored = ignored or "line %d of the file is for %s, and there is no such user" % (
                    number, user)
        elif matches.search(command):
            comments.append(place)
    for when, user, command in found:
        add(place, when, user, command, ignored)

def system_table(path):
    text = read(path)
    if text is not None:
        table(path, text, ignored=insecure(path))

def insecure(path):
    state = os.stat(path)
    if not re.fullmatch(r"[A-Za-z0-9_-]+", os.path.basename(path)):
        return "cron does not read a file of this name"
    if state.st_uid:
        return "the file does not belong to root"
    if state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "others may write the file"
    return ""

def own_name():
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())

def crontab_owners():
    if want["user"]:
        return [want["user"]] if exists(want["user"]) else []
    found = {own_name()}
    for spool in SPOOLS:
        try:
            found |= {name for name in os.listdir(spool) if exists(name)}
        except FileNotFoundError:
            pass
        except OSError as error:
            unread.append("crontabs of other users: %s" % error.strerror)
    return sorted(found)

def crontab(user):
    place = "the crontab of %s" % user
    if not shutil.which("crontab", path=os.environ.get("PATH", "") + ":/usr/bin"):
        for spool in SPOOLS:
            text = read(os.path.join(spool, user))
            if text is not None:
                table(place, text, user)
        return
    mine = [] if user == own_name() else ["-u", user]
    code, text, said = run("crontab", *(mine + ["-l"]))
    if code == 0:
        table(place, text, user)
    elif "no crontab for" not in said:
        unread.append("%s: %s" % (place, said))

def scripts(word):
    folder = "/etc/cron.%s" % word
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return
    except OSError as error:
        unread.append("%s: %s" % (folder, error.strerror))
        return
    places.append(folder)
    taken = any(folder in line for path in ("/etc/crontab", "/etc/anacrontab")
                for line in (read(path) or "").splitlines() if not line.lstrip().startswith("#"))
    for name in names:
        path = os.path.join(folder, name)
        if name.startswith(".") or not os.path.isfile(path):
            continue
        ignored = ""
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
            ignored = "run-parts does not take a file of this name"
        elif not os.stat(path).st_mode & 0o100:
            ignored = "it may not be executed"
        elif not taken:
            ignored = "nothing in /etc/crontab runs %s" % folder
        add(path, "@" + word, "root", path, ignored)

def shown(*units, properties):
    code, text, said = run("systemctl", "show", "--property", properties, "--", *units)
    if code:
        unread.append("systemd: %s" % said)
        return []
    blocks = [[line.partition("=") for line in block.splitlines()] for block in text.split("\n\n")]
    found = []
    for block in blocks:
        entry = {}
        for name, _, value in block:
            entry[name] = entry[name] + " " + value if name in entry else value
        found.append(entry)
    return found

def timers():
    if not os.path.isdir("/run/systemd/system"):
        if want["where"] == "timer":
            unread.append("systemd does not run here")
        return
    names = set()
    # One that is stopped may be known by its file only.
    for listing in ("list-units", "list-unit-files"):
        code, text, said = run("systemctl", listing, "--type=timer", "--all", "--plain",
                               "--no-legend", "--no-pager")
        if code:
            unread.append("systemd: %s" % said)
            return
        names |= {line.split()[0] for line in text.splitlines() if line.strip()}
    places.append("systemd's timers")
    names = sorted(name for name in names if "@." not in name)
    facts = "Id,Unit,ActiveState,TimersCalendar,TimersMonotonic"
    for timer in shown(*names, properties=facts) if names else []:
        for service in shown(timer["Unit"], properties="User,ExecStart"):
            command = " ".join(re.findall(r"argv\[\]=(.*?) ;", service.get("ExecStart", "")))
            calendar = re.findall(r"OnCalendar=(.*?) ;", timer.get("TimersCalendar", ""))
            since = re.findall(r"(On\w+)USec=(.*?) ;", timer.get("TimersMonotonic", ""))
            when = calendar or ["%sSec=%s" % pair for pair in since] or ["never"]
            for one in when:
                add(timer["Id"], one, service.get("User") or "root", command, "", "timer",
                    timer.get("ActiveState") == "active")

def depth(pid):
    with open("/proc/%s/status" % pid) as file:
        lines = dict(line.split(":", 1) for line in file if ":" in line)
    return lines["State"].split()[0], len(lines.get("NSpid", "1").split())

def daemon():
    # A cron inside a container of this host is not this host's.
    here = depth("self")[1]
    for path in glob.glob("/proc/[0-9]*"):
        try:
            with open(path + "/cmdline", "rb") as file:
                words = [os.path.basename(word).decode(errors="replace")
                         for word in file.read().split(b"\0")]
            state, level = depth(os.path.basename(path))
        except (OSError, KeyError):
            continue
        name = words[1] if words[0] == "busybox" and len(words) > 1 else words[0].split(" ")[0]
        if name in ("cron", "crond", "fcron") and state not in "ZX" and level == here:
            return name
    return ""

try:
    where = want["where"]
    if where in ("any", "crontab"):
        for user in crontab_owners():
            crontab(user)
        system_table("/etc/crontab")
    if where in ("any", "cron.d"):
        for path in sorted(glob.glob("/etc/cron.d/*")):
            if os.path.isfile(path):
                system_table(path)
        if os.path.isdir("/etc/cron.d") and not os.access("/etc/cron.d", os.R_OK | os.X_OK):
            unread.append("/etc/cron.d: Permission denied")
        for word in ("hourly", "daily", "weekly", "monthly"):
            scripts(word)
    if where in ("any", "timer"):
        timers()
    print(json.dumps({"jobs": jobs, "places": places, "comments": comments, "others": others,
                      "unread": unread, "daemon": daemon()}))
except (OSError, subprocess.TimeoutExpired) as error:
    sys.stderr.write("the jobs cannot be read: %s\n" % error)
    sys.exit(1)
"""
