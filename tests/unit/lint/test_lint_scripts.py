from __future__ import annotations

import pytest

from verifier.lint.scripts import make_weakness, read_script_call, shell_weakness, weakness


@pytest.mark.parametrize(
    "script",
    [
        "echo 'none yet' && exit 0",
        "true",
        "jest || true",
        "vite build || echo skipped",
        "jest; exit 0",
        "jest --passWithNoTests",
        "npm run other",
    ],
)
def test_scripts_that_end_well_whatever_happens(script: str) -> None:
    assert weakness(script, {"other": "echo no"})


@pytest.mark.parametrize(
    "script",
    [
        "jest",
        "jest || exit 1",
        "jest || (echo failed && exit 1)",
        "rm -rf dist || true && tsc",
        "npm run other",
        "npm run nowhere",
        "echo start && jest",
    ],
)
def test_scripts_that_can_fail(script: str) -> None:
    assert not weakness(script, {"other": "jest"})


def test_scripts_that_call_each_other_for_ever_are_left() -> None:
    assert not weakness("npm run a", {"a": "npm run b", "b": "npm run a"})


@pytest.mark.parametrize(
    ("text", "is_weak"),
    [
        ("#!/bin/sh\ncurl x\necho done\n", True),
        ("#!/bin/sh -e\ncurl x\necho done\n", False),
        ("set -euo pipefail\ncurl x\necho done\n", False),
        ("curl x || exit 1\necho done\n", False),
        ("curl x\n", False),
        ("# nothing\n", True),
    ],
)
def test_shell_scripts(text: str, *, is_weak: bool) -> None:
    assert bool(shell_weakness(text)) == is_weak


@pytest.mark.parametrize(
    ("text", "is_weak"),
    [
        ("smoke:\n\t@echo none\n", True),
        ("smoke:\n\t-curl x\n", True),
        ("smoke:\n\tcurl x || true\n\techo done\n", True),
        ("smoke:\n\tcurl x\n", False),
        ("smoke: other\n\techo done\n", False),
        ("other:\n\techo\n", False),
    ],
)
def test_make_targets(text: str, *, is_weak: bool) -> None:
    assert bool(make_weakness(text, "smoke")) == is_weak


@pytest.mark.parametrize(
    ("line", "name", "where"),
    [
        ("npm run a", "a", ""),
        ("npm t", "test", ""),
        ("pnpm --filter shop run a", "a", "shop"),
        ("yarn workspace shop a:b", "a:b", "shop"),
        ("npm --prefix=apps/a run a", "a", "apps/a"),
        ("pnpm -w run a", "a", ""),
    ],
)
def test_calls_of_package_scripts(line: str, name: str, where: str) -> None:
    call = read_script_call(tuple(line.split()))
    assert call
    assert (call.name, call.where) == (name, where)


@pytest.mark.parametrize(
    "line", ["npm ci", "yarn add x", "yarn vite", "node a.js", "npm run $X", "npm"]
)
def test_what_is_no_call_of_a_script(line: str) -> None:
    assert read_script_call(tuple(line.split())) is None
