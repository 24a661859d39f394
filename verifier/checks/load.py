"""Many users at once are served: requests to one URL at a constant rate, whether or not the earlier
ones have been answered.

    - id: many-users-are-served
      check: load
      from: controller
      timeout_s: 120
      with: {url: "https://www.example.org/search?q=a", rate_per_s: 20, duration_s: 30, p95_ms: 500}

`rate_per_s` requests begin each second for `duration_s` seconds after `warmup_s` that are not
counted, each at its own time and over a connection of its own, as users come. A request's time runs
from the moment it was planned to its last byte, connecting included, so a server that stalls is
charged for all who came meanwhile; a reason names apart how long connecting took and how long the
server. Times are kept in an HdrHistogram and are right within 0.1 %; percentiles are nearest-rank:
below 100 requests the p99 is the slowest one. What was seen also holds requests, errors and p95 of
each second, to be drawn. No connection, no answer within `max_time_s`, an answer cut short and a
status of 400 or more are errors: they are counted by kind, may be `max_error_percent` of all
requests, and are never counted as fast answers. Redirects are answers and not followed.

When more than 1 % of the requests begin late, which is a quarter of the tightest limit and at most
100 ms, then the vantage was too busy to make this load. It is made once more, and when that is late
again, there is no verdict. `timeout_s` of the binding must exceed all of these times together. The
load is real: choose a URL whose answering changes nothing, and a rate that the service was promised
to bear. A limiter that counts callers sees one caller here: its 429 are errors. `source` is the
local address to ask from, or a network (127.0.0.0/8 on a Linux host) out of which each request
takes one at random, as many users would. Header values stand on a command line: none may be a
secret. It needs python3 at the vantage.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from verifier.checks._histogram import Spread, spread
from verifier.checks._load_program import (
    LATEST_MS,
    Asked,
    Limit,
    Load,
    Made,
    make_load,
    refuse_late,
)
from verifier.checks.base import Check, Host, Mismatch


@dataclass(frozen=True, slots=True)
class Params(Load):
    p95_ms: Limit = None
    p99_ms: Limit = None
    avg_ms: Limit = None

    @property
    def late_ms(self) -> float:
        """From how many milliseconds after its time a request has begun late."""
        limits = [limit for limit in (self.p95_ms, self.p99_ms, self.avg_ms) if limit]
        return min([LATEST_MS, *(limit / 4 for limit in limits)])


@dataclass(frozen=True, slots=True)
class Second:
    """What was asked for in one second, counted from the first judged request."""

    second: int
    requests: int
    errors: int
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Seen:
    """The counted requests: `statuses` of all answers, `errors` by kind, and of the good answers
    their times, whole and in parts. `trouble` is what the first error said.
    """

    requests: int
    late: int
    statuses: tuple[tuple[int, int], ...]
    errors: tuple[tuple[str, int], ...]
    times: Spread
    connect_p95_ms: float
    server_p95_ms: float
    series: tuple[Second, ...]
    trouble: str = ""


def observe(host: Host, want: Params) -> Seen:
    made = make_load(host, want, want.late_ms)
    if made.is_late:  # the vantage was busy, which may pass
        made = make_load(host, want, want.late_ms)
    refuse_late(made)
    return Seen(
        requests=len(made.requests),
        late=made.late,
        statuses=tuple(sorted(Counter(one.status for one in made.requests if one.status).items())),
        errors=tuple(sorted(Counter(one.kind for one in made.requests if one.kind).items())),
        times=spread([one.took_ms for one in made.good]),
        connect_p95_ms=spread([one.connect_ms for one in made.good]).p95_ms,
        server_p95_ms=spread([one.server_ms for one in made.good]).p95_ms,
        series=_series(made),
        trouble=made.trouble,
    )


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    what = f"{want.method} {want.url} at {want.rate_per_s:g}/s"
    return _too_many_errors(what, want, seen) + _too_slow(what, want, seen)


def _impossible(want: Params) -> Params:
    # An answer takes some time, and where none comes the errors are too many.
    return replace(want, p95_ms=0)


CHECK = Check(Params, observe, judge, impossible=_impossible, burdens=True)


def _series(made: Made) -> tuple[Second, ...]:
    seconds: dict[int, list[Asked]] = {}
    for one in made.requests:
        seconds.setdefault(int(one.planned_s), []).append(one)
    return tuple(
        Second(
            second,
            len(asked),
            sum(bool(one.kind) for one in asked),
            spread([one.took_ms for one in asked if not one.kind]).p95_ms,
        )
        for second, asked in sorted(seconds.items())
    )


def _too_many_errors(what: str, want: Params, seen: Seen) -> list[Mismatch]:
    failed = sum(count for _, count in seen.errors)
    if failed * 100 <= seen.requests * want.max_error_percent:
        return []
    kinds = ", ".join(f"{count} x {kind}" for kind, count in seen.errors)
    saw = f"{failed} of {seen.requests}: {kinds}"
    saw = f"{saw} ({seen.trouble})" if seen.trouble else saw
    allowed = want.max_error_percent
    return [Mismatch(what, f"errors at most {allowed:g} %" if allowed else "no errors", saw)]


def _too_slow(what: str, want: Params, seen: Seen) -> list[Mismatch]:
    limits = (
        ("average", want.avg_ms, seen.times.avg_ms),
        ("p95", want.p95_ms, seen.times.p95_ms),
        ("p99", want.p99_ms, seen.times.p99_ms),
    )
    parts = f"p95 {seen.connect_p95_ms:.4g} ms to connect, {seen.server_p95_ms:.4g} ms the server"
    return [
        Mismatch(
            f"{name} of {what}",
            f"below {limit:g} ms",
            f"{saw:.4g} ms over {seen.times.count} answers ({parts})",
        )
        for name, limit, saw in limits
        if limit is not None and seen.times.count and saw >= limit
    ]
