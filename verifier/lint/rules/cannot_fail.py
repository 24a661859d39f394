"""A command that is to show something ends well whatever happens.

`|| true`, `|| echo`, `; exit 0` and a pipe into `tee` hide the exit code: a machine reads "passed",
and a person must read the text. In a backup the end of the pipe hides that the dump was never made.

    npm test | tee test.log
    pg_dump app | gzip > backup.gz
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from verifier.checklist.commands import Effect, read_command
from verifier.lint.finding import Finding, info, quoted, warning
from verifier.lint.sheet import Said, Sheet

_SWALLOWS = re.compile(r"\|\|\s*(?:true|:|exit 0)(?=\s*(?:$|[;)#]))|;\s*(?:true|:|exit 0)\s*$")
_PRINTS = re.compile(r"\|\|\s*(?:echo|printf|Write-Host)\b(?!.*exit [1-9])")
_TEE = re.compile(r"(?<!\|)\|\s*(?:sudo )?tee\b")
_DUMP = re.compile(r"\b(?:pg_dump(?:all)?|mysqldump|mariadb-dump|mongodump)\b[^|]*\|(?!\|)")


def look(sheet: Sheet) -> Iterator[Finding]:
    guarded = {s.block for s in sheet.commands if "pipefail" in s.command.text and s.block}
    for said in sheet.commands:
        yield from _of_command(said, is_guarded=said.block in guarded)


def _of_command(said: Said, *, is_guarded: bool) -> Iterator[Finding]:
    text = said.command.text
    shown = quoted(text)
    effect = _effect_of_first(said)
    first = said.command.words
    reads = effect in (Effect.READ, Effect.TEST) or first[:1] in (("curl",), ("netstat",), ("nc",))
    made = warning if said.item else info
    if _DUMP.search(text) and not is_guarded:
        yield warning(
            said.line,
            f"{shown}: the end of the pipe hides a dump that failed",
            "write `set -o pipefail` before it, and look at the size of what was written",
        )
    elif _TEE.search(text) and effect is Effect.TEST and not is_guarded:
        yield warning(
            said.line,
            f"{shown}: `tee` hides the exit code of the tests",
            "write `set -o pipefail` before it",
        )
    elif _SWALLOWS.search(text) and reads:
        yield made(
            said.line,
            f"{shown}: ends well whatever it finds",
            "leave out what follows the command",
        )
    elif _PRINTS.search(text) and reads:
        yield made(
            said.line,
            f"{shown}: prints that it failed and ends well",
            "add `&& exit 1`, or leave out what follows `||`",
        )


def _effect_of_first(said: Said) -> Effect:
    first = read_command(" ".join(said.command.words))
    return first.effect if first else Effect.UNKNOWN
