"""What test runners print at the end of a run, and the JUnit XML they write, read as numbers: how
many tests were executed, how many failed, how much they cover. Pure: it runs nothing and reads no
file. What it does not recognise it does not count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from verifier.errors import CannotObserve


@dataclass(frozen=True, slots=True)
class Count:
    """What one source (a test runner, or the report) says of the tests it executed."""

    source: str
    executed: int
    failed: int


def plain(output: str) -> str:
    """The output without colours, one kind of line end."""
    without_colour = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output)
    return without_colour.replace("\r\n", "\n").replace("\r", "\n")


def counts_in(output: str) -> tuple[Count, ...]:
    """One Count for each summary in the output of a run; empty when there is none."""
    found = [count for read in _READERS for count in read(output)]
    return tuple(found or _tap_lines(output))


def count_in_report(text: str) -> Count:
    """What a JUnit XML file says; CannotObserve when it is none."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise CannotObserve("the report declares entities, which no test runner writes")
    try:
        root = ET.fromstring(text)  # noqa: S314  without entities it cannot grow
    except ET.ParseError as error:
        raise CannotObserve(f"the report is no XML: {error}") from error
    if root.tag not in ("testsuites", "testsuite"):
        raise CannotObserve(f"the report is no JUnit XML: it begins with <{root.tag}>")
    cases = list(root.iter("testcase"))
    skipped = sum(case.find("skipped") is not None for case in cases)
    failed = sum(_is_failed(case) for case in cases)
    # A suite that broke before its first test has no test to show for it.
    suites = [suite for suite in root.iter("testsuite") if suite.find("testsuite") is None]
    claimed = sum(_attribute(suite, "failures") + _attribute(suite, "errors") for suite in suites)
    return Count("the report", len(cases) - skipped, max(failed, claimed))


def coverage_in(output: str) -> float | None:
    """The lowest percentage of all coverage summaries in the output; None without any."""
    found = [float(n) for line in _COVERAGE for n in _lines(line, output)]
    return min(found) if found else None


def _is_failed(case: ET.Element) -> bool:
    return case.find("failure") is not None or case.find("error") is not None


def _attribute(suite: ET.Element, name: str) -> int:
    value = suite.get(name, "0")
    return int(value) if value.isdigit() else 0


def _lines(pattern: str, output: str) -> list[str]:
    """What the one group of `pattern` holds, at every line it stands in."""
    return [str(match[1]) for match in re.finditer(pattern, output, re.MULTILINE)]


def _named(text: str) -> dict[str, int]:
    """The numbers of `2 failed, 1 passed` and of `Failures: 2, skipped=1`, by name."""
    before = {name.lower(): int(n) for n, name in re.findall(r"(\d+) ([A-Za-z]+)", text)}
    after = {name.lower(): int(n) for name, n in re.findall(r"([A-Za-z]+)[:=] *(\d+)", text)}
    return before | after


def _total(numbers: Mapping[str, int], *names: str) -> int:
    return sum(numbers.get(name, 0) for name in names)


def _pytest(output: str) -> Iterator[Count]:
    kinds = r"passed|failed|errors?|skipped|deselected|xfailed|xpassed|warnings?|rerun"
    for text in _lines(rf"^=*\s*((?:\d+ (?:{kinds})(?:, )?)+|no tests ran) in [\d.]+s\b", output):
        seen = _named(text)
        failed = _total(seen, "failed", "error", "errors")
        yield Count("pytest", _total(seen, "passed", "failed", "xfailed", "xpassed"), failed)


def _unittest(output: str) -> Iterator[Count]:
    line = r"^Ran (\d+) tests? in [\d.]+s\s+(?:OK|FAILED|NO TESTS RAN)(?: \((.*)\))?$"
    for ran, text in re.findall(line, output, re.MULTILINE):
        # `expected failures` are none, `unexpected successes` are.
        seen = _named(text.replace("expected failures", "foreseen").replace("unexpected ", ""))
        failed = _total(seen, "failures", "errors", "successes")
        yield Count("unittest", int(ran) - _total(seen, "skipped"), failed)


