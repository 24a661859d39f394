"""Too many requests are refused: a burst above the limit gets 429, says when to come back, and the
way opens again.

    - id: rate-limited
      check: rate_limit
      timeout_s: 120
      with: {url: "http://127.0.0.1:3000/api/items", limit: 100, recover_s: 70}

The burst is `limit` + `extra` requests and never more, one after the other. A limiter counts
callers apart, mostly by their address, and other checks call from this host at the same time:
`source` is the local address to ask from, or a network out of which each look takes one address at
random. On a Linux host all of 127.0.0.0/8 is its own, which is the default. A caller that nobody
has seen before uses up nobody else's allowance, finds its own untouched, and needs no trust in
X-Forwarded-For; make `source` empty when the URL is not on the loopback interface. Red: no refusal;
more than `limit` let through; the first request refused already; a refusal that says neither
Retry-After nor RateLimit; and still 429 after `recover_s` seconds, which the look waits for at
most.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from verifier.checks._http import (
    Answer,
    Request,
    address_of,
    curl_words,
    fetch,
    no_answer,
    read_headers,
)
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

REFUSED = 429
_MOST_REQUESTS = 1000
_NAP_S = 15
_HINTS = frozenset({"retry-after", "ratelimit", "ratelimit-reset", "x-ratelimit-reset"})


@dataclass(frozen=True)
class Params:
    url: str
    limit: int
    extra: int = 5
    recover_s: int = 70
    source: str = "127.0.0.0/8"
    max_time_s: float = 5

    def __post_init__(self) -> None:
        if not (self.limit >= 1 and self.extra >= 1 and self.limit + self.extra <= _MOST_REQUESTS):
            raise ValueError(f"limit and extra are 1 or more, together {_MOST_REQUESTS} or less")
        address_of(self.source)


@dataclass(frozen=True)
class Seen:
    """`statuses` of the burst in order; `refusal` are the headers of its first 429; `recovered` is
    the answer after `waited_s`.
    """

    statuses: tuple[int, ...]
    refusal: tuple[tuple[str, str], ...]
    recovered: Answer
    waited_s: int
    trouble: str = ""


def observe(host: Host, want: Params) -> Seen:
    request = Request(want.url, max_time_s=want.max_time_s, source=address_of(want.source))
    answers, trouble = _burst(host, request, want.limit + want.extra)
    recovered, waited = _ask_once(host, request), 0
    while recovered.status == REFUSED and waited < want.recover_s:
        nap = min(_NAP_S, want.recover_s - waited)
        ask(host, "sleep %s", str(nap))
        waited += nap
        recovered = _ask_once(host, request)
    refusal = next((answer.headers for answer in answers if answer.status == REFUSED), ())
    return Seen(tuple(a.status for a in answers), refusal, recovered, waited, trouble)


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    served = sum(status != REFUSED for status in seen.statuses)
    broken = [s for s in seen.statuses if s != REFUSED and s not in range(200, 300)]
    if broken:
        said = f"{len(broken)} of {len(seen.statuses)} answered {broken[0] or 'nothing'}"
        return [Mismatch(want.url, "2xx or 429", f"{said} {seen.trouble}".strip())]
    if served == len(seen.statuses):
        return [Mismatch(f"a burst of {served}", "429 above the limit", "all were served")]
    return _judge_refusal(want, seen, served)


def _impossible(want: Params) -> Params:
    # One request is let through, the next refused, and the way open again at once.
    return replace(want, limit=1, recover_s=0)


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _burst(host: Host, request: Request, count: int) -> tuple[list[Answer], str]:
    # A fragment is counted through but never sent: the same URL, again and again.
    words = [*curl_words(request), "-o", "/dev/null", "-D", "-", "-w", "burst %{http_code}\\n"]
    words += [f"{request.url}#[1-{count}]"]
    done = host.run("curl" + " %s" * len(words), *words)
    trouble = no_answer(done.rc, done.stderr) if done.rc else ""
    found = re.findall(r"(.*?)^burst (\d{3})$", done.stdout, re.MULTILINE | re.DOTALL)
    if len(found) != count:
        raise CannotObserve(f"curl reported {len(found)} of {count} requests")
    return [
        Answer(int(status), tuple(read_headers(head.lstrip()))) for head, status in found
    ], trouble


def _ask_once(host: Host, request: Request) -> Answer:
    answer = fetch(host, request)
    return Answer(answer.status, answer.headers, answer.body[:200], answer.trouble)


def _judge_refusal(want: Params, seen: Seen, served: int) -> list[Mismatch]:
    wrong = []
    if seen.statuses[0] == REFUSED:
        wrong.append(Mismatch("the first request", "served", "429: the limit was used up before"))
    if served > want.limit:
        wrong.append(Mismatch("requests served", f"{want.limit} or fewer", str(served)))
    if not _HINTS & {name for name, _ in seen.refusal}:
        wrong.append(Mismatch("the refusal", "Retry-After or RateLimit", "neither"))
    if seen.recovered.status not in range(200, 300):
        said = f"{seen.recovered.status or seen.recovered.trouble} after {seen.waited_s} s"
        wrong.append(Mismatch("recovery", f"2xx within {want.recover_s} s", said))
    return wrong
