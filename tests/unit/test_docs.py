from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import typer

from fault import all_faults
from verifier.checklist.items import Item, find_checklists, load_checklists
from verifier.cli.app import app
from verifier.document import parse_yaml
from verifier.errors import GuardRefused, Interrupted, UsageError, VerifierError
from verifier.pipeline import (
    CLOSED,
    INFRASTRUCTURE,
    OPEN,
    ROLLBACK_FAILED,
    ROLLED_BACK,
    STEP_FAILED,
    WAITING,
)

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
LOCKED, TERMINATED = 8, 143  # 8 is reserved
ITEMS = [item for checklist in load_checklists(find_checklists(ROOT)) for item in checklist.items]
AUTOMATIC = [item for item in ITEMS if item.binding.check]


def _commands() -> Iterator[tuple[str, set[str]]]:
    """Every subcommand with its options, groups and their members alike."""
    todo = [("verifier", typer.main.get_command(app))]
    while todo:
        name, command = todo.pop()
        todo += [(f"{name} {sub}", c) for sub, c in getattr(command, "commands", {}).items()]
        yield name, {o for p in command.params for o in p.opts if o.startswith("-")}


COMMANDS = dict(_commands())


def _section(page: str, heading: str) -> str:
    """What stands below a heading, up to the next one; of the program itself: before the first."""
    if heading == "verifier":
        return page.split("\n## ", maxsplit=1)[0]
    found = re.search(rf"^#+ {re.escape(heading)}$(.*?)(?=^#|\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, f"no section '{heading}'"
    return found[1]


def _read(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_every_option_is_in_the_reference(command: str) -> None:
    section = _section(_read("reference/cli.md"), command)
    assert {o for o in COMMANDS[command] if f"`{o}`" not in section} == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_the_reference_names_no_option_that_does_not_exist(command: str) -> None:
    rows = re.findall(r"^\| (`-.*?) \|", _section(_read("reference/cli.md"), command), re.MULTILINE)
    named = {option for row in rows for option in re.findall(r"`(--?[a-zA-Z][a-z-]*)`", row)}
    assert named - COMMANDS[command] <= {"--help", "--install-completion", "--show-completion"}


def test_the_commands_are_found_at_all() -> None:
    assert {"verifier plan", "verifier deploy", "verifier lab up"} <= set(COMMANDS)
    assert "--inventory" in COMMANDS["verifier verify"]


@pytest.mark.parametrize(
    "code",
    [
        OPEN,
        CLOSED,
        UsageError.exit_code,
        INFRASTRUCTURE,
        VerifierError.exit_code,
        STEP_FAILED,
        ROLLED_BACK,
        ROLLBACK_FAILED,
        WAITING,
        LOCKED,
        GuardRefused.exit_code,
        Interrupted.exit_code,
        TERMINATED,
    ],
)
def test_every_exit_code_is_in_the_reference(code: int) -> None:
    assert f"\n| {code} | " in _read("reference/exit-codes.md")


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


@pytest.mark.parametrize("name", ["checks", "coverage"])
def test_a_generated_page_is_up_to_date(name: str) -> None:
    page = _script(f"make_{name}_page").page()
    assert page == _read(f"reference/{name}.md"), f"run: python docs/make_{name}_page.py"


@pytest.mark.parametrize("item", AUTOMATIC, ids=lambda i: i.binding.source)
def test_a_required_item_has_a_fault_that_proves_it_can_go_red(item: Item) -> None:
    script = _script("make_coverage_page")
    assert script.proofs(item, script.faults_by_item()) or not item.required


def test_every_fault_is_of_items_that_a_check_answers() -> None:
    automatic = {name for item in AUTOMATIC for name in (item.id, item.binding.source)}
    for fault in all_faults():
        assert set(fault.items) <= automatic, fault.name
        assert set(fault.also) <= {n for i in ITEMS for n in (i.id, i.binding.source)}, fault.name
    names = [fault.name for fault in all_faults()]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(DOCS).as_posix())
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    text = re.sub(
        r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.is_file(), link
        if anchor:
            assert anchor in _anchors(target), link


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in headings}


def test_every_page_is_in_the_navigation_and_the_other_way_round() -> None:
    config = parse_yaml((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), where="mkdocs.yml")
    assert isinstance(config, dict)
    assert set(_leaves(config["nav"])) == {p.relative_to(DOCS).as_posix() for p in PAGES}


def _leaves(nav: object) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    elif isinstance(nav, list | tuple):
        for entry in nav:
            yield from _leaves(entry)
    elif isinstance(nav, dict):
        for entry in nav.values():
            yield from _leaves(entry)
