"""A page is asked for again each time, and the assets it names are kept for good.

    - id: assets-cached
      check: cache_headers
      with: {url: "http://127.0.0.1:3000/"}

The page must say no-cache, no-store or max-age=0, carry a validator (ETag or Last-Modified), and
answer 304 when it is asked with that validator. Every script, style sheet, image and font that the
page names below its own origin and whose name matches `hashed` must load, last `max_age` seconds or
more, not be private, no-cache or no-store, and carry a validator. A page that names fewer than
`min_assets` of them is red: with no asset nothing was shown.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

from verifier.checks._http import MAX_TIME_S, Answer, Request, fetch, unanswered
from verifier.checks.base import Check, Host, Mismatch

_REFERENCE = re.compile(
    r"<(?:script|link|img|source)\b[^>]*?\b(?:src|href)\s*=\s*[\"']([^\"']+)", re.IGNORECASE
)
_NOT_MODIFIED = 304
_MOST_ASSETS = 100


@dataclass(frozen=True)
class Params:
    url: str
    hashed: str = r"[-.][A-Za-z0-9_-]{8,}\.(?:js|mjs|css|woff2?|png|jpe?g|webp|avif|svg|gif)$"
    max_age: int = 2_592_000
    min_assets: int = 1
    max_time_s: float = MAX_TIME_S

    def __post_init__(self) -> None:
        re.compile(self.hashed)
        if self.min_assets < 1:
            raise ValueError("min_assets is 1 or more")


@dataclass(frozen=True)
class Seen:
    """The page, the status it gives for its own validator, and each asset without its content."""

    page: Answer
    revalidated: int
    assets: tuple[tuple[str, Answer], ...]


def observe(host: Host, want: Params) -> Seen:
    page = fetch(host, Request(want.url, max_time_s=want.max_time_s))
    assets = _assets(want, page.body)[:_MOST_ASSETS]
    return Seen(
        _without_body(page),
        _revalidate(host, want, page),
        tuple((url, _without_body(_get(host, want, url))) for url in assets),
    )


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    wrong = unanswered(f"GET {want.url}", seen.page)
    if wrong:
        return wrong
    wrong = _judge_page(want, seen)
    if len(seen.assets) < want.min_assets:
        wanted = f"{want.min_assets} or more named"
        wrong.append(Mismatch("hashed assets of the page", wanted, str(len(seen.assets))))
    for url, answer in seen.assets:
        wrong += unanswered(f"GET {url}", answer) or _judge_asset(want, url, answer)
    return wrong


def _impossible(want: Params) -> Params:
    return replace(want, max_age=10**15)  # 32 million years


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _assets(want: Params, body: str) -> list[str]:
    named = (urljoin(want.url, html.unescape(found)) for found in _REFERENCE.findall(body))
    own = urlsplit(want.url).netloc
    return [
        url
        for url in dict.fromkeys(named)
        if urlsplit(url).netloc == own and re.search(want.hashed, urlsplit(url).path)
    ]


def _get(host: Host, want: Params, url: str) -> Answer:
    return fetch(host, Request(url, max_time_s=want.max_time_s))


def _revalidate(host: Host, want: Params, page: Answer) -> int:
    asks = {
        name: value
        for name, value in (
            ("If-None-Match", page.header("etag")),
            ("If-Modified-Since", page.header("last-modified")),
        )
        if value
    }
    if not asks:
        return 0
    return fetch(host, Request(want.url, headers=asks, max_time_s=want.max_time_s)).status


def _without_body(answer: Answer) -> Answer:
    return Answer(answer.status, answer.headers, answer.body[:200], answer.trouble)


def _directives(answer: Answer) -> dict[str, str]:
    parts = (part.strip().partition("=") for part in answer.header("cache-control").split(","))
    return {name.lower(): value.strip('"') for name, _, value in parts if name}


def _has_validator(answer: Answer) -> bool:
    return bool(answer.header("etag") or answer.header("last-modified"))


def _judge_page(want: Params, seen: Seen) -> list[Mismatch]:
    says = _directives(seen.page)
    is_asked_again = bool({"no-cache", "no-store"} & set(says)) or says.get("max-age") == "0"
    wrong = []
    if not is_asked_again or "immutable" in says:
        said = seen.page.header("cache-control") or "none"
        wrong.append(Mismatch(f"Cache-Control of {want.url}", "no-cache", said))
    if not _has_validator(seen.page):
        wrong.append(Mismatch(f"validator of {want.url}", "ETag or Last-Modified", "neither"))
    elif seen.revalidated != _NOT_MODIFIED:
        said = str(seen.revalidated or "no answer")
        wrong.append(Mismatch(f"{want.url} asked with its validator", "304", said))
    return wrong


def _judge_asset(want: Params, url: str, answer: Answer) -> list[Mismatch]:
    says = _directives(answer)
    age = says.get("max-age", "0")
    lasts = age.isdigit() and int(age) >= want.max_age
    wrong = []
    if not lasts or {"no-store", "no-cache", "private"} & set(says):
        said = answer.header("cache-control") or "none"
        wanted = f"kept for {want.max_age} s or more"
        wrong.append(Mismatch(f"Cache-Control of {url}", wanted, said))
    if not _has_validator(answer):
        wrong.append(Mismatch(f"validator of {url}", "ETag or Last-Modified", "neither"))
    return wrong
