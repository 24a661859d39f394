"""The binding file as it is proposed: written once as a whole, and afterwards only added to. What a
person wrote into it stays as it is, letter by letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from verifier.checklist.binding import BindingDocument, is_empty
from verifier.checklist.identity import Change, recognise
from verifier.checklist.items import read_page, remembered
from verifier.checklist.markdown import Line, Page
from verifier.checks.base import find_check
from verifier.document import lines_below, read_document, read_text, to_yaml
from verifier.errors import UsageError
from verifier.proposal.proposal import Proposal
from verifier.proposal.propose import propose
from verifier.proposal.surroundings import look_around
from verifier.proposal.values import KINDS, NO_VALUES, Values, is_shared

_HEAD = """\
# How each line of {name} is answered; made by `verifier init {name}`.
# It is yours: change what you like. `verifier init` adds what is new in the checklist and leaves the rest alone.
# What each check does and takes: `verifier checks show NAME`. What is still open: `verifier checklist coverage`.
"""


@dataclass(frozen=True, slots=True)
class Draft:
    """A page with its proposals, and what is still missing. `changes` say what became of lines that
    were bound before; `gone` are bound lines that the page has no more.
    """

    source: Path
    page: Page
    proposals: tuple[Proposal, ...]
    changes: tuple[Change, ...]
    gone: tuple[str, ...]
    assumed: Mapping[str, object]
    values: Values = NO_VALUES

    @property
    def new(self) -> tuple[Proposal, ...]:
        """Proposals for lines that are not bound yet."""
        added = {c.line.id for c in self.changes if c.kind == "added"}
        return tuple(p for p in self.proposals if p.line.id in added)

    @property
    def waiting(self) -> Mapping[str, tuple[Line, ...]]:
        """Each missing value with the lines that wait for it, most lines first."""
        found: dict[str, list[Line]] = {}
        for proposal in self.new:
            for name in proposal.missing:
                found.setdefault(name, []).append(proposal.line)
        order = sorted(found, key=lambda name: (-len(found[name]), name))
        return {name: tuple(found[name]) for name in order}


def binding_path(source: Path) -> Path:
    """Where the binding of a checklist stands: beside it, with its name."""
    return source.with_suffix(".yml")


def make_draft(
    source: Path, *, values: Values = NO_VALUES, known: frozenset[str] = frozenset()
) -> Draft:
    """Reads `source` and the binding beside it, if there is one, and proposes an answer for every line.
    `known` are names that the inventory gives values to. Raises DocumentError.
    """
    page = read_page(read_text(source), where=str(source))
    path = binding_path(source)
    old = read_document(path, BindingDocument) if path.exists() else None
    memory = remembered(old) if old else ()
    changes = recognise(page.lines, memory)
    page = replace(page, lines=tuple(change.line for change in changes))
    given = frozenset(values.shared) | known
    proposals = tuple(_given(p, values, given) for p in propose(page))
    ids = {line.id for line in page.lines}
    return Draft(
        source=source,
        page=page,
        proposals=proposals,
        changes=tuple(c if c.was else replace(c, kind="added") for c in changes),
        gone=tuple(one.id for one in memory if one.id not in ids),
        assumed=_assumed(page, source, given),
        values=values,
    )


def write_new(draft: Draft, target: str) -> str:
    """The text of a binding file for a checklist that has none."""
    rows = [_HEAD.format(name=draft.source.name), "version: 1"]
    rows += [
        _pair("checklist", draft.source.name),
        _pair("target", target),
        "",
        *_values(draft),
        "items:",
    ]
    section = None
    for proposal in draft.proposals:
        if proposal.line.section != section:
            section = proposal.line.section
            rows += ["", *_comment(section)]
        rows += _block(proposal, draft.values)
    return "\n".join(rows) + "\n"


def write_again(draft: Draft, text: str) -> str:
    """The text of a binding file brought up to date: new lines at its end, the new wording of
    reworded ones, and the blocks of lines that are gone put into comments.
    """
    rows = text.rstrip("\n").split("\n")
    places = lines_below(text, "items")
    for change in draft.changes:
        if change.kind in ("reworded", "moved") and change.was and change.was.text:
            _reword(rows, places[change.line.id], change.line)
    for name in draft.gone:
        first = places[name] - 1
        for index in range(first, _end_of_block(rows, first)):
            rows[index] = f"  # gone: {rows[index].strip()}"
    fresh = [row for proposal in draft.new for row in _block(proposal, draft.values)]
    if fresh:
        rows += ["", "  # new in the checklist", *fresh]
    return "\n".join(rows) + "\n"


def proposed(proposal: Proposal) -> dict[str, object]:
    """A Proposal as `verifier init --dry-run --format json` gives it."""
    return {
        "line": proposal.line.number,
        "id": proposal.line.id,
        "proposal": proposal.kind,
        "check": proposal.check,
        "with": proposal.given,
        "missing": list(proposal.missing),
        "reason": proposal.reason,
        "span": proposal.span or proposal.line.title[:80],
    }


def _given(proposal: Proposal, values: Values, given: frozenset[str]) -> Proposal:
    """The same proposal, knowing the values that were given."""
    own = values.of(proposal.line.id, proposal.line.number)
    missing = tuple(n for n in proposal.missing if n not in given and is_empty(own.get(n)))
    kind = "check" if proposal.kind == "needs_value" and not missing else proposal.kind
    return replace(proposal, missing=missing, kind=kind)


def _assumed(page: Page, source: Path, given: frozenset[str]) -> dict[str, object]:
    """Values that have a sensible default, where nobody gave one."""
    around = look_around(page)
    folder = source.resolve().parent
    project = (
        folder.parent
        if folder.name in ("docs", "checklists", "doc", "deployment", "deploy")
        else folder
    )
    stack = {
        "project": re.sub(r"[^a-z0-9_-]", "", project.name.lower()) or "app",
        "directory": "{{ deploy_root }}",
        "files": list(around.stack_files),
        "env_file": around.env_file,
    }
    defaults = {"deploy_root": ".", "env_file": around.env_file, "compose_stack": stack}
    return {name: value for name, value in defaults.items() if name not in given}


def _values(draft: Draft) -> list[str]:
    used = _used(draft.proposals)
    rows = ["values:"]
    for name, value in draft.assumed.items():
        if name in used:
            rows += [f"  # assumed: {KINDS[name].words}", *_indented(_pair(name, value))]
    for name, value in draft.values.shared.items():
        rows += _indented(_pair(name, value))
    for name, lines in draft.waiting.items():
        if is_shared(name):
            wait = "line waits" if len(lines) == 1 else "lines wait"
            rows += [f"  # {len(lines)} {wait} for it: {KINDS[name].words}", f"  {name}:"]
    return [*(rows if len(rows) > 1 else ["values: {}"]), ""]


def _used(proposals: Iterable[Proposal]) -> set[str]:
    text = " ".join(str(p.given) for p in proposals)
    names = set(re.findall(r"\{\{\s*(\w+)", text))
    return (
        names
        | ({"deploy_root", "env_file"} & names)
        | ({"deploy_root"} if "compose_stack" in names else set())
    )


def _block(proposal: Proposal, values: Values) -> list[str]:
    """One line's entry under `items:`."""
    line = proposal.line
    entry: dict[str, object] = {"text": line.title, "section": line.section}
    entry |= _method(proposal, values)
    if proposal.reason and proposal.kind not in ("not_a_gate", "review"):
        entry["reason"] = proposal.reason
    rows = [f"  {line.id}:"]
    for key, value in entry.items():
        if value not in ("", {}, None):
            rows += [f"    {row}" for row in _pair(key, value).split("\n")]
    return rows


