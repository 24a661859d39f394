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
charged for all who came meanwhile. Times are kept in a histogram and are right within 2 %;
percentiles are nearest-rank: below 100 requests the p99 is the slowest one. No connection, no
answer within `max_time_s`, an answer cut short and a status of 400 or more are errors: they are
counted by kind, may be `max_error_percent` of all requests, and are never counted as fast answers.
Redirects are answers and not followed. When more than 1 % of the requests begin late, which is a
quarter of the tightest limit and at most 100 ms, then the vantage could not make this load, and
there is no verdict. `timeout_s` of the binding must exceed all of these times together. The load is
real: choose a URL whose answering changes nothing, and a rate that the service was promised to
bear. A limiter that counts callers sees one caller here: its 429 are errors. It needs python3 at
the vantage.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_GROWTH = (
    1.03  # of one bucket of the histogram to the next: its middle is within 1.5 % of each time
)
_LATE_SHARE = 0.01
_LATEST_MS = 100.0

Limit = Annotated[float, Field(gt=0)] | None


@dataclass(frozen=True, slots=True)
class Params:
    url: str
    method: str = "GET"
    rate_per_s: Annotated[float, Field(gt=0, le=200)] = 5
    duration_s: Annotated[int, Field(ge=1, le=60)] = 10
    warmup_s: Annotated[int, Field(ge=0, le=60)] = 2
    max_error_percent: Annotated[float, Field(ge=0, lt=100)] = 0
    p95_ms: Limit = None
    p99_ms: Limit = None
    avg_ms: Limit = None
    max_time_s: Annotated[float, Field(gt=0, le=30)] = 5
    request_headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("url begins with http:// or https:// and a host")
        if not self.url.isascii() or not self.url.isprintable() or " " in self.url:
            raise ValueError("url has blanks or other letters: write them percent-encoded")
        if self.counted < 1:
            raise ValueError("at this rate no request begins within duration_s")

    @property
    def counted(self) -> int:
        """How many requests are judged."""
        return math.floor(self.rate_per_s * self.duration_s)

    @property
    def uncounted(self) -> int:
        """How many come before them to warm up."""
        return math.floor(self.rate_per_s * self.warmup_s)

    @property
    def late_ms(self) -> float:
        """From how many milliseconds after its time a request has begun late."""
        limits = [limit for limit in (self.p95_ms, self.p99_ms, self.avg_ms) if limit]
        return min([_LATEST_MS, *(limit / 4 for limit in limits)])


@dataclass(frozen=True, slots=True)
class Seen:
    """The counted requests: `statuses` of all answers, `errors` by kind, and of the good answers
    their times in milliseconds, `histogram` as (middle of a bucket, count). `trouble` is what the
    first error said.
    """

    requests: int
    late: int
    statuses: tuple[tuple[int, int], ...]
    errors: tuple[tuple[str, int], ...]
    histogram: tuple[tuple[float, int], ...]
    avg_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    slowest_ms: float
    trouble: str = ""


