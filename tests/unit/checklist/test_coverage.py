from __future__ import annotations

from pathlib import Path

from verifier.checklist.coverage import Coverage, cover
from verifier.checklist.items import load_checklist

MARKDOWN = "".join(f"- [ ] line {c} <!-- id: {c} -->\n" for c in "abcdefgh")
BINDING = """\
version: 1
checklist: list.md
target: all
values:
  base_url: https://app.test
  domain:
items:
  a: {check: port, with: {number: 443}}
  b: {check: run, with: {command: "{{ command }}"}, needs: {command: }}
  c: {attest: {role: lead}}
  d: {step: release}
  e: {not_checked: nobody can tell}
  f: {not_a_gate: a rollback plan}
  g: {review: which one is meant}
  h: {check: url, with: {url: "{{ base_url }}{{ domain }}"}, needs: {base_url: , domain: }, advisory: true}
"""


def covered(folder: Path, known: frozenset[str] = frozenset()) -> Coverage:
    (folder / "list.md").write_text(MARKDOWN)
    (folder / "list.yml").write_text(BINDING)
    return cover((load_checklist(folder / "list.yml"),), ["port", "run", "dns"], known)


def test_every_line_is_answered_in_one_way(tmp_path: Path) -> None:
    found = covered(tmp_path)
    assert [(x.id, x.state, x.by) for x in found.lines] == [
        ("a", "bound", "port"),
        ("b", "needs value", "run"),
        ("c", "attested", "lead"),
        ("d", "step", "release"),
        ("e", "not checked", "nobody can tell"),
        ("f", "not a gate", "a rollback plan"),
        ("g", "review", "which one is meant"),
        ("h", "needs value", "url"),
    ]
    assert found.counts["needs value"] == 2
    assert [x.line for x in found.lines] == list(range(1, 9))


def test_only_required_lines_are_open(tmp_path: Path) -> None:
    assert [line.id for line in covered(tmp_path).open] == ["b", "g"]


def test_values_of_the_file_and_of_the_inventory_fill_what_is_missing(tmp_path: Path) -> None:
    assert covered(tmp_path).lines[7].missing == ("domain",)
    found = covered(tmp_path, frozenset({"domain", "command"}))
    assert found.lines[7].missing == ()
    assert [line.id for line in found.open] == ["g"]


def test_checks_that_nobody_asks_for_are_named(tmp_path: Path) -> None:
    assert covered(tmp_path).unused == ("dns",)
