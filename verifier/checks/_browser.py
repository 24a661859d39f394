"""The look that the checks of a page share: Lighthouse opens it in a real browser, each time with an
empty profile, and says what it measured and what the page asked for. One browser at a time in this
process: two would slow each other down. Facts only; what is too slow or asked too early is said by
the check that looks.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field

from verifier.checks._http import Request, fetch, unanswered
from verifier.checks.base import Host, Mismatch, ask
from verifier.errors import CannotObserve

OK = 200

# What Lighthouse says when the page is at fault, and not the browser or Lighthouse itself.
_PAGE_FAULTS = frozenset(
    {
        "CHROME_INTERSTITIAL_ERROR",
        "ERRORED_DOCUMENT_REQUEST",
        "FAILED_DOCUMENT_REQUEST",
        "INSECURE_DOCUMENT_REQUEST",
        "NOT_HTML",
        "NO_DCL",
        "NO_FCP",
        "NO_LCP",
        "NO_LCP_ALL_FRAMES",
        "NO_TTI_CPU_IDLE_PERIOD",
        "NO_TTI_NETWORK_IDLE_PERIOD",
        "PAGE_HUNG",
    }
)
_METRICS = {
    "fcp_ms": "first-contentful-paint",
    "lcp_ms": "largest-contentful-paint",
    "tti_ms": "interactive",
}
_REQUESTS = "network-requests"
# Applied, not simulated: a simulation leaves out the time in which a page only waits, and calls one
# that paints after three seconds a fast one. Lighthouse has no figures for the desktop: these are
# its 40 ms and 10 Mbit/s with the factors that it applies itself to those for mobile.
_SETTINGS = {
    "mobile": ("--throttling-method=devtools",),
    "desktop": (
        "--preset=desktop",
        "--throttling-method=devtools",
        "--throttling.requestLatencyMs=150",
        "--throttling.downloadThroughputKbps=9216",
        "--throttling.uploadThroughputKbps=9216",
    ),
}


@dataclass(frozen=True)
class Browser:
    """Which browser, and what it pretends to be. `chrome` is found by Lighthouse when it is empty;
    `max_time_s` bounds one load.
    """

    preset: Literal["desktop", "mobile"] = "desktop"
    command: Annotated[tuple[str, ...], Field(min_length=1)] = ("lighthouse",)
    chrome: str = ""
    chrome_flags: tuple[str, ...] = ()
    max_time_s: Annotated[float, Field(ge=30, le=600)] = 150


@dataclass(frozen=True)
class Asked:
    """One request of the page, its URL without the query; `bytes` as they came over the wire."""

    url: str
    status: int
    kind: str
    bytes: int


@dataclass(frozen=True)
class Load:
    """One cold load. `url` is where it ended, `times` are milliseconds by name; `missing` says why
    one of them is not there, `trouble` why there are none at all. `benchmark` is how fast
    Lighthouse found the vantage.
    """

    taken_at: str
    lighthouse: str
    browser: str
    benchmark: float
    url: str
    requests: tuple[Asked, ...] = ()
    times: Mapping[str, float] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""


@dataclass(frozen=True)
class Opened:
    """What came of a page: `refused` when it did not answer 200 to a plain request, and then no
    browser was started; its loads, of which only the last one can have had trouble.
    """

    refused: str
    loads: tuple[Load, ...]


def refuse_url(url: str) -> None:
    """ValueError for what no browser opens, or what opens something that is not a page."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("url begins with http:// or https:// and a host")


def open_page(host: Host, browser: Browser, url: str, times: int) -> Opened:
    """`times` cold loads of one page, or fewer when one had trouble. Who asks for the same while it
    is being measured gets the same measurement; nothing is kept once it has been made.
    """
    # Two machines may know different pages under one URL.
    vantage = ask(host, _WHO)
    return _together((vantage, browser, url, times), lambda: _open(host, browser, url, times))


