"""No secret stands in a source tree, or in its git history.

    - id: no-secret-in-the-code
      check: secret_scan
      from: controller
      with:
        history: true
        skip: [docs/generated/]
        allow:
          - {what: "tests/test_login.py:12", why: A made-up key that opens nothing.}

In a git working copy all files are looked at that git tracks or would track, from `path` down; what
git ignores is no source. Elsewhere it is every file below `path`: skip the environment file a
release is meant to have. `history: true` looks at each line that a commit of any branch or tag
added, too, up to `max_commits`; a history that is longer, or cut off (a shallow clone), is no answer.

Looked for are private keys, key stores (`.p12`, `.jks`, ...), the tokens of AWS, GitHub, GitLab,
Slack, Stripe, Google, npm, PyPI, SendGrid and OpenAI, JSON web tokens, passwords in a URL, and a
random-looking literal value under a name such as `api_key`; in `.env` files any literal value under
such a name. Placeholders and examples, references to variables and calls are none. A word that
anybody could choose, under a name that does not tell, is not found. `patterns` are further shapes of
your own, each a regular expression under the name of its rule: a match is no placeholder then.

`skip` are patterns, besides these: lock files (`*.lock`, `package-lock.json`, `pnpm-lock.yaml`,
`go.sum`, ...), minified and generated files (`*.min.js`, `*.min.css`, `*.map`, `*.svg`, `*.ipynb`,
`*.snap`), folders of other people's code (`node_modules/`, `.venv/`, `venv/`, `site-packages/`,
`vendor/`), caches, and test fixtures (`fixtures/`, `testdata/`, `cassettes/`, `__snapshots__/`, ...).
A pattern without `/` matches a file's name, `name/` a folder anywhere, any other the path from `path`.

`allow` accepts a finding by its place, `file:line`, or by its fingerprint, which stays the same when
lines move; each with the reason. A fingerprint is of the place and the line without the secret: a
new secret in the same line is accepted, too. One that accepts nothing any more is red. A finding
names the rule, the file and the line, never the secret. A tree without a text file, a file that cannot
be read or is larger than 5 MiB, and a host without Python 3 (in a working copy: or git) are no answer,
unless a secret was found all the same. Binary files, links and submodules are not looked into.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated

from pydantic import Field

from verifier.checks._pattern import refuse_bad_patterns
from verifier.checks._secret_scan import PROGRAM, wanted
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_SHOWN = 25  # findings told one by one


@dataclass(frozen=True, slots=True)
class Accepted:
    """`what` is `file:line` or a fingerprint."""

    what: Annotated[str, Field(pattern=r"^([0-9a-f]{16}|[^:]+:[1-9][0-9]*)$")]
    why: Annotated[str, Field(pattern=r"\S")]


@dataclass(frozen=True, slots=True)
class Params:
    path: Annotated[str, Field(min_length=1)] = "."
    history: bool = False
    max_commits: Annotated[int, Field(ge=1, le=100_000)] = 2000
    skip: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    allow: tuple[Accepted, ...] = ()
    patterns: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if everything := [glob for glob in self.skip if not glob.strip("*/?.")]:
            raise ValueError(f"skip: '{everything[0]}' leaves nothing to look at")
        refuse_bad_patterns("patterns", self.patterns.values())


@dataclass(frozen=True, slots=True)
class Finding:
    """A place, never a secret. `commit` is "" for what stands in the tree now."""

    rule: str
    file: str
    line: int
    commit: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Seen:
    """How much was looked at, and what was found there; `more` findings are not listed."""

    files: int
    skipped: int
    binary: int
    commits: int
    found: tuple[Finding, ...]
    more: int = 0


def observe(host: Host, want: Params) -> Seen:
    told = wanted(
        want.path,
        want.skip,
        want.patterns,
        history=want.history,
        max_commits=want.max_commits,
    )
    try:
        said = json.loads(ask(host, "python3 -c %s %s", PROGRAM, told))
        found = tuple(Finding(*one) for one in said["found"])
        seen = Seen(
            said["files"], said["skipped"], said["binary"], said["commits"], found, said["more"]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CannotObserve("the answer of the scan is not understood") from error
    if said["tree"] and not said["git"]:
        raise CannotObserve(f"{want.path} is a git working copy, and git is not installed")
    if want.history and not said["tree"]:
        raise CannotObserve(f"{want.path} is no git working copy: it has no history")
    if not _unaccepted(want, seen):
        _refuse_what_was_not_seen(want, seen, said)
    return seen


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    left = _unaccepted(want, seen)
    found = [
        Mismatch(_place(one), "no secret", f"{one.rule} (fingerprint {one.fingerprint})")
        for one in left[:_SHOWN]
    ]
    if (more := len(left) - len(left[:_SHOWN]) + seen.more) > 0:
        found.append(Mismatch(want.path, "no secret", f"{more} more of them"))
    known = {mark for one in seen.found for mark in _marks(one)}
    return found + [
        Mismatch(f"allow {one.what}", "a finding that it accepts", "none there any more")
        for one in want.allow
        if one.what not in known and not seen.more
    ]


def _impossible(want: Params) -> Params:
    return replace(want, patterns={**want.patterns, "any-text": ".+"})


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _unaccepted(want: Params, seen: Seen) -> list[Finding]:
    accepted = {one.what for one in want.allow}
    return [one for one in seen.found if not accepted & set(_marks(one))]


def _marks(one: Finding) -> tuple[str, ...]:
    # A line number of an old commit is no place anybody could look at.
    return (one.fingerprint,) if one.commit else (one.fingerprint, f"{one.file}:{one.line}")


def _refuse_what_was_not_seen(want: Params, seen: Seen, said: dict[str, object]) -> None:
    if unread := said.get("unread"):
        names = ", ".join(map(str, unread[:5])) if isinstance(unread, list) else str(unread)
        raise CannotObserve(f"cannot be read, or larger than 5 MiB: {names}")
    if not seen.files:
        raise CannotObserve(
            f"{want.path} has no text file to look at ({seen.skipped} skipped, {seen.binary} binary)"
        )
    if said.get("shallow") and want.history:
        raise CannotObserve("the history is cut off here (a shallow clone)")
    if want.history and not seen.commits:
        raise CannotObserve("the history has no commit")
    if beyond := said.get("beyond"):
        raise CannotObserve(
            f"{beyond} commits are older than the {want.max_commits} looked at: raise max_commits"
        )


def _place(one: Finding) -> str:
    return f"{one.file}:{one.line}" + (f" of commit {one.commit}" if one.commit else "")
