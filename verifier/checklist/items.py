"""Checklist and Item: the Markdown and its binding joined. Every line has exactly one binding and
every binding exactly one line; anything else is an error before any host is asked.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from verifier.checklist.binding import Binding, BindingDocument, is_empty
from verifier.checklist.identity import Change, recognise, remembered
from verifier.checklist.markdown import Line, Page, read_markdown
from verifier.document import lines_below, read_document, read_text
from verifier.errors import DocumentError, UsageError


@dataclass(frozen=True, slots=True)
class Item:
    """One requirement: a line of a checklist and how it is answered. `place` is where its binding
    stands.
    """

    line: Line
    binding: Binding
    target: str
    place: str
    values: Mapping[str, object] = field(default_factory=dict)  # shared by the file; its own win
    below: tuple[str, ...] = ()  # ids of the lines that stand below this one

    @property
    def id(self) -> str:
        return self.line.id

    @property
    def required(self) -> bool:
        binding = self.binding
        return not (
            binding.advisory or binding.step or binding.not_a_gate or binding.all_below
        )  # what holds up the gate below a line holds it up by itself

    def missing(self, known: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """Values it waits for: neither here, nor shared, nor among the `known` names of the inventory."""
        shared = {name for name, value in self.values.items() if not is_empty(value)}
        return self.binding.missing(known | shared)


@dataclass(frozen=True, slots=True)
class Checklist:
    """A Markdown file with its Items in order. `digest` is the sha256 of the Markdown and of the
    binding file.
    """

    name: str
    path: Path
    text: str
    digest: str
    items: tuple[Item, ...]


def find_checklists(project: Path, chosen: tuple[str, ...] = ()) -> tuple[Path, ...]:
    """The binding files to use: those `chosen` by path or by name, else every one in `checklists/`."""
    folder = project / "checklists"
    if not chosen:
        _refuse_forgotten(folder)
        found = tuple(sorted(p for p in folder.glob("*.yml") if p.is_file()))
        if not found:
            raise UsageError(
                "no checklist", where=str(folder), do="put <name>.md and <name>.yml there"
            )
        return found
    return tuple(dict.fromkeys(_find_one(name, folder) for name in chosen))


def load_checklist(path: Path) -> Checklist:
    """The checklist whose binding file is `path`. Raises DocumentError with file and line."""
    document = read_document(path, BindingDocument)
    raw = read_text(path)
    source = _beside(path, document.checklist)
    text = read_text(source)
    page = read_page(text, where=str(source))
    changes = tuple(
        change
        for change in recognise(page.lines, remembered(document))
        if change.line.kind != "field" or change.line.id in document.items  # a blank may stay one
    )
    places = {item: f"{path.name}:{line}" for item, line in lines_below(raw, "items").items()}
    _refuse_strangers(changes, document, path, places, source)
    items = tuple(
        Item(
            change.line,
            document.items[change.line.id],
            document.items[change.line.id].target or document.target,
            places.get(change.line.id, path.name),
            document.values,
            tuple(c.line.id for c in changes if c.line.parent == change.line.id),
        )
        for change in changes
    )
    _refuse_childless(items, source)
    digest = hashlib.sha256((text + "\0" + raw).encode()).hexdigest()
    return Checklist(path.stem, source, text, digest, items)


def read_page(text: str, *, where: str) -> Page:
    """The Markdown of a checklist; DocumentError when there is nothing to tick off in it."""
    page = read_markdown(text, where=where)
    if not page.lines:
        raise DocumentError(
            "has no line to tick off",
            where=where,
            do="write its lines as `- [ ] ...`, or as bullets below a heading that says checklist",
        )
    return page


def load_checklists(paths: tuple[Path, ...]) -> tuple[Checklist, ...]:
    """All of them; an id may stand in one checklist only, because results are known by it."""
    checklists = tuple(map(load_checklist, paths))
    owner: dict[str, str] = {}
    for checklist in checklists:
        for item in checklist.items:
            if item.id in owner:
                raise DocumentError(
                    f"id '{item.id}' is already used by checklist '{owner[item.id]}'",
                    where=f"{checklist.path}:{item.line.number}",
                )
            owner[item.id] = checklist.name
    return checklists


def _refuse_forgotten(folder: Path) -> None:
    """A file that would be passed over in silence takes its items with it."""
    for stray in sorted(folder.glob("*.yaml")):
        raise UsageError("is not read", where=str(stray), do=f"name it {stray.stem}.yml")
    bound = {path.stem for path in folder.glob("*.yml")}
    for path in sorted(folder.glob("*.md")):
        if path.stem not in bound and read_markdown(read_text(path), where=str(path)).lines:
            raise UsageError(
                "has lines to tick off and no binding",
                where=str(path),
                do=f"run `verifier init {path}`",
            )


def _find_one(name: str, folder: Path) -> Path:
    if not name:
        raise UsageError("--checklist '' is no name")
    for candidate in (Path(name), folder / f"{name}.yml", Path(name).with_suffix(".yml")):
        if candidate.suffix == ".yml" and candidate.is_file():
            return candidate
    known = sorted(p.stem for p in folder.glob("*.yml"))
    raise UsageError(
        f"no checklist '{name}'", where=str(folder), do=f"known: {', '.join(known) or 'none'}"
    )


def _refuse_childless(items: tuple[Item, ...], source: Path) -> None:
    for item in items:
        if item.binding.all_below and not item.below:
            raise DocumentError(
                f"all_below: nothing stands below line '{item.id}' of {source.name}",
                where=str(source.parent / item.place),
                do="answer it another way",
            )


def _beside(path: Path, name: str) -> Path:
    """The Markdown a binding names stands in the binding's own folder, or below it."""
    source = path.parent / name
    if not source.resolve().is_relative_to(path.parent.resolve()):
        raise DocumentError(
            f"checklist: '{name}' leads out of its folder", where=str(path), do="keep them together"
        )
    return source


def _refuse_strangers(
    changes: tuple[Change, ...],
    document: BindingDocument,
    path: Path,
    places: dict[str, str],
    source: Path,
) -> None:
    """What was bound is what was read then. A line that says something else now is bound to nothing."""
    ids = {change.line.id for change in changes}
    for bound in document.items:
        if bound not in ids:
            near = difflib.get_close_matches(bound, ids, 1)
            raise DocumentError(
                f"item '{bound}' is not in {source.name}",
                where=str(path.parent / places.get(bound, path.name)),
                do=f"did you mean '{near[0]}'?" if near else "",
            )
    again = f"see `verifier checklist diff`, then run `verifier init {source}` again: it keeps what is bound"
    for change in changes:
        where = f"{source}:{change.line.number}"
        if change.kind == "added" and change.line.id not in document.items:
            raise DocumentError(
                f"line '{change.line.id}' has no binding in {path.name}", where=where, do=again
            )
        if change.kind == "reworded":
            raise DocumentError(
                f"line '{change.line.id}' does not say any more what it was bound to",
                where=where,
                do=f"see `verifier checklist diff`; `verifier init {source}` follows it where the meaning is the same,"
                " else look at its binding and write the new text: there",
            )
