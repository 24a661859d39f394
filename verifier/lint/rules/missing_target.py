"""A command runs a `make` target that the Makefile does not have.

Makefiles with patterns or included files are left alone: their targets cannot be told from the text.

    make deploy-prod                     (the Makefile has deploy)
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from verifier.lint.finding import Finding, error, quoted
from verifier.lint.project import Project
from verifier.lint.scripts import make_targets
from verifier.lint.sheet import Said, Sheet


def look(sheet: Sheet) -> Iterator[Finding]:
    for said, target, file, text in make_calls(sheet):
        targets, is_open = make_targets(text)
        if target not in targets and not is_open:
            near = difflib.get_close_matches(target, targets, 1)
            yield error(
                said.line,
                f"{quoted(said.command.text)}: {file} has no target '{target}'",
                f"did you mean '{near[0]}'?" if near else f"add the target to {file}",
            )


def make_calls(sheet: Sheet) -> Iterator[tuple[Said, str, str, str]]:
    """Every target that a command makes, with the Makefile it is looked for in and its text."""
    project = sheet.project
    if project is None:
        return
    for said in sheet.commands:
        for words in said.command.parts:
            if words[:1] != ("make",) or {"-f", "-C", "--file", "--directory"} & set(words):
                continue
            file = _makefile(project, said.folder)
            targets = [w for w in words[1:] if re.fullmatch(r"[A-Za-z][\w.-]*", w)]
            for target in targets if file else ():
                yield said, target, file, project.text(file)


def _makefile(project: Project, folder: str | None) -> str:
    if folder is None:
        found = [f for name in ("Makefile", "makefile", "GNUmakefile") for f in project.named(name)]
        return found[0] if len(found) == 1 else ""
    names = (f"{folder}/{name}".lstrip("/") for name in ("GNUmakefile", "makefile", "Makefile"))
    return next((name for name in names if name in project.files), "")
