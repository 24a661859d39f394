"""`verifier lint`: a checklist held against reality, without touching a host."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

import typer

from verifier.checklist.markdown import read_markdown
from verifier.cli import options as o
from verifier.document import read_text, to_json
from verifier.errors import DocumentError
from verifier.lint.finding import Finding, Severity
from verifier.lint.lint import lint
from verifier.lint.project import Project, look_at_project
from verifier.lint.stack import DEFAULT_FILES
from verifier.report.text import visible

_MARKS_OF_A_PROJECT = (*DEFAULT_FILES, "package.json")

File = Annotated[Path, typer.Argument(help="The Markdown checklist.", show_default=False)]
ProjectFolder = Annotated[
    Path | None,
    typer.Option(
        "--project",
        help="The project the checklist deploys; default: this folder, if the file lies in it and it is"
        " in a git repository or has a compose file or package.json.",
        show_default=False,
    ),
]
Format = Annotated[
    Literal["text", "json"], typer.Option("--format", help="For people, or for machines.")
]


def command(file: File, project: ProjectFolder = None, output: Format = "text") -> int:
    """Check a checklist against itself and its project: totals, commands, files, ports, scripts,
    secrets. Nothing of it is run, no host is contacted.
    """
    text = read_text(file)
    page = read_markdown(text, where=str(file))
    if not page.lines and not page.fences:
        raise DocumentError(
            "has neither lines nor commands", where=str(file), do="write `- [ ]` before each line"
        )
    root = project or _default_project(file)
    seen = look_at_project(root) if root else None
    findings = lint(page, text, seen, folder=_folder_of(file, seen))
    o.write_out(to_json(findings) if output == "json" else _words(file, findings, seen))
    return 1 if any(f.severity is Severity.ERROR for f in findings) else 0


def _default_project(file: Path) -> Path | None:
    here = Path.cwd()
    if not file.resolve().is_relative_to(here.resolve()):
        return None
    in_git = any((folder / ".git").exists() for folder in (here, *here.parents))
    return here if in_git or any((here / name).is_file() for name in _MARKS_OF_A_PROJECT) else None


def _folder_of(file: Path, project: Project | None) -> str:
    place = file.resolve().parent
    if project is None or not place.is_relative_to(project.root):
        return ""
    return place.relative_to(project.root).as_posix().removeprefix(".")


def _words(file: Path, findings: tuple[Finding, ...], project: Project | None) -> str:
    rows = []
    for f in findings:
        rows.append(f"{file}:{f.line}: {f.severity} {f.rule}: {f.message}")
        rows.append(f"    fix: {f.fix}")
    counted = Counter(f.severity for f in findings)
    words = ", ".join(_count(counted[severity], severity) for severity in Severity)
    rows.append(f"{words}. Looked at {_looked_at(project)}; nothing was run.")
    return "".join(f"{visible(row)}\n" for row in rows)


def _count(number: int, severity: Severity) -> str:
    return f"{number} {severity}" + ("s" if number != 1 and severity is not Severity.INFO else "")


def _looked_at(project: Project | None) -> str:
    if project is None:
        return "the document alone (--project DIR compares it with a project)"
    git = f"{len(project.tracked)} tracked by git" if project.tracked is not None else "no git"
    part = "" if project.whole else ", too many to see all"
    return f"the document and {project.root} ({len(project.files)} files, {git}{part})"
