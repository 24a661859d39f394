"""Requests to one URL are answered fast enough: percentiles over a quiet, sequential probe.

    - id: health-is-fast
      check: http_latency
      with: {url: "http://127.0.0.1:8000/health", requests: 100, warmup: 10, p95_ms: 100}

One curl process asks one request after the other over one kept connection, `warmup` of them
uncounted. The time of a request runs from its sending to its last byte; connecting is not in it and
stands apart as `network_ms` (one TCP handshake, about one round trip, which every request of a
distant vantage pays as well). Percentiles are nearest-rank: with fewer than 100 requests the p99 is
the slowest one. All of it is done `rounds` times, `pause_s` apart, and the round with the lowest
average counts: neighbours, this verification among them, only ever add time, while a service that
is slow is slow in every round. A round is cut short after `round_s` seconds, and what came until
then is judged. An answer outside 2xx in any round is red, however fast it was. This is a probe, not
a load test: it says how long one caller waits while nobody else asks. `source` is the local address
to ask from, or a network (127.0.0.0/8 on a Linux host) out of which each round takes one at random:
a limiter that counts by address then counts these requests for nobody else.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, replace

from verifier.checks._http import Request, address_of, curl_words, no_answer
from verifier.checks.base import Check, Host, Mismatch
from verifier.errors import CannotObserve

# Not time_pretransfer: curl notes it after the request has been sent, and on a busy machine the
# answer may be there by then.
_FORMAT = "%{http_code} %{time_namelookup} %{time_connect} %{time_appconnect} %{time_total}\\n"
_MOST_REQUESTS = 2000
_MOST_ROUNDS = 10
_CUT_SHORT = 124  # what `timeout` ends with


@dataclass(frozen=True)
class Params:
    url: str
    requests: int = 50
    warmup: int = 5
    p95_ms: float | None = None
    p99_ms: float | None = None
    avg_ms: float | None = None
    source: str = ""
    rounds: int = 3
    pause_s: int = 2
    round_s: int = 20
    max_time_s: float = 5

    def __post_init__(self) -> None:
        if self.p95_ms is None and self.p99_ms is None and self.avg_ms is None:
            raise ValueError("give at least one limit: p95_ms, p99_ms or avg_ms")
        if not (1 <= self.requests <= _MOST_REQUESTS and 0 <= self.warmup <= _MOST_REQUESTS):
            raise ValueError(f"requests is 1 to {_MOST_REQUESTS}")
        if not 1 <= self.rounds <= _MOST_ROUNDS:
            raise ValueError(f"rounds is 1 to {_MOST_ROUNDS}")
        address_of(self.source)
        if "#" in self.url:
            raise ValueError("url has no fragment: servers never see it")


@dataclass(frozen=True)
class Round:
    """`statuses` counts the answers by status, 0 for none at all; `times_ms` are the counted
    requests, sorted.
    """

    statuses: tuple[tuple[int, int], ...]
    times_ms: tuple[float, ...]
    network_ms: float
    avg_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    unfinished: bool = False
    trouble: str = ""


@dataclass(frozen=True)
class Seen:
    rounds: tuple[Round, ...]


def observe(host: Host, want: Params) -> Seen:
    return Seen(tuple(_ask(host, want, pause=n > 0) for n in range(want.rounds)))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    for one in seen.rounds:
        bad = {status: count for status, count in one.statuses if status not in range(200, 300)}
        if bad:
            said = ", ".join(f"{count} x {status or 'no answer'}" for status, count in bad.items())
            return [Mismatch(want.url, "2xx each time", f"{said} {one.trouble}".strip())]
    return _judge_times(want, min(seen.rounds, key=lambda one: one.avg_ms))


def _impossible(want: Params) -> Params:
    def no_time(limit: float | None) -> float | None:
        return None if limit is None else 0

    return replace(
        want, p95_ms=no_time(want.p95_ms), p99_ms=no_time(want.p99_ms), avg_ms=no_time(want.avg_ms)
    )


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _ask(host: Host, want: Params, *, pause: bool) -> Round:
    # curl counts through the range but never sends a fragment: the same URL, again and again.
    url = f"{want.url}#[1-{want.warmup + want.requests}]"
    words = [
        *curl_words(Request(want.url, max_time_s=want.max_time_s, source=address_of(want.source)))
    ]
    words += ["-o", "/dev/null", "-w", _FORMAT, url]
    wait = f"sleep {want.pause_s:d} && " if pause else ""
    done = host.run(f"{wait}timeout {want.round_s:d} curl" + " %s" * len(words), *words)
    found = re.findall(r"^(\d{3}) ([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+)$", done.stdout, re.MULTILINE)
    rows = [tuple(map(float, row)) for row in found]
    if done.rc == _CUT_SHORT:
        return _measured(want, rows, unfinished=True)
    trouble = no_answer(done.rc, done.stderr) if done.rc else ""
    if len(rows) != want.warmup + want.requests:
        asked = want.warmup + want.requests
        raise CannotObserve(f"curl reported {len(rows)} of {asked} requests")
    return _measured(want, rows, trouble)


def _judge_times(want: Params, seen: Round) -> list[Mismatch]:
    limits = (
        ("average", want.avg_ms, seen.avg_ms),
        ("p95", want.p95_ms, seen.p95_ms),
        ("p99", want.p99_ms, seen.p99_ms),
    )
    count = f"over {len(seen.times_ms)} requests, {seen.network_ms:g} ms to connect"
    wrong = [
        Mismatch(f"{name} of {want.url}", f"below {limit:g} ms", f"{saw:g} ms {count}")
        for name, limit, saw in limits
        if limit is not None and saw >= limit
    ]
    if seen.unfinished:
        wanted = f"{want.warmup + want.requests} answers in {want.round_s} s"
        wrong.append(Mismatch(want.url, wanted, str(sum(count for _, count in seen.statuses))))
    return wrong


def _measured(
    want: Params, rows: list[tuple[float, ...]], trouble: str = "", *, unfinished: bool = False
) -> Round:
    # On a kept connection curl gives 0 for connecting; a server that hangs up pays it each time.
    times = sorted(round((row[4] - max(row[1:4])) * 1000, 3) for row in rows[want.warmup :])
    if not times:
        times = [want.round_s * 1000.0]  # nothing came in all this time
    resolved, connected = rows[0][1:3] if rows else (0, 0)
    return Round(
        statuses=tuple(sorted(Counter(int(row[0]) for row in rows).items())),
        times_ms=tuple(times),
        network_ms=round((connected - resolved) * 1000, 3),
        avg_ms=round(sum(times) / len(times), 3),
        p50_ms=_percentile(times, 50),
        p95_ms=_percentile(times, 95),
        p99_ms=_percentile(times, 99),
        unfinished=unfinished,
        trouble=trouble,
    )


def _percentile(times: list[float], percent: int) -> float:
    return times[math.ceil(len(times) * percent / 100) - 1]
