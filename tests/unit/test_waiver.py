from __future__ import annotations

from pathlib import Path

import pytest

from verifier.errors import UsageError
from verifier.waiver import load_waivers, refuse_strangers

ONE = """version: 1
waivers:
  - {item: web-listens, justification: the port moves next week, owner: ops, expires: 2027-01-31}
"""


def test_a_project_without_a_file_has_no_waivers(tmp_path: Path) -> None:
    assert load_waivers(tmp_path) == ()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("owner: ops", 'owner: "  "', "waivers.0.owner: String should have at least 1"),
        ("the port moves next week", '"          "', "waivers.0.justification: String should"),
        ("2027-01-31", "2027-02-31", "not valid YAML: day is out of range"),
        ("owner: ops, ", "", "waivers.0.owner: is missing"),
        ("item:", "itme:", "waivers.0.itme: unknown key"),
    ],
)
def test_what_is_wrong_with_a_waiver_is_one_line(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    (tmp_path / "waivers.yml").write_text(ONE.replace(old, new))
    with pytest.raises(UsageError, match=r"waivers\.yml:") as caught:
        load_waivers(tmp_path)
    assert says in str(caught.value)


def test_a_file_with_the_other_ending_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "waivers.yaml").write_text(ONE)
    with pytest.raises(UsageError, match=r"waivers\.yaml: is not read \(name it waivers\.yml\)"):
        load_waivers(tmp_path)


def test_a_waiver_of_no_item_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "waivers.yml").write_text(ONE)
    waivers = load_waivers(tmp_path)
    refuse_strangers(waivers, {"web-listens"})
    with pytest.raises(UsageError, match=r"'web-listens', which is no item .*'web-listen'\?"):
        refuse_strangers(waivers, {"web-listen"})
