"""JUnit XML: a suite per host with its `hostname`, a case per item. A host that could not be
reached keeps its suite, with an error in every case: nothing is dropped.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from verifier.plan import Assignment
from verifier.result import Outcome, Result
from verifier.run import Run

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(run: Run) -> str:
    """Failures are `<failure>`, could-not-look is `<error>`; waived, not applicable and not checked
    are `<skipped>`, except that a required item nobody checked is a failure: it keeps the gate
    closed.
    """
    root = ET.Element("testsuites", name="verifier")
    for host in run.plan.hosts:
        assignments = [a for a in run.plan.assignments if a.host == host]
        suite = ET.SubElement(
            root, "testsuite", name=host, hostname=host, timestamp=run.started_at[:19]
        )
        for assignment in assignments:
            _add_case(suite, assignment, run)
        _count(suite, len(assignments))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _add_case(suite: ET.Element, assignment: Assignment, run: Run) -> None:
    result = run.result_of(assignment)
    case = ET.SubElement(
        suite,
        "testcase",
        classname=f"{assignment.checklist}.{assignment.host}",
        name=_clean(f"{assignment.item} {assignment.title}"),
        time=f"{0 if result is None else result.duration_s:.3f}",
    )
    properties = ET.SubElement(case, "properties")
    for name, value in (
        ("item", assignment.item),
        ("source", assignment.source),
        ("section", assignment.section),
        ("required", str(assignment.required).lower()),
        ("place", assignment.place),
    ):
        ET.SubElement(properties, "property", name=name, value=_clean(value))
    kind, message = _kind(assignment, result, run)
    if kind:
        ET.SubElement(case, kind, message=_clean(message)).text = _clean(message)


def _kind(assignment: Assignment, result: Result | None, run: Run) -> tuple[str, str]:
    if result is None:
        return "error", "no result was recorded"
    why = "\n".join(result.reasons)
    if assignment.key in run.verdict.waived:
        return "skipped", f"waived: {why}"
    match result.outcome:
        case Outcome.PASS:
            return "", ""
        case Outcome.FAIL:
            return "failure", why
        case Outcome.ERROR:
            return "error", why
        case Outcome.NOT_CHECKED if assignment.required:
            return "failure", f"not checked: {why}"
        case _:
            return "skipped", f"{result.outcome.value}: {why}"


def _count(suite: ET.Element, tests: int) -> None:
    suite.set("tests", str(tests))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("time", f"{sum(float(c.get('time', 0)) for c in suite.iter('testcase')):.3f}")


def _clean(text: str) -> str:
    # Host output may hold control characters that no XML parser takes.
    return _NOT_XML.sub("\ufffd", text)
