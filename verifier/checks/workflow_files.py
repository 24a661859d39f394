"""The workflow files of a repository are valid, and call only what is there.

    - id: workflows-are-valid
      check: workflow_files
      from: controller
      with:
        root: .
        must_run: [pnpm run test, ci/e2e]

Looked at are the files that `files` name (from `root`), of GitHub, Gitea and Forgejo. Red: no such
file; YAML that is not valid or has a key twice; no trigger, no job, a job without steps, a step that
neither runs nor uses anything, a `needs` of a job that is not there; a script that `npm`, `pnpm` or
`yarn` is to run and package.json does not have (with `--filter` or a folder: that package's); a
program or file of the repository that is not there (`ci/e2e`, `./gradlew`, `node tools/x.js`,
`sh x.sh`, a local action); an action or a reusable workflow that is not pinned to a version (`@v4`,
`@1.2.3`, a commit; `pin: commit` takes only commits); tests whose failure does not count, by
`continue-on-error`, `|| true`, `|| :` or `set +e`. Each of `must_run` must occur in a command of some
step: a workflow that tests nothing is no proof.

It reads what is written and runs nothing. Commands that a variable or an expression builds, files
that a build makes (below `dist`, `build`, `out`, `target`, `node_modules`), and whether an action does
what it promises, it cannot see.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field

from verifier.checks._workflow import Call, Problem, Step, calls_in, read_workflow
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.document import from_plain
from verifier.errors import CannotObserve

_GLOBS = (".github/workflows/*", ".gitea/workflows/*", ".forgejo/workflows/*")
_SUFFIXES = (".yml", ".yaml")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_VERSION = re.compile(
    r"(?:[\w.-]+[/@-])?v?\d+(\.\d+)*([.+-][\w.]+)?|[0-9a-f]{40}|sha256:[0-9a-f]{64}"
)


@dataclass(frozen=True, slots=True)
class Params:
    root: Annotated[str, Field(min_length=1)] = "."
    files: tuple[Annotated[str, Field(min_length=1)], ...] = _GLOBS
    must_run: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    pin: Literal["version", "commit"] = "version"

    def __post_init__(self) -> None:
        if not self.files:
            raise ValueError("files leaves nothing to look at")


@dataclass(frozen=True, slots=True)
class Use:
    """An action, a reusable workflow or an image that a step or a job names."""

    file: str
    place: str
    uses: str


@dataclass(frozen=True, slots=True)
class Seen:
    """`problems` are those of the files by themselves; `missing` what they call and is not there.
    `commands` are all that steps run, for `must_run`.
    """

    files: tuple[str, ...]
    problems: tuple[Problem, ...] = ()
    missing: tuple[Problem, ...] = ()
    used: tuple[Use, ...] = ()
    commands: tuple[str, ...] = ()


def observe(host: Host, want: Params) -> Seen:
    texts = _read(host, want)
    files = [read_workflow(name, text) for name, text in sorted(texts.items())]
    calls = [call for file in files for step in file.steps for call in calls_in(step)]
    return Seen(
        tuple(texts),
        tuple(problem for file in files for problem in file.problems),
        tuple(_missing(host, want, calls)),
        tuple(
            Use(file.name, step.place, step.uses)
            for file in files
            for step in file.steps
            if step.uses
        ),
        tuple(command for file in files for step in file.steps for command in _lines(step)),
    )


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if not seen.files:
        return [Mismatch(f"workflows in {want.root}", " or ".join(want.files), "no such file")]
    found = [Mismatch(f"{p.file} {p.place}".strip(), p.wanted, p.saw) for p in seen.problems]
    found += [Mismatch(f"{p.file} {p.place}", p.wanted, p.saw) for p in seen.missing]
    for use in seen.used:
        if why := _unpinned(use.uses, want.pin):
            found.append(Mismatch(f"{use.file} {use.place}", why, use.uses))
    return found + [
        Mismatch(f"workflows in {want.root}", f"a step that runs `{wanted}`", "none does")
        for wanted in want.must_run
        if not any(wanted in command for command in seen.commands)
    ]


def _impossible(want: Params) -> Params:
    return replace(want, must_run=("verifier-no-such-command",))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _lines(step: Step) -> Iterator[str]:
    yield from (" ".join(line.split()) for line in step.run.splitlines())


def _unpinned(uses: str, pin: str) -> str:
    """What is wanted instead; "" when it is pinned, or needs no pin."""
    if uses.startswith("./"):
        return ""
    image = uses.startswith("docker://")
    _, found, version = uses.rpartition("@" if "@" in uses or not image else ":")
    wanted = _COMMIT if pin == "commit" and not image else _VERSION
    if found and wanted.fullmatch(version):
        return ""
    return "pinned to a commit" if pin == "commit" else "pinned to a version"


_FILES = """
import glob, json, os, sys

