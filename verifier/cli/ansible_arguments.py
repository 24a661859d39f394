"""What a person gives Ansible after `--`: refused where it would make Ansible do something else than
what was planned and is verified, and its extra variables read, so that the plan knows them, too.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from verifier.document import parse_yaml, read_text
from verifier.errors import UsageError

_OWN = {
    "-i": "--inventory",
    "--inventory": "--inventory",
    "--inventory-file": "--inventory",
    "-l": "--limit",
    "--limit": "--limit",
    "-t": "--tags",
    "--tags": "--tags",
    "--skip-tags": "--tags",
    "-C": "--check",
    "--check": "--check",
    "-f": "--forks",
    "--forks": "--forks",
    "--vault-password-file": "--vault-password-file",
}
# They ask on a terminal that is not there, or do something else than running the playbook from its beginning.
_NEVER = frozenset(
    {
        "-K", "--ask-become-pass", "-k", "--ask-pass", "-J", "--ask-vault-pass", "--ask-vault-password",
        "--step", "--start-at-task", "--syntax-check", "--list-hosts", "--list-tasks", "--list-tags",
    }
)  # fmt: skip
_RELEASE = ("release_id", "release_dir")


def read_extra_vars(arguments: Sequence[str]) -> dict[str, object]:
    """The extra variables among `arguments`. UsageError for what verifier has an option of its own
    for, and for what would need a terminal.
    """
    found: dict[str, object] = {}
    for text in _extra_vars(arguments):
        found |= _values(text)
    for name in _RELEASE:
        if name in found:
            raise UsageError(f"'{name}' after `--` is not what was planned", do="use --release")
    return found


def _extra_vars(arguments: Sequence[str]) -> Iterator[str]:
    words = iter(arguments)
    for word in words:
        option, _, value = word.partition("=")
        # `-lweb` and `-e x=1` as getopt reads them: one letter, its value behind it.
        if word[:1] == "-" and word[1:2] != "-":
            option, value = word[:2], word[2:]
        if option in _OWN:
            raise UsageError(
                f"'{option}' after `--` is not what was planned",
                do=f"use verifier's own {_OWN[option]}",
            )
        if option in _NEVER:
            raise UsageError(f"'{option}' after `--` cannot work here", do="leave it out")
        if option in ("-e", "--extra-vars"):
            yield value or next(words, "")


def _values(text: str) -> dict[str, object]:
    if text.startswith("@"):
        data = parse_yaml(read_text(Path(text[1:])), where=text[1:])
    elif text.startswith(("{", "[")):
        data = parse_yaml(text, where="--extra-vars")
    else:
        pairs = [word.partition("=") for word in shlex.split(text)]
        data = {name: value for name, sign, value in pairs if sign}
    if not isinstance(data, dict):
        raise UsageError("--extra-vars is no mapping", do="give key=value, JSON, or @file")
    return {str(name): value for name, value in data.items()}