def _method(proposal: Proposal, values: Values) -> dict[str, object]:
    advisory: dict[str, object] = {"advisory": True} if proposal.advisory else {}
    match proposal.kind:
        case "attestation":
            every = {"every": proposal.every} if proposal.every != "release" else {}
            return {"attest": {"role": proposal.role, **every}, **advisory}
        case "step":
            return {"step": proposal.step}
        case "review":
            return {"review": proposal.reason, **advisory}
        case "not_a_gate":
            return {"not_a_gate": proposal.reason}
    own = values.of(proposal.line.id, proposal.line.number)
    wanted = sorted(
        _names_in(proposal.given) & (set(KINDS) - {"deploy_root", "env_file", "compose_stack"})
    )
    needs = {name: own.get(name) for name in wanted}
    found: dict[str, object] = {
        "check": proposal.check,
        "with": proposal.given,
        "needs": needs or None,
    }
    if proposal.vantage == "controller":
        found["from"] = "controller"
    if proposal.become:
        found["become"] = True
    return found | advisory


def _names_in(given: Mapping[str, object]) -> set[str]:
    return set(re.findall(r"\{\{\s*(\w+)", str(given)))


def validated(proposal: Proposal) -> None:
    """Reads the parameters with the check's own eyes, as far as they are known. UsageError if wrong."""
    known = {k: v for k, v in proposal.given.items() if "{{" not in str(v)}
    check = find_check(proposal.check)
    if len(known) == len(proposal.given):
        check.read(known)
        return
    unknown = set(proposal.given) - set(check.params.__dataclass_fields__)
    if unknown:
        raise UsageError(f"check '{proposal.check}' has no parameter {', '.join(sorted(unknown))}")


def _pair(key: str, value: object) -> str:
    return to_yaml({key: value}).rstrip("\n")


def _indented(text: str) -> list[str]:
    return [f"  {row}" for row in text.split("\n")]


def _comment(section: str) -> list[str]:
    words = " ".join(section.split())
    return [f"  # {words[:110]}"] if words else []


def _reword(rows: list[str], first: int, line: Line) -> None:
    """Replaces what the block says of its line: rows of `text:` and `section:`, and nothing else."""
    for key, value in (("text", line.title), ("section", line.section)):
        block = range(first, _end_of_block(rows, first - 1))
        start = next((i for i in block if rows[i].startswith(f"    {key}:")), None)
        if start is None:
            continue
        end = start + 1
        while end < len(rows) and re.match(r"     +\S", rows[end]):
            end += 1
        rows[start:end] = [f"    {row}" for row in _pair(key, value).split("\n")]


def _end_of_block(rows: list[str], first: int) -> int:
    """The index after the block that begins at `first`."""
    end = first + 1
    while end < len(rows) and (re.match(r"    ", rows[end]) or not rows[end].strip()):
        end += 1
    while end > first + 1 and not rows[end - 1].strip():
        end -= 1
    return end