root, patterns, suffixes, most = json.loads(sys.argv[1])
found = {}
try:
    os.chdir(root)
    for pattern in patterns:
        for name in sorted(glob.glob(pattern)):
            if name.endswith(tuple(suffixes)) and os.path.isfile(name):
                with open(name, encoding="utf-8-sig") as file:
                    found[name] = file.read(most)
    print(json.dumps(found))
except (OSError, UnicodeDecodeError) as error:
    sys.exit(str(error))
"""


def _read(host: Host, want: Params) -> dict[str, str]:
    told = json.dumps([want.root, want.files, _SUFFIXES, 500_000])
    return from_plain(dict[str, str], _answer(host, _FILES, told))


# What is called: whether each file is there, and which scripts each package.json has.
_THERE = """
import glob, json, os, sys

root, files, folders = json.loads(sys.argv[1])
try:
    os.chdir(root)
    packages = {}
    for name in {os.path.join(f, "package.json") for f in folders} | set(glob.glob("*/package.json")) | set(
        glob.glob("*/*/package.json")
    ):
        if os.path.isfile(name) and "node_modules" not in name:
            with open(name, encoding="utf-8") as file:
                whole = json.load(file)
            scripts = sorted(whole.get("scripts") or {})
            packages[os.path.normpath(os.path.dirname(name) or ".")] = [str(whole.get("name", "")), scripts]
    print(json.dumps({"there": {f: os.path.exists(f) for f in files}, "packages": packages}))
except (OSError, ValueError, AttributeError) as error:
    sys.exit(str(error))
"""


Package = tuple[str, tuple[str, ...]]  # its name and its scripts


@dataclass(frozen=True, slots=True)
class _There:
    there: Mapping[str, bool]
    packages: Mapping[str, Package]


def _missing(host: Host, want: Params, calls: list[Call]) -> Iterator[Problem]:
    files = sorted({call.path for call in calls if call.path})
    folders = sorted({call.folder for call in calls if call.script} | {"."})
    told = json.dumps([want.root, files, folders])
    said = from_plain(_There, _answer(host, _THERE, told))
    for call in calls:
        if call.path and not said.there.get(call.path):
            yield Problem(call.file, call.place, f"the file {call.path}", "no such file")
        elif call.script:
            yield from _missing_script(call, said.packages)


def _missing_script(call: Call, packages: Mapping[str, Package]) -> Iterator[Problem]:
    if call.package:
        fitting = [one for folder, one in packages.items() if call.package in (one[0], folder)]
        whose = f"of package {call.package}"
    else:
        folder = posixpath.normpath(call.folder)
        fitting = [packages[folder]] if folder in packages else []
        whose = f"in {posixpath.normpath(posixpath.join(folder, 'package.json'))}"
    if not any(call.script in scripts for _, scripts in fitting):
        saw = "no such script" if fitting else "no such package.json"
        yield Problem(call.file, call.place, f"the script '{call.script}' {whose}", saw)


def _answer(host: Host, program: str, told: str) -> object:
    try:
        found: object = json.loads(ask(host, "python3 -I -c %s %s", program, told))
    except ValueError as error:
        raise CannotObserve("the program on the host printed something else") from error
    return found
