"""A load of a constant arrival rate: the words a binding describes it with, the program that makes
it at the vantage, and what became of each request. Facts only; what is too slow or too many is said
by the check that asks.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field

from verifier.checks._http import address_of
from verifier.checks.base import Host, ask
from verifier.errors import CannotObserve

LATEST_MS = 100.0
_LATE_SHARE = 0.01

Limit = Annotated[float, Field(gt=0)] | None


@dataclass(frozen=True, slots=True)
class Load:
    """One URL asked `rate_per_s` times a second, whether or not the earlier ones were answered."""

    url: str
    method: str = "GET"
    rate_per_s: Annotated[float, Field(gt=0, le=200)] = 5
    duration_s: Annotated[int, Field(ge=1, le=60)] = 10
    warmup_s: Annotated[int, Field(ge=0, le=60)] = 2
    max_error_percent: Annotated[float, Field(ge=0, lt=100)] = 0
    max_time_s: Annotated[float, Field(gt=0, le=30)] = 5
    request_headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("url begins with http:// or https:// and a host")
        if not self.url.isascii() or not self.url.isprintable() or " " in self.url:
            raise ValueError("url has blanks or other letters: write them percent-encoded")
        if self.counted < 1:
            raise ValueError("at this rate no request begins within duration_s")
        address_of(self.source)

    @property
    def counted(self) -> int:
        """How many requests are judged."""
        return math.floor(self.rate_per_s * self.duration_s)

    @property
    def uncounted(self) -> int:
        """How many come before them to warm up."""
        return math.floor(self.rate_per_s * self.warmup_s)


@dataclass(frozen=True, slots=True)
class Asked:
    """One counted request: `planned_s` after the first one, begun `late_ms` after that, `took_ms`
    from when it was planned to its last byte, `connect_ms` of it to connect. `kind` names its error.
    """

    planned_s: float
    late_ms: float
    connect_ms: float
    took_ms: float
    status: int
    kind: str

    @property
    def server_ms(self) -> float:
        """From the standing connection to the last byte."""
        return max(self.took_ms - self.late_ms - self.connect_ms, 0)


@dataclass(frozen=True, slots=True)
class Made:
    """The load as it was made, between two moments of the vantage's clock: `late` requests began
    more than `late_ms` after their time. `trouble` is what the first error said.
    """

    began_at: float
    ended_at: float
    late_ms: float
    late: int
    requests: tuple[Asked, ...]
    trouble: str = ""

    @property
    def is_late(self) -> bool:
        """Whether this was another load than the one that was asked for."""
        return self.late > len(self.requests) * _LATE_SHARE

    @property
    def good(self) -> tuple[Asked, ...]:
        return tuple(one for one in self.requests if not one.kind)


def make_load(host: Host, want: Load, late_ms: float = LATEST_MS) -> Made:
    """It may be late: ask again, or refuse it. CannotObserve when the vantage could not make it."""
    asked = {
        "url": want.url,
        "method": want.method,
        "headers": dict(want.request_headers),
        "body": want.body,
        "source": want.source,
        "rate": want.rate_per_s,
        "uncounted": want.uncounted,
        "requests": want.uncounted + want.counted,
        "max_time_s": want.max_time_s,
    }
    printed = ask(host, "python3 -c %s %s", _PROGRAM, json.dumps(asked))
    try:
        told = json.loads(printed)
        made, vantage = _read(told, late_ms), str(told["vantage"])
    except (KeyError, TypeError, ValueError) as error:
        raise CannotObserve("the program at the vantage printed something else") from error
    if vantage:
        raise CannotObserve(f"the vantage could not make this load: {vantage}")
    if len(made.requests) != want.counted:
        raise CannotObserve(f"{len(made.requests)} of {want.counted} requests were reported")
    return made


def refuse_late(made: Made) -> None:
    """CannotObserve when more than 1 % of the requests began late."""
    if made.is_late:
        number = len(made.requests)
        said = f"{made.late} of {number} requests began more than {made.late_ms:g} ms late"
        raise CannotObserve(f"the vantage could not make this load: {said}")


def _read(told: Mapping[str, Any], late_ms: float) -> Made:
    requests = tuple(_asked(*row) for row in told["rows"])
    return Made(
        began_at=float(told["began_at"]),
        ended_at=float(told["ended_at"]),
        late_ms=late_ms,
        late=sum(one.late_ms > late_ms for one in requests),
        requests=requests,
        trouble=str(told["trouble"])[:300],
    )


def _asked(
    planned_s: float, late_ms: float, connect_ms: float, took_ms: float, status: int, kind: str
) -> Asked:
    return Asked(
        float(planned_s), float(late_ms), float(connect_ms), float(took_ms), int(status), str(kind)
    )


_PROGRAM = """
import errno, http.client, ipaddress, json, os, random, socket, ssl, sys, threading, time, urllib.parse

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
sources = ipaddress.ip_network(want["source"]) if want["source"] else None
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
if sources:
    family = socket.AF_INET if sources.version == 4 else socket.AF_INET6
    places = [place for place in places if place[0] == family]
    if not places:
        sys.exit("%s has no address of the kind of %s" % (url.hostname, sources))
if url.scheme == "https":
    context = ssl.create_default_context()
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # newer than many a company's own authority

lock = threading.Lock()
seen = {"trouble": "", "vantage": ""}
rows = {}
open_to_answers = True
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
            if sources:
                # Not the first addresses of a network: they are the ones that others use.
                size = sources.num_addresses
                mine = sources[size // 8 + random.randrange(max(size * 3 // 4, 1))]
                wire.bind((str(mine), 0))
            wire.connect(place)
            return wire
        except OSError as error:
            wire.close()
            # Of several addresses the one that was reachable at all has the more telling reason.
            if first is None or first.errno in (errno.EADDRNOTAVAIL, errno.ENETUNREACH):
                first = error
    raise first

def ask(ends, times):
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
        times["connected"] = time.perf_counter()
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

def row(number, late, connect, took, status, kind):
    ms = [round(seconds * 1000, 3) for seconds in (late, connect, took)]
    return [round((number - want["uncounted"]) / want["rate"], 3)] + ms + [status, kind]

def one(number, planned):
    began = time.perf_counter()
    times = {}
    status, kind, said = 0, "", ""
    try:
        status = ask(planned + want["max_time_s"], times)
    except Failed as error:
        kind, said = error.args
    ended = time.perf_counter()
    if status >= 400:
        kind, said = "status %d" % status, ""
    elif not kind and ended - planned > want["max_time_s"]:
        kind, said = "timeout", ""
    with lock:
        if number < want["uncounted"] or not open_to_answers:
            return
        connect = times.get("connected", ended) - began
        rows[number] = row(number, began - planned, connect, ended - planned, status, kind)
        seen["trouble"] = seen["trouble"] or said

busy = time.process_time()
start = time.perf_counter() + 0.1
began_at = time.time() + 0.1 + want["uncounted"] / want["rate"]
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
    open_to_answers = False
    for number in range(want["uncounted"], len(threads)):
        rows.setdefault(number, row(number, 0, 0, want["max_time_s"], 0, "timeout"))
    told = dict(seen, began_at=began_at, ended_at=time.time(), rows=[rows[n] for n in sorted(rows)])
    print(json.dumps(told))
sys.stdout.flush()
os._exit(0)
"""
