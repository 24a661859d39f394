"""The long campaign (`make faults`): every fault on a healthy lab, the faults of different hosts side by
side; then the healthy lab again and again. Prints the table and writes it to `.verifier/faults.md`;
ends with 0 only if every fault turned its items red, nothing else changed, and the healthy lab stayed green.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VERIFIER = str(Path(sys.executable).with_name("verifier"))
RECORDS = ROOT / ".verifier" / "faults.jsonl"
TABLE = ROOT / ".verifier" / "faults.md"
REPETITIONS = int(os.environ.get("VERIFIER_REPETITIONS", "20"))
MOST_FALSE_REDS = 0.01


def main() -> int:
    began = time.monotonic()
    RECORDS.unlink(missing_ok=True)
    # Two releases, so that there is a way back that can be lost.
    for release in ("1", "2"):
        _run(
            VERIFIER, "deploy", "--inventory", "lab", "--release", release, "--yes", "--no-rollback"
        )
    ended = _together("fwb1", "o4o1") + _together("controller")
    records = [json.loads(line) for line in RECORDS.read_text(encoding="utf-8").splitlines()]
    table = _table(records)
    reds, answers, seconds = _healthy()
    share = reds.total() / answers if answers else 1.0
    summary = (
        f"{len(records)} faults, {sum(r['passed'] for r in records)} as they must be,"
        f" {sum(bool(r['strangers']) for r in records)} with collateral that no one declared,"
        f" {sum(len(r['items']) - len(r['red']) for r in records)} false greens.\n"
        f"{REPETITIONS} healthy verifications: {reds.total()} of {answers} answers red or not seen"
        f" ({share:.2%}): {dict(reds)}; {min(seconds):.0f} to {max(seconds):.0f} s each.\n"
        f"{time.monotonic() - began:.0f} s in all."
    )
    TABLE.write_text(f"{table}\n\n{summary}\n", encoding="utf-8")
    print(f"\n{table}\n\n{summary}")
    return int(any(ended) or share > MOST_FALSE_REDS)


def _together(*parts: str) -> list[int]:
    processes = []
    for part in parts:
        log = (ROOT / ".verifier" / f"faults-{part}.log").open("w", encoding="utf-8")
        environment = {**os.environ, "VERIFIER_LAB": "as-is", "VERIFIER_FAULTS": part}
        words = [sys.executable, "-m", "pytest", "-q", "tests/faults"]
        processes.append(
            subprocess.Popen(words, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        )
        print(f"faults of {part}: see {log.name}", flush=True)
    while any(process.poll() is None for process in processes):
        time.sleep(30)
        done = len(RECORDS.read_text().splitlines()) if RECORDS.exists() else 0
        print(f"{done} faults done", flush=True)
    return [process.returncode for process in processes]


def _healthy() -> tuple[Counter[str], int, list[float]]:
    """Red or unseen answers by item, answers in all, and the seconds of each verification."""
    reds: Counter[str] = Counter()
    answers, seconds = 0, []
    for number in range(REPETITIONS):
        began = time.monotonic()
        words = [VERIFIER, "verify", "--inventory", "lab", "--reporter", "json:-"]
        # Load costs minutes; every fifth time is often enough to see whether it is steady.
        words += ["--load"] if number % 5 == 0 else []
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
        seconds.append(time.monotonic() - began)
        results = [r for r in json.loads(done.stdout)["results"] if r["check"] != "attestation"]
        looked = [r for r in results if r["outcome"] not in ("not_checked", "not_applicable")]
        answers += len(looked)
        reds.update(f"{r['item']} on {r['host']}" for r in looked if r["outcome"] != "pass")
        print(f"healthy {number + 1} of {REPETITIONS}: {seconds[-1]:.0f} s", flush=True)
    return reds, answers, seconds


def _table(records: list[dict[str, object]]) -> str:
    rows = [
        f"| {_words(r['items'])} | {r['fault']} | {_outcome(r)} | {_collateral(r)} |"
        for r in sorted(records, key=lambda r: (str(r["items"]), str(r["fault"])))
    ]
    return "\n".join(["| item | fault | outcome | collateral |", "|---|---|---|---|", *rows])


def _outcome(record: dict[str, object]) -> str:
    if record["items"] != record["red"]:
        return f"STAYED GREEN, red only: {_words(record['red'])}"
    return "red" if record["passed"] else "red, but see the log"


def _collateral(record: dict[str, object]) -> str:
    parts = [_words(record["relatives"])]
    parts += [f"UNDECLARED {_words(record['strangers'])}"] if record["strangers"] else []
    parts += [f"RED AFTER THE UNDO {_words(record['still_red'])}"] if record["still_red"] else []
    return "; ".join(filter(None, parts))


def _words(items: object) -> str:
    return ", ".join(map(str, items)) if isinstance(items, list) else str(items)


def _run(*words: str) -> None:
    print("$", " ".join(words), flush=True)
    done = subprocess.run(words, cwd=ROOT, check=False)
    if done.returncode != 0:
        sys.exit(f"the campaign needs a healthy lab: exit {done.returncode}")


if __name__ == "__main__":
    sys.exit(main())
