"""Plain testinfra files, unchanged: `@pytest.mark.item("<id>")` in a `test_*.py` of the user's
project answers that item. pytest runs in a process of its own, over the same ssh connection;
results are collected by the plugin at the end of this file, never read from printed text.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from verifier.document import read_text
from verifier.errors import DocumentError, Unreachable
from verifier.inventory import Host
from verifier.plan import Plan
from verifier.redact import Redactor
from verifier.result import Outcome, Result
from verifier.verify.connect import Connections

TIMEOUT_S = 900
_OUTPUT = "VERIFIER_SUITE_OUTPUT"


@dataclass(frozen=True, slots=True)
class Answer:
    """One test's part in an item's answer on one host."""

    item: str
    host: str
    outcome: Outcome
    why: str
    duration_s: float
    test: str


def run_suite(
    files: Sequence[Path],
    plan: Plan,
    hosts: Sequence[Host],
    connections: Connections,
    redact: Redactor,
) -> tuple[Answer, ...]:
    """What the tests in `files` say of the plan's items on its hosts; empty when there are no
    files.
    """
    reachable = [host for host in hosts if _reaches(host, connections)]
    if not files or not reachable:
        return ()
    with tempfile.TemporaryDirectory(prefix="verifier-suite-") as folder:
        output = Path(folder, "answers.jsonl")
        output.touch()
        complaint = redact(_run_pytest(files, reachable, connections.ssh_config, output))
        names = {_name_in_testinfra(host): host.name for host in reachable}
        answers = tuple(_read_answers(output.read_text(), names, redact))
    no_host = [
        replace(a, outcome=Outcome.ERROR, why="takes no `host`") for a in answers if not a.host
    ]
    if complaint:
        why = f"the test files do not run: {complaint}"
        no_host += [Answer(i, "", Outcome.ERROR, why, 0.0, "pytest") for i in items_named_in(files)]
    # What belongs to no host is an error on each: nothing passes because its place is not known.
    return answers + tuple(
        replace(answer, host=a.host)
        for answer in no_host
        for a in plan.assignments
        if a.item == answer.item
    )


def answered(
    plan: Plan, results: Sequence[Result], answers: Sequence[Answer]
) -> tuple[Result, ...]:
    """`results` with what the tests say added: a test can only add to an item's answer, never
    excuse a failure.
    """
    by_key: dict[tuple[str, str], list[Answer]] = {}
    for answer in answers:
        by_key.setdefault((answer.item, answer.host), []).append(answer)
    # A person's answer is never a test's to give, and what planning left out stays out.
    open_to_tests = {a.key for a in plan.assignments if a.applicable and a.method != "attest"}
    return tuple(
        _combined(result, by_key.get((result.item, result.host), []))
        if (result.item, result.host) in open_to_tests
        else result
        for result in results
    )


def items_named_in(files: Sequence[Path]) -> dict[str, str]:
    """The item ids that marks in `files` name, each with the place of one such mark. DocumentError
    for a file that is no Python.
    """
    found: dict[str, str] = {}
    for file in files:
        try:
            tree = ast.parse(read_text(file))
        except SyntaxError as error:
            raise DocumentError(
                f"is no Python: {error.msg}", where=f"{file}:{error.lineno}"
            ) from error
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("mark.item"):
                for argument in node.args:
                    if isinstance(argument, ast.Constant):
                        found[str(argument.value)] = f"{file}:{node.lineno}"
    return found


def _combined(result: Result, answers: list[Answer]) -> Result:
    if not answers:
        return result
    ranked = (Outcome.ERROR, Outcome.FAIL, Outcome.NOT_CHECKED, Outcome.PASS)
    outcomes = {answer.outcome for answer in answers}
    if result.check:
        outcomes.add(result.outcome)
    worst = next(outcome for outcome in ranked if outcome in outcomes)
    whys = [f"{a.test}: {a.why}" for a in answers if a.outcome is not Outcome.PASS]
    reasons = [*result.reasons, *whys] if result.check else whys
    return Result(
        result.item,
        result.host,
        worst,
        result.check or "testinfra",
        reason="; ".join(reasons),
        evidence=result.evidence,
        started_at=result.started_at,
        duration_s=result.duration_s + round(sum(a.duration_s for a in answers), 3),
    )


def _run_pytest(
    files: Sequence[Path], hosts: Sequence[Host], ssh_config: Path, output: Path
) -> str:
    """Why it did not run through; empty when it did, whatever the tests say."""
    words = [
        sys.executable, "-m", "pytest", "-q", "-p", "verifier.verify.suite", "-p", "no:cacheprovider",
        f"--rootdir={files[0].parent}", "-c", os.devnull,
        f"--hosts={','.join(map(_host_spec, hosts))}", f"--ssh-config={ssh_config}",
        *map(str, files),
    ]  # fmt: skip
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    try:
        done = subprocess.run(
            words, env={**environment, _OUTPUT: str(output)}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False, timeout=TIMEOUT_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"no end in {TIMEOUT_S} s"
    return "" if done.returncode in (0, 1, 5) else _complaint(done.stdout + done.stderr)


def _reaches(host: Host, connections: Connections) -> bool:
    try:
        connections.open(host)
    except Unreachable:
        return False
    return True


def _host_spec(host: Host) -> str:
    if host.reach.kind == "ssh":
        return f"ssh://{host.name}"
    if host.reach.kind == "local":
        return "local://"
    user = f"{host.reach.user}@" if host.reach.user else ""
    return f"docker://{user}{host.reach.address}"


def _complaint(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    wanted = [line for line in lines if line.startswith("E ") or "Error" in line]
    return (wanted or lines or ["no output"])[-1][:300]


def _name_in_testinfra(host: Host) -> str:
    if host.reach.kind == "local":
        return "local"
    return host.name if host.reach.kind == "ssh" else host.reach.address


def _read_answers(text: str, names: Mapping[str, str], redact: Redactor) -> Iterator[Answer]:
    for line in text.splitlines():
        data = json.loads(line)
        yield Answer(
            item=data["item"],
            host=names.get(data["host"], data["host"]),
            outcome=Outcome(data["outcome"]),
            why=redact(data["why"]),
            duration_s=data["duration_s"],
            test=data["test"],
        )


# --- the pytest plugin, loaded in the child by `-p verifier.verify.suite` -------------------------------------------


def pytest_configure(config: Any) -> None:  # noqa: ANN401  pytest's own type, imported only in the child
    config.addinivalue_line("markers", "item(id): the checklist item this test answers")


def pytest_runtest_makereport(item: Any, call: Any) -> None:  # noqa: ANN401
    output = os.environ.get(_OUTPUT)
    marks = [mark.args[0] for mark in item.iter_markers("item") if mark.args]
    if not output or not marks or not _says_something(call):
        return
    outcome, why = _outcome(call)
    # Not from the fixture: it does not exist yet when a test is skipped, or fails, before its first line.
    callspec = getattr(item, "callspec", None)
    host = callspec.params.get("_testinfra_host") if callspec else None
    name = host.backend.get_hostname() if host else ""
    with Path(output).open("a", encoding="utf-8") as file:
        for mark in marks:
            answer = {
                "item": mark, "host": name, "outcome": outcome.value, "why": why,
                "duration_s": round(call.duration, 3), "test": item.name,
            }  # fmt: skip
            file.write(json.dumps(answer) + "\n")


def _says_something(call: Any) -> bool:  # noqa: ANN401
    return bool(call.when == "call" or call.excinfo is not None)


def _outcome(call: Any) -> tuple[Outcome, str]:  # noqa: ANN401
    if call.excinfo is None:
        return Outcome.PASS, ""
    why = " ".join(str(call.excinfo.value).split())[:300] or call.excinfo.typename
    if call.excinfo.typename == "Skipped":
        return Outcome.NOT_CHECKED, f"skipped: {why}"
    if call.when == "call" and call.excinfo.typename == "AssertionError":
        return Outcome.FAIL, why
    return Outcome.ERROR, f"{call.excinfo.typename}: {why}"
