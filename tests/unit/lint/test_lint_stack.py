from __future__ import annotations

from pathlib import Path

import pytest

from verifier.lint.project import look_at_project
from verifier.lint.stack import Stack, read_stack, resolved


def _stack(folder: Path, *texts: str, env: str = "") -> Stack:
    names = []
    for number, text in enumerate(texts):
        names.append(f"{number}.yml")
        (folder / names[-1]).write_text(text)
    (folder / ".env.prod").write_text(env)
    return read_stack(look_at_project(folder), tuple(names), ".env.prod")


def _ports(stack: Stack) -> list[tuple[int, int]]:
    return [(p.host, p.container) for p in stack.ports]


@pytest.mark.parametrize(
    ("written", "ports"),
    [
        ('"8000"', [(0, 8000)]),
        ('"80:8000"', [(80, 8000)]),
        ('"127.0.0.1:80:8000/tcp"', [(80, 8000)]),
        ('"80-81:8000-8001"', [(80, 8000), (81, 8001)]),
        ('"${P:-18000}:8000"', [(18000, 8000)]),
        ("{published: 80, target: 8000}", [(80, 8000)]),
        ('"nonsense"', []),
    ],
)
def test_ports_are_read_however_they_are_written(
    written: str, ports: list[tuple[int, int]], tmp_path: Path
) -> None:
    assert _ports(_stack(tmp_path, f"services: {{a: {{ports: [{written}]}}}}")) == ports


def test_the_environment_file_is_put_in(tmp_path: Path) -> None:
    text = 'services: {a: {ports: ["${P:-1}:8000"]}}'
    assert _ports(_stack(tmp_path, text, env="P=9000\n")) == [(9000, 8000)]


def test_lists_are_added_and_environments_merged(tmp_path: Path) -> None:
    stack = _stack(
        tmp_path,
        'services: {a: {ports: ["1:1"], environment: {A: "1", B: "1"}}}',
        'services: {a: {ports: ["2:2"], environment: ["B=2"]}, b: {image: x}}',
    )
    assert _ports(stack) == [(1, 1), (2, 2)]
    assert stack.services["a"].environment == {"A": "1", "B": "2"}
    assert set(stack.services) == {"a", "b"}


def test_an_override_replaces(tmp_path: Path) -> None:
    stack = _stack(
        tmp_path,
        'services: {a: {ports: ["1:1"]}}',
        'services:\n  a:\n    ports: !override\n      - "2:2"\n',
    )
    assert _ports(stack) == [(2, 2)]


@pytest.mark.parametrize(
    "text", ["services: {a: {extends: b}}", "include: [b.yml]\nservices: {}", "{broken", ""]
)
def test_what_cannot_be_told_from_the_text_is_not_whole(text: str, tmp_path: Path) -> None:
    assert not _stack(tmp_path, text).is_whole


def test_variables_follow_the_rules_of_compose() -> None:
    values = {"A": "1", "E": ""}
    assert (
        resolved("${A}-$A-${B:-2}-${E:-3}-${E-4}-${B}-${A:+5}-${B:?no}", values) == "1-1-2-3-4--5-"
    )
