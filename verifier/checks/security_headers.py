"""An answer carries the security headers that Helmet gives, with values that protect.

    - id: security-headers
      check: security_headers
      with: {url: "http://127.0.0.1:3000/"}

Content-Security-Policy must govern scripts (`script-src` or `default-src`) without `unsafe-inline`,
`unsafe-eval`, a wildcard or a bare scheme, and must shut `object-src`; `report-only` does not
count. Strict-Transport-Security lasts at least `hsts_max_age` seconds (`hsts: false` where a proxy
in front sends it). X-Content-Type-Options is nosniff; framing is limited by `frame-ancestors` or
X-Frame-Options; Referrer-Policy leaks no path to other sites. `absent` headers give the server away
and must not be there. `also` maps a further header to a regular expression for its whole value. The
same headers must stand on each path of `paths`, error pages too (whatever their status).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urljoin

from verifier.checks._http import MAX_TIME_S, Answer, Request, fetch
from verifier.checks.base import Check, Host, Mismatch

_SAFE_REFERRER = frozenset(
    {"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin", "origin"}
)
_UNSAFE_SOURCES = frozenset({"'unsafe-eval'", "*", "http:", "https:", "data:", "blob:"})
_STRICT = re.compile(r"'(nonce-[^']+|sha(256|384|512)-[^']+|strict-dynamic)'")


@dataclass(frozen=True)
class Params:
    url: str
    paths: tuple[str, ...] = ()
    hsts: bool = True
    hsts_max_age: int = 15_552_000
    absent: tuple[str, ...] = ("X-Powered-By",)
    also: Mapping[str, str] = field(default_factory=dict)
    max_time_s: float = MAX_TIME_S


@dataclass(frozen=True)
class Seen:
    """The answers by URL, without their bodies."""

    answers: tuple[tuple[str, Answer], ...]


def observe(host: Host, want: Params) -> Seen:
    urls = dict.fromkeys((want.url, *(urljoin(want.url, path) for path in want.paths)))
    answers = ((url, fetch(host, Request(url, max_time_s=want.max_time_s))) for url in urls)
    return Seen(tuple((url, Answer(a.status, a.headers, "", a.trouble)) for url, a in answers))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    wrong = []
    for url, answer in seen.answers:
        if answer.trouble:
            wrong.append(Mismatch(f"GET {url}", "an answer", answer.trouble))
            continue
        for header, wanted, saw in _faults(want, answer):
            wrong.append(Mismatch(f"{header} of {url}", wanted, saw))
    return wrong


def _impossible(want: Params) -> Params:
    no_such = {"X-Verifier-No-Such-Header": "verifier-no-such-value"}
    return replace(want, also={**want.also, **no_such})


CHECK = Check(Params, observe, judge, impossible=_impossible)

Fault = tuple[str, str, str]


def _faults(want: Params, answer: Answer) -> Iterator[Fault]:
    yield from _policy_faults(answer.header("content-security-policy"))
    yield from _plain_faults(answer)
    if want.hsts:
        yield from _hsts_faults(answer.header("strict-transport-security"), want.hsts_max_age)
    for name in want.absent:
        if answer.header(name):
            yield name, "not sent", answer.header(name)
    for name, pattern in want.also.items():
        if not re.fullmatch(pattern, answer.header(name), re.IGNORECASE):
            yield name, pattern, answer.header(name) or "none"


def _policy_faults(header: str) -> list[Fault]:
    policies = [p for p in map(_directives, header.split(",")) if p]
    if not policies:
        return [("Content-Security-Policy", "a policy", "none")]
    # Several policies hold at once, so one good one is enough.
    return min((list(_weaknesses(policy)) for policy in policies), key=len)


def _directives(policy: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for words in filter(None, (part.split() for part in policy.split(";"))):
        found.setdefault(words[0].lower(), [word.lower() for word in words[1:]])
    return found


def _weaknesses(policy: Mapping[str, list[str]]) -> Iterator[Fault]:
    name = "Content-Security-Policy"
    default = policy.get("default-src")
    scripts = policy.get("script-src", default)
    objects = policy.get("object-src", default)
    if scripts is None:
        yield name, "script-src or default-src", "neither"
        return
    bad = sorted(_UNSAFE_SOURCES & set(scripts))
    if "'unsafe-inline'" in scripts and not any(map(_STRICT.fullmatch, scripts)):
        bad.append("'unsafe-inline'")
    if bad:
        yield name, "scripts from known places only", f"script sources {' '.join(bad)}"
    if objects not in (["'none'"], [], ["'self'"]):
        yield name, "object-src 'none'", f"object-src {' '.join(objects or ['anything'])}"


def _plain_faults(answer: Answer) -> Iterator[Fault]:
    sniff = answer.header("x-content-type-options")
    if sniff.lower() != "nosniff":
        yield "X-Content-Type-Options", "nosniff", sniff or "none"
    referrer = answer.header("referrer-policy")
    # Of a list a browser takes the last value that it knows.
    if referrer.lower().rpartition(",")[2].strip() not in _SAFE_REFERRER:
        yield "Referrer-Policy", "one that keeps paths", referrer or "none"
    framing = answer.header("x-frame-options").upper()
    policy = _directives(answer.header("content-security-policy").replace(",", ";"))
    if framing not in ("DENY", "SAMEORIGIN") and "*" in policy.get("frame-ancestors", ["*"]):
        yield "X-Frame-Options", "DENY, SAMEORIGIN or frame-ancestors", framing or "none"


def _hsts_faults(header: str, least: int) -> Iterator[Fault]:
    age = re.search(r"(?:^|;)\s*max-age\s*=\s*\"?(\d+)", header, re.IGNORECASE)
    if not age or int(age[1]) < least:
        yield "Strict-Transport-Security", f"max-age of {least} or more", header or "none"