def _jest(output: str) -> Iterator[Count]:
    suites = _lines(r"^Test Suites: +(\d.*)$", output)
    tests = _lines(r"^Tests: +((?:\d+ \w+, )*\d+ total)$", output)
    yield from _with_broken("jest", tests, suites)
    if not tests and re.search(r"^No tests found, exiting", output, re.MULTILINE):
        yield Count("jest", 0, 0)


def _vitest(output: str) -> Iterator[Count]:
    files = _lines(r"^ *Test Files  +(\d.*)$", output)
    tests = _lines(r"^ *Tests  +(\d+ [a-z |\d]+?|no tests)(?: \(\d+\))?$", output)
    yield from _with_broken("vitest", tests, files)
    if not tests and re.search(r"^No test files found", output, re.MULTILINE):
        yield Count("vitest", 0, 0)


def _with_broken(source: str, tests: list[str], files: list[str]) -> Iterator[Count]:
    # A file that cannot even be loaded has no test that fails.
    broken = [_total(_named(text), "failed") for text in files]
    for place, text in enumerate(tests):
        seen = _named(text)
        failed = max([_total(seen, "failed"), *broken[place : place + 1]])
        yield Count(source, _total(seen, "passed", "failed"), failed)


def _mocha(output: str) -> Iterator[Count]:
    passing = [int(n) for n in _lines(r"^ +(\d+) passing \(", output)]
    failing = sum(int(n) for n in _lines(r"^ +(\d+) failing$", output))
    if passing:
        yield Count("mocha", sum(passing) + failing, failing)


def _node(output: str) -> Iterator[Count]:
    # `# pass 3` as TAP says it, and with the sign of node's reporter for people.
    line = r"^(?:#|\u2139) (tests|pass|fail|cancelled) +(\d+)$"
    numbers: dict[str, int] = {}
    for name, n in re.findall(line, output, re.MULTILINE):
        numbers[name] = numbers.get(name, 0) + int(n)
    if "tests" in numbers:
        failed = _total(numbers, "fail", "cancelled")
        yield Count("TAP", _total(numbers, "pass", "fail", "cancelled"), failed)


def _go(output: str) -> Iterator[Count]:
    line = (
        r"^(?:--- (PASS|FAIL|SKIP): "
        r"|(ok|FAIL|\?)[ \t]+\S+[ \t]+([\d.]+s|\(cached\)|\[no test files\]|\[.* failed\])(.*))"
    )
    tests, packages, bad_tests, bad_packages, batch = 0, 0, 0, 0, 0
    found = re.findall(line, output, re.MULTILINE)
    for test, package, how, rest in found:
        batch += test in ("PASS", "FAIL")
        bad_tests += test == "FAIL"
        if not package:
            continue
        # Neither what is kept from an earlier run nor a package without tests was executed.
        ran = package != "?" and how != "(cached)" and "[no tests to run]" not in rest
        tests, packages, batch = tests + batch * ran, packages + ran, 0
        bad_packages += package == "FAIL"
    if any(package for _, package, *_ in found):
        verbose = any(test == "PASS" for test, *_ in found)
        executed = tests if verbose else packages
        yield Count(
            f"go test{'' if verbose else ', in packages'}", executed, max(bad_tests, bad_packages)
        )


def _cargo(output: str) -> Iterator[Count]:
    for text in _lines(r"^test result: (?:ok|FAILED)\. (\d+ passed; \d+ failed);", output):
        seen = _named(text)
        yield Count("cargo test", _total(seen, "passed", "failed"), _total(seen, "failed"))


def _phpunit(output: str) -> Iterator[Count]:
    for tests in _lines(r"^OK \((\d+) tests?, \d+ assertions?\)", output):
        yield Count("PHPUnit", int(tests), 0)
    for text in _lines(r"^(Tests: \d+, Assertions: \d+.*)$", output):
        seen = _named(text)
        executed = seen["tests"] - _total(seen, "skipped", "incomplete")
        yield Count("PHPUnit", executed, _total(seen, "errors", "failures"))
    if re.search(r"^No tests executed!", output, re.MULTILINE):
        yield Count("PHPUnit", 0, 0)


