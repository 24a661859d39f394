"""The rules of the house, kept by parsing what is written: imports point backward, one door per
outside thing, every check has its manual and its cases, every role its specification.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from verifier.checklist.binding import Binding
from verifier.checks.base import check_names, find_check
from verifier.document import from_plain, parse_yaml

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "verifier"
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if "_assets" not in p.parts)

# From the bottom; a module may import what stands in a line above its own, or its own package.
LAYERS = (
    {"errors"},
    {"redact", "assets"},
    {"document", "history", "template"},
    {"duty"},
    {"schedule"},
    {"store"},
    {"checks"},
    {"checklist"},
    {"proposal", "lint", "manual"},
    {"inventory"},
    {"plan"},
    {"result"},
    {"attestation"},
    {"verify", "deploy"},
    {"waiver"},
    {"gate"},
    {"run"},
    {"report", "lab"},
    {"pipeline"},
    {"cli"},
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}

DOORS = {
    "ansible_runner": {"deploy/runner.py"},  # Ansible itself is only ever run, never imported
    "testinfra": {"verify/connect.py"},
    "hdrh": {"checks/_histogram.py"},
    "yaml": {"document.py"},
    "jinja2": {"template.py"},
    "rich": {"cli", "report/text.py"},
    "typer": {"cli"},
    "markdown_it": {"checklist/markdown.py"},
}


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return names


def _place(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def _part(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=_place)
def test_imports_point_backward(path: Path) -> None:
    own = _part(path)
    if own in ("__init__", "__main__"):
        return
    for name in _imports(path):
        parts = name.split(".")
        if parts[0] == "verifier" and len(parts) > 1 and parts[1] in LEVEL and parts[1] != own:
            assert LEVEL[parts[1]] < LEVEL[own], f"{_place(path)} imports {name}"


@pytest.mark.parametrize("library", DOORS)
def test_each_outside_thing_has_one_door(library: str) -> None:
    users = {_place(p) for p in MODULES if any(n.split(".")[0] == library for n in _imports(p))}
    strangers = {
        u for u in users if u not in DOORS[library] and u.split("/")[0] not in DOORS[library]
    }
    assert users, f"nobody imports {library}: the rule is about nothing"
    assert not strangers


def test_ansible_is_never_imported() -> None:
    # Its library reads the ansible.cfg of the current folder, which can load code, as soon as it is imported.
    assert not [
        _place(p) for p in MODULES if any(n.split(".")[0] == "ansible" for n in _imports(p))
    ]


def test_every_module_belongs_to_a_layer() -> None:
    assert {_part(p) for p in MODULES} - {"__init__", "__main__"} == set(LEVEL)


@pytest.mark.parametrize("path", MODULES, ids=_place)
def test_every_module_says_what_it_holds(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def _reads_environment(path: Path) -> bool:
    # Programs that checks send to a host are texts, not code of this process.
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in ("environ", "getenv")
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )


def test_only_the_command_line_reads_the_environment() -> None:
    # inventory.py hands PATH and HOME on to ansible-inventory; the pytest plugin in suite.py runs in a child whose
    # environment is how it is told where to write.
    allowed = {"inventory.py", "verify/suite.py"}
    readers = {_place(p) for p in MODULES if _reads_environment(p)}
    assert {r for r in readers if not r.startswith("cli/")} == allowed


def test_nothing_is_named_after_nothing() -> None:
    hollow = {
        "utils",
        "util",
        "helpers",
        "helper",
        "common",
        "misc",
        "manager",
        "handler",
        "core",
        "base",
    }
    named = {_place(p) for p in MODULES if p.stem in hollow}
    assert named == {"checks/base.py"}


def test_the_catch_all_stands_in_two_places_only() -> None:
    found = {_place(p) for p in MODULES if re.search(r"except (Base)?Exception\b", p.read_text())}
    assert found == {"verify/observe.py", "cli/app.py"}


@pytest.mark.parametrize("name", check_names())
def test_the_example_in_a_checks_manual_is_a_real_item(name: str) -> None:
    manual = ast.get_docstring(
        ast.parse((PACKAGE / "checks" / f"{name}.py").read_text(encoding="utf-8"))
    )
    example = re.search(r"^    - id: .*?(?=^\S|\Z)", manual or "", re.DOTALL | re.MULTILINE)
    assert example, f"{name}: no example item in the docstring"
    items = parse_yaml(re.sub(r"^    ", "", example.group(0), flags=re.MULTILINE), where=name)
    assert isinstance(items, list)
    for item in items:
        binding = from_plain(Binding, {k: v for k, v in item.items() if k != "id"})
        assert binding.check == name
        plain = {k: v for k, v in binding.given.items() if "{{" not in str(v)}
        if len(plain) == len(binding.given):
            find_check(name).read(plain)


ROLES = sorted(p for p in (ROOT / "roles").iterdir() if p.is_dir())


@pytest.mark.parametrize("role", ROLES, ids=lambda p: p.name)
def test_every_role_has_its_specification_and_its_words(role: Path) -> None:
    assert (role / "meta" / "argument_specs.yml").is_file()
    assert (role / "README.md").is_file()
    tasks = (role / "tasks" / "main.yml").read_text()
    assert "ignore_errors" not in tasks


def test_every_role_of_a_playbook_says_what_it_destroys_and_how_it_is_undone() -> None:
    used = {
        entry["role"] if isinstance(entry, dict) else entry
        for playbook in (ROOT / "playbooks").glob("*.yml")
        for play in parse_yaml(playbook.read_text(), where=str(playbook))  # type: ignore[attr-defined]
        for entry in play.get("roles", [])
    }
    assert used
    for role in used:
        facts = parse_yaml(
            (ROOT / "roles" / role / "meta" / "verifier.yml").read_text(), where=role
        )
        assert isinstance(facts, dict)
        assert {"summary", "effect", "undo"} <= set(facts)
