from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from verifier.attestation import Attestation, load_attestations, objection, refuse_strangers
from verifier.errors import DocumentError, UsageError

TODAY = dt.date(2026, 3, 10)
ONE = """version: 1
deployer: 김배포
attestations:
  - item: go-live
    role: approver
    name: release board
    date: 2026-03-09
    statement: The release was discussed and may go live.
    expires: 2026-03-31
    evidence: https://tickets.example/OPS-12
    release: "2"
"""


def _said(**changes: object) -> Attestation:
    given: dict[str, object] = {
        "item": "go-live", "role": "approver", "name": "release board", "date": "2026-03-09",
        "statement": "The release may go live.", "expires": "2026-03-31",
        "evidence": "https://tickets.example/OPS-12", "release": "2",
    }  # fmt: skip
    return Attestation.model_validate({**given, **changes})


def _objection(
    one: Attestation, *, role: str = "approver", every: str = "release", deployers: str = "ops"
) -> str:
    names = frozenset({deployers} if deployers else ())
    return objection(one, role=role, every=every, release="2", deployers=names, today=TODAY)


def test_one_that_is_right_in_everything_counts() -> None:
    assert _objection(_said()) == ""


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"role": "reviewer"}, "release board (reviewer, 2026-03-09) is no approver"),
        ({"date": "2026-03-11"}, "dated in the future"),
        ({"expires": "2026-03-09"}, "expired on 2026-03-09"),
        ({"release": "1"}, "given for release 1, not for 2"),
        ({"release": ""}, "given for release (none named), not for 2"),
    ],
)
def test_one_that_is_wrong_in_something_does_not_count(
    changes: dict[str, object], says: str
) -> None:
    assert says in _objection(_said(**changes))


@pytest.mark.parametrize(
    ("every", "given", "counts"),
    [("day", "2026-03-09", True), ("day", "2026-03-08", False), ("week", "2026-03-03", True),
     ("week", "2026-03-02", False), ("month", "2026-02-07", True), ("month", "2026-02-06", False),
     ("quarter", "2025-12-08", True), ("quarter", "2025-12-07", False)],
)  # fmt: skip
def test_a_duty_is_wanted_anew_after_its_period(every: str, given: str, *, counts: bool) -> None:
    said = _said(role="operator", date=given, release="")
    why = _objection(said, role="operator", every=every)
    assert (why == "") is counts
    assert counts or "was due again on 2026-03-09" in why


@pytest.mark.parametrize("name", ["Kim  Ops", "kim ops", "KIM OPS"])
def test_the_approver_may_not_be_the_deployer_however_the_name_is_written(name: str) -> None:
    assert "is the deployer, too" in _objection(_said(name=name), deployers="kim ops")


def test_a_korean_name_is_the_same_composed_and_decomposed(tmp_path: Path) -> None:
    (tmp_path / "said.yml").write_text(ONE)
    said = load_attestations(tmp_path, "prod", tmp_path / "said.yml")
    assert said is not None
    decomposed = _said(name="\u1100\u1175\u11b7\u1107\u1162\u1111\u1169")
    why = objection(
        decomposed, role="approver", every="release", release="2",
        deployers=said.deployers("2"), today=TODAY,
    )  # fmt: skip
    assert "is the deployer, too" in why


def test_an_approver_does_not_count_when_nobody_knows_who_deploys() -> None:
    assert "say who deploys" in _objection(_said(), deployers="")
    assert _objection(_said(role="reviewer"), role="reviewer", deployers="") == ""


def test_no_file_is_nobody_and_a_file_without_any_is_an_error(tmp_path: Path) -> None:
    assert load_attestations(tmp_path, "prod", None) is None
    (tmp_path / "attestations").mkdir()
    file = tmp_path / "attestations" / "prod.yml"
    file.write_text(ONE)
    found = load_attestations(tmp_path, "inventory/prod", None)
    assert found is not None
    assert [one.item for one in found.attestations] == ["go-live"]
    file.write_text("version: 1\nattestations: []\n")
    with pytest.raises(DocumentError, match=r"prod\.yml:2: attestations"):
        load_attestations(tmp_path, "prod", None)


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"nowhere\.yml"):
        load_attestations(tmp_path, "prod", tmp_path / "nowhere.yml")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("name: release board", 'name: "  "', "attestations.0.name"),
        ("evidence: https://tickets.example/OPS-12\n", "\n", "attestations.0.evidence: is missing"),
        ("date: 2026-03-09", "date: 2026-04-09", "before it was given"),
        ("statement: The release was discussed and may go live.", "statement: ok", "statement"),
    ],
)
def test_what_is_wrong_with_one_is_one_line_with_its_place(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    (tmp_path / "said.yml").write_text(ONE.replace(old, new))
    with pytest.raises(DocumentError, match=r"said\.yml:\d+: ") as caught:
        load_attestations(tmp_path, "prod", tmp_path / "said.yml")
    assert says in str(caught.value)


def test_one_of_no_item_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "said.yml").write_text(ONE)
    said = load_attestations(tmp_path, "prod", tmp_path / "said.yml")
    assert said is not None
    with pytest.raises(UsageError, match=r"'go-live', which is no item .*'go-lives'\?"):
        refuse_strangers(said, {"go-lives"})
