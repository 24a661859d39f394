"""How well `verifier init` understands real checklists: its proposals against labels that people gave.
(`make corpus`, or `python tests/corpus/score.py FOLDER [-v]`; FOLDER holds `gold*.jsonl` and the files
they name.)
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from verifier.checklist.identity import with_ids
from verifier.checklist.markdown import Page, read_markdown
from verifier.document import parse_yaml, read_text
from verifier.proposal.proposal import Proposal
from verifier.proposal.propose import propose

CLASSES = Path(__file__).with_name("classes.yml")
BOUND = ("check", "needs_value", "document")
PEOPLE = ("attestation", "document", "review", "not_a_gate")


@dataclass
class Score:
    """Counts of one corpus. Every pair is right strictly, right leniently, and all."""

    read: Counter[str] = field(default_factory=Counter)
    strict: Counter[str] = field(default_factory=Counter)
    lenient: Counter[str] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)
    bound: int = 0
    boxes: int = 0  # rows outside of fences that are a bullet or a number with a box
    lines: int = 0  # lines of kind `box` that were read
    wrong: list[str] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)


def score(folder: Path) -> Score:
    classes = parse_yaml(CLASSES.read_text(encoding="utf-8"), where=str(CLASSES))
    found = Score()
    labels = [
        json.loads(row)
        for gold in sorted(folder.glob("gold*.jsonl"))
        for row in gold.read_text(encoding="utf-8").splitlines()
    ]
    for name in sorted({label["file"] for label in labels}):
        path = next(p for p in (folder / name, folder.parent / name) if p.exists())
        page = read_markdown(read_text(path), where=path.name)
        found.boxes += _boxes(read_text(path))
        found.lines += sum(line.kind == "box" for line in page.lines)
        proposals = {p.line.number: p for p in propose(_named(page))}
        for label in (one for one in labels if one["file"] == name):
            _judge(label, proposals.get(label["line"]), classes, found)
    return found


def _boxes(text: str) -> int:
    """Counted with other eyes than the reader's, to see what it loses and what it invents."""
    fenced, count = False, 0
    for row in text.splitlines():
        if re.match(r"\s*(?:```|~~~)", row):
            fenced = not fenced
        elif not fenced and re.match(r"[\s>]*(?:[-*+]|\d+[.)])\s+\\?\[[ xX]\\?\]\s", row):
            count += 1
    return count


def _named(page: Page) -> Page:
    from dataclasses import replace  # noqa: PLC0415

    return replace(page, lines=with_ids(page.lines))


def _judge(label: dict[str, Any], proposal: Proposal | None, classes: Any, found: Score) -> None:  # noqa: ANN401
    kind = label["automatable"]
    found.total["read"] += 1
    found.total[kind] += 1
    found.total["class"] += 1
    if proposal is None:
        found.unlike.append(_shown(label, "not read", proposal))
        return
    found.strict["read"] += 1
    found.lenient["read"] += 1
    wanted = {label["class"], *label["alt_classes"]}
    ours = set(classes.get(proposal.check, ())) if proposal.check else set()
    strictly, leniently = _same_class(label, proposal, ours, wanted)
    found.strict["class"] += strictly
    found.lenient["class"] += leniently
    if proposal.kind in BOUND:
        found.bound += 1
        if not ours & wanted:
            found.wrong.append(_shown(label, "wrong binding", proposal))
    right, nearly = _handled(label, proposal, strict=strictly, lenient=leniently)
    found.strict[kind] += right
    found.lenient[kind] += nearly
    if not nearly:
        found.unlike.append(_shown(label, "unlike", proposal))


_HUMAN = {
    "browser_ui_manual", "human_signoff", "human_judgement", "docs_exist", "alerting", "rollback_ready", "other",
    "third_party_service", "cloud_resource",
}  # fmt: skip


def _same_class(
    label: dict[str, Any], proposal: Proposal, ours: set[str], wanted: set[str]
) -> tuple[bool, bool]:
    if proposal.kind in BOUND:
        return label["class"] in ours, bool(ours & wanted)
    if proposal.kind == "step":
        return label.get("command_effect") == "write", label[
            "shape"
        ] == "action" or "command" in wanted
    human = label["class"] in _HUMAN or label["automatable"] == "no"
    return human, human or bool(wanted & _HUMAN)


def _handled(
    label: dict[str, Any], proposal: Proposal, *, strict: bool, lenient: bool
) -> tuple[bool, bool]:
    needs = set(label.get("needs", ()))
    match label["automatable"]:
        case "yes":
            step = proposal.kind == "step" and label.get("command_effect") == "write"
            bound = proposal.kind in ("check", "document") and not proposal.missing
            return bound and strict, (bound and lenient) or step
        case "param":
            named = bool(set(proposal.missing) & needs)
            whole = proposal.kind in ("check", "document") and not proposal.missing
            return (
                strict and set(proposal.missing) == needs,
                lenient and proposal.kind in BOUND and (named or whole),
            )
        case _:
            return proposal.kind in PEOPLE, proposal.kind in (*PEOPLE, "step") or lenient


def _shown(label: dict[str, Any], what: str, proposal: Proposal | None) -> str:
    ours = (
        f"{proposal.kind} {proposal.check} {list(proposal.missing)} <{proposal.span}>"
        if proposal
        else ""
    )
    theirs = f"{label['automatable']} {label['class']} {label.get('needs', '')}"
    return f"{what}: {label['file']}:{label['line']} {label['text'][:80]} | want {theirs} | have {ours}"


def show(found: Score, *, verbose: bool) -> None:
    for kind in ("read", "class", "yes", "param", "no"):
        total = found.total[kind] or 1
        print(
            f"{kind:6} strict {found.strict[kind] / total:5.0%}  lenient {found.lenient[kind] / total:5.0%}  of {total}"
        )
    print(f"boxes: {found.lines} read of {found.boxes} that stand in the files")
    print(
        f"wrong bindings {len(found.wrong) / (found.bound or 1):.1%} ({len(found.wrong)} of {found.bound} bound)"
    )
    for row in (*found.wrong, *found.unlike) if verbose else found.wrong:
        print("  " + row)


if __name__ == "__main__":
    show(score(Path(sys.argv[1])), verbose="-v" in sys.argv)
