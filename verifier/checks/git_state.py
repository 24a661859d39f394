"""A git working copy is as it should be: clean, on a branch, pushed, tagged, without secrets.

    - id: release-is-committed-and-pushed
      check: git_state
      with: {branch: main, clean: true, pushed: true, tag: "v*"}
      from: controller
    - id: env-file-stays-out-of-git
      check: git_state
      with: {ignored: [.env, .env.prod], untracked: [.env, .env.*, "*.pem"]}
      from: controller

`path` is a folder of the working copy. `clean: true` asks that nothing is changed, staged or new
(what git ignores is not new), anywhere in the working copy. `branch` is the branch checked out.
`pushed: true` asks that every commit of HEAD is in its branch's upstream; with no branch checked out
any remote branch will do. Nothing is fetched: the remote is taken as it was last seen from here.
`tag` is a name or a pattern that a tag of HEAD must match. `ignored` are paths that the ignore rules
of the working copy cover and that git does not track (end a folder with `/`); the user's own ignore
file does not count, for others do not have it. `untracked` are paths or patterns of git that no
tracked file may match, seen from `path`. What was tracked once and is in the history is not looked
for. At least one of them is required. `clean: false` and `pushed: false` ask for the contrary. A
working copy without a commit is red. A folder that is no working copy is no answer, and neither is a
host without git.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from verifier.checks.base import Check, CommandResult, Host, Mismatch
from verifier.errors import CannotObserve

_NO_SUCH_PROGRAM = 127
_SHOWN = 5  # of a list that may be long


@dataclass(frozen=True, slots=True)
class Params:
    path: Annotated[str, Field(min_length=1)] = "."
    clean: bool | None = None
    branch: str = ""
    pushed: bool | None = None
    ignored: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()
    tag: str = ""

    def __post_init__(self) -> None:
        asked = self.branch or self.tag or self.ignored or self.untracked
        if not asked and self.clean is None and self.pushed is None:
            raise ValueError(
                "at least one of clean, branch, pushed, tag, ignored and untracked is required"
            )
        if not all((*self.ignored, *self.untracked)):
            raise ValueError("an empty path in ignored or untracked names nothing")


@dataclass(frozen=True, slots=True)
class Seen:
    """Paths only, no content; `changes` have git's letters before them. `branch` is "" when none is
    checked out; `upstream` is "" when there is none that is known here; `ahead` counts the commits
    of HEAD that it lacks. What was not asked for is left as it is here.
    """

    commit: str
    branch: str = ""
    changes: tuple[str, ...] = ()
    upstream: str = ""
    ahead: int = 0
    tags: tuple[str, ...] = ()
    not_ignored: tuple[str, ...] = ()
    tracked: tuple[str, ...] = ()


def observe(host: Host, want: Params) -> Seen:
    _require_working_copy(host, want.path)
    commit = _git(host, want.path, "rev-parse", "--verify", "--quiet", "HEAD", accept=(0, 1))
    if not commit.strip():
        return Seen("")
    branch = _git(host, want.path, "branch", "--show-current").strip()
    upstream = _upstream(host, want.path, branch) if want.pushed is not None else ""
    return Seen(
        commit.strip()[:12],
        branch,
        _changes(host, want.path) if want.clean is not None else (),
        upstream,
        _ahead(host, want.path, upstream) if upstream else 0,
        _lines(_git(host, want.path, "tag", "--points-at", "HEAD")) if want.tag else (),
        _not_ignored(host, want) if want.ignored else (),
        _names(_git(host, want.path, "ls-files", "-z", "--", *want.untracked))
        if want.untracked
        else (),
    )


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if not seen.commit:
        return [Mismatch(want.path, "a working copy with a commit", "no commit yet")]
    found = []
    if want.clean and seen.changes:
        found.append(Mismatch(want.path, "a clean working copy", _some(seen.changes)))
    if want.clean is False and not seen.changes:
        found.append(Mismatch(want.path, "a change that is not committed", "a clean working copy"))
    if want.branch and seen.branch != want.branch:
        found.append(Mismatch("branch", want.branch, seen.branch or "no branch checked out"))
    if want.tag and not any(fnmatch.fnmatchcase(tag, want.tag) for tag in seen.tags):
        saw = f"{_some(seen.tags) if seen.tags else 'no tag'} on {seen.commit}"
        found.append(Mismatch("tag of HEAD", want.tag, saw))
    if want.pushed is not None:
        found += _judge_pushed(want, seen)
    found += [Mismatch(path, "ignored by git", "not ignored") for path in seen.not_ignored]
    if seen.tracked:
        wanted = f"no file like {', '.join(want.untracked)}"
        found.append(Mismatch("tracked by git", wanted, _some(seen.tracked)))
    return found


def _impossible(want: Params) -> Params:
    if want.untracked:
        return replace(want, untracked=(":/",))  # any file at all
    if want.tag:
        return replace(want, tag="verifier no such tag")
    return replace(want, branch="verifier no such branch")  # git allows no blank in a name


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _judge_pushed(want: Params, seen: Seen) -> list[Mismatch]:
    what = f"HEAD {seen.commit}"
    if want.pushed and not seen.upstream:
        which = f"the upstream of {seen.branch}" if seen.branch else "a remote branch"
        return [Mismatch(what, f"pushed to {which}", "no such branch is known here")]
    if want.pushed and seen.ahead:
        return [
            Mismatch(what, f"pushed to {seen.upstream}", f"{seen.ahead} of its commits not there")
        ]
    if want.pushed is False and seen.upstream and not seen.ahead:
        return [Mismatch(what, "not pushed", f"it in {seen.upstream}")]
    return []


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


# The working copy's own settings must neither start a program of its own nor write to it.
_SETTINGS = (
    *("-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c", "core.untrackedCache=false"),
    *("-c", "core.quotePath=false", "-c", "status.relativePaths=false"),
)


def _run(host: Host, path: str, *words: str) -> CommandResult:
    given = (*_SETTINGS, "-C", path, *words)
    slots = " ".join(["%s"] * len(given))
    return host.run(f"LC_ALL=C GIT_OPTIONAL_LOCKS=0 GIT_TERMINAL_PROMPT=0 git {slots}", *given)


def _git(host: Host, path: str, *words: str, accept: tuple[int, ...] = (0,)) -> str:
    answer = _run(host, path, *words)
    if answer.rc not in accept:
        said = (answer.stderr.strip() or answer.stdout.strip() or "no output").splitlines()[-1]
        raise CannotObserve(f"`git {' '.join(words)[:80]}` ended with {answer.rc}: {said[:300]}")
    return answer.stdout


def _require_working_copy(host: Host, path: str) -> None:
    answer = _run(host, path, "rev-parse", "--is-inside-work-tree")
    if answer.rc == _NO_SUCH_PROGRAM:
        raise CannotObserve("git is not installed")
    if answer.rc != 0 or answer.stdout.strip() != "true":
        said = (answer.stderr.strip() or "a repository without a working copy").splitlines()[-1]
        raise CannotObserve(f"{path} is no git working copy: {said[:300]}")


def _changes(host: Host, path: str) -> tuple[str, ...]:
    given = ("--porcelain=v1", "-z", "--no-renames", "--untracked-files=normal")
    listed = _names(_git(host, path, "status", *given, "--ignore-submodules=none"))
    return tuple(" ".join((entry[:2].strip(), entry[3:])) for entry in listed)


def _upstream(host: Host, path: str, branch: str) -> str:
    if not branch:
        shape = "--format=%(refname:short)"
        listed = _git(host, path, "for-each-ref", "--contains=HEAD", shape, "refs/remotes")
        return (_lines(listed) or ("",))[0]
    shape = "--format=%(upstream) %(upstream:track)"
    name, _, track = _git(host, path, "for-each-ref", shape, f"refs/heads/{branch}").partition(" ")
    return "" if "gone" in track else name.strip().removeprefix("refs/remotes/")


def _ahead(host: Host, path: str, upstream: str) -> int:
    counted = _git(host, path, "rev-list", "--count", f"{upstream}..HEAD", "--").strip()
    if not counted.isdigit():
        raise CannotObserve(f"the commits that {upstream} lacks were not counted")
    return int(counted)


def _not_ignored(host: Host, want: Params) -> tuple[str, ...]:
    settings = ("-c", "core.excludesFile=/dev/null", "check-ignore", "--", *want.ignored)
    covered = set(_lines(_git(host, want.path, *settings, accept=(0, 1))))
    return tuple(path for path in want.ignored if path not in covered)


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name for name in listed.split("\0") if name)


def _lines(listed: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in listed.splitlines() if line.strip())
