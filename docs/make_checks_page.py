"""Writes `reference/checks.md` from the manuals of the checks: their module docstrings and their
parameters. (`python docs/make_checks_page.py`)
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_origin, get_type_hints

from verifier.checks._compose import Stack
from verifier.checks.base import check_names

PAGE = Path(__file__).parent / "reference" / "checks.md"

HEAD = """# Checks

<!-- Made by docs/make_checks_page.py from verifier/checks. Edit there, then run it again. -->

Each check is one file in `verifier/checks/`; its name is the file's name. An example shows the
block as it stands under `items:` of a [binding file](checklist-file.md). Values with `{{ }}` come
from the [inventory](inventory-variables.md). A parameter whose default is *required* must be given.

"""

TAIL = """
## Compose stack

A parameter of type *compose stack* is one compose project, called with the same words as the
deployment calls it. Define it once in the inventory as `compose_stack` and write
`stack: "{{ compose_stack }}"`.

"""

_TABLE = "| parameter | type | default |\n|---|---|---|\n"

_WORDS = (
    (r"tuple\[(.+?), \.\.\.\]", r"list of \1"),
    (r"(?:Mapping|dict)\[str, (.+)\]", r"mapping to \1"),
    (r"Literal\[(.+?)\]", r"one of \1"),
    (r"\bStack\b", "[compose stack](#compose-stack)"),
    (r"\bstr\b", "text"),
    (r"\bint\b", "whole number"),
    (r"\bfloat\b", "number"),
    (r"\bbool\b", "true or false"),
    (r"\bNone\b", "null"),
    (r"\b[A-Z][a-z]+\b", "mapping"),
)


def page() -> str:
    """The whole page as text."""
    manuals = {name: _manual(name) for name in check_names()}
    rows = "\n".join(f"| [`{name}`](#{name}) | {_first(text)} |" for name, text in manuals.items())
    sections = "\n".join(_section(name, text) for name, text in manuals.items())
    stack = "\n".join(_rows(Stack))
    return f"{HEAD}| check | what it asks |\n|---|---|\n{rows}\n\n{sections}{TAIL}{_TABLE}{stack}\n"


def _manual(name: str) -> str:
    return inspect.getdoc(_module(name)) or ""


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"verifier.checks.{name}")


def _first(manual: str) -> str:
    return " ".join(manual.split("\n\n", maxsplit=1)[0].split())


def _section(name: str, manual: str) -> str:
    rows = "\n".join(_rows(_module(name).CHECK.params))
    return f"## {name}\n\n{_with_examples(manual)}\n\n{_TABLE}{rows}\n"


def _with_examples(manual: str) -> str:
    return re.sub(r"(?:^    .*\n)+", _fenced, manual + "\n", flags=re.MULTILINE).strip()


def _fenced(match: re.Match[str]) -> str:
    lines = [line.removeprefix("    ") for line in match[0].rstrip().splitlines()]
    # A manual writes the id as a key of its own; in a binding file it is the key of the block.
    block = "\n".join(re.sub(r"^- id: (\S+)$", r"\1:", line) for line in lines)
    return f"```yaml\n{block}\n```\n"


def _rows(params: type[Any], prefix: str = "") -> Iterator[str]:
    hints = get_type_hints(params)
    for field in dataclasses.fields(params):
        hint, name = hints[field.name], f"{prefix}{field.name}"
        yield f"| `{name}` | {_word(hint)} | {_default(field)} |"
        inner = _inner(hint)
        if inner not in (None, Stack):
            yield from _rows(inner, name + _between(hint))


def _inner(hint: Any) -> Any:  # noqa: ANN401
    candidates = (hint, *get_args(hint))
    return next(
        (c for c in candidates if isinstance(c, type) and dataclasses.is_dataclass(c)), None
    )


def _between(hint: Any) -> str:  # noqa: ANN401
    origin = get_origin(hint)
    return "[]." if origin is tuple else ".*." if origin is dict else "."


def _word(hint: Any) -> str:  # noqa: ANN401  whatever a parameter is annotated with
    plain = hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint)
    plain = re.sub(r"\b(?:[A-Za-z_]+\.)+", "", plain)
    for found, word in _WORDS:
        plain = re.sub(found, word, plain)
    return plain.replace(" | ", " or ")


def _default(field: dataclasses.Field[Any]) -> str:
    value = field.default
    if value is dataclasses.MISSING:
        if field.default_factory is dataclasses.MISSING:
            return "required"
        value = field.default_factory()
    if value is None:
        return "`null`"
    if dataclasses.is_dataclass(value) or value in ("", (), {}):
        return "empty"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, tuple):
        text = ", ".join(map(str, value))
    return "`" + text.replace("|", "\\|").replace("\n", "\\n") + "`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
