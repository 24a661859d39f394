"""A security scanner was let loose on what is deployed, and found nothing that matters.

    - id: scanner-finds-nothing
      check: web_scan
      from: controller
      timeout_s: 180
      with:
        url: https://notes.example/
        starts: ["https://notes.example/api/notes?q=1"]
        accept: {Secure Flag cookie: The proxy in front sets it.}

[Wapiti](https://wapiti-scanner.github.io) 3.2 or newer (`command`) crawls from `url`, and from each
address in `starts`, which nothing links to perhaps, up to `depth` links away and in the folder of
`url`; then each of `modules` attacks what was found. More than `max_vulnerabilities` or
`max_anomalies` (an attack that ended with a status of 500) is red; `accept` leaves out a kind of
finding by Wapiti's name for it, with the reason. So is a crawl of fewer than `min_pages` pages: it
saw only the door.

The default modules are bounded: some ten requests for each input, one at a time, nothing that
uploads, guesses passwords or floods, and none that asks somebody on the internet. It is a load for
what is scanned all the same, and writes what a form writes: never scan what is not yours. No verdict:
no Wapiti, an address that does not answer below 400 before the scan or is answered 429 after it (a
limiter counted the attacks, and what stood behind it was not tried), a scan without a page, without a
report, or one that did not end within `max_s`; give the item a `timeout_s` above that.

No scanner finds everything: nothing behind a login, nothing that only scripts make in a browser,
nothing in the logic. Green means that what it tries did not work.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from verifier.checks._http import Request, excerpt, fetch
from verifier.checks.base import Check, Host, Mismatch
from verifier.errors import CannotObserve

_SHOWN = 10
_WRONG = 400
_TOO_MANY = 429
_NOT_FOUND = 127
_TIMED_OUT = 124
_MORE_THAN_THERE_ARE = 10**9
_POLITE = ("http_headers", "csp", "cookieflags", "sql", "xss", "crlf", "redirect", "methods")
# These upload, guess, flood, or ask somebody on the internet.
_HARSH = frozenset({"upload", "brute_login_form", "buster", "nikto", "ssrf", "xxe", "log4shell"})


@dataclass(frozen=True, slots=True)
class Params:
    url: str
    starts: tuple[str, ...] = ()
    command: Annotated[tuple[str, ...], Field(min_length=1)] = ("wapiti",)
    modules: Annotated[tuple[str, ...], Field(min_length=1)] = _POLITE
    depth: Annotated[int, Field(ge=1, le=10)] = 2
    min_pages: Annotated[int, Field(ge=1)] = 1
    max_vulnerabilities: Annotated[int, Field(ge=0)] = 0
    max_anomalies: Annotated[int, Field(ge=0)] = 0
    accept: Mapping[str, Annotated[str, Field(pattern=r"\S")]] = field(default_factory=dict)
    max_s: Annotated[int, Field(ge=10, le=840)] = 120

    def __post_init__(self) -> None:
        for url in (self.url, *self.starts):
            if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
                raise ValueError(f"'{url}' is no http or https address")
        if other := [one for one in self.starts if not one.startswith(self.url)]:
            raise ValueError(f"starts: '{other[0]}' lies outside of url and would not be scanned")
        if harsh := sorted(_HARSH.intersection(self.modules)):
            raise ValueError(f"modules: '{harsh[0]}' does harm or asks somebody on the internet")


@dataclass(frozen=True, slots=True)
class Finding:
    """`kind` is Wapiti's name; `where` the request that showed it."""

    kind: str
    where: str
    said: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found, without what only informs."""

    version: str
    pages: int
    vulnerabilities: tuple[Finding, ...] = ()
    anomalies: tuple[Finding, ...] = ()


def observe(host: Host, want: Params) -> Seen:
    for url in (want.url, *want.starts):
        answer = fetch(host, Request(url))
        if answer.trouble or answer.status >= _WRONG:
            raise CannotObserve(f"{url} is answered {excerpt(answer.said, 120)}")
    seen = _read(_scan(host, want))
    if seen.pages < 1:
        raise CannotObserve(f"the scan of {want.url} found no page")
    for url in (want.url, *want.starts):
        if fetch(host, Request(url)).status == _TOO_MANY:
            raise CannotObserve(
                f"{url} is answered 429 after the scan: a limiter counted it, use fewer modules"
            )
    return seen


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    what = f"scan of {want.url}"
    wrong = []
    if seen.pages < want.min_pages:
        wrong.append(Mismatch(what, f"{want.min_pages} pages or more", f"{seen.pages}"))
    for name, found, most in (
        ("vulnerabilities", seen.vulnerabilities, want.max_vulnerabilities),
        ("anomalies", seen.anomalies, want.max_anomalies),
    ):
        left = [one for one in found if one.kind not in want.accept]
        if len(left) <= most:
            continue
        wanted = f"{most or 'no'} {name}"
        wrong += [
            Mismatch(f"{what}: {one.where}", wanted, f"{one.kind}: {one.said}")
            for one in left[:_SHOWN]
        ]
        if more := len(left) - len(left[:_SHOWN]):
            wrong.append(Mismatch(what, wanted, f"{more} more"))
    return wrong


def _impossible(want: Params) -> Params:
    return replace(want, min_pages=_MORE_THAN_THERE_ARE)


CHECK = Check(Params, observe, judge, impossible=_impossible, burdens=True)


# Everything that Wapiti writes goes into a folder that is gone afterwards. No proxy: the scan is for this address only.
_SCAN = """
most=$1; shift
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 143' TERM INT HUP
mkdir "$folder/session" "$folder/config"
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
timeout -k 5 "$most" "$@" --store-session "$folder/session" --store-config "$folder/config" \\
  --format json --output "$folder/report.json" >"$folder/log" 2>&1 </dev/null
