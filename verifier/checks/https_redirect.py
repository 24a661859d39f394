"""Plain HTTP leads to HTTPS of the same host.

    - id: http-leads-to-https
      check: https_redirect
      from: controller
      with: {url: "http://www.example.org/", permanent: true}

`url` is the plain address that is asked; the redirect is looked at and not followed. `to` is the
beginning of the address that `Location` must give: the same scheme, host and port, and a path that
begins alike; without it that is `https://` and the host of `url`. A relative `Location` stays on
plain HTTP and is red. `statuses` are the redirects that count; with `permanent` only 301 and 308 of
them do. A host that does not answer on plain HTTP at all leads nobody to HTTPS and is red; where
nothing shall answer bind `port` with `open: false`. `max_time_s` is how long the answer may take.
What a `Location` says after its `?` is not shown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import SplitResult, urljoin, urlsplit

from verifier.checks._http import MAX_TIME_S, Answer, Request, fetch
from verifier.checks.base import Check, Host, Mismatch

_PERMANENT = frozenset({301, 308})
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Params:
    url: str
    to: str = ""
    statuses: tuple[int, ...] = (301, 302, 307, 308)
    permanent: bool = False
    max_time_s: float = MAX_TIME_S

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme != "http" or not urlsplit(self.url).hostname:
            raise ValueError(
                "url begins with http:// and a host: it is plain HTTP that must lead away"
            )
        if self.to and (urlsplit(self.to).scheme != "https" or not urlsplit(self.to).hostname):
            raise ValueError("to begins with https:// and a host")
        if not self.allowed:
            raise ValueError("statuses leave none that may be answered")

    @property
    def allowed(self) -> tuple[int, ...]:
        return tuple(s for s in self.statuses if s in _PERMANENT or not self.permanent)

    @property
    def target(self) -> str:
        """The address that must be led to; a host that is an IPv6 address keeps its brackets."""
        if self.to:
            return self.to
        name = urlsplit(self.url).hostname or ""
        return f"https://[{name}]/" if ":" in name else f"https://{name}/"


@dataclass(frozen=True, slots=True)
class Seen:
    """The answer without its body."""

    answer: Answer


def observe(host: Host, want: Params) -> Seen:
    answer = fetch(host, Request(want.url, max_time_s=want.max_time_s))
    return Seen(Answer(answer.status, answer.headers, "", answer.trouble))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    what = f"GET {want.url}"
    if seen.answer.trouble:
        return [Mismatch(what, f"a redirect to {want.target}", seen.answer.trouble)]
    wrong = []
    if seen.answer.status not in want.allowed:
        wanted = f"status {' or '.join(map(str, want.allowed))}"
        wrong.append(Mismatch(what, wanted, str(seen.answer.status)))
    locations = [value for name, value in seen.answer.headers if name == "location"]
    if len(locations) != 1:
        saw = f"{len(locations)} of them" if locations else "none"
        return [*wrong, Mismatch(f"Location of {want.url}", want.target, saw)]
    if not _leads(urljoin(want.url, locations[0]), want.target):
        shown, query, _ = locations[0].partition("?")
        saw = f"{shown}?..." if query else shown
        wrong.append(Mismatch(f"Location of {want.url}", want.target, saw or "an empty one"))
    return wrong


def _impossible(want: Params) -> Params:
    return replace(want, to="https://verifier-no-such-host.invalid/")


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _leads(location: str, target: str) -> bool:
    try:
        there, wanted = urlsplit(location), urlsplit(target)
        same_place = _place(there) == _place(wanted)
    except ValueError:
        return False  # a port that is no number
    return same_place and _path(there).startswith(_path(wanted))


def _place(url: SplitResult) -> tuple[str, str, int]:
    return url.scheme, (url.hostname or "").rstrip("."), url.port or _PORTS.get(url.scheme, 0)


def _path(url: SplitResult) -> str:
    return f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