def judge_opened(url: str, opened: Opened) -> list[Mismatch]:
    """What was wrong with the page itself, before anything about it can be compared."""
    if opened.refused:
        return [Mismatch(f"GET {url}", f"status {OK}", opened.refused)]
    if not opened.loads:
        return [Mismatch(url, "a page that a browser opens", "it was not opened")]
    troubles = [load.trouble for load in opened.loads if load.trouble]
    wrong = [Mismatch(f"{url} in a browser", "a page that loads", said) for said in troubles]
    ended = [load.url for load in opened.loads if not load.trouble]
    return wrong + [
        Mismatch(f"{url} in a browser", "this page", f"it led to {place}")
        for place in dict.fromkeys(ended)
        if place != _plain(url)
    ]


_Key = tuple[str, Browser, str, int]
_alone = threading.Lock()
_guard = threading.Lock()
_under_way: dict[_Key, Future[Opened]] = {}


def _together(key: _Key, measure: Callable[[], Opened]) -> Opened:
    with _guard:
        other = _under_way.get(key)
        mine: Future[Opened] = Future()
        if other is None:
            _under_way[key] = mine
    if other is not None:
        return other.result()
    try:
        with _alone:
            opened = measure()
    except CannotObserve as error:
        mine.set_exception(error)
        raise
    else:
        mine.set_result(opened)
        return opened
    finally:
        with _guard:
            del _under_way[key]
        if not mine.done():
            mine.set_exception(CannotObserve("the measurement that was waited for broke off"))


def _open(host: Host, browser: Browser, url: str, times: int) -> Opened:
    # A page that is not there needs no browser, and curl's reason is the clearer one.
    refused = unanswered(url, fetch(host, Request(url)), status=OK)
    if refused:
        return Opened(refused[0].saw, ())
    loads: list[Load] = []
    while len(loads) < times and not (loads and loads[-1].trouble):
        loads.append(_load(host, browser, url, len(loads) + 1))
    return Opened("", tuple(loads))


def _load(host: Host, browser: Browser, url: str, number: int) -> Load:
    asked = {
        "load": number,
        "url": url,
        "command": browser.command,
        "options": [
            *_SETTINGS[browser.preset],
            f"--only-audits={','.join([*_METRICS.values(), _REQUESTS])}",
        ],
        "chrome": browser.chrome,
        "chrome_flags": browser.chrome_flags,
        "max_time_s": browser.max_time_s,
    }
    printed = ask(host, "python3 -c %s %s", _PROGRAM, json.dumps(asked))
    try:
        told = json.loads(printed)
        if told.get("cannot"):
            raise CannotObserve(str(told["cannot"]))
        return _read(told)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CannotObserve("the program at the vantage printed something else") from error


def _read(told: Mapping[str, object]) -> Load:
    load = Load(
        taken_at=str(told["taken_at"]),
        lighthouse=str(told["lighthouse"]),
        browser=str(told["browser"]),
        benchmark=float(str(told["benchmark"])),
        url=str(told["url"]),
    )
    if told["error"]:
        return replace(load, trouble=_page_fault(str(told["error"])))
    audits = told["audits"]
    if not isinstance(audits, Mapping) or not isinstance(told["requests"], list):
        raise TypeError
    requests = tuple(Asked(str(u), int(s), str(k), int(b)) for u, s, k, b in told["requests"])
    if not requests:
        raise CannotObserve("Lighthouse saw no request of the page, not even for itself")
    found = {name: _audit(audits, audit) for name, audit in _METRICS.items()}
    times = {name: round(n, 1) for name, (n, _) in found.items() if n is not None}
    missing = {name: _page_fault(said) for name, (n, said) in found.items() if n is None}
    return replace(load, requests=requests, times=times, missing=missing)


def _audit(audits: Mapping[str, object], audit: str) -> tuple[float | None, str]:
    found = audits.get(audit)
    if not isinstance(found, list):
        raise CannotObserve(f"Lighthouse has no audit '{audit}': version 12 has it")
    number, said = found
    return None if number is None else float(number), str(said)


def _page_fault(said: str) -> str:
    if not set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", said)) & _PAGE_FAULTS:
        raise CannotObserve(f"Lighthouse could not measure: {said[:300] or 'it says no reason'}")
    return said[:300]


def _plain(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path or '/'}"


# Containers share a boot id, clones a host name.
_WHO = "uname -n && { cat /proc/sys/kernel/random/boot_id 2>/dev/null || :; }"

