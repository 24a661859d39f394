"""Every key that is asked for has a real value in the environment file.

    - id: env-complete
      check: env_complete
      with:
        path: /srv/app/.env
        keys: [DB_HOST, DB_NAME, DB_USER, DB_PASSWORD]

Asked for are the `keys` (in `path`, or without one in every real file), and those of an `example`
file (a path on the host) or of every example file found below `tree` (`.env.example`,
`env.example`, `.env.prod.example`, also `sample` and `template`; each needs a real file: the one
`real` names for it (paths in the tree), else `path` if given, else the same name without the last
word). Red when the real file or a key is missing, a value is empty (unless in `optional`) or plainly
a placeholder, or a secret is still the example's. A tree without an example file is no answer.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field, replace

from verifier.checks._dotenv import EnvFile, parse_env, read_env
from verifier.checks._secret import is_secret
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve, UsageError

_EXAMPLE = re.compile(r"^(\.?env(?:\.[A-Za-z0-9_-]+)*?|.+\.env)[.-](example|sample|template|dist)$")
_FIND = (
    "find %s \\( -name node_modules -o -name .git \\) -prune -o -type f"
    " \\( -name '*env*example' -o -name '*env*sample' -o -name '*env*template'"
    " -o -name '*env*dist' \\) -print"
)
_UNFILLED = re.compile(
    r"(change|replace)[-_ ]?(me|this|it)|placeholder|^example[-_]|^your[-_ ]|^<.*>$|^\$\{"
    r"|^(x{3,}|\*{3,}|\.{3})$"
    r"|^(todo|fixme|tbd|none|null|undefined|dummy|sample)$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Params:
    path: str = ""
    keys: tuple[str, ...] = ()
    example: str = ""
    tree: str = ""
    real: dict[str, str] = field(default_factory=dict)
    optional: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (self.keys or self.example or self.tree):
            raise UsageError("one of 'keys', 'example' and 'tree' must be given")
        if not (self.path or self.tree):
            raise UsageError("'path' (the real file) must be given unless 'tree' is")


@dataclass(frozen=True)
class Pair:
    """A real file (`there` or not) and the state of each asked-for key: filled, empty, absent,
    placeholder, example's.
    """

    path: str
    asked_by: str
    there: bool
    keys: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Seen:
    pairs: tuple[Pair, ...]


def observe(host: Host, want: Params) -> Seen:
    pairs = []
    examples, keys = _examples(host, want), dict.fromkeys(want.keys, "")
    if keys:
        real = [want.path] if want.path else dict.fromkeys(examples.values())
        pairs += [_compare(host, path, "the checklist", keys) for path in real]
    for example, path in examples.items():
        pairs.append(_compare(host, path, example, read_env(host, example).values))
    if not pairs:
        raise CannotObserve(f"no example file below {want.tree}")
    return Seen(tuple(pairs))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    found = []
    for pair in seen.pairs:
        if not pair.there:
            found.append(Mismatch(pair.path, f"there, as {pair.asked_by} asks for it", "missing"))
        for key, state in pair.keys if pair.there else ():
            is_right = state == "filled" or (key in want.optional and state in ("empty", "absent"))
            if not is_right:
                what = f"{key} in {pair.path}"
                found.append(Mismatch(what, f"a real value ({pair.asked_by})", state))
    return found


def _impossible(want: Params) -> Params:
    return replace(want, keys=("VERIFIER_NO_SUCH_THING",))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _examples(host: Host, want: Params) -> dict[str, str]:
    found = {want.example: want.path} if want.example else {}
    if not want.tree:
        return found
    listing = sorted(ask(host, _FIND, want.tree).splitlines())
    for example in (path for path in listing if _EXAMPLE.match(posixpath.basename(path))):
        relative = posixpath.relpath(example, want.tree)
        named = want.real.get(relative)
        folder, name = posixpath.split(example)
        same = posixpath.join(folder, _without_last_word(name))
        found[example] = posixpath.join(want.tree, named) if named else want.path or same
    return found


def _without_last_word(name: str) -> str:
    match = _EXAMPLE.match(name)
    real = match[1] if match else name
    return real if real.startswith(".") or not real.startswith("env") else f".{real}"


def _compare(host: Host, path: str, asked_by: str, asked: dict[str, str]) -> Pair:
    answer = host.run("cat -- %s", path)
    if answer.rc != 0 and "No such file" in answer.stderr:
        return Pair(path, asked_by, there=False, keys=())
    if answer.rc != 0:
        raise CannotObserve(f"{path}: {answer.stderr.strip()}")
    env = parse_env(answer.stdout)
    return Pair(
        path, asked_by, there=True, keys=tuple((k, _state(env, k, asked[k])) for k in asked)
    )


def _state(env: EnvFile, key: str, example: str) -> str:
    value = env.values.get(key)
    if not value:
        return "absent" if value is None else "empty"
    if _UNFILLED.search(value):
        return "a placeholder"
    if example and is_secret(key) and value == example:
        return "the example's value"
    return "filled"
