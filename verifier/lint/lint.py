"""The verb of this package: every rule of `rules/` asked about one document, and where its project
beside it. Finds the rules by their file names; knows none of them.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import cast

from verifier.checklist.markdown import Page
from verifier.lint.finding import Finding
from verifier.lint.project import Project
from verifier.lint.sheet import Sheet, read_sheet

Look = Callable[[Sheet], Iterator[Finding]]


def lint(
    page: Page, text: str, project: Project | None = None, *, folder: str = ""
) -> tuple[Finding, ...]:
    """What is wrong with the document whose text this is, sorted by line and rule. Without a project
    only what the document itself shows; `folder` is where the document stands in it.
    """
    sheet = read_sheet(page, text, project, folder)
    found = {
        replace(finding, rule=name.replace("_", "-"))
        for name in rule_names()
        for finding in _look_of(name)(sheet)
    }
    return tuple(sorted(found))


def rule_names() -> tuple[str, ...]:
    """Every rule, sorted, by the name of its file."""
    package = importlib.import_module("verifier.lint.rules")
    return tuple(sorted(m.name for m in pkgutil.iter_modules(package.__path__)))


def _look_of(name: str) -> Look:
    return cast("Look", importlib.import_module(f"verifier.lint.rules.{name}").look)