def _rspec(output: str) -> Iterator[Count]:
    line = r"^(\d+) examples?, (\d+) failures?(?:, (\d+) pending)?(?:, (\d+) errors? occurred.*)?$"
    for examples, failures, pending, errors in re.findall(line, output, re.MULTILINE):
        failed = int(failures) + int(errors or 0)
        yield Count("RSpec", int(examples) - int(pending or 0), failed)


def _dotnet(output: str) -> Iterator[Count]:
    # Each test assembly alone, or one summary; never both, or tests would count twice.
    for line in (
        r"^ *(?:Passed|Failed|Skipped)! +- (Failed: +\d+, Passed: +\d+, Skipped: +\d+)",
        r"^ *Test summary: (total: \d+, failed: \d+, succeeded: \d+, skipped: \d+)",
        r"^ *Test run summary: .*\n((?: +\w+: \d+\n?)+)",
        r"^(Total tests: \d+\n(?: +\w+: \d+\n?)+)",
    ):
        found = [_named(text) for text in _lines(line, output)]
        for seen in found:
            executed = _total(seen, "passed", "succeeded", "failed")
            yield Count("dotnet test", executed, _total(seen, "failed"))
        if found:
            return
    if re.search(r"^No test is available in ", output, re.MULTILINE):
        yield Count("dotnet test", 0, 0)


def _maven(output: str) -> Iterator[Count]:
    # Without `Time elapsed`: that is one class of those that the line of the whole module counts.
    line = r"^(?:\[\w+\] )?Tests run: (\d+, Failures: \d+, Errors: \d+, Skipped: \d+) *$"
    found = _lines(line, output)
    for text in found:
        run, failures, errors, skipped = (int(n) for n in re.findall(r"\d+", text))
        yield Count("Maven", run - skipped, failures + errors)
    if not found and re.search(r"^\[INFO\] No tests to run\.", output, re.MULTILINE):
        yield Count("Maven", 0, 0)


def _gradle(output: str) -> Iterator[Count]:
    totals = re.findall(r"^(\d+) tests? completed(.*)$", output, re.MULTILINE)
    for completed, text in totals:
        seen = _named(text)
        yield Count("Gradle", int(completed) - _total(seen, "skipped"), _total(seen, "failed"))
    lines = _lines(r"^\S.* > .+ (PASSED|FAILED|SKIPPED)$", output)
    if lines and not totals:
        failed = lines.count("FAILED")
        yield Count("Gradle", lines.count("PASSED") + failed, failed)


def _tap_lines(output: str) -> Iterator[Count]:
    plan = re.search(r"^1\.\.(\d+)", output, re.MULTILINE)
    if plan is None:
        return
    found = re.findall(r"^(not ok|ok)\b[^#\n]*#? *(.*)$", output, re.MULTILINE)
    skipped = sum(note.lower().startswith("skip") for _, note in found)
    failed = sum(word == "not ok" and not note.lower().startswith("todo") for word, note in found)
    missing = max(int(plan[1]) - len(found), 0) + len(_lines(r"^(Bail out!)", output))
    yield Count("TAP", len(found) - skipped, failed + missing)


_READERS: tuple[Callable[[str], Iterator[Count]], ...] = (
    _pytest,
    _unittest,
    _jest,
    _vitest,
    _mocha,
    _node,
    _go,
    _cargo,
    _phpunit,
    _rspec,
    _dotnet,
    _maven,
    _gradle,
)

_COVERAGE = (
    r"^TOTAL\s.*?(\d+(?:\.\d+)?)%\s*$",  # coverage.py, llvm-cov
    r"^(?:#|\u2139)? *[Aa]ll files *\| *(\d+(?:\.\d+)?)",  # jest, c8, vitest; node
    r"^(?:Statements|Lines) +: (\d+(?:\.\d+)?)%",  # the same, as a summary only
    r"\bcoverage: (\d+(?:\.\d+)?)% of statements",  # go, by package
    r"^total:\s+\(statements\)\s+(\d+(?:\.\d+)?)%",  # go tool cover
    r"^  Lines: +(\d+(?:\.\d+)?)% \(",  # PHPUnit
    r"^(?:Line Coverage: |.* LOC \()(\d+(?:\.\d+)?)%",  # SimpleCov
    r"^(\d+(?:\.\d+)?)% coverage, \d+/\d+ lines covered",  # tarpaulin
)
