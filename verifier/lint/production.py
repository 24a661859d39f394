"""Production: what the document and the project together say is deployed: the compose files of the
commands that start it, its overlay, its environment file. Asked by the rules that compare.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath

from verifier.lint.compose_call import ComposeCall, calls_in
from verifier.lint.project import Project
from verifier.lint.sheet import Sheet
from verifier.lint.stack import COMPOSE_FILE, DEFAULT_FILES, Stack, default_files, read_stack

STARTS = frozenset(("up", "create", "start", "run"))
_ELSEWHERE = re.compile(r"dev|test|local|override|example|sample|ci\b", re.IGNORECASE)
_ENV_FILE = re.compile(
    r"(?<![\w/.-])(?P<path>(?:[\w.-]+/)*\.env(?:\.[A-Za-z][\w-]*)*)(?![\w-]|\.\w)"
)
ENV_TEMPLATE = re.compile(r"\.(?:example|sample|template|dist|defaults?)\b|example", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Production:
    """`overlays` are the compose files beside the base that the document speaks of in its text.
    `stack` is what is meant, overlays laid over it; `running` what the commands really start.
    """

    calls: tuple[ComposeCall, ...]
    overlays: tuple[str, ...]
    env_file: str
    stack: Stack | None
    running: Stack | None


def production_of(sheet: Sheet) -> Production:
    """What this document deploys. No stack without a project or its compose files."""
    calls = tuple(calls_in(sheet))
    overlays = overlays_of(sheet)
    env_file = _env_file(sheet, calls)
    project = sheet.project
    running = _files(sheet, calls)
    if project is None or not running:
        return Production(calls, overlays, env_file, None, None)
    meant = running
    if not any(call.files for call in calls if call.verb in STARTS):
        laid_over = (f for o in overlays for f in found_file(project, "", o)[:1])
        meant = tuple(dict.fromkeys((*running, *laid_over)))
    values = next(iter(found_file(project, "", env_file)), "")
    return Production(
        calls,
        overlays,
        env_file,
        read_stack(project, meant, values),
        read_stack(project, running, values),
    )


def overlays_of(sheet: Sheet) -> tuple[str, ...]:
    """Compose files that the text, not the commands, names and that are laid over a base."""
    code = sheet.code_rows()
    text = [row for n, row in enumerate(sheet.rows, 1) if n not in code]
    named = {m["path"] for row in text for m in COMPOSE_FILE.finditer(row)}
    return tuple(
        sorted(
            f
            for f in named
            if PurePosixPath(f).name not in DEFAULT_FILES and not _ELSEWHERE.search(f)
        )
    )


def files_of(call: ComposeCall, project: Project) -> tuple[str, ...]:
    """The files one call reads, as the project has them; none when that cannot be told."""
    folder = call.said.folder
    if call.files:
        return tuple(f for file in call.files for f in found_file(project, folder, file)[:1])
    if folder is not None:
        here = default_files(project, folder)
        if here:
            return here
    anywhere = [f for name in DEFAULT_FILES for f in project.named(name)]
    return (
        default_files(project, str(PurePosixPath(anywhere[0]).parent)) if len(anywhere) == 1 else ()
    )


def found_file(project: Project, folder: str | None, path: str) -> tuple[str, ...]:
    """The files of the project that `path`, said in `folder`, may mean: the one there, or all of
    its name.
    """
    here = f"{folder}/{path}".lstrip("/") if folder else path
    here = str(PurePosixPath(here))
    return (here,) if here in project.files else project.named(PurePosixPath(path).name)


def _env_file(sheet: Sheet, calls: tuple[ComposeCall, ...]) -> str:
    given = Counter(f for call in calls for f in call.env_files)
    if given:
        return given.most_common(1)[0][0]
    named = Counter(m["path"] for row in sheet.rows for m in _ENV_FILE.finditer(row))
    real = [f for f, _ in named.most_common() if not ENV_TEMPLATE.search(f)]
    return next((f for f in real if re.search(r"prod|live", f)), real[0] if real else ".env")


def _files(sheet: Sheet, calls: tuple[ComposeCall, ...]) -> tuple[str, ...]:
    """The compose files of the commands that start the stack; else those of the project's root."""
    project = sheet.project
    if project is None:
        return ()
    starting = [c for c in calls if c.verb in STARTS and not c.said.is_picked]
    files = next((f for c in starting for f in [files_of(c, project)] if f), ())
    if files or calls or any(COMPOSE_FILE.search(row) for row in sheet.rows):
        return files or default_files(project, "")
    return ()
