"""The first page of a front end loads what it needs and no more: the code of the other pages lies in
chunks of their own, which only those pages ask for.

    - id: pages-are-split
      check: lazy_chunks
      from: controller
      timeout_s: 300
      with:
        url: https://www.example.org/
        entry: ["assets/index-*.js"]
        lazy: {/about: ["assets/About-*.js"]}
        max_script_bytes: 150000

A real browser with an empty profile opens `url` and then each page of `lazy`, and Lighthouse tells
what each asked for until it had been quiet for five seconds. Names are shell patterns of addresses
below `url`, or whole addresses; queries do not count. The first page may load scripts of `entry`
only, each pattern of which must match one, and must not ask for a lazy chunk in any way: as a
script, a preload or a prefetch. Each page of `lazy` must ask for a chunk of every one of its
patterns, and get it with 200. `max_script_bytes` limits all scripts of the first page together, as
they come over the wire. Red, too, are a page that does not answer 200 or paints nothing.

No verdict without Lighthouse or Chromium; what they need stands with `page_speed`. It cannot see
code that was put into the entry although another page needs it: `max_script_bytes` can.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Annotated
from urllib.parse import urljoin

from pydantic import Field

from verifier.checks._browser import (
    OK,
    Asked,
    Browser,
    Opened,
    judge_opened,
    open_page,
    refuse_url,
)
from verifier.checks.base import Check, Host, Mismatch

Patterns = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True)
class Params(Browser):
    url: str
    entry: Patterns
    lazy: Annotated[Mapping[str, Patterns], Field(min_length=1)]
    max_script_bytes: Annotated[int, Field(gt=0)] | None = None

    def __post_init__(self) -> None:
        refuse_url(self.url)
        if not self.url.endswith("/"):
            raise ValueError("url ends with a slash: the patterns are about what is below it")
        for page in self.lazy:
            if urljoin(self.url, page) == self.url:
                raise ValueError(f"lazy: '{page}' is the first page itself")

    @property
    def browser(self) -> Browser:
        """Which browser opens the pages."""
        return Browser(self.preset, self.command, self.chrome, self.chrome_flags, self.max_time_s)


@dataclass(frozen=True)
class Page:
    """One page that was opened once, and what it asked for."""

    url: str
    opened: Opened

    @property
    def requests(self) -> tuple[Asked, ...]:
        return tuple(asked for load in self.opened.loads for asked in load.requests)


@dataclass(frozen=True)
class Seen:
    """`pages` by their name in `lazy`."""

    first: Page
    pages: Mapping[str, Page]


def observe(host: Host, want: Params) -> Seen:
    def look(url: str) -> Page:
        return Page(url, open_page(host, want.browser, url, 1))

    return Seen(look(want.url), {page: look(urljoin(want.url, page)) for page in want.lazy})


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    wrong = judge_opened(seen.first.url, seen.first.opened) or _judge_first(want, seen.first)
    for name, patterns in want.lazy.items():
        page = seen.pages[name]
        wrong += judge_opened(page.url, page.opened) or _judge_lazy(want, page, patterns)
    return wrong


_NO_CHUNK = "*/no/chunk/has/this/name"


def _impossible(want: Params) -> Params:
    return replace(want, entry=(_NO_CHUNK,))


CHECK = Check(Params, observe, judge, impossible=_impossible, burdens=True)


def _judge_first(want: Params, page: Page) -> list[Mismatch]:
    what = f"first page {page.url}"
    lazy = {pattern for patterns in want.lazy.values() for pattern in patterns}
    early = sorted({_name(want, a) for a in page.requests if _is_like(want, a, lazy)})
    wrong = [Mismatch(what, "lazy chunks not asked for", f"{name} asked for") for name in early]
    scripts = [asked for asked in page.requests if asked.kind == "Script"]
    for asked in scripts:
        name = _name(want, asked)
        if asked.status != OK:
            wrong.append(Mismatch(f"{name} of {what}", f"status {OK}", str(asked.status)))
        if name not in early and not _is_like(want, asked, set(want.entry)):
            wrong.append(Mismatch(what, f"scripts like {', '.join(want.entry)} only", name))
    names = ", ".join(_name(want, asked) for asked in scripts) or "no script at all"
    wrong += [
        Mismatch(what, f"a script like {pattern}", names)
        for pattern in want.entry
        if not any(_is_like(want, asked, {pattern}) for asked in scripts)
    ]
    total = sum(asked.bytes for asked in scripts)
    if want.max_script_bytes is not None and total > want.max_script_bytes:
        limit = f"{want.max_script_bytes} bytes or less"
        wrong.append(Mismatch(f"scripts of the {what}", limit, f"{total} bytes: {names}"))
    return wrong


def _judge_lazy(want: Params, page: Page, patterns: tuple[str, ...]) -> list[Mismatch]:
    wrong = []
    for pattern in patterns:
        like = [asked for asked in page.requests if _is_like(want, asked, {pattern})]
        if not like:
            scripts = ", ".join(_name(want, a) for a in page.requests if a.kind == "Script")
            saw = f"only {scripts}" if scripts else "no script at all"
            wrong.append(Mismatch(page.url, f"{pattern} asked for", saw))
        wrong += [
            Mismatch(f"{_name(want, asked)} of {page.url}", f"status {OK}", str(asked.status))
            for asked in like
            if asked.status != OK
        ]
    return wrong


def _is_like(want: Params, asked: Asked, patterns: set[str]) -> bool:
    name = _name(want, asked)
    return any(fnmatchcase(name, pattern.removeprefix("/")) for pattern in patterns)


def _name(want: Params, asked: Asked) -> str:
    """The address below `url`; a whole address when it lies elsewhere."""
    return asked.url.removeprefix(want.url)
