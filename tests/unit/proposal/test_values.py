from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from verifier.checklist.identity import with_ids
from verifier.checklist.markdown import read_markdown
from verifier.checks.base import find_check
from verifier.document import read_document
from verifier.proposal.draft import make_draft
from verifier.proposal.meanings import answers_of_table
from verifier.proposal.proposal import Proposal
from verifier.proposal.propose import propose
from verifier.proposal.values import KINDS, Values
from verifier.template import resolve

ROOT = Path(__file__).resolve().parents[3]
VALUES = read_document(Path(__file__).with_name("values.yml"), dict[str, object])
LINES = re.findall(
    r'\{line: "(.*?)"[,}]', Path(__file__).with_name("lines.yml").read_text(encoding="utf-8")
)


def _proposals(text: str) -> tuple[Proposal, ...]:
    page = read_markdown(text, where="list.md")
    return propose(replace(page, lines=with_ids(page.lines)))


def _accepted(check: str, given: object) -> None:
    found = resolve(given, {**VALUES, "inventory_hostname": "h1"}, "h1")
    assert isinstance(found, dict)
    find_check(check).read(found)


def test_every_kind_of_value_is_known_here_and_there() -> None:
    assert set(VALUES) == set(KINDS)


@pytest.mark.parametrize("name", ["filewallball", "o4o"])
def test_every_line_of_a_whole_document_is_answered_and_its_values_fit(name: str) -> None:
    text = (ROOT / "checklists" / f"{name}.md").read_text(encoding="utf-8")
    made = _proposals(re.sub(r" *<!--.*?-->", "", text))
    kinds = Counter(one.line.kind for one in made)
    assert sum(kinds.values()) - kinds["field"] == {"filewallball": 91, "o4o": 67}[name]
    assert {one.kind for one in made} <= {
        "check",
        "needs_value",
        "document",
        "attestation",
        "step",
        "review",
    }
    for one in made:
        assert set(one.missing) <= set(KINDS)
        if one.check:
            _accepted(one.check, one.given)


def test_the_values_of_every_answer_in_the_table_fit_their_check() -> None:
    for concept, (check, given) in answers_of_table().items():
        try:
            _accepted(check, given)
        except Exception as error:  # the concept's name is what a reader needs
            raise AssertionError(concept) from error


def test_the_values_of_every_line_in_our_own_words_fit_their_check() -> None:
    text = "# Checklist\n" + "".join(f"- [ ] {line}\n" for line in LINES)
    made = [one for one in _proposals(text) if one.check]
    assert len(made) > 40
    for one in made:
        _accepted(one.check, one.given)


def test_values_of_a_file_make_every_line_bound(tmp_path: Path) -> None:
    source = tmp_path / "list.md"
    text = (ROOT / "checklists" / "filewallball.md").read_text(encoding="utf-8")
    source.write_text(re.sub(r" *<!--.*?-->", "", text), encoding="utf-8")
    before = make_draft(source)
    assert before.waiting
    after = make_draft(source, values=Values(VALUES, {}))
    assert not after.waiting
    assert not [one for one in after.proposals if one.kind == "needs_value"]