# The browser is in a session of its own and outlives a Lighthouse that is killed. So does the
# guard: when this program ends, however it ends, its pipe closes, and the guard ends the browser of
# this one profile and removes what was written.
_PROGRAM = r"""
import json, os, re, shutil, subprocess, sys, tempfile, time, urllib.parse

want = json.loads(sys.argv[1])
GUARD = '''
cat >/dev/null
if pkill -KILL -f -- "--user-data-dir=$1/profile"; then sleep 1; fi
rm -rf "$1"
'''
FLAGS = ["--headless", "--disable-gpu", "--disable-quic", "--disable-sync", "--no-first-run",
         "--no-proxy-server", "--disable-dev-shm-usage", "--disable-background-networking",
         "--disable-component-update"]

def last(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith("at ")]
    return lines[-1][:300] if lines else "no output"

def missing():
    first = want["command"][0]
    if not shutil.which(first):
        return "`%s` is not there: npm install -g lighthouse@12, or name it in `command`" % first
    if want["chrome"] and not shutil.which(want["chrome"]):
        return "`%s` is not there: install Chromium, or name it in `chrome`" % want["chrome"]
    if not shutil.which("pkill"):
        return "`pkill` is not there, and a browser that hangs could not be ended"
    return ""

def run(folder):
    flags = FLAGS + want["chrome_flags"] + ["--user-data-dir=%s/profile" % folder]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")  # root has none to give up
    report, said = os.path.join(folder, "report.json"), os.path.join(folder, "said")
    words = want["command"] + [want["url"], "--quiet", "--output=json", "--output-path=" + report,
        "--no-enable-error-reporting", "--chrome-flags=" + " ".join(flags)] + want["options"]
    own = dict(os.environ, TMPDIR=folder)
    if want["chrome"]:
        own["CHROME_PATH"] = shutil.which(want["chrome"])
    with open(said, "w") as err:
        try:
            code = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=err, stderr=err, env=own,
                                  timeout=want["max_time_s"]).returncode
        except subprocess.TimeoutExpired:
            return {"cannot": "no measurement in %g s" % want["max_time_s"]}
        except OSError as error:
            return {"cannot": "`%s` cannot be started: %s" % (words[0], error)}
    try:
        with open(report, encoding="utf-8") as file:
            return condensed(json.load(file))
    except (OSError, ValueError):
        with open(said, errors="replace") as file:
            return {"cannot": "Lighthouse ended with %d and no report: %s" % (code, last(file.read()))}

def plain(url):
    parts = urllib.parse.urlsplit(url)
    return "%s://%s%s" % (parts.scheme, parts.netloc.rpartition("@")[2], parts.path or "/")

def condensed(report):
    audits = dict(report["audits"])
    listed = (audits.pop("network-requests", {}).get("details") or {}).get("items") or []
    error = report.get("runtimeError") or {}
    code = "%s: %s" % (error.get("code"), error.get("message")) if error else ""
    agent = report["environment"]["hostUserAgent"]
    return {
        "taken_at": report["fetchTime"],
        "lighthouse": report["lighthouseVersion"],
        "browser": (re.findall(r"Chrome/[\d.]+", agent) or [agent])[0],
        "benchmark": report["environment"]["benchmarkIndex"],
        "url": plain(report.get("mainDocumentUrl") or report["finalDisplayedUrl"]),
        "error": code,
        "audits": {name: [found.get("numericValue"), found.get("errorMessage") or ""]
                   for name, found in audits.items()},
        "requests": [[plain(one["url"]), one.get("statusCode") or 0, one.get("resourceType") or "",
                      one.get("transferSize") or 0]
                     for one in listed if one["url"].startswith("http")],
    }

why = missing()
if why:
    print(json.dumps({"cannot": why}))
    sys.exit()
folder = tempfile.mkdtemp(prefix="verifier-browser-")
guard = subprocess.Popen(["sh", "-c", GUARD, "sh", folder], stdin=subprocess.PIPE,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         start_new_session=True)
try:
    os.mkdir(os.path.join(folder, "profile"))
    seen = run(folder)
finally:
    guard.stdin.close()
    guard.wait()
print(json.dumps(seen))
"""
