"""Draft: a checklist with a proposal for every line, held against the binding that is there, if any."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from verifier.checklist.binding import BindingDocument, is_empty
from verifier.checklist.identity import Change, recognise, remembered
from verifier.checklist.items import read_page
from verifier.checklist.markdown import Line, Page
from verifier.checks.base import find_check
from verifier.document import read_document, read_text
from verifier.errors import DocumentError, UsageError
from verifier.proposal.proposal import Proposal
from verifier.proposal.propose import propose
from verifier.proposal.surroundings import look_around
from verifier.proposal.values import KINDS, NO_VALUES, Values


@dataclass(frozen=True, slots=True)
class Draft:
    """A page with its proposals, and what is still missing. `changes` say what became of lines that
    were bound before; `gone` are bindings that hold no more: their lines, or those below, are gone.
    """

    source: Path
    page: Page
    proposals: tuple[Proposal, ...]
    changes: tuple[Change, ...]
    gone: tuple[str, ...]
    assumed: Mapping[str, object]
    doubtful: frozenset[str] = frozenset()  # reworded lines that would be answered otherwise now
    values: Values = NO_VALUES
    bound: BindingDocument | None = None

    @property
    def new(self) -> tuple[Proposal, ...]:
        """Proposals for lines that are not bound yet."""
        added = {c.line.id for c in self.changes if c.kind == "added"}
        return tuple(p for p in self.proposals if p.line.id in added)

    def title_of(self, number: int) -> str:
        """The text of the line with this number, empty where there is none."""
        return next((line.title for line in self.page.lines if line.number == number), "")

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
    path = binding_path(source)
    if path == source:
        raise DocumentError("is a binding file, no checklist", where=str(source))
    page = read_page(read_text(source), where=str(source))
    old = read_document(path, BindingDocument) if path.exists() else None
    memory = remembered(old) if old else ()
    changes = recognise(page.lines, memory)
    page = replace(page, lines=tuple(change.line for change in changes))
    given = frozenset(values.shared) | known
    proposals = tuple(_given(p, values, given) for p in propose(page))
    _refuse_strangers(values, proposals)
    ids = {line.id for line in page.lines}
    childless = _childless(page, old)
    return Draft(
        source=source,
        page=page,
        proposals=proposals,
        changes=tuple(
            replace(c, kind="added") if not c.was or c.line.id in childless else c for c in changes
        ),
        gone=tuple(one.id for one in memory if one.id not in ids or one.id in childless),
        assumed=_assumed(page, source, given),
        values=values,
        bound=old,
        doubtful=frozenset(_otherwise(page, changes)),
    )


def _childless(page: Page, bound: BindingDocument | None) -> set[str]:
    """Lines that were answered by those below them, of which there are none any more."""
    parents = {line.parent for line in page.lines}
    items = bound.items if bound else {}
    return {name for name, one in items.items() if one.all_below and name not in parents}


def _otherwise(page: Page, changes: tuple[Change, ...]) -> Iterator[str]:
    """Ids of reworded lines whose old words would be answered in another way than their new ones: a
    number, a `not`, a name may have changed, and the binding still looks at the old one.
    """
    worded = {c.line.number: c.was.text for c in changes if c.kind == "reworded" and c.was}
    if not worded:
        return
    lines = tuple(replace(x, title=worded.get(x.number, x.title)) for x in page.lines)
    before, after = propose(replace(page, lines=lines)), propose(page)
    for old, new in zip(before, after, strict=True):
        same = (old.kind, old.check, old.given) == (new.kind, new.check, new.given)
        tokens = re.compile(r"\d+(?:[.,]\d+)*|`[^`]*`")
        literal = tokens.findall(old.line.title) == tokens.findall(new.line.title)
        if new.line.number in worded and not (same and literal):
            yield new.line.id


def _refuse_strangers(values: Values, proposals: tuple[Proposal, ...]) -> None:
    """A value for a line that there is not, or that the line has no use for, is a mistake."""
    used = set().union(*(names_in(p.given) for p in proposals)) | set(KINDS)
    for name in values.shared:
        if name not in used:
            near = difflib.get_close_matches(name, used, 1)
            raise UsageError(
                f"values: no line waits for '{name}'",
                do=f"did you mean '{near[0]}'?" if near else "see `verifier init --dry-run`",
            )
    names = {p.line.id: p for p in proposals} | {str(p.line.number): p for p in proposals}
    for line, given in values.lines.items():
        if line not in names:
            near = difflib.get_close_matches(line, names, 1)
            raise UsageError(
                f"values: there is no line '{line}' to tick off",
                do=f"did you mean '{near[0]}'?" if near else "see `verifier checklist show`",
            )
        wanted = names_in(names[line].given)
        for name in given:
            if name not in wanted:
                raise UsageError(
                    f"values: line {line} does not wait for '{name}'",
                    do=f"it waits for {', '.join(sorted(wanted)) or 'nothing'}",
                )


def names_in(given: Mapping[str, object]) -> set[str]:
    """The names of the values that parameters are made of."""
    return set(re.findall(r"\{\{\s*(\w+)", str(given)))


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
