"""The project beside a document, read only: which files there are, which of them git tracks, and the
text of the small ones. Never leaves its folder, follows no link out of it, writes nothing.
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections import deque
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from verifier.document import read_text
from verifier.errors import DocumentError, UsageError

MAX_FILES = 50_000
MAX_DEPTH = 12
MAX_TEXT = 1024 * 1024
_SKIPPED = frozenset(
    (
        ".git",
        "node_modules",
        ".venv",
        "venv",
        "__pycache__",
        ".tox",
        ".mypy_cache",
        ".next",
        ".cache",
    )
)
_GIT = (
    "git",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "--no-optional-locks",
)
_GIT_PATIENCE_S = 20


@dataclass(frozen=True, slots=True)
class Project:
    """Paths are relative to `root`, with `/`. `tracked` is None where there is no git; `whole` says
    whether everything was seen, so that what is absent is absent.
    """

    root: Path
    files: frozenset[str]
    folders: frozenset[str]
    tracked: frozenset[str] | None
    ignored_but_tracked: frozenset[str]
    whole: bool

    def text(self, path: str) -> str:
        """The text of a file of the project; "" when there is none, or none that can be read."""
        return _text(self.root, path) if path in self.files else ""

    def mode(self, path: str) -> int:
        """The permission bits of a file of the project; 0 when it cannot be seen."""
        try:
            return stat.S_IMODE((self.root / path).stat().st_mode) if path in self.files else 0
        except OSError:
            return 0

    def named(self, name: str) -> tuple[str, ...]:
        """Every file of this name, the nearest to the root first."""
        found = (f for f in self.files if f == name or f.endswith(f"/{name}"))
        return tuple(sorted(found, key=lambda f: (f.count("/"), f)))


def look_at_project(root: Path) -> Project:
    """Raises UsageError when `root` is no folder."""
    if not root.is_dir():
        raise UsageError("is no folder", where=str(root), do="give the project's folder")
    root = root.resolve()
    files, folders, whole = _walk(root)
    tracked = _git(root, "ls-files", "-z")
    ignored = _git(root, "ls-files", "-z", "--cached", "--ignored", "--exclude-standard")
    return Project(
        root=root,
        files=files,
        folders=folders,
        tracked=tracked,
        ignored_but_tracked=ignored or frozenset(),
        whole=whole,
    )


def inside(folder: str, path: str) -> str | None:
    """`path`, said in `folder`, as a path from the root; None when it is absolute or leads out."""
    if path.startswith(("/", "~", "$")) or "\\" in path or ":" in path:
        return None
    parts: list[str] = []
    for part in (*PurePosixPath(folder).parts, *PurePosixPath(path).parts):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _walk(root: Path) -> tuple[frozenset[str], frozenset[str], bool]:
    files: set[str] = set()
    folders: set[str] = {""}
    whole = True
    waiting = deque([("", 0)])
    while waiting:
        folder, depth = waiting.popleft()
        try:
            entries = sorted(os.scandir(root / folder), key=lambda entry: entry.name)
        except OSError:
            whole = False
            continue
        for entry in entries:
            path = f"{folder}/{entry.name}".lstrip("/")
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in _SKIPPED and depth < MAX_DEPTH:
                    folders.add(path)
                    waiting.append((path, depth + 1))
            elif entry.is_file(follow_symlinks=False) or _links_inside(root, path):
                files.add(path)
        if len(files) > MAX_FILES:
            return frozenset(files), frozenset(folders), False
    return frozenset(files), frozenset(folders), whole


def _links_inside(root: Path, path: str) -> bool:
    try:
        target = (root / path).resolve(strict=True)
    except (OSError, RuntimeError):
        return False
    return target.is_relative_to(root) and target.is_file()


@cache
def _text(root: Path, path: str) -> str:
    try:
        place = (root / path).resolve(strict=True)
        if not place.is_relative_to(root) or not place.is_file():
            return ""
        return read_text(place, at_most=MAX_TEXT)
    except (OSError, RuntimeError, DocumentError):
        return ""


def _git(root: Path, *words: str) -> frozenset[str] | None:
    """The paths git lists; None where there is no git or no repository. Its hooks are off."""
    try:
        answer = subprocess.run(
            [*_GIT, "-C", str(root), *words],
            capture_output=True,
            check=False,
            timeout=_GIT_PATIENCE_S,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if answer.returncode != 0:
        return None
    names = answer.stdout.decode("utf-8", "replace").split("\0")
    return frozenset(name for name in names if name)
