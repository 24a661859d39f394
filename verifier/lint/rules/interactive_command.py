"""A command wants a person at a terminal: an editor, a login, a prompt, a shell in a container.

A person can follow it; nothing else can. `exec` with `-t`, or without `-T` in the first version of
compose, refuses any input that is no terminal, and puts carriage returns into what it writes: a
database dump taken so may be damaged.

    docker-compose exec db pg_dump app > backup.sql      (add -T)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from verifier.lint.compose_call import calls_in
from verifier.lint.finding import Finding, info, quoted, warning
from verifier.lint.sheet import Said, Sheet

_EDITOR = re.compile(
    r"(?:vi|vim|nvim|nano|emacs|pico|visudo|notepad)\b|crontab -\w*e|systemctl edit|kubectl edit|\$EDITOR"
)
_LOGIN = re.compile(r"ssh (?!-?\S*keygen)(?:-\S+ (?:\S+ )?)*[\w.@<>{}$-]+$|(?:mosh|telnet) \S+$")
_PROMPT = re.compile(
    r"(?:psql|mysql|mariadb|mongo|mongosh|redis-cli|sqlite3|sqlcmd)(?: -[UhpPdDSuHTa] ?\S+| --\w+=\S+)*(?: \w+)?$"
    r"|(?:bash|sh|python3?|node|irb|less|more)$|less \S|mysql_secure_installation"
    r"|\S*manage\.py (?:shell|createsuperuser)(?!.*--noinput)"
)
_EXEC_TTY = re.compile(r"(?:docker|podman|kubectl|oc) exec (?:\S+ )*?-(?:\w*t\w*|-tty)\b")


def look(sheet: Sheet) -> Iterator[Finding]:
    redirected = set()
    for call in calls_in(sheet):
        text = call.said.command.text
        pipes = re.search(
            r"[^-]>\s*(?!/dev/null|&)\S|<\s*[\w./$]|\S\s*\|\s*(?:sudo )?(?:docker|psql|mysql)", text
        )
        if (
            call.verb == "exec"
            and pipes
            and not {"-T", "--no-TTY", "--no-tty"} & set(_options(call.said))
        ):
            redirected.add(call.said.line)
            yield warning(
                call.said.line,
                f"{quoted(text)}: `exec` without `-T` takes a terminal; redirected it fails or changes what it writes",
                "write `exec -T`",
            )
    for said in sheet.commands:
        why = _why(said)
        if why and said.line not in redirected:
            yield info(said.line, f"{quoted(said.command.text)}: {why}", _fix(why))


def _options(said: Said) -> list[str]:
    return [word for words in said.command.parts for word in words if word.startswith("-")]


def _why(said: Said) -> str:
    for words in said.command.parts:
        bare = " ".join(words)
        if _EDITOR.match(bare):
            return "opens an editor"
        if _LOGIN.match(bare):
            return "logs in and waits for a person"
        if _PROMPT.match(bare) and len(said.command.parts) == 1 and "<" not in bare:
            return "waits at a prompt"
        if _EXEC_TTY.match(bare):
            return "`-t` wants a terminal"
    return ""


def _fix(why: str) -> str:
    if "-t" in why:
        return "leave out `-t` where a machine is to run it"
    return (
        "say what is to be changed or seen, so that it can be done and checked without a terminal"
    )