ended=$?
if [ "$ended" != 0 ] || [ ! -s "$folder/report.json" ]; then
  grep -v '^ *$' "$folder/log" | tail -n 3 >&2
  [ "$ended" != 0 ] || ended=1
  exit "$ended"
fi
cat "$folder/report.json"
"""


def _scan(host: Host, want: Params) -> str:
    each = max(10, want.max_s // 4)
    words = [*want.command, "--url", want.url, "--scope", "folder"]
    words += [word for url in want.starts for word in ("--start", url)]
    words += ["--module", ",".join(want.modules), "--depth", str(want.depth), "--tasks", "1"]
    words += ["--max-scan-time", str(each), "--max-attack-time", str(each)]
    # Its own end points are on the internet; no module that is allowed asks them.
    words += ["--endpoint", want.url, "--dns-endpoint", "localhost"]
    words += ["--flush-session", "--no-bugreport", "--verbose", "0"]
    done = host.run("sh -c %s sh" + " %s" * (len(words) + 1), _SCAN, str(want.max_s), *words)
    if done.rc == _NOT_FOUND:
        raise CannotObserve(f"{want.command[0]} is not there: install Wapiti")
    if done.rc == _TIMED_OUT:
        raise CannotObserve(f"the scan did not end within {want.max_s} s")
    if done.rc != 0:
        said = (done.stderr.strip() or "no output").splitlines()[-1]
        raise CannotObserve(f"the scan ended with {done.rc}: {said[:300]}")
    return done.stdout


def _read(text: str) -> Seen:
    try:
        whole = json.loads(text)
        return Seen(
            str(whole["infos"]["version"]),
            int(whole["infos"]["crawled_pages_nbr"]),
            _findings(whole["vulnerabilities"]),
            _findings(whole["anomalies"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CannotObserve("the report of the scan is not understood: Wapiti 3.2?") from error


def _findings(listed: Mapping[str, list[Mapping[str, object]]]) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            kind,
            " ".join(str(one.get(part) or "") for part in ("method", "path", "parameter")).strip(),
            excerpt(str(one.get("info", "")), 160),
        )
        for kind, found in listed.items()
        for one in found
    )