def observe(host: Host, want: Params) -> Seen:
    asked = {
        "url": want.url,
        "method": want.method,
        "headers": dict(want.request_headers),
        "body": want.body,
        "rate": want.rate_per_s,
        "uncounted": want.uncounted,
        "requests": want.uncounted + want.counted,
        "max_time_s": want.max_time_s,
        "late_ms": want.late_ms,
        "growth": _GROWTH,
    }
    printed = ask(host, "python3 -c %s %s", _PROGRAM, json.dumps(asked))
    try:
        told = json.loads(printed)
        seen = _read(told)
    except (KeyError, TypeError, ValueError) as error:
        raise CannotObserve("the program at the vantage printed something else") from error
    if told["vantage"]:
        raise CannotObserve(f"the vantage could not make this load: {told['vantage']}")
    answered = sum(count for _, count in (*seen.histogram, *seen.errors))
    if not seen.requests == answered == want.counted:
        raise CannotObserve(f"{answered} of {want.counted} requests were reported")
    if seen.late > seen.requests * _LATE_SHARE:
        said = f"{seen.late} of {seen.requests} requests began more than {want.late_ms:g} ms late"
        raise CannotObserve(f"the vantage could not make this load: {said}")
    return seen


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    what = f"{want.method} {want.url} at {want.rate_per_s:g}/s"
    wrong = []
    failed = sum(count for _, count in seen.errors)
    if failed * 100 > seen.requests * want.max_error_percent:
        kinds = ", ".join(f"{count} x {kind}" for kind, count in seen.errors)
        saw = f"{failed} of {seen.requests}: {kinds}"
        saw = f"{saw} ({seen.trouble})" if seen.trouble else saw
        wanted = (
            f"errors at most {want.max_error_percent:g} %"
            if want.max_error_percent
            else "no errors"
        )
        wrong.append(Mismatch(what, wanted, saw))
    limits = (
        ("average", want.avg_ms, seen.avg_ms),
        ("p95", want.p95_ms, seen.p95_ms),
        ("p99", want.p99_ms, seen.p99_ms),
    )
    good = seen.requests - failed
    wrong += [
        Mismatch(f"{name} of {what}", f"below {limit:g} ms", f"{saw:.4g} ms over {good} answers")
        for name, limit, saw in limits
        if limit is not None and good and saw >= limit
    ]
    return wrong


CHECK = Check(Params, observe, judge)


def _read(told: Mapping[str, object]) -> Seen:
    buckets = {int(bucket): int(count) for bucket, count in _counts(told["buckets"])}
    histogram = tuple(
        (round(_GROWTH ** (bucket + 0.5), 3), count) for bucket, count in sorted(buckets.items())
    )
    return Seen(
        requests=_whole(told["requests"]),
        late=_whole(told["late"]),
        statuses=tuple(sorted((int(s), int(n)) for s, n in _counts(told["statuses"]))),
        errors=tuple(sorted((str(kind), int(n)) for kind, n in _counts(told["errors"]))),
        histogram=histogram,
        avg_ms=round(_number(told["sum_ms"]) / max(sum(buckets.values()), 1), 3),
        p50_ms=_percentile(histogram, 50),
        p95_ms=_percentile(histogram, 95),
        p99_ms=_percentile(histogram, 99),
        slowest_ms=round(_number(told["slowest_ms"]), 3),
        trouble=str(told["trouble"])[:300],
    )


def _counts(told: object) -> list[tuple[str, str]]:
    if not isinstance(told, Mapping):
        raise TypeError
    return [(str(key), str(count)) for key, count in told.items()]


def _whole(told: object) -> int:
    return int(str(told))


def _number(told: object) -> float:
    return float(str(told))


def _percentile(histogram: tuple[tuple[float, int], ...], percent: int) -> float:
    """Nearest rank; 0 when there was no good answer at all."""
    rank = math.ceil(sum(count for _, count in histogram) * percent / 100)
    for middle, count in histogram:
        rank -= count
        if rank <= 0:
            return middle
    return 0.0


