"""An environment file is there, belongs to whom it should, is hidden from others, and every reader
understands it alike.

    - id: env-file-ready
      check: env_file
      with:
        path: /srv/app/.env.prod
        owner: deploy
        mode: "0600"
        compose: true

Red for a missing file, a symbolic link, another owner, group or mode, any right for others, and for
whatever is not one canonical form: byte order mark, CRLF, UTF-16, no final line end, a key twice,
blanks around `=`, `export`, a line that is no `KEY=value`, a value that compose would change (`$`,
` #`, quotes, backslash; single quotes around the whole value are fine). Complaints name line and
key, never a value. With `compose: true` every value is also handed through the compose installed on
the host (`command`, found out when empty) and must come back as it was.
"""

from __future__ import annotations

import json
import posixpath
import shlex
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from verifier.checks._compose import Stack, compose_words
from verifier.checks._dotenv import EnvFile, parse_env
from verifier.checks.base import Check, Host, Mismatch
from verifier.document import parse_yaml
from verifier.errors import CannotObserve, DocumentError

_OTHERS = 0o007
_REFUSED = "the installed compose refuses the file"


@dataclass(frozen=True)
class Params:
    path: str
    owner: str = ""
    group: str = ""
    mode: Annotated[str, Field(pattern="^0[0-7]{3}$")] = "0600"
    compose: bool = False
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seen:
    """`kind` is empty when nothing is there; `unread` says why a file that is there could not be
    read.
    """

    kind: str
    owner: str = ""
    group: str = ""
    mode: str = ""
    keys: int = 0
    unread: str = ""
    complaints: tuple[str, ...] = ()


def observe(host: Host, want: Params) -> Seen:
    answer = host.run("LC_ALL=C stat -c %s -- %s", "%F|%U|%G|%a", want.path)
    if answer.rc != 0 and "No such file" in answer.stderr:
        return Seen("")
    kind, _, rest = answer.stdout.strip().partition("|")
    if answer.rc != 0 or not rest:
        raise CannotObserve(f"{want.path}: {answer.stderr.strip() or 'stat said nothing'}")
    owner, group, mode = rest.split("|")
    content = host.run("cat -- %s", want.path)
    if content.rc != 0:
        return Seen(kind, owner, group, mode, unread=content.stderr.strip())
    env = parse_env(content.stdout)
    changed = _changed_by_compose(host, want, env) if want.compose and env.entries else ()
    complaints = (*env.complaints, *changed)
    return Seen(kind, owner, group, mode, len(env.values), complaints=complaints)


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if not seen.kind:
        return [Mismatch(want.path, "an environment file", "nothing there")]
    found = []
    if not seen.kind.startswith("regular"):
        found.append(Mismatch(want.path, "a regular file", f"a {seen.kind}"))
    for what, wanted, saw in (
        ("owner", want.owner, seen.owner),
        ("group", want.group, seen.group),
        ("mode", want.mode, f"{int(seen.mode, 8):04o}"),
    ):
        if wanted and wanted != saw:
            found.append(Mismatch(f"{what} of {want.path}", wanted, saw))
    if int(seen.mode, 8) & _OTHERS:
        found.append(Mismatch(want.path, "no right for others", f"mode {seen.mode}"))
    if seen.unread:
        return [*found, Mismatch(want.path, "readable by the deploying user", seen.unread)]
    if not seen.keys:
        found.append(Mismatch(want.path, "at least one KEY=value line", "none"))
    return [*found, *(Mismatch(want.path, "one canonical form", c) for c in seen.complaints)]


def _impossible(want: Params) -> Params:
    return replace(want, owner="verifier-no-such-thing")


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _changed_by_compose(host: Host, want: Params, env: EnvFile) -> tuple[str, ...]:
    probe = {"image": "probe", "environment": {key: f"${{{key}}}" for key in env.values}}
    directory, name = posixpath.split(want.path)
    words = compose_words(host, Stack("verifier-probe", directory, (), name, want.command))
    # A clean environment: a variable of the shell would win over the file.
    answer = host.run(
        f"printf '%s' {shlex.quote(json.dumps({'services': {'probe': probe}}))}"
        f' | env -i PATH="$PATH" HOME="$HOME" {shlex.join((*words, "-f", "-", "config"))}'
    )
    if answer.rc != 0:
        return (_REFUSED,)  # its own words would show the line
    try:
        config = parse_yaml(answer.stdout, where="compose config")
        read = config["services"]["probe"]["environment"]  # type: ignore[index]  # see except
    except (DocumentError, KeyError, TypeError) as error:
        raise CannotObserve("what compose makes of the file cannot be read") from error
    return tuple(
        f"line {entry.line}: {entry.key}: the installed compose changes the value"
        for entry in env.entries
        if env.values[entry.key] == entry.value
        and str(read.get(entry.key, "")).replace("$$", "$") != entry.value
    )
