"""Sheet: a document as the rules see it: the page, its rows, every command in it with the place it
is said in, and the project beside it if there is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from verifier.checklist.commands import Command
from verifier.checklist.markdown import Fence, Heading, Line, Page
from verifier.checklist.vocabulary import folded, speaks_of
from verifier.lint.project import Project, inside
from verifier.lint.shell import commands_of, spans_of

# Sections whose commands a person picks from one at a time, beside what aside headings say.
_PICKED = re.compile(
    r"monitor|모니터|監視|监控|useful|quick (?:command|reference)|cheat|debug|디버그|명령어 모음|자주|コマンド集"
    r"|常用|emergency|장애|local|로컬|ローカル|本地|develop|개발|dev\b|log analysis|로그 분석|diagnos"
    r"|maintenance|유지보수|frequent|사용 방법|comandos|befehle"
)


@dataclass(frozen=True, slots=True)
class Said:
    """A command where the document says it. `item` is the line it belongs to; `block` the number of
    its fence, 0 for a code span; `folder` where it runs, None when the document leaves that open.
    """

    line: int
    command: Command
    section: str
    item: Line | None
    block: int
    folder: str | None

    @property
    def is_picked(self) -> bool:
        """Said in a section that is no procedure: troubleshooting, monitoring, useful commands."""
        return any(is_picked(part) for part in self.section.split(" / ")[-2:])


@dataclass(frozen=True, slots=True)
class Sheet:
    """`rows` are the document's rows from the first; `folder` is where the document stands in the
    project; `commands` in the order they are said.
    """

    page: Page
    rows: tuple[str, ...]
    project: Project | None
    folder: str
    commands: tuple[Said, ...]

    def after(self, said: Said) -> tuple[Said, ...]:
        """The commands that follow in the same block."""
        return tuple(
            s for s in self.commands if s.block and s.block == said.block and s.line > said.line
        )

    def line_naming(self, name: str, *, otherwise: int = 1) -> int:
        """The first line that names it; `otherwise` when none does."""
        whole = re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)")
        return next((n for n, row in enumerate(self.rows, 1) if whole.search(row)), otherwise)

    def code_rows(self) -> frozenset[int]:
        return frozenset(
            n
            for fence in self.page.fences
            for n in range(fence.number - 1, fence.number + fence.text.count("\n") + 1)
        )

    def plain_rows(self) -> Iterator[tuple[int, str]]:
        """The rows that are neither code, nor a line of the checklist, nor a heading."""
        taken = {line.number for line in self.page.lines} | self.code_rows()
        taken |= {heading.number for heading in self.page.headings}
        for number, row in enumerate(self.rows, 1):
            if number not in taken and row.strip():
                yield number, row.strip()

    def below(self, heading: Heading) -> tuple[Line, ...]:
        """The lines below a heading, down to the next of its level or above."""
        return tuple(
            line for line in self.page.lines if heading.number < line.number < self._end(heading)
        )

    def children(self, line: Line) -> tuple[Line, ...]:
        return tuple(one for one in self.page.lines if one.above == line.number)

    def _end(self, heading: Heading) -> int:
        later = (
            h.number
            for h in self.page.headings
            if h.number > heading.number and h.level <= heading.level
        )
        return next(later, len(self.rows) + 1)


def read_sheet(page: Page, text: str, project: Project | None, folder: str) -> Sheet:
    return Sheet(
        page=page,
        rows=tuple(re.split(r"\r\n|\n|\r", text)),
        project=project,
        folder=folder,
        commands=tuple(_said(page, project)),
    )


def is_picked(heading: str) -> bool:
    return speaks_of("aside", heading) or bool(_PICKED.search(folded(heading)))


def _said(page: Page, project: Project | None) -> Iterator[Said]:
    items = {line.number: line for line in page.lines}
    spans = [
        Said(line.number, command, line.section, line, 0, _IN_ROOT)
        for line in page.lines
        for part in (line.title, *line.notes)
        for command in spans_of(part)
    ]
    fenced: list[Said] = []
    folder: str | None = _IN_ROOT
    for fence in page.fences:
        said, folder = _of_fence(fence, items.get(fence.owner), project, folder)
        fenced += said
    yield from sorted([*spans, *fenced], key=lambda s: s.line)


_IN_ROOT = ""


def _of_fence(
    fence: Fence, item: Line | None, project: Project | None, start: str | None
) -> tuple[list[Said], str | None]:
    """The commands of one block, and the folder the next begins in: known only if this one stays."""
    folder = start
    found = []
    for offset, command in commands_of(fence.language, fence.text):
        for words in command.parts:
            if words and words[0] in ("cd", "pushd", "popd", "ssh"):
                folder = _moved(folder, words, project)
        found.append(
            Said(fence.number + offset, command, fence.section, item, fence.number, folder)
        )
    return found, _IN_ROOT if folder == _IN_ROOT else None


def _moved(folder: str | None, words: tuple[str, ...], project: Project | None) -> str | None:
    if folder is None or words[0] != "cd" or len(words) < 2 or project is None:  # noqa: PLR2004  cd and where
        return None
    target = inside(folder, words[1])
    return target if target is not None and target in project.folders else None
