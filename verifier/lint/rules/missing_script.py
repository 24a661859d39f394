"""A command runs a package script that the `package.json` it would use does not have.

npm, pnpm and yarn look in the nearest `package.json` above the folder they are called in, not in the
workspaces below it. "Missing script" ends the deployment there.

    pnpm run migration:run               (the root has none; apps/api-server has it)
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from verifier.lint.finding import Finding, error, quoted
from verifier.lint.scripts import Package, ScriptCall, packages_for, packages_of, read_script_call
from verifier.lint.sheet import Said, Sheet


def look(sheet: Sheet) -> Iterator[Finding]:
    if sheet.project is None:
        return
    packages = packages_of(sheet.project)
    for said in sheet.commands:
        for words in said.command.parts if packages else ():
            call = read_script_call(words)
            used = packages_for(call, said.folder, packages) if call else ()
            if (
                call
                and used
                and not any(call.name in p.scripts for p in used)
                and not _has_default(call)
            ):
                yield _finding(said, call, used, packages)


def _has_default(call: ScriptCall) -> bool:
    return call.name == "start" and call.runner == "npm"  # runs server.js


def _finding(
    said: Said, call: ScriptCall, used: tuple[Package, ...], packages: tuple[Package, ...]
) -> Finding:
    there = [p for p in packages if call.name in p.scripts]
    here = _place(used[0])
    message = f"{quoted(said.command.text)}: {here} has no script '{call.name}'"
    if there:
        places = ", ".join(_place(p) for p in there[:3])
        fix = f"run it there: `{call.runner} {_into(call, there[0])} run {call.name}`"
        return error(said.line, f"{message}; {places} has it", fix)
    near = difflib.get_close_matches(call.name, [n for p in used for n in p.scripts], 1)
    return error(
        said.line, message, f"did you mean '{near[0]}'?" if near else f"add the script to {here}"
    )


def _place(package: Package) -> str:
    return f"{package.folder}/package.json" if package.folder else "package.json"


def _into(call: ScriptCall, package: Package) -> str:
    return {"npm": "--prefix", "yarn": "--cwd", "bun": "--cwd"}.get(
        call.runner, "-C"
    ) + f" {package.folder or '.'}"
