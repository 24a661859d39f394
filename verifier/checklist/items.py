"""Checklist and Item: the Markdown and its binding joined. Every line has exactly one binding and
every binding exactly one line; anything else is an error before any host is asked.
"""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass
from pathlib import Path

from verifier.checklist.binding import Binding, BindingDocument
from verifier.checklist.markdown import Line, read_markdown
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

    @property
    def id(self) -> str:
        return self.line.id

    @property
    def required(self) -> bool:
        return not self.binding.advisory


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
    source = path.parent / document.checklist
    text = read_text(source)
    lines = read_markdown(text, where=str(source))
    if not lines:
        raise DocumentError(
            "has no line with an id", where=str(source), do="add <!-- id: ... --> to its lines"
        )
    places = {item: f"{path.name}:{line}" for item, line in lines_below(raw, "items").items()}
    _refuse_strangers(lines, document, path, places, source)
    items = tuple(
        Item(
            line,
            document.items[line.id],
            document.items[line.id].target or document.target,
            places[line.id],
        )
        for line in lines
    )
    digest = hashlib.sha256((text + "\0" + raw).encode()).hexdigest()
    return Checklist(path.stem, source, text, digest, items)


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
        if path.stem not in bound and read_markdown(read_text(path), where=str(path)):
            raise UsageError(
                "has lines with ids and no binding", where=str(path), do=f"write {path.stem}.yml"
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


def _refuse_strangers(
    lines: tuple[Line, ...],
    document: BindingDocument,
    path: Path,
    places: dict[str, str],
    source: Path,
) -> None:
    ids = {line.id for line in lines}
    for bound in document.items:
        if bound not in ids:
            near = difflib.get_close_matches(bound, ids, 1)
            raise DocumentError(
                f"item '{bound}' is not in {source.name}",
                where=str(path.parent / places[bound]),
                do=f"did you mean '{near[0]}'?" if near else "",
            )
    for line in lines:
        if line.id not in document.items:
            raise DocumentError(
                f"line '{line.id}' has no binding in {path.name}",
                where=f"{source}:{line.number}",
                do="bind it to a check, an attestation, or say why it is not checked",
            )
