"""A report says that the tests of this release were run, and that none failed.

    - id: unit-tests-were-run
      check: test_report
      with:
        root: /srv/o4o/current
        report: reports/unit.json
        checksums: reports/SHA256SUMS
        min_executed: 20

`report` is what a test runner wrote when the release was made: JUnit XML, or the JSON of vitest or
jest. It must have at least `min_executed` executed tests, at least one (a skipped one was not), and
no failure, neither of a test nor of a file of tests that could not be loaded. `max_age_days` counts
from the time that the report itself tells.

A report proves nothing about a release it was not written for, so it has to belong to `root`, the
release's folder: it lies in there (not behind a link that leads out), and either `checksums` is a list
as `sha256sum` writes it, with paths from `root`, that names the report and something else of the
release, and all that it names is there as it says; or the report is younger than `newer_than`, a file
of the release (from `root`), such as the artifact it was unpacked from. Red: no report, an empty one,
one of another release, too few tests, a failure. No verdict: a report that is of no kind known here,
of more than 16 MB, or that does not tell its time when that is asked for.

It believes what the report says. Where the program under test can write it, so can a liar; run the
tests yourself (`test_run`) where that matters.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from verifier.checks._test_output import count_in_report
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_DAY_S = 86_400
_SHOWN = 5
_MORE_THAN_ANYBODY_HAS = 10**9


@dataclass(frozen=True, slots=True)
class Params:
    root: Annotated[str, Field(min_length=1)]
    report: Annotated[str, Field(min_length=1)]
    checksums: str = ""
    newer_than: str = ""
    min_executed: Annotated[int, Field(ge=1)] = 1
    max_age_days: Annotated[float, Field(gt=0)] | None = None

    def __post_init__(self) -> None:
        if not self.checksums and not self.newer_than:
            raise ValueError("give checksums or newer_than: what ties the report to the release")


@dataclass(frozen=True, slots=True)
class Seen:
    """`foreign` says, for each reason, why the report is not this release's. `age_days` is None when
    it was not asked for.
    """

    there: bool
    source: str = ""
    executed: int = 0
    failed: int = 0
    foreign: tuple[str, ...] = ()
    listed: int = 0
    age_days: float | None = None


def observe(host: Host, want: Params) -> Seen:
    told = json.dumps([want.root, want.report, want.checksums, want.newer_than])
    printed = ask(host, "python3 -I -c %s %s", _LOOK, told)
    try:
        said = json.loads(printed)
        there, text, now = bool(said["there"]), str(said["text"]), float(said["now"])
        foreign, listed = tuple(map(str, said["foreign"])), int(said["listed"])
    except (KeyError, TypeError, ValueError) as error:
        raise CannotObserve("the program on the host printed something else") from error
    if not there or not text.strip():
        return Seen(there, foreign=foreign, listed=listed)
    source, executed, failed, written = _read(text)
    if want.max_age_days is not None and written is None:
        raise CannotObserve(f"{want.report} does not tell when the tests were run")
    age = None if want.max_age_days is None or written is None else (now - written) / _DAY_S
    return Seen(there, source, executed, failed, foreign, listed, age)


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    what = f"report {want.report}"
    if not seen.there:
        return [Mismatch(what, f"in {want.root}", "no such file: the tests left none behind")]
    if not seen.source:
        return [Mismatch(what, "what a test runner wrote", "an empty file")]
    found = [Mismatch(what, "of this release", why) for why in seen.foreign[:_SHOWN]]
    if (more := len(seen.foreign) - _SHOWN) > 0:
        found.append(Mismatch(what, "of this release", f"{more} more of them"))
    if seen.failed:
        saw = f"{seen.failed} of {seen.executed} failed ({seen.source})"
        found.append(Mismatch(what, "none fails", saw))
    if seen.executed < want.min_executed:
        saw = f"{seen.executed or 'none'} ({seen.source})"
        found.append(Mismatch(what, f"{want.min_executed} or more executed", saw))
    if want.max_age_days is not None and (seen.age_days or 0) > want.max_age_days:
        saw = f"{seen.age_days:.1f} days"
        found.append(Mismatch(what, f"at most {want.max_age_days:g} days old", saw))
    if want.max_age_days is not None and (seen.age_days or 0) < -1:
        found.append(Mismatch(what, "a time that has been", "one in the future"))
    return found


def _impossible(want: Params) -> Params:
    return replace(want, min_executed=_MORE_THAN_ANYBODY_HAS)


CHECK = Check(Params, observe, judge, impossible=_impossible)


# Of a JSON report only the counts leave the host: one of a large suite has megabytes.
_LOOK = r"""
import hashlib, json, os, sys, time

