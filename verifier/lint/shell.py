"""Blocks of shell as the commands in them: without comments, here-documents and the inside of long
quotes. Reads; runs nothing.
"""

from __future__ import annotations

import re

from verifier.checklist.commands import Command, Effect, read_command

LANGUAGES = frozenset(
    (
        *("bash", "sh", "shell", "zsh", "ksh", "fish", "console", "shell-session", "shellsession"),
        *("terminal", "cmd", "bat", "batch", "powershell", "ps1", "pwsh"),
    )
)
_HERE = re.compile(r"(?<!<)<<-?\s*['\"]?(?P<end>\w+)['\"]?")
_COMMENT = re.compile(r"^\s*(?:#|//|::|REM\b|rem\b)")
_LONGEST_QUOTE = 60
_LONGEST_NAME = 40


def commands_of(language: str, text: str) -> tuple[tuple[int, Command], ...]:
    """Every command of a block with the offset of its row; none when the block is no shell. A block
    that names no language counts when all its rows are commands that are known.
    """
    if language and language not in LANGUAGES:
        return ()
    rows = _joined(text)
    found = tuple((at, command) for at, row in rows if (command := read_command(row)))
    if not language and (len(found) < len(rows) or any(_is_strange(c) for _, c in found)):
        return ()
    return found


def spans_of(text: str) -> tuple[Command, ...]:
    """The code spans of one line of text that are commands of at least two words."""
    found = (read_command(span) for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", text))
    return tuple(c for c in found if c and len(c.words) > 1 and c.effect is not Effect.UNKNOWN)


def _joined(text: str) -> list[tuple[int, str]]:
    rows: list[tuple[int, str]] = []
    waiting, start, until = "", 0, ""
    for offset, row in enumerate(text.split("\n")):
        if until:
            until = "" if row.strip() == until else until
            continue
        if not waiting and (not row.strip() or _COMMENT.match(row)):
            continue
        start = start if waiting else offset
        waiting += row.strip() if not waiting else f" {row.strip()}"
        if waiting.endswith(("\\", " `", " ^")):
            waiting = waiting[:-1].rstrip()
            continue
        if _is_open(waiting) and offset - start < _LONGEST_QUOTE and _closes(text, offset):
            continue
        here = _HERE.search(waiting)
        until = here["end"] if here else ""
        rows.append((start, waiting))
        waiting = ""
    return [*rows, (start, waiting)] if waiting else rows


def _is_open(text: str) -> bool:
    """Whether a double quote is still open. A single one is too often an apostrophe."""
    bare = re.sub(r"'[^']*'", "", text.replace('\\"', ""))
    return bare.count('"') % 2 == 1


def _closes(text: str, offset: int) -> bool:
    rest = text.split("\n")[offset + 1 : offset + _LONGEST_QUOTE]
    return any('"' in row for row in rest)


def _is_strange(command: Command) -> bool:
    return command.effect is Effect.UNKNOWN or not re.fullmatch(
        rf"[\w./+-]{{1,{_LONGEST_NAME}}}", command.words[0] if command.words else ""
    )
