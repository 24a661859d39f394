from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from verifier.checks.base import check_names
from verifier.cli.app import run
from verifier.document import parse_yaml, to_json
from verifier.manual import binding_schema

CHECKLISTS = Path(__file__).parents[3] / "checklists"
MARKDOWN = (
    "# List\n\n## Web\n\n- [ ] Port 443 is open\n- [x] The team was told\n  - [ ] [bold]Everyone\n"
)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    (tmp_path / "checklists").mkdir()
    (tmp_path / "checklists" / "list.md").write_text(MARKDOWN)
    return tmp_path


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return Said(capsys)


class Said:
    """What a command answers: its code, its output, its complaints."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.out = self.err = ""

    def by(self, *words: str) -> int:
        code = run(list(words))
        self.out, self.err = self._capsys.readouterr()
        return code

    def json(self, *words: str) -> object:
        assert self.by(*words, "--format", "json") == 0
        return json.loads(self.out)


LIST = "checklists/list.md"


def init(said: Said) -> str:
    assert said.by("init", LIST) == 0
    return Path("checklists/list.yml").read_text()


def test_show_names_every_line_and_its_parent(said: Said) -> None:
    shown = said.json("checklist", "show", LIST)
    assert isinstance(shown, list)
    assert [list(one) for one in shown] == [
        ["id", "line", "section", "text", "parent", "ticked", "kind"]
    ] * 3
    assert [(x["line"], x["text"], x["ticked"], x["kind"], x["section"]) for x in shown] == [
        (5, "Port 443 is open", False, "box", "Web"),
        (6, "The team was told", True, "box", "Web"),
        (7, "[bold]Everyone", False, "box", "Web"),
    ]
    assert [x["parent"] for x in shown] == [None, None, shown[1]["id"]]
    assert said.by("checklist", "show", LIST) == 0
    assert "[bold]Everyone" in said.out
    assert "3 lines" in said.out


def test_show_knows_the_ids_of_the_binding_beside_the_checklist(said: Said) -> None:
    Path("checklists/list.yml").write_text(
        "version: 1\nchecklist: list.md\ntarget: all\n"
        "items:\n  port: {text: Port 443 is opened, step: release}\n"
    )
    shown = said.json("checklist", "show", LIST)
    assert isinstance(shown, list)
    assert shown[0]["id"] == "port"


def test_diff_says_what_changed_and_what_it_touches(said: Said) -> None:
    init(said)
    Path("new.md").write_text(MARKDOWN.replace("443 is", "443 stays") + "- [ ] Backups run\n")
    found = said.json("checklist", "diff", LIST, "new.md")
    assert isinstance(found, list)
    assert [(x["kind"], x["line"], x["was"], x["touches"]) for x in found] == [
        ("reworded", 5, 5, ["check port"]),
        ("added", 8, 0, []),
    ]
    assert said.by("checklist", "diff", LIST, "new.md") == 0
    assert "was: Port 443 is open" in said.out
    assert "1 added, 0 removed, 0 moved, 1 reworded" in said.out
    assert said.by("checklist", "diff", LIST, LIST) == 0
    assert said.out == "No line changed.\n"
    assert said.json("checklist", "diff", LIST, LIST) == []


def test_coverage_is_one_while_a_required_line_is_open(said: Said) -> None:
    bound = "version: 1\nchecklist: list.md\ntarget: all\nitems:\n"
    Path("checklists/list.md").write_text("- [ ] a <!-- id: a -->\n")
    Path("checklists/list.yml").write_text(bound + "  a: {review: which one}\n")
    assert said.by("checklist", "coverage") == 1
    assert "list.md:1  review: which one" in said.out
    assert "1 required lines are open" in said.out
    assert said.by("checklist", "coverage", "list", "--format", "json") == 1
    found = json.loads(said.out)
    assert list(found["lines"][0]) == [
        "checklist", "line", "id", "state", "by", "missing", "required", "text",
    ]  # fmt: skip
    assert found["unused_checks"] == list(check_names())
    Path("checklists/list.yml").write_text(bound + "  a: {review: which one, advisory: true}\n")
    assert said.by("checklist", "coverage") == 0
    Path("checklists/list.yml").write_text(bound + "  a: {check: port, with: {number: 1}}\n")
    assert said.by("checklist", "coverage") == 0
    assert not re.search(r"\bport\b", said.out.split("Checks that no line asks for")[1])


def test_the_dry_run_writes_nothing_and_gives_exactly_eight_keys(said: Said) -> None:
    found = said.json("init", LIST, "--dry-run")
    assert isinstance(found, list)
    keys = {"line", "id", "proposal", "check", "with", "missing", "reason", "span"}
    assert [set(one) for one in found] == [keys] * 3
    assert [one["line"] for one in found] == [5, 6, 7]
    assert (found[0]["proposal"], found[0]["check"], found[0]["with"]["number"]) == (
        "check",
        "port",
        443,
    )
    assert said.by("init", LIST, "-n") == 0
    assert "Nothing was written" in said.out
    assert "[bold]Everyone" in said.out
    assert not Path("checklists/list.yml").exists()


def test_init_writes_beside_the_checklist_and_a_second_time_changes_nothing(said: Said) -> None:
    written = init(said)
    assert "Written: checklists/list.yml" in said.out
    assert said.by("checklist", "coverage") in (0, 1)
    assert init(said) == written
    assert "3 of them are bound already" in said.out


def test_init_says_what_was_reworded_and_what_is_gone(said: Said) -> None:
    init(said)
    Path("checklists/list.md").write_text(
        "# List\n\n## Web\n\n- [ ] Port 443 is opened\n- [x] The team was told\n"
    )
    assert said.by("checklist", "coverage") == 2
    assert "verifier checklist diff" in said.err or "is not in list.md" in said.err
    init(said)
    assert "line 5 was reworded" in said.out
    assert "now: Port 443 is opened" in said.out
    assert "gone, or nothing stands below" in said.out
    assert said.by("checklist", "coverage") in (0, 1)


def test_init_takes_the_target_and_values_that_are_given(said: Said) -> None:
    Path("checklists/list.md").write_text("- [ ] HTTP redirects to HTTPS\n")
    found = said.json("init", LIST, "--dry-run")
    assert isinstance(found, list)
    names = found[0]["missing"]
    Path("values.yml").write_text("".join(f"{n}: https://app.company.test\n" for n in names))
    assert said.by("init", LIST, "--values", "values.yml", "--target", "web") == 0
    document = parse_yaml(Path("checklists/list.yml").read_text(), where="list.yml")
    assert isinstance(document, dict)
    assert document["target"] == "web"
    assert set(names) <= set(document["values"])
    assert said.by("checklist", "coverage") == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["init", "nowhere.md"], "nowhere.md: cannot be read: No such file"),
        (["init", "checklists"], "checklists: cannot be read: Is a directory"),
        (["init", "empty.md"], "empty.md: has no line to tick off"),
        (["init", "words.md"], "words.md: has no line to tick off"),
        (["init", "binary.md"], "binary.md:2: is not UTF-8 text"),
        (["init", "nul.md"], "nul.md:1: holds a NUL character"),
        (["init", "bound.yml"], "bound.yml: is a binding file"),
        (["init", LIST, "--values", "nowhere.yml"], "nowhere.yml: cannot be read"),
        (["init", LIST, "--values", "words.md"], "words.md: is no mapping"),
        (["init", LIST, "--inventory", "nowhere"], "no inventory 'nowhere'"),
        (["init", LIST, "--format", "xml"], "Invalid value"),
        (["init"], "Missing argument"),
        (["checklist", "show", "binary.md"], "binary.md:2: is not UTF-8 text"),
        (["checklist", "show", "empty.md"], "has no line to tick off"),
        (["checklist", "diff", LIST], "Missing argument"),
        (["checklist", "diff", LIST, "empty.md"], "empty.md: has no line to tick off"),
        (["checklist", "coverage"], "has lines to tick off and no binding"),
        (["checklist", "coverage", "lits"], "no checklist 'lits'"),
        (["checks", "show", "prot"], "port"),
        (["checks", "show"], "Missing argument"),
    ],
)
def test_what_cannot_be_read_is_one_line_and_code_2(
    project: Path, said: Said, words: list[str], says: str
) -> None:
    (project / "empty.md").write_text("")
    (project / "words.md").write_text("only words\n")
    (project / "binary.md").write_bytes(b"- [ ] a\n\xff\xfe\x00")
    (project / "nul.md").write_bytes(b"- [ ] a\0b\n")
    (project / "bound.yml").write_text("- [ ] a\n")
    assert said.by(*words) == 2
    assert said.out == ""
    assert says in said.err
    assert said.err.count("\n") == 1


def test_a_binding_that_is_broken_is_named_with_its_line(said: Said) -> None:
    Path("checklists/list.yml").write_text("version: 1\nchecklist: list.md\ntarget: a\nitmes: {}\n")
    before = Path("checklists/list.yml").read_text()
    assert said.by("init", LIST) == 2
    assert "list.yml:4: itmes: unknown key" in said.err
    assert Path("checklists/list.yml").read_text() == before


def test_the_checks_are_listed_with_what_they_ask(said: Said) -> None:
    found = said.json("checks", "list")
    assert isinstance(found, list)
    assert [one["name"] for one in found] == list(check_names())
    assert all(one["summary"] for one in found)
    assert said.by("checks", "list") == 0
    assert all(name in said.out for name in check_names())


def test_the_manual_of_a_check_names_its_parameters(said: Said) -> None:
    found = said.json("checks", "show", "smtp")
    assert isinstance(found, dict)
    assert found["name"] == "smtp"
    assert {"name": "host", "type": "text", "default": "required"} in found["parameters"]
    assert said.by("checks", "show", "smtp") == 0
    assert "required" in said.out


@pytest.mark.parametrize("name", check_names())
def test_every_check_has_a_manual(said: Said, name: str) -> None:
    assert said.by("checks", "show", name) == 0
    assert name in said.out


def test_an_unknown_check_is_told_the_nearest(said: Said) -> None:
    assert said.by("checks", "show", "http_heeder") == 2
    assert "http_header" in said.err


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft202012Validator:
    found = binding_schema()
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


def test_the_schema_is_printed(said: Said) -> None:
    assert said.by("checklist", "schema") == 0
    assert json.loads(said.out) == json.loads(to_json(binding_schema()))


@pytest.mark.parametrize("path", sorted(CHECKLISTS.glob("*.yml")), ids=lambda p: p.stem)
def test_the_schema_knows_the_bindings_of_this_project(
    schema: jsonschema.Draft202012Validator, path: Path
) -> None:
    document = parse_yaml(path.read_text(), where=path.name)
    assert [error.message for error in schema.iter_errors(document)] == []


def test_the_schema_knows_what_init_writes(
    schema: jsonschema.Draft202012Validator, said: Said
) -> None:
    document = parse_yaml(init(said), where="list.yml")
    assert [error.message for error in schema.iter_errors(document)] == []


HEAD = "version: 1\nchecklist: a.md\ntarget: all\n"


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "items: {a: {check: port, with: {number: 443}}}\n",
        HEAD + "items: {a: {check: port, with: {number: '{{ port }}'}}}\n",
        HEAD + "x-mine: 1\nitems: {a: {step: release}}\n",
    ],
)
def test_the_schema_takes_what_is_right(schema: jsonschema.Draft202012Validator, text: str) -> None:
    schema.validate(parse_yaml(text, where="a.yml"))


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "items: {a: {check: port, with: {number: 443}, nonsense: 1}}\n",
        HEAD + "nonsense: 1\nitems: {a: {step: release}}\n",
        HEAD + "items: {a: {check: port, with: {number: 443, nonsense: 1}}}\n",
        HEAD + "items: {a: {check: image, with: {}}}\n",
        HEAD + "items: {a: {check: prot, with: {number: 443}}}\n",
        HEAD + "items: {a: {step: release, timeout_s: 1000}}\n",
        HEAD + "items: {a: {attest: {role: lead, every: hour}}}\n",
        HEAD,
        "version: 2\nchecklist: a.md\ntarget: all\nitems: {a: {step: release}}\n",
    ],
)
def test_the_schema_refuses_what_is_wrong(
    schema: jsonschema.Draft202012Validator, text: str
) -> None:
    assert not schema.is_valid(parse_yaml(text, where="a.yml"))


def test_a_reworded_line_that_says_something_else_is_not_followed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "list.md"
    source.write_text("# Checklist\n- [ ] Port 5432 is not reachable\n- [ ] The team was told\n")
    assert run(["init", str(source), "--no-input"]) == 0
    source.write_text("# Checklist\n- [ ] Port 5432 is reachable\n- [ ] The whole team was told\n")
    capsys.readouterr()
    assert run(["init", str(source), "--no-input"]) == 0
    assert "says something else now" in " ".join(capsys.readouterr().out.split())
    text = source.with_suffix(".yml").read_text()
    assert "text: Port 5432 is not reachable" in text
    assert "text: The whole team was told" in text
    assert run(["checklist", "coverage", str(source.with_suffix(".yml"))]) == 2
    assert "does not say any more what it was bound to" in capsys.readouterr().err


@pytest.mark.parametrize(
    "binding", ["{check: host_usge}", "{check: host_usage, with: {memory_pct: 3}}"]
)
def test_coverage_does_not_call_nonsense_bound(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], binding: str
) -> None:
    (tmp_path / "a.md").write_text("- [ ] x <!-- id: x -->\n")
    (tmp_path / "a.yml").write_text(
        f"version: 1\nchecklist: a.md\ntarget: all\nitems:\n  x: {binding}\n"
    )
    assert run(["checklist", "coverage", str(tmp_path / "a.yml")]) == 2
    assert "item 'x'" in capsys.readouterr().err