MOST = 16000000
root, report, sums, newer_than = json.loads(sys.argv[1])
foreign, listed, text = [], 0, ""

def fail(words):
    sys.stderr.write(words + "\n")
    sys.exit(1)

def digest(path):
    whole = hashlib.sha256()
    with open(path, "rb") as file:
        for part in iter(lambda: file.read(1 << 20), b""):
            whole.update(part)
    return whole.hexdigest()

def check_sums(own):
    global listed
    if not os.path.exists(sums):
        foreign.append("there is no %s to compare it with" % sums)
        return
    names = set()
    with open(sums, encoding="utf-8") as file:
        for line in file:
            wanted, _, name = line.rstrip("\n").partition(" ")
            name = name[1:]
            if len(wanted) != 64 or not name:
                fail("%s is no list as sha256sum writes it" % sums)
            names.add(os.path.realpath(name))
            if not os.path.isfile(name):
                foreign.append("%s, which %s names, is not there" % (name, sums))
            elif digest(name) != wanted:
                foreign.append("%s is another one than %s says" % (name, sums))
    listed = len(names)
    if own not in names:
        foreign.append("%s does not name it" % sums)
    if not names - {own}:
        foreign.append("%s names nothing else of the release" % sums)

def counts_of(raw):
    try:
        whole = json.loads(raw)
    except ValueError:
        return raw
    if not isinstance(whole, dict):
        return raw[:200]
    return json.dumps({k: v for k, v in whole.items() if isinstance(v, (int, float))})

try:
    os.chdir(root)
    there = os.path.isfile(report)
    if there:
        own = os.path.realpath(report)
        if not own.startswith(os.path.realpath(".") + os.sep):
            foreign.append("it lies outside, at " + own)
        if os.path.getsize(report) > MOST:
            fail("%s has more than %d bytes, too much to read" % (report, MOST))
        with open(report, encoding="utf-8-sig") as file:
            text = file.read()
        if text.lstrip()[:1] in ("{", "["):
            text = counts_of(text)
        if sums:
            check_sums(own)
        if newer_than and os.path.getmtime(report) < os.path.getmtime(newer_than):
            foreign.append("it is older than " + newer_than)
    print(json.dumps({"there": there, "text": text, "foreign": foreign, "listed": listed, "now": time.time()}))
except (OSError, UnicodeDecodeError) as error:
    fail(str(error))
"""


def _read(text: str) -> tuple[str, int, int, float | None]:
    """The kind of report, the tests executed and failed, and when they were begun."""
    if text.lstrip().startswith("<"):
        count = count_in_report(text)
        return "JUnit XML", count.executed, count.failed, _time_in_junit(text)
    try:
        raw = json.loads(text)
        passed, failed = int(raw["numPassedTests"]), int(raw["numFailedTests"])
        broken = int(raw.get("numRuntimeErrorTestSuites", 0)) + int(raw["numFailedTestSuites"])
        began = raw.get("startTime")
        unhappy = raw.get("success") is False
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CannotObserve(
            "the report is neither JUnit XML nor the JSON of vitest or jest"
        ) from error
    # A file that could not be loaded has no failed test, and leaves no success.
    failures = failed or (1 if broken or unhappy else 0)
    return "vitest/jest", passed + failed, failures, None if began is None else began / 1000


def _time_in_junit(text: str) -> float | None:
    _, found, rest = text.partition(' timestamp="')
    if not found:
        return None
    try:
        read = datetime.fromisoformat(rest.partition('"')[0])
    except ValueError:
        return None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
