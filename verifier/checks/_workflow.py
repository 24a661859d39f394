"""A workflow file as GitHub, Gitea and Forgejo read it, in the parts that `workflow_files` asks about:
its steps, what their commands call, and what is wrong with it by itself. Facts from a text only; it
touches no host.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from verifier.document import parse_yaml
from verifier.errors import DocumentError

_MADE = {"dist", "build", "out", "target", "node_modules", "coverage"}
_RUNNERS = {"node", "sh", "bash", "dash", "python", "python3", "ruby", "tsx", "ts-node", "deno"}
_MANAGERS = {"npm", "pnpm", "yarn"}
_TESTS = re.compile(
    r"(?i)(?<![a-z])(tests?|e2e|specs?|pytest|vitest|jest|mocha|playwright|cypress|tox)(?![a-z])"
)
_FORGIVEN = re.compile(
    r"\|\|\s*(true|:|exit 0)(?=$|[\s;)&])|^\s*set \+e\b|;\s*true\s*$", re.MULTILINE
)
_PLACE_IN_ROOT = re.compile(r"[\w.][\w./-]*/[\w.-]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """`place` is a job and a step in words, "" for the whole file."""

    file: str
    place: str
    wanted: str
    saw: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    file: str
    place: str
    run: str = ""
    uses: str = ""
    folder: str = "."


@dataclass(frozen=True, slots=True)
class File:
    name: str
    steps: tuple[Step, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """What a command calls of its repository: a `path`, or the `script` of a package: of that named
    `package`, or of the one in `folder`.
    """

    file: str
    place: str
    path: str = ""
    script: str = ""
    package: str = ""
    folder: str = "."


def read_workflow(name: str, text: str) -> File:
    """The steps of a file, and all that is wrong with it by itself."""
    try:
        whole = parse_yaml(text, where=name)
    except DocumentError as error:
        return File(name, problems=(Problem(name, "", "valid YAML", str(error)),))
    reader = _Reader(name)
    if isinstance(whole, Mapping):
        reader.read(whole)
    else:
        reader.miss("", "a mapping with on and jobs", "something else")
    return File(name, tuple(reader.steps), tuple(reader.problems))


def calls_in(step: Step) -> Iterator[Call]:
    """What each command of a step calls, and the local action it uses."""
    if step.uses.startswith("./"):
        yield Call(step.file, step.place, path=posixpath.normpath(step.uses))
    for words in _commands(step.run):
        manager = posixpath.basename(words[0])
        if manager in _MANAGERS:
            yield from _script(step, manager, words[1:])
        else:
            yield from _path(step, words)


@dataclass
class _Reader:
    """Goes through one file and notes steps and problems."""

    name: str
    steps: list[Step] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def miss(self, place: str, wanted: str, saw: str) -> None:
        self.problems.append(Problem(self.name, place, wanted, saw))

    def read(self, whole: Mapping[object, object]) -> None:
        # YAML 1.1 takes the word `on` for true.
        if not (whole.get("on") or whole.get(True)):
            self.miss("", "on: what starts it", "nothing")
        jobs = whole.get("jobs")
        if not isinstance(jobs, Mapping) or not jobs:
            self.miss("", "jobs", "none")
            return
        folder = _folder(whole, ".")
        for name, job in jobs.items():
            place = f"job {name}"
            if not isinstance(job, Mapping):
                self.miss(place, "a mapping with steps", "something else")
                continue
            for needed in _texts(job.get("needs")):
                if needed not in jobs:
                    self.miss(place, f"the job '{needed}' that it needs", "no such job")
            self._job(place, job, _folder(job, folder))

    def _job(self, place: str, job: Mapping[object, object], folder: str) -> None:
        if isinstance(job.get("uses"), str):
            self.steps.append(Step(self.name, place, uses=str(job["uses"])))
            return
        if not job.get("runs-on"):
            self.miss(place, "runs-on: a machine to run it", "nothing")
        steps = job.get("steps")
        if not isinstance(steps, list) or not steps:
            self.miss(place, "steps", "none")
            return
        for number, step in enumerate(steps, 1):
            at = f"{place}, step {number}"
            if isinstance(step, Mapping):
                self._step(at, step, folder, forgiving=_forgives(job))
            else:
                self.miss(at, "run or uses", "something else")

    def _step(
        self, place: str, step: Mapping[object, object], folder: str, *, forgiving: bool
    ) -> None:
        run, uses = step.get("run"), step.get("uses")
        if isinstance(run, str) == isinstance(uses, str):
            self.miss(place, "run or uses", "both" if isinstance(run, str) else "neither")
            return
        if isinstance(uses, str):
            self.steps.append(Step(self.name, place, uses=uses))
            return
        text = str(run)
        if not text.strip():
            self.miss(place, "a command", "an empty run")
        self.steps.append(
            Step(self.name, place, run=text, folder=str(step.get("working-directory") or folder))
        )
        if _TESTS.search(f"{text} {step.get('name', '')}"):
            self._forgiven(place, text, forgiving=forgiving or _forgives(step))

    def _forgiven(self, place: str, text: str, *, forgiving: bool) -> None:
        wanted = "tests whose failure counts"
        if forgiving:
            self.miss(place, wanted, "continue-on-error")
        if match := _FORGIVEN.search(text):
            self.miss(place, wanted, match[0].strip())


def _forgives(part: Mapping[object, object]) -> bool:
    # An expression may be true, and nobody can tell from here.
    return part.get("continue-on-error") not in (None, False, "false")


def _folder(part: Mapping[object, object], otherwise: str) -> str:
    defaults = part.get("defaults")
    run = defaults.get("run") if isinstance(defaults, Mapping) else None
    found = run.get("working-directory") if isinstance(run, Mapping) else None
    return str(found or otherwise)


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _commands(run: str) -> Iterator[list[str]]:
    """Each simple command as words; those that the shell or an expression builds are left out."""
    text = re.sub(r"\\\n", " ", run)
    for part in re.split(r"\n|&&|\|\||[;|]", text):
        try:
            words = shlex.split(part, comments=True)
        except ValueError:
            continue
        words = _without_prefix(words)
        if words and "$" not in words[0]:
            yield words


def _without_prefix(words: list[str]) -> list[str]:
    while words:
        if re.fullmatch(r"\w+=.*", words[0]) or words[0] in (
            "exec",
            "time",
            "env",
            "!",
            "then",
            "do",
        ):
            words = words[1:]
        elif words[0] == "sudo":
            words = words[1:]
            while words and words[0].startswith("-"):
                words = words[1:]
        else:
            break
    return words


def _script(step: Step, manager: str, words: list[str]) -> Iterator[Call]:
    folder, package = step.folder, ""
    while words and words[0].startswith("-"):
        option, _, value = words[0].partition("=")
        words = words[1:]
        if option in ("--filter", "-F", "-C", "--dir", "--prefix", "--cwd", "-w", "--workspace"):
            if not value and words:
                value, words = words[0], words[1:]
            if option in ("--filter", "-F", "-w", "--workspace"):
                package = value.removeprefix("./")
            else:
                folder = posixpath.join(step.folder, value)
        elif option in ("-r", "--recursive", "--workspaces"):
            return  # in each package that has it
    if not words:
        return
    script = words[0]
    if script in ("run", "run-script"):
        script = next((word for word in words[1:] if not word.startswith("-")), "")
    elif script not in ("test", "start") or (manager == "yarn" and script == "start"):
        return
    if script and "$" not in f"{script}{package}{folder}" and "*" not in package:
        yield Call(step.file, step.place, script=script, package=package, folder=folder)


def _path(step: Step, words: list[str]) -> Iterator[Call]:
    program = words[0]
    if program in _RUNNERS:
        program = next((word for word in words[1:] if not word.startswith("-")), "")
        if any(word in ("-c", "-e", "-m", "-p", "run", "--eval", "--print") for word in words[1:3]):
            return
    elif not _PLACE_IN_ROOT.fullmatch(program):
        return
    if not program or program.startswith(("/", "~", "-")) or "$" in program:
        return
    path = posixpath.normpath(posixpath.join(step.folder, program))
    if not path.startswith("..") and not _MADE.intersection(path.split("/")):
        yield Call(step.file, step.place, path=path)
