"""A command needs a file that the project does not have, or a link leads to none.

`pm2 start`, `-f` of compose, `node`, `python`, `bash`, `source` and the source of `cp` are looked
at. What the document itself makes before (`cp`, `>`, an editor, a download), what a build makes, and
what lies outside of the project is not. A compose file, Dockerfile, script or environment example
that only the text names is looked for as well, unless the line says that it is to be written.

    pm2 start ecosystem.config.js        (there is ecosystem.config.apiserver.cjs)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from verifier.lint.compose_call import calls_in
from verifier.lint.finding import Finding, error, info, quoted, warning
from verifier.lint.production import ENV_TEMPLATE
from verifier.lint.project import Project, inside
from verifier.lint.sheet import Said, Sheet

_PATH = re.compile(r"(?:\./)?[A-Za-z0-9_.@-]+(?:/[A-Za-z0-9_.@-]+)*")
_RUNS = {
    "node": r"\.[cm]?[jt]s$",
    "tsx": r"\.[cm]?ts$",
    "python": r"\.py$",
    "python3": r"\.py$",
    "bash": r"\.sh$",
    "sh": r"\.sh$",
    "source": r"(?:\.sh|(?:^|/)\.env[\w.-]*)$",
    ".": r"(?:\.sh|(?:^|/)\.env[\w.-]*)$",
    "cp": r"\.\w+$",
}
_BUILT = re.compile(
    r"(?:^|/)(?:dist|build|out|target|node_modules|vendor|\.next|venv|\.venv|env|bin|tmp|backups?)(?:/|$)"
)
_MAKES = re.compile(
    r">>?\s*(?P<a>[\w./-]+)|\b(?:tee|touch|nano|vi|vim|mkdir -p)\s+(?:-a\s+)?(?P<b>[\w./-]+)"
    r"|\b(?:cp|mv|scp|rsync|install)\b.*\s(?P<c>[\w./-]+)\s*$"
    r"|(?:-o|-O|--output|--out|-f)[ =](?P<d>[\w./-]+)|(?:copy|Copy-Item)\s+\S+\s+(?P<e>[\w./-]+)"
)
_SPAN = re.compile(r"`(?P<path>[^`\s]+)`")
_NAMED = re.compile(
    r"(?:^|/)(?:(?:docker-)?compose(?:[.-][\w-]+)*\.ya?ml|Dockerfile(?:[.-]\w+)?|[\w.-]+\.sh|ecosystem\.config\.\w+|\.env[\w.]*\.(?:example|sample|template))$"
)
_TO_BE_MADE = re.compile(
    r"creat|writ|add|generat|new |make|생성|작성|추가|만들|作成|追加|创建|编写|新建|添加"
    r"|erstell|anleg|cri(?:ar|e)|crear|créer|oluştur",
    re.IGNORECASE,
)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<path>[^)\s#:]+\.[A-Za-z]{1,5})(?:#[^)]*)?\)")


def look(sheet: Sheet) -> Iterator[Finding]:
    project = sheet.project
    if project is None or not project.whole:
        return
    made: set[str] = set()
    told: set[str] = set()
    compose = {(c.said.line, c.said.block): c.files for c in calls_in(sheet)}
    for said in sheet.commands:
        for path in (*_needed(said), *compose.get((said.line, said.block), ())):
            name = PurePosixPath(path).name
            if name not in made and path not in told and _is_absent(project, said.folder, path):
                told.add(path)
                yield _finding(project, said, path)
        made |= {
            PurePosixPath(p).name
            for m in _MAKES.finditer(said.command.text)
            for p in m.groupdict().values()
            if p
        }
    yield from _of_text(sheet, project, told | made)
    yield from _of_links(sheet, project)


def _needed(said: Said) -> Iterator[str]:
    for words in said.command.parts:
        if not words:
            continue
        arguments = [w for w in words[1:] if not w.startswith("-")]
        if words[0] == "pm2" and arguments[:1] in (
            ["start"],
            ["reload"],
            ["startOrReload"],
            ["startOrRestart"],
        ):
            yield from _paths(arguments[1:2], r"\.(?:[cm]?js|json|ya?ml)$")
        elif words[0] in _RUNS and "-c" not in words and "-m" not in words:
            yield from _paths(arguments[:1], _RUNS[words[0]])
        elif words[0].startswith("./") and words[0].endswith(".sh"):
            yield from _paths([words[0]], r"\.sh$")


def _paths(words: list[str], shape: str) -> Iterator[str]:
    for word in words:
        if (
            _PATH.fullmatch(word)
            and re.search(shape, word)
            and not _BUILT.search(str(PurePosixPath(word).parent))
        ):
            yield word.removeprefix("./")


def _is_absent(project: Project, folder: str | None, path: str) -> bool:
    """Absent where it was said; where that is not known, absent everywhere."""
    if inside("", path) is None or re.match(
        r"\.env(?!.*(?:example|sample|template))", PurePosixPath(path).name
    ):
        return False
    if folder is None:
        return not project.named(PurePosixPath(path).name)
    return inside(folder, path) not in project.files


def _finding(project: Project, said: Said, path: str) -> Finding:
    elsewhere = project.named(PurePosixPath(path).name)
    if elsewhere:
        where = ", ".join(elsewhere[:3])
        return error(
            said.line,
            f"{quoted(said.command.text)}: no file {path} there; the project has {where}",
            "write the path from where the command runs",
        )
    near = _alike(project, path)
    return error(
        said.line,
        f"{quoted(said.command.text)}: the project has no file {path}",
        f"did you mean {near}?"
        if near
        else "add the file, or say in a line before where it comes from",
    )


def _alike(project: Project, path: str) -> str:
    stem = PurePosixPath(path).name.split(".")[0].lower()
    if len(stem) < 4:  # noqa: PLR2004  shorter stems fit anything
        return ""
    found = sorted(f for f in project.files if PurePosixPath(f).name.lower().startswith(f"{stem}."))
    return ", ".join(found[:3])


def _of_text(sheet: Sheet, project: Project, known: set[str]) -> Iterator[Finding]:
    names = {PurePosixPath(k).name for k in known}
    for line in sheet.page.lines:
        for match in _SPAN.finditer(line.title):
            path = match["path"].removeprefix("./")
            name = PurePosixPath(path).name
            if (
                not _NAMED.search(path)
                or name in names
                or not _PATH.fullmatch(path)
                or _TO_BE_MADE.search(line.title)
            ):
                continue
            if not project.named(name) and not (
                ENV_TEMPLATE.search(path)
                and any(ENV_TEMPLATE.search(f) and ".env" in f for f in project.files)
            ):
                names.add(name)
                yield warning(
                    line.number,
                    f"the project has no file {path}",
                    "correct the name, or say that it is to be written",
                )


def _of_links(sheet: Sheet, project: Project) -> Iterator[Finding]:
    code = sheet.code_rows()
    for number, row in enumerate(sheet.rows, 1):
        for match in _LINK.finditer(row) if number not in code else ():
            path = match["path"]
            if inside(sheet.folder, path) is None or _BUILT.search(path):
                continue
            places = {inside(sheet.folder, path), inside("", path)}
            if not places & (project.files | project.folders):
                yield info(
                    number,
                    f"the link leads to {path}, which the project does not have",
                    "correct the link",
                )
