"""A test suite really ran, and nothing in it failed.

    - id: unit-tests-pass
      check: test_run
      from: controller
      timeout_s: 600
      with:
        command: [npm, test]
        chdir: /srv/o4o/source
        min_executed: 20
        min_coverage: 80

`command` is run in `chdir`, and its output read for how many tests were executed and how many
failed: of pytest, unittest, jest, vitest, mocha, `node --test`, `go test`, `cargo test`, PHPUnit,
RSpec, `dotnet test`, Maven, Gradle, and TAP. Several suites in one output are added up. `go test`
without `-v` counts packages, and what it has only kept from an earlier run (`(cached)`) is not
executed. With `report`, a JUnit XML file that the run writes (from `chdir`), the numbers are the
report's; one that the run did not write anew is red. At least `min_executed` tests must have been
executed, at least one: a skipped, pending or ignored test was not. No failure may be counted, and
the command must end with 0 even if none is. A run whose numbers are not found is no verdict,
however it ended. `min_coverage` is the least percentage that the summary of pytest-cov, jest, c8,
vitest, node, go, PHPUnit, SimpleCov, tarpaulin or llvm-cov may show; of several the lowest counts.
It runs for as long as `timeout_s` of the item allows, and does to the host what the suite does.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace

from verifier.checks._test_output import Count, count_in_report, counts_in, coverage_in, plain
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

# A program that is not there or may not be run, by the word of the shell.
_NOT_STARTED = (126, 127)


@dataclass(frozen=True, slots=True)
class Params:
    command: tuple[str, ...]
    chdir: str = ""
    min_executed: int = 1
    report: str = ""
    min_coverage: float | None = None

    def __post_init__(self) -> None:
        if not self.command:
            raise ValueError("command has at least one word")
        if self.min_executed < 1:
            raise ValueError("min_executed is 1 or more: a run without tests proves nothing")


@dataclass(frozen=True, slots=True)
class Seen:
    """`stale` says why the report is not this run's; there are no counts then."""

    ended_with: int
    counts: tuple[Count, ...]
    stale: str = ""
    coverage: float | None = None


def observe(host: Host, want: Params) -> Seen:
    place = want.chdir or "."
    ask(host, "cd %s", place)
    before = _state(host, place, want.report) if want.report else ""
    done = host.run("cd %s &&" + " %s" * len(want.command), place, *want.command)
    output = plain(f"{done.stdout}\n{done.stderr}")
    how = f"`{shlex.join(want.command)[:120]}` ended with {done.rc}: {_last_line(output)}"
    if want.report and done.rc in _NOT_STARTED:
        raise CannotObserve(how)
    if want.report and (stale := _why_stale(before, _state(host, place, want.report))):
        return Seen(done.rc, (), stale)
    if want.report:
        written = ask(host, "cd %s && cat %s", place, want.report)
        counts: tuple[Count, ...] = (count_in_report(written),)
    else:
        counts = counts_in(output)
    if not counts:
        raise CannotObserve(f"cannot tell how many tests ran: {how}")
    coverage = coverage_in(output)
    if want.min_coverage is not None and coverage is None and done.rc == 0:
        raise CannotObserve(f"cannot tell how much the tests cover: {how}")
    return Seen(done.rc, counts, "", coverage)


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    what = f"tests of `{shlex.join(want.command)}`"
    if seen.stale:
        return [Mismatch(f"report {want.report}", "written by this run", seen.stale)]
    executed = sum(count.executed for count in seen.counts)
    failed = sum(count.failed for count in seen.counts)
    sources = " and ".join(dict.fromkeys(count.source for count in seen.counts))
    wrong = []
    if failed:
        wrong.append(Mismatch(what, "none fails", f"{failed} of {executed} failed ({sources})"))
    if executed < want.min_executed:
        wanted = f"{want.min_executed} or more executed"
        wrong.append(Mismatch(what, wanted, f"{executed or 'none'} ({sources})"))
    if seen.ended_with and not failed:
        saw = f"{seen.ended_with}, though no failed test is counted ({sources})"
        wrong.append(Mismatch(what, "to end with 0", saw))
    if want.min_coverage is not None and (seen.coverage or 0) < want.min_coverage:
        saw = "none shown" if seen.coverage is None else f"{seen.coverage:g} %"
        wrong.append(Mismatch(f"coverage of {what}", f"{want.min_coverage:g} % or more", saw))
    return wrong


def _impossible(want: Params) -> Params:
    return replace(want, min_executed=1_000_000_000)


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _state(host: Host, place: str, report: str) -> str:
    """What changes when a file is written; "" when there is none."""
    line = "cd %s && if test -e %s; then stat -L -c %s %s; fi"
    return ask(host, line, place, report, "%i %s %y %z", report).strip()


def _why_stale(before: str, after: str) -> str:
    if not after:
        return "nothing there"
    return "it is older than this run" if after == before else ""


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "no output"
