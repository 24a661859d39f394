"""ComposeCall: one call of `docker compose` (or of its first version, `docker-compose`) as a
document writes it: which files, which environment file, which verb, which services.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from verifier.lint.sheet import Said, Sheet

OF_SERVICES = frozenset(
    ("up", "start", "stop", "restart", "logs", "pull", "build", "ps", "rm", "kill", "create", "top")
)
IN_A_SERVICE = frozenset(("exec", "run"))
_WITH_VALUE = frozenset(
    (
        *("-f", "--file", "-p", "--project-name", "--env-file", "--profile", "--project-directory"),
        *("--parallel", "--ansi", "--progress", "--context", "-c", "-H", "--host", "--log-level"),
    )
)
_VALUE_OF_VERB = {
    "up": (
        "--scale",
        "-t",
        "--timeout",
        "--pull",
        "--wait-timeout",
        "--exit-code-from",
        "--attach",
    ),
    "logs": ("--tail", "-n", "--since", "--until", "--index"),
    "build": ("--build-arg", "-m", "--memory", "--progress", "--ssh", "--builder"),
    "ps": ("--filter", "--format", "--status"),
    "stop": ("-t", "--timeout"),
    "restart": ("-t", "--timeout"),
    "kill": ("-s", "--signal"),
    "pull": ("--policy",),
    "exec": ("-e", "--env", "-u", "--user", "-w", "--workdir", "--index"),
    "run": (
        *("-e", "--env", "-u", "--user", "-w", "--workdir", "-v", "--volume", "-p", "--publish"),
        *("--name", "--entrypoint", "-l", "--label", "--env-file"),
    ),
}
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(?:[:@/][\w./@:-]+)?")


@dataclass(frozen=True, slots=True)
class ComposeCall:
    """`files` and `env_files` as written; `arguments` are the words after the verb, `services` those
    of them that stand for services.
    """

    said: Said
    first_version: bool
    files: tuple[str, ...]
    env_files: tuple[str, ...]
    verb: str
    arguments: tuple[str, ...]
    services: tuple[str, ...]


def calls_in(sheet: Sheet) -> Iterator[ComposeCall]:
    """Every call of compose in the document, in order."""
    for said in sheet.commands:
        for words in said.command.parts:
            call = _read_call(said, words)
            if call:
                yield call


def chooses_files_elsewhere(sheet: Sheet) -> bool:
    """Whether COMPOSE_FILE says which files count, in the document or in the project's `.env`."""
    if any(re.search(r"\bCOMPOSE_FILE\b", row) for row in sheet.rows):
        return True
    env = sheet.project.text(".env") if sheet.project else ""
    return bool(re.search(r"^\s*COMPOSE_FILE\s*=", env, re.MULTILINE))


def _read_call(said: Said, words: tuple[str, ...]) -> ComposeCall | None:
    if words[:1] in (("docker-compose",), ("docker-compose.exe",)):
        rest = list(words[1:])
    elif words[:2] == ("docker", "compose"):
        rest = list(words[2:])
    else:
        return None
    files: list[str] = []
    env_files: list[str] = []
    while rest and rest[0].startswith("-"):
        option, _, value = rest.pop(0).partition("=")
        if not value and option in _WITH_VALUE and rest:
            value = rest.pop(0)
        if option in ("-f", "--file"):
            files.append(value)
        elif option == "--env-file":
            env_files.append(value)
    verb = rest.pop(0) if rest else ""
    arguments = tuple(_without_redirections(rest))
    return ComposeCall(
        said=said,
        first_version=words[0].startswith("docker-compose"),
        files=tuple(_plain(f) for f in files),
        env_files=tuple(_plain(f) for f in env_files),
        verb=verb,
        arguments=arguments,
        services=tuple(_services(verb, list(arguments))),
    )


def _plain(path: str) -> str:
    return path.removeprefix("./")


def _without_redirections(words: list[str]) -> Iterator[str]:
    for word in words:
        if re.match(r"(?:\d?>{1,2}|<|&$|&>|\d>&\d)", word):
            return
        yield word


def _services(verb: str, words: list[str]) -> Iterator[str]:
    if verb not in OF_SERVICES | IN_A_SERVICE:
        return
    with_value = _VALUE_OF_VERB.get(verb, ())
    while words:
        word = words.pop(0)
        if word.startswith("-"):
            if word in with_value and words:
                words.pop(0)
            continue
        if _NAME.fullmatch(word) and word.isascii():
            yield word
        if verb in IN_A_SERVICE:
            return
