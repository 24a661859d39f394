"""A command of the checklist runs a script that ends well whatever happens.

A test script that only prints, a build that swallows its failure with `|| echo`, a shell script
without `set -e` whose last row is `echo`: the line is green and nothing was shown. Scripts of
`package.json`, Makefiles and the shell are read; none is run.

    "test:e2e": "echo 'no tests yet' && exit 0"
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.checklist.commands import Effect
from verifier.lint.finding import Finding, Severity, quoted
from verifier.lint.project import Project
from verifier.lint.rules.missing_target import make_calls
from verifier.lint.scripts import (
    make_weakness,
    packages_for,
    packages_of,
    read_script_call,
    shell_weakness,
    weakness,
)
from verifier.lint.sheet import Said, Sheet


def look(sheet: Sheet) -> Iterator[Finding]:
    project = sheet.project
    if project is None:
        return
    yield from _of_packages(sheet, project)
    for said, target, file, text in make_calls(sheet):
        why = make_weakness(text, target)
        if why:
            yield _finding(said, f"the target '{target}' of {file}", why)
    for said in sheet.commands:
        for words in said.command.parts:
            file = _shell_file(project, said, words)
            why = shell_weakness(project.text(file)) if file else ""
            if why:
                yield _finding(said, file, why)


def _of_packages(sheet: Sheet, project: Project) -> Iterator[Finding]:
    packages = packages_of(project)
    for said in sheet.commands:
        for words in said.command.parts:
            call = read_script_call(words)
            used = packages_for(call, said.folder, packages) if call else ()
            having = [p for p in used if call and call.name in p.scripts]
            weak = [(p, weakness(p.scripts[call.name], p.scripts)) for p in having] if call else []
            if call and weak and all(why for _, why in weak):
                package, why = weak[0]
                place = f"{package.folder}/package.json".lstrip("/")
                yield _finding(said, f"the script '{call.name}' of {place}", why)


def _shell_file(project: Project, said: Said, words: tuple[str, ...]) -> str:
    if not words:
        return ""
    given = words[1:2] if words[0] in ("bash", "sh") else words[:1]
    path = given[0].removeprefix("./") if given else ""
    if not path.endswith(".sh") or said.folder is None:
        return ""
    there = f"{said.folder}/{path}".lstrip("/")
    return there if there in project.files else ""


def _finding(said: Said, what: str, why: str) -> Finding:
    """A line that rests on it is void; a step of the deployment is likely wrong."""
    is_void = said.item is not None or said.command.effect is Effect.TEST
    severity = (
        Severity.ERROR
        if is_void and "goes on" not in why and "no test at all" not in why
        else Severity.WARNING
    )
    return Finding(
        said.line,
        "",
        severity,
        f"{quoted(said.command.text)}: {what} {why}: it shows nothing",
        "let the script fail when its work fails",
    )
