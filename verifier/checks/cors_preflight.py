"""Pages of foreign origins may not use the API: a real preflight and a real request from them are
not allowed.

    - id: foreign-origins-refused
      check: cors_preflight
      with:
        url: http://127.0.0.1:8000/files
        allowed: [https://files.example]

Asked as a stranger from `foreign` (a made-up site and the `null` origin), and from look-alikes of
each allowed origin (one more label behind it, letters before it, plain http), which catches
comparison by prefix, suffix or careless expression. Red when an answer's
Access-Control-Allow-Origin repeats the origin or is `*`. So that a dead endpoint does not pass, the
plain request must be answered with `status`, and the preflight of each `allowed` origin must be
granted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from verifier.checks._http import Answer, Request, fetch, unanswered
from verifier.checks.base import Check, Host, Mismatch


@dataclass(frozen=True)
class Params:
    url: str
    allowed: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ("https://foreign.invalid", "null")
    method: str = "GET"
    status: int = 200


@dataclass(frozen=True)
class Tried:
    """One origin: the status of its preflight, and what preflight and plain request allow."""

    origin: str
    preflight: int
    allows: tuple[str, ...]
    credentials: bool
    trouble: str = ""


@dataclass(frozen=True)
class Seen:
    plain: Answer
    foreign: tuple[Tried, ...]
    allowed: tuple[Tried, ...]


def observe(host: Host, want: Params) -> Seen:
    strangers = dict.fromkeys((*want.foreign, *_look_alikes(want.allowed)))
    return Seen(
        plain=_without_body(fetch(host, Request(want.url))),
        foreign=tuple(_try(host, want, o) for o in strangers if o not in want.allowed),
        allowed=tuple(_try(host, want, origin) for origin in want.allowed),
    )


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    wrong = unanswered(f"GET {want.url}", seen.plain, status=want.status)
    if not seen.foreign:
        wrong.append(Mismatch("foreign origins", "at least one to try", "none"))
    for tried in (*seen.foreign, *seen.allowed):
        if tried.trouble:
            wrong.append(Mismatch(f"preflight from {tried.origin}", "an answer", tried.trouble))
    wrong += [_too_open(t) for t in seen.foreign if {t.origin, "*"} & set(t.allows)]
    wrong += [_too_closed(t) for t in seen.allowed if not t.trouble and not _is_granted(t)]
    return wrong


def _impossible(want: Params) -> Params:
    return replace(want, allowed=("https://verifier-no-such-thing.invalid",))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _look_alikes(allowed: tuple[str, ...]) -> Iterator[str]:
    for origin in allowed:
        yield f"{origin}.foreign.invalid"
        parts = urlsplit(origin)
        yield f"{parts.scheme}://foreign{parts.netloc}"
        if parts.scheme == "https":
            yield f"http://{parts.netloc}"


def _try(host: Host, want: Params, origin: str) -> Tried:
    asks = {"Origin": origin, "Access-Control-Request-Method": want.method}
    preflight = fetch(host, Request(want.url, "OPTIONS", asks))
    plain = fetch(host, Request(want.url, headers={"Origin": origin}))
    answers = [preflight, plain]
    allows = [answer.header("access-control-allow-origin") for answer in answers]
    return Tried(
        origin,
        preflight.status,
        tuple(dict.fromkeys(filter(None, allows))),
        any(a.header("access-control-allow-credentials").lower() == "true" for a in answers),
        preflight.trouble or plain.trouble,
    )


def _without_body(answer: Answer) -> Answer:
    return Answer(answer.status, answer.headers, answer.body[:200], answer.trouble)


def _is_granted(tried: Tried) -> bool:
    return tried.preflight in range(200, 300) and bool({tried.origin, "*"} & set(tried.allows))


def _too_open(tried: Tried) -> Mismatch:
    said = f"Access-Control-Allow-Origin: {', '.join(tried.allows)}"
    said += " with credentials" if tried.credentials else ""
    return Mismatch(f"foreign origin {tried.origin}", "not allowed", said)


def _too_closed(tried: Tried) -> Mismatch:
    said = f"status {tried.preflight}, allowed: {', '.join(tried.allows) or 'none'}"
    return Mismatch(f"origin {tried.origin}", "allowed", said)
