"""The campaign's table: item, fault, outcome, collateral. Printed at the end, and kept fault by fault
in `.verifier/faults.jsonl`, so that a campaign that was cut short has not been for nothing.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import pytest

from lab import ROOT
from verifier.document import from_plain

KEPT = ROOT / ".verifier" / "faults.jsonl"


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    entry = _entry(report)
    if entry:
        KEPT.parent.mkdir(mode=0o700, exist_ok=True)
        with KEPT.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(entry), ensure_ascii=False) + "\n")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [r for kind in ("passed", "failed") for r in terminalreporter.getreports(kind)]
    entries = [entry for report in reports if (entry := _entry(report))]
    if not entries:
        return
    terminalreporter.section("faults")
    for entry in sorted(entries, key=lambda e: (e.items, e.fault)):
        terminalreporter.write_line(_line(entry))
    red = sum(entry.red == entry.items for entry in entries)
    green = sum(len(entry.items) - len(entry.red) for entry in entries)
    strangers = sum(bool(entry.strangers) for entry in entries)
    terminalreporter.write_line(
        f"\n{len(entries)} faults: {red} turned their items red; false greens: {green};"
        f" with collateral that no one declared: {strangers}"
    )


@dataclass(frozen=True)
class Entry:
    """What one fault did; items by source id."""

    fault: str
    passed: bool
    items: tuple[str, ...]
    red: tuple[str, ...]
    reason: str = ""
    relatives: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    still_red: tuple[str, ...] = ()
    seconds: float = 0.0


def _entry(report: pytest.TestReport) -> Entry | None:
    properties = dict(report.user_properties)
    if report.when != "call" or "red" not in properties:
        return None
    name = report.nodeid.partition("[")[2].removesuffix("]")
    return from_plain(Entry, {"fault": name, "passed": report.passed, **properties})


def _line(entry: Entry) -> str:
    green = sorted(set(entry.items) - set(entry.red))
    parts = [", ".join(entry.items), entry.fault]
    parts.append(f"STAYED GREEN: {', '.join(green)}" if green else "red")
    parts += [f"also red: {', '.join(entry.relatives)}"] if entry.relatives else []
    parts += [f"UNDECLARED: {', '.join(entry.strangers)}"] if entry.strangers else []
    parts += [f"RED AFTER UNDO: {', '.join(entry.still_red)}"] if entry.still_red else []
    return "  ".join(parts)
