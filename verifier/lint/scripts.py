"""The scripts that a project's commands run: of `package.json` files, of Makefiles, of the shell.
Knows where each stands, and whether it can fail at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from verifier.lint.project import Project

_BUILTIN = frozenset(
    (
        *(
            "install",
            "i",
            "ci",
            "add",
            "remove",
            "audit",
            "outdated",
            "init",
            "publish",
            "pack",
            "dlx",
        ),
        *(
            "exec",
            "ls",
            "list",
            "why",
            "update",
            "up",
            "upgrade",
            "prune",
            "store",
            "config",
            "cache",
        ),
        *(
            "version",
            "view",
            "info",
            "login",
            "logout",
            "link",
            "dedupe",
            "rebuild",
            "fund",
            "create",
        ),
        *(
            "global",
            "set",
            "env",
            "import",
            "deploy",
            "patch",
            "licenses",
            "fetch",
            "x",
            "pm",
            "help",
        ),
    )
)
# Without `run`, these words can only mean a script; another may be a program of a dependency.
_SURELY_SCRIPTS = frozenset(
    ("build", "test", "start", "dev", "lint", "preview", "serve", "typecheck")
)
_SILENT = re.compile(r"(?:echo|printf|true|:|exit 0)(?:\s|$)|exit$")
_DEPTH = 5


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """One call of a package script: `where` it says to look (a folder, a workspace's name, or "")."""

    runner: str
    name: str
    where: str = ""
    everywhere: bool = False


@dataclass(frozen=True, slots=True)
class Package:
    """One `package.json`: its folder, its name, its scripts."""

    folder: str
    name: str
    scripts: Mapping[str, str]


def read_script_call(words: tuple[str, ...]) -> ScriptCall | None:
    """`npm run x`, `pnpm --filter a run x`, `yarn x`, `bun run x`; None for anything else."""
    if not words or words[0] not in ("npm", "pnpm", "yarn", "bun"):
        return None
    where, everywhere, rest = "", False, list(words[1:])
    said_run = False
    while rest:
        word = rest.pop(0)
        option, _, value = word.partition("=")
        if option in ("--prefix", "-C", "--cwd", "--dir", "--filter", "-F", "--workspace", "-w"):
            is_root = option == "-w" and words[0] == "pnpm"  # pnpm's -w is the workspace's root
            where = "" if is_root else value or (rest.pop(0) if rest else "")
        elif option in ("-r", "--recursive", "--workspaces", "-ws", "workspaces"):
            everywhere = True
        elif word == "workspace" and rest:
            where = rest.pop(0)
        elif word in ("run", "run-script"):
            said_run = True
        elif not word.startswith("-"):
            return _script_call(words[0], word, where, everywhere=everywhere, said_run=said_run)
    return None


def _script_call(
    runner: str, name: str, where: str, *, everywhere: bool, said_run: bool
) -> ScriptCall | None:
    name = "test" if runner == "npm" and name in ("t", "tst") else name
    if not re.fullmatch(r"[\w:.@/-]+", name) or "$" in name:
        return None
    is_script = said_run or ((":" in name or name in _SURELY_SCRIPTS) and name not in _BUILTIN)
    return ScriptCall(runner, name, where, everywhere) if is_script else None


def packages_of(project: Project) -> tuple[Package, ...]:
    """Every package of the project, the root's first; one that is no JSON has no scripts."""
    return tuple(_package(project, path) for path in project.named("package.json"))


def packages_for(
    call: ScriptCall, folder: str | None, packages: tuple[Package, ...]
) -> tuple[Package, ...]:
    """The packages in which the call looks for its script; none when that cannot be told."""
    if call.where:
        bare = call.where.removeprefix("./").strip("{}.").rstrip("/")
        return tuple(p for p in packages if bare in (p.name, p.folder, p.name.rsplit("/", 1)[-1]))
    if call.everywhere or folder is None:
        return packages
    near = [p for p in packages if p.folder == "" or f"{folder}/".startswith(f"{p.folder}/")]
    return tuple(sorted(near, key=lambda p: -len(p.folder))[:1])


def weakness(script: str, scripts: Mapping[str, str], *, depth: int = 0) -> str:
    """Why this script says nothing by ending well; "" when it can fail as it should. A script that
    only calls another of `scripts` is what that one is.
    """
    chain = [part.strip() for part in re.split(r"&&", script) if part.strip()]
    called = read_script_call(tuple(chain[0].split())) if len(chain) == 1 else None
    if called and depth < _DEPTH and not called.where and called.name in scripts:
        return weakness(scripts[called.name], scripts, depth=depth + 1)
    simple = [s.strip() for s in re.split(r"&&|\|\||;|\n", script) if s.strip()]
    if simple and all(_SILENT.match(part) for part in simple):
        return "does nothing but print and end well"
    if _swallows(script):
        return "swallows its own failure"
    if re.search(r"(?:^|\s)--?pass-?with-?no-?tests\b", script, re.IGNORECASE):
        return "passes when there is no test at all"
    return ""


def shell_weakness(text: str) -> str:
    """The same for the text of a shell script."""
    rows = [r.strip() for r in text.split("\n") if r.strip() and not r.strip().startswith("#")]
    if not rows:
        return "is empty"
    if all(_SILENT.match(row) for row in rows):
        return "does nothing but print and end well"
    may_stop = re.search(
        r"^\s*set\s+-\w*e|errexit|\bexit\s+(?:[1-9]|\$)|\breturn [1-9]|\btrap\b|\bexec\b",
        text,
        re.MULTILINE,
    )
    shebang = re.match(r"#!.*\s-\w*e", text)
    if not may_stop and not shebang and re.match(r"(?:echo|printf|exit 0|true)\b", rows[-1]):
        return (
            "goes on after a failure and ends with `echo` or `exit 0`, so that it always ends well"
        )
    return ""


def make_targets(text: str) -> tuple[frozenset[str], bool]:
    """The targets of a Makefile, and whether there may be others (included files, patterns)."""
    rules = re.findall(r"^(?P<targets>[\w./ %-]+?)\s*::?(?!=)", text, re.MULTILINE)
    phony = re.findall(r"^\.PHONY\s*:(?P<names>.*)$", text, re.MULTILINE)
    names = {name for rule in (*rules, *phony) for name in rule.split()}
    is_open = bool(
        re.search(r"^-?s?include\b|^[^\t#]*%[^=]*:|^\$\(|^\.DEFAULT\s*:", text, re.MULTILINE)
    )
    return frozenset(names), is_open


def make_weakness(text: str, target: str) -> str:
    """The same for one target of a Makefile; one with prerequisites is theirs to fail."""
    found = re.search(
        rf"^{re.escape(target)}\s*:(?!=)(?P<before>[^\n]*)\n(?P<recipe>(?:[ \t]+[^\n]*\n?|\n)*)",
        f"{text}\n",
        re.MULTILINE,
    )
    if not found or found["before"].split("#")[0].strip():
        return ""
    rows = [r.strip().lstrip("@") for r in found["recipe"].split("\n") if r.strip()]
    rows = [r for r in rows if not r.startswith("#")]
    if not rows:
        return ""
    if all(_SILENT.match(row) for row in rows):
        return "does nothing but print and end well"
    work = [row for row in rows if not _SILENT.match(row)]
    return (
        "swallows its own failure" if all(r.startswith("-") or _swallows(r) for r in work) else ""
    )


def _swallows(script: str) -> bool:
    if re.search(r";\s*(?:exit 0|true|:)\s*$", script):
        return True
    before, bars, after = script.rpartition("||")
    if not bars or not before.strip():
        return False
    rest = re.split(r"&&|;", after.strip().lstrip("({").rstrip(")}; "))
    return all(_SILENT.match(part.strip()) for part in rest if part.strip())


def _package(project: Project, path: str) -> Package:
    folder = "" if "/" not in path else str(PurePosixPath(path).parent)
    try:
        data = json.loads(project.text(path) or "{}")
    except (ValueError, RecursionError):
        data = {}
    data = data if isinstance(data, dict) else {}
    scripts = data.get("scripts")
    pairs = scripts.items() if isinstance(scripts, dict) else ()
    return Package(
        folder=folder,
        name=str(data.get("name") or ""),
        scripts={str(k): v for k, v in pairs if isinstance(v, str) and not str(k).startswith("//")},
    )
