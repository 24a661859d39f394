"""The files of a built front end stay within their budget.

    - id: bundle-within-budget
      check: bundle_size
      with:
        directory: "{{ release_dir }}/web"
        budget: {assets/index-*.js: 250000, "*.js": 100000, "*.css": 50000}
        total: 500000

`budget` maps a shell pattern to the most bytes that one file may have; the first pattern that
matches a file counts. A pattern that matches no file is red: a budget for nothing was not kept.
`total` limits all of these files together. With `gzip: true` sizes are those of the files packed
with `gzip -9`, as a browser would receive them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatch

from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve


@dataclass(frozen=True)
class Params:
    directory: str
    budget: Mapping[str, int]
    total: int = 0
    gzip: bool = False

    def __post_init__(self) -> None:
        if not self.budget:
            raise ValueError("budget has at least one pattern")


@dataclass(frozen=True)
class Seen:
    """Bytes of each file in the directory, largest first."""

    sizes: tuple[tuple[str, int], ...]


_COUNT = """for f do n=$(wc -c <"$f") || exit 1; echo "$n $f"; done"""
_COUNT_PACKED = """for f do n=$(gzip -9 -c "$f" | wc -c) || exit 1; echo "$n $f"; done"""


def observe(host: Host, want: Params) -> Seen:
    count = _COUNT_PACKED if want.gzip else _COUNT
    listing = ask(host, "cd %s && find . -type f -exec sh -c %s sh {} +", want.directory, count)
    found = re.findall(r"^\s*(\d+) \./(.+)$", listing, re.MULTILINE)
    if not found:
        raise CannotObserve(f"no file in {want.directory}")
    sizes = [(path, int(size)) for size, path in found]
    return Seen(tuple(sorted(sizes, key=lambda file: (-file[1], file[0]))))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    counted = {path: (size, _pattern(want, path)) for path, size in seen.sizes}
    used = {pattern for _, pattern in counted.values()}
    wrong = [
        Mismatch(path, f"{want.budget[pattern]} bytes or less", f"{size} bytes")
        for path, (size, pattern) in counted.items()
        if pattern and size > want.budget[pattern]
    ]
    unused = [pattern for pattern in want.budget if pattern not in used]
    wrong += [Mismatch(f"files like {pattern}", "at least one", "none") for pattern in unused]
    total = sum(size for size, pattern in counted.values() if pattern)
    if want.total and total > want.total:
        wrong.append(Mismatch("all together", f"{want.total} bytes or less", f"{total} bytes"))
    return wrong


def _impossible(want: Params) -> Params:
    return replace(want, budget=dict.fromkeys(want.budget, -1))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _pattern(want: Params, path: str) -> str:
    return next((pattern for pattern in want.budget if fnmatch(path, pattern)), "")
