"""Writes `reference/checks.md` and `reference/binding.schema.json` from the manuals of the checks.
(`python docs/make_checks_page.py`)
"""

from __future__ import annotations

import re
from pathlib import Path

from verifier.checks._compose import Stack
from verifier.document import to_json
from verifier.manual import Manual, Parameter, binding_schema, manuals, parameters_of

PAGE = Path(__file__).parent / "reference" / "checks.md"
SCHEMA = PAGE.with_name("binding.schema.json")

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


def page() -> str:
    """The whole page as text."""
    every = manuals()
    rows = "\n".join(f"| [`{one.name}`](#{one.name}) | {one.summary} |" for one in every)
    sections = "\n".join(_section(one) for one in every)
    stack = "\n".join(map(_row, parameters_of(Stack)))
    return f"{HEAD}| check | what it asks |\n|---|---|\n{rows}\n\n{sections}{TAIL}{_TABLE}{stack}\n"


def schema() -> str:
    return to_json(binding_schema())


def _section(one: Manual) -> str:
    rows = "\n".join(map(_row, one.parameters))
    return f"## {one.name}\n\n{_with_examples(one.text)}\n\n{_TABLE}{rows}\n"


def _with_examples(manual: str) -> str:
    return re.sub(r"(?:^    .*\n)+", _fenced, manual + "\n", flags=re.MULTILINE).strip()


def _fenced(match: re.Match[str]) -> str:
    lines = [line.removeprefix("    ") for line in match[0].rstrip().splitlines()]
    # A manual writes the id as a key of its own; in a binding file it is the key of the block.
    block = "\n".join(re.sub(r"^- id: (\S+)$", r"\1:", line) for line in lines)
    return f"```yaml\n{block}\n```\n"


def _row(parameter: Parameter) -> str:
    kind = parameter.type.replace("compose stack", "[compose stack](#compose-stack)")
    default = parameter.default
    shown = default if default in ("required", "empty") else _code(default)
    return f"| `{parameter.name}` | {kind} | {shown} |"


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|").replace("\n", "\\n") + "`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    SCHEMA.write_text(schema(), encoding="utf-8")