_PROGRAM = """
import errno, http.client, json, math, os, socket, ssl, sys, threading, time, urllib.parse

want = json.loads(sys.argv[1])
url = urllib.parse.urlsplit(want["url"])
port = url.port or (443 if url.scheme == "https" else 80)
target = urllib.parse.urlunsplit(("", "", url.path or "/", url.query, ""))
own = {"Host": url.netloc.rpartition("@")[2], "User-Agent": "verifier", "Accept": "*/*"}
given = {name.lower() for name in want["headers"]}
headers = {name: value for name, value in own.items() if name.lower() not in given}
headers.update(want["headers"])
headers["Connection"] = "close"
body = want["body"].encode() or None
context = None
try:
    import resource
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
except (ImportError, OSError, ValueError):
    pass
threading.stack_size(512 * 1024)
try:
    places = socket.getaddrinfo(url.hostname, port, 0, socket.SOCK_STREAM)
except (OSError, UnicodeError) as error:
    sys.exit("%s cannot be resolved: %s" % (url.hostname, error))
if url.scheme == "https":
    context = ssl.create_default_context()
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # newer than many a company's own authority

lock = threading.Lock()
seen = {"late": 0, "buckets": {}, "statuses": {}, "errors": {}, "sum_ms": 0, "slowest_ms": 0,
        "trouble": "", "vantage": ""}
done = 0
OWN = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EADDRNOTAVAIL,
       errno.EACCES, errno.EPERM, errno.ENETUNREACH}

class Failed(Exception):
    pass

def connect(ends):
    first = None
    for family, kind, protocol, _, place in places:
        wire = socket.socket(family, kind, protocol)
        try:
            wire.settimeout(max(ends - time.perf_counter(), 0.001))
            wire.connect(place)
            return wire
        except OSError as error:
            wire.close()
            # Of several addresses the one that was reachable at all has the more telling reason.
            if first is None or first.errno in (errno.EADDRNOTAVAIL, errno.ENETUNREACH):
                first = error
    raise first

def ask(ends):
    step = "no connection"
    link = None
    try:
        wire = connect(ends)
        link = http.client.HTTPConnection(url.hostname, port)
        link.sock = wire
        if context:
            step = "no encrypted connection"
            wire = context.wrap_socket(wire, server_hostname=url.hostname)
            link.sock = wire
        step = "no answer"
        link.request(want["method"], target, body, headers)
        answer = link.getresponse()
        step = "cut short"
        while not answer.isclosed():
            left = ends - time.perf_counter()
            if left <= 0:
                raise socket.timeout("timed out")
            wire.settimeout(left)
            answer.read(65536)
        if answer.length:
            raise http.client.IncompleteRead(b"", answer.length)
        return answer.status
    except (TimeoutError, socket.timeout):
        raise Failed("timeout", "%s within %g s" % (step, want["max_time_s"]))
    except OSError as error:
        if error.errno in OWN and step == "no connection":
            seen["vantage"] = str(error)
        raise Failed(step, str(error))
    except http.client.HTTPException as error:
        raise Failed(step, "%s %s" % (type(error).__name__, error))
    except (TypeError, ValueError):
        seen["vantage"] = "the method, the URL or a header has letters that HTTP does not carry"
        raise Failed(step, "not sent")
    finally:
        if link:
            link.close()

def one(number, planned):
    global done
    began = time.perf_counter()
    status, kind, said = 0, "", ""
    try:
        status = ask(planned + want["max_time_s"])
    except Failed as error:
        kind, said = error.args
    took = (time.perf_counter() - planned) * 1000
    if status >= 400:
        kind, said = "status %d" % status, ""
    elif not kind and took > want["max_time_s"] * 1000:
        kind, said = "timeout", ""
    with lock:
        if number < want["uncounted"] or done is None:
            return
        done += 1
        seen["late"] += (began - planned) * 1000 > want["late_ms"]
        if status:
            seen["statuses"][status] = seen["statuses"].get(status, 0) + 1
        if kind:
            seen["errors"][kind] = seen["errors"].get(kind, 0) + 1
            seen["trouble"] = seen["trouble"] or said
            return
        bucket = math.floor(math.log(max(took, 0.001)) / math.log(want["growth"]))
        seen["buckets"][bucket] = seen["buckets"].get(bucket, 0) + 1
        seen["sum_ms"] += took
        seen["slowest_ms"] = max(seen["slowest_ms"], took)

busy = time.process_time()
start = time.perf_counter() + 0.1
threads = []
for number in range(want["requests"]):
    planned = start + number / want["rate"]
    time.sleep(max(planned - time.perf_counter(), 0))
    thread = threading.Thread(target=one, args=(number, planned), daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        seen["vantage"] = str(error)
        break
    threads.append(thread)
busy = (time.process_time() - busy) / (time.perf_counter() - start + 0.1)
if busy > 0.9 and not seen["vantage"]:
    seen["vantage"] = "it was busy all the time"
end = time.perf_counter() + want["max_time_s"] + 2
for thread in threads:
    thread.join(max(end - time.perf_counter(), 0))
with lock:
    counted = want["requests"] - want["uncounted"]
    if done < counted and not seen["vantage"]:
        seen["errors"]["timeout"] = seen["errors"].get("timeout", 0) + counted - done
    done = None
    print(json.dumps(dict(seen, requests=counted)))
sys.stdout.flush()
os._exit(0)
"""
