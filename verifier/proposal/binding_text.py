"""The text of a binding file: written once as a whole, and afterwards only added to. What a person
wrote into it stays as it is, letter by letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from verifier.checklist.identity import Change
from verifier.document import lines_below, parse_yaml, to_yaml
from verifier.errors import DocumentError
from verifier.proposal.draft import Draft, binding_path, names_in
from verifier.proposal.proposal import Proposal
from verifier.proposal.values import KINDS, Values, is_shared

_HEAD = """\
# How each line of {name} is answered; made by `verifier init {name}`.
# It is yours: change what you like. `verifier init` adds what is new in the checklist and leaves the rest alone.
# What each check does and takes: `verifier checks show NAME`. What is still open: `verifier checklist coverage`.
"""


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
        rows += _block(proposal, draft)
    return "\n".join(rows) + "\n"


def write_again(draft: Draft, text: str) -> str:
    """The text of a binding file brought up to date: the new wording of reworded lines, the blocks of
    lines that are gone put into comments, new lines after the last one. Raises DocumentError where
    the file is written in a way that does not allow it.
    """
    where = str(binding_path(draft.source))
    known = _in_yaml(_changed(draft, text, where), where)
    known = _in_yaml(_filled(draft, known, where), where)
    fresh = [row for proposal in draft.new for row in _block(proposal, draft)]
    if fresh:
        known = _inserted(known, "items", ["", "  # new in the checklist", *fresh], where)
    assumed = _assumed_rows(draft, _used(draft.new))
    return _in_yaml(_inserted(known, "values", assumed, where) if assumed else known, where)


def _values(draft: Draft) -> list[str]:
    used = _used(draft.proposals)
    rows = ["values:"]
    rows += _assumed_rows(draft, used)
    for name, value in draft.values.shared.items():
        rows += _indented(_pair(name, value))
    for name, lines in draft.waiting.items():
        if is_shared(name) and name not in draft.assumed:
            wait = "line waits" if len(lines) == 1 else "lines wait"
            rows += [f"  # {len(lines)} {wait} for it: {KINDS[name].words}", f"  {name}:"]
    return [*(rows if len(rows) > 1 else ["values: {}"]), ""]


def _assumed_rows(draft: Draft, used: set[str]) -> list[str]:
    given = draft.bound.values if draft.bound else {}
    rows: list[str] = []
    for name, value in draft.assumed.items():
        if name in used and name not in given:
            rows += [f"  # assumed: {KINDS[name].words}", *_indented(_pair(name, value))]
    return rows


def _used(proposals: Iterable[Proposal]) -> set[str]:
    text = " ".join(str(p.given) for p in proposals)
    names = set(re.findall(r"\{\{\s*(\w+)", text))
    return (
        names
        | ({"deploy_root", "env_file"} & names)
        | ({"deploy_root"} if "compose_stack" in names else set())
    )


def _block(proposal: Proposal, draft: Draft) -> list[str]:
    """One line's entry under `items:`."""
    line = proposal.line
    entry: dict[str, object] = {
        "text": line.title,
        "section": line.section,
        "parent": draft.title_of(line.above),
    }
    entry |= _method(proposal, draft.values)
    if proposal.reason and proposal.kind not in ("not_a_gate", "review"):
        entry["reason"] = proposal.reason
    rows = [f"  {_name(line.id)}:"]
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
        case "not_a_gate" if proposal.all_below:
            return {"all_below": True}
        case "not_a_gate":
            return {"not_a_gate": proposal.reason}
    own = values.of(proposal.line.id, proposal.line.number)
    wanted = sorted(
        names_in(proposal.given) & (set(KINDS) - {"deploy_root", "env_file", "compose_stack"})
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


def _pair(key: str, value: object) -> str:
    return to_yaml({key: value}).rstrip("\n")


def _indented(text: str) -> list[str]:
    return [f"  {row}" for row in text.split("\n")]


def _name(item: str) -> str:
    """An id as a key: `1`, `yes` and `2026-01-01` are texts only in quotes."""
    return item if parse_yaml(f"{item}: 0", where=item) == {item: 0} else f"'{item}'"


def _comment(section: str) -> list[str]:
    words = " ".join(section.split())
    return [f"  # {words[:110]}"] if words else []


def _in_yaml(text: str, where: str) -> str:
    """The same text; DocumentError if it is none that could be read again."""
    try:
        parse_yaml(text, where=where)
    except DocumentError as error:
        raise DocumentError(
            f"cannot be brought up to date: {error.what}",
            where=error.where,
            do="an item that is gone may hold an anchor that others use; change the file by hand",
        ) from error
    return text


def _changed(draft: Draft, text: str, where: str) -> str:
    """The blocks that are there, with new words in those that were reworded, as comments those gone."""
    rows = text.split("\n")
    places = lines_below(text, "items")
    again = {
        c.line.id: c
        for c in draft.changes
        if c.kind in ("reworded", "moved") and c.line.id not in draft.doubtful
    }
    for name, place in sorted(places.items(), key=lambda entry: -entry[1]):
        if name not in again and name not in draft.gone:
            continue
        block = range(place - 1, _end_of_block(rows, place - 1))
        indent = _refuse_flow(rows[place - 1], f"{where}:{place}")
        if name in draft.gone:
            for index in block:
                rows[index] = f"{indent}# gone: {rows[index][len(indent) :]}"
        else:
            _reword(rows, block, draft, again[name], f"{where}:{place}")
    return "\n".join(rows)


def _filled(draft: Draft, text: str, where: str) -> str:
    """Values that were given, in the rows that wait for them; what is filled in already stays."""
    rows = text.split("\n")
    places = lines_below(text, "values")
    for name, value in draft.values.shared.items():
        if name in places:
            _fill(rows, range(places[name] - 1, places[name]), name, value)
    items = lines_below(text, "items")
    for line in draft.page.lines:
        own = draft.values.of(line.id, line.number)
        if own and line.id in items:
            first = items[line.id] - 1
            for name, value in own.items():
                _fill(rows, range(first, _end_of_block(rows, first)), name, value)
    absent = {n: v for n, v in draft.values.shared.items() if n not in places}
    fresh = [row for name, value in absent.items() for row in _indented(_pair(name, value))]
    text = "\n".join(rows)
    return _inserted(text, "values", fresh, where) if fresh else text


def _fill(rows: list[str], block: range, name: str, value: object) -> None:
    for index in block:
        found = re.match(
            rf"(?P<indent>\s+){re.escape(name)}:\s*(?:null|~)?\s*(?:#.*)?$", rows[index]
        )
        below = rows[index + 1] if index + 1 < len(rows) else ""
        deeper = re.match(rf"{found['indent']}(?:\s|-\s)", below) if found else None
        if found and not deeper:
            rows[index] = "\n".join(
                f"{found['indent']}{row}" for row in _pair(name, value).split("\n")
            )
            return


def _refuse_flow(row: str, where: str) -> str:
    """The indentation of an entry's first row."""
    indent = row[: len(row) - len(row.lstrip())]
    if not indent:
        raise DocumentError(
            "its entries stand in one row", where=where, do="give each one a row of its own"
        )
    return indent


def _reword(rows: list[str], block: range, draft: Draft, change: Change, where: str) -> None:
    """Replaces what the block says of its line, where that is something else now; and nothing else."""
    was, line = change.was, change.line
    if was is None:
        return
    words = (
        ("parent", was.parent, draft.title_of(line.above)),
        ("section", was.section, line.section),
        ("text", was.text, line.title),
    )
    end = block.stop
    for key, old, new in words:
        if old and old != new:
            start = _row_of(rows, range(block.start + 1, end), key)
            if start is not None:
                last = _end_of_block(rows, start)
                fresh = _rewritten(rows[start], key, old, new, one_row=last == start + 1)
                rows[start:last] = fresh
                end += len(fresh) - (last - start)
            elif key == "text":
                raise DocumentError(
                    f"line {line.number} was reworded, and its text: stands in a row with others",
                    where=where,
                    do="give text: a row of its own",
                )


def _row_of(rows: list[str], block: range, key: str) -> int | None:
    """Where the block says `key:`, at its own indentation."""
    body = next(
        (i for i in block if rows[i].strip() and not rows[i].lstrip().startswith("#")), None
    )
    if body is None:
        return None
    indent = rows[body][: len(rows[body]) - len(rows[body].lstrip())]
    return next((i for i in block if re.match(rf"{indent}{key}:\s", rows[i])), None)


def _rewritten(row: str, key: str, old: str, new: str, *, one_row: bool) -> list[str]:
    """`key: new` with the indentation, the anchor, the comment and the line end that were there."""
    found = re.match(rf"(?P<indent>\s*){key}:\s*(?P<anchor>&\S+\s+)?", row)
    indent, anchor = (found["indent"], found["anchor"] or "") if found else ("", "")
    end = "\r" if row.endswith("\r") else ""
    comments = (row[m.start() :] for m in re.finditer(r"\s+#", row) if one_row)
    comment = next((c for c in comments if _says(row.removesuffix(c), key, old)), end)
    fresh = [f"{indent}{part}" for part in _pair(key, new).split("\n")]
    fresh[0] = fresh[0].replace(f"{key}: ", f"{key}: {anchor}", 1)
    return [*(part + end for part in fresh[:-1]), fresh[-1] + comment]


def _says(row: str, key: str, value: str) -> bool:
    try:
        return parse_yaml(row, where=key) == {key: value}
    except DocumentError:
        return False


def _inserted(text: str, key: str, fresh: list[str], where: str) -> str:
    """`fresh` after the last entry of the top-level mapping `key`, which is made if it is not there."""
    rows = text.split("\n")
    places = lines_below(text, key)
    if places:
        last = max(places.values())
        indent = _refuse_flow(rows[last - 1], f"{where}:{last}")
        fresh = [f"{indent}{row.removeprefix('  ')}" if row else "" for row in fresh]
        place = _end_of_block(rows, last - 1)
    else:
        bare = re.compile(rf"{key}:\s*(?:\{{\s*\}})?\s*(?P<comment>#.*)?$")
        found = next((i for i, row in enumerate(rows) if bare.match(row)), None)
        if found is None:
            items = next((i for i, row in enumerate(rows) if row.startswith("items:")), 0)
            fresh, place = [f"{key}:", *fresh, ""], items
        else:
            rows[found] = rows[found].replace("{}", "", 1).rstrip()
            place = found + 1
    if place == len(rows):
        fresh = [*fresh, ""]
    end = "\r" if "\r\n" in text else ""
    return "\n".join([*rows[:place], *(row + end for row in fresh), *rows[place:]])


def _end_of_block(rows: list[str], first: int) -> int:
    """The index after the entry that begins at `first`: after its last row that is indented deeper."""
    depth = _depth(rows[first])
    end = first + 1
    for index in range(first + 1, len(rows)):
        row = rows[index].strip()
        if row and _depth(rows[index]) > depth:
            end = index + 1
        elif row and not row.startswith("#"):
            break
    return end


def _depth(row: str) -> int:
    return len(row) - len(row.lstrip())
