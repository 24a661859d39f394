"""A page paints and answers soon enough in a real browser.

    - id: first-paint-is-fast
      check: page_speed
      from: controller
      timeout_s: 900
      with: {url: "https://www.example.org/", fcp_ms: 1500}

Lighthouse opens the page `runs` times in Chromium, each time with a new empty profile, and the
median of the first contentful paint (`fcp_ms`), the largest contentful paint (`lcp_ms`) and the time
to interactive (`tti_ms`) must be below the limits that are given. `preset` is `desktop` (a line of
10 Mbit/s with 40 ms) or `mobile` (1.6 Mbit/s with 150 ms, and a processor four times slower); the
slow line is really applied, since a simulated one does not see a page that only waits. One load
takes about 25 s.

Red are a median at or above its limit, a page that does not answer 200 or leads to another one, one
that paints nothing, and one that never comes to rest, in any of the runs. No verdict without
Lighthouse (`command`), without Chromium (`chrome`), or when either of them fails: all `runs` must
have been measured. The evidence holds every run's times, its spread, and when it was taken. Items
that are looked at together with the same parameters but for the limits share one measurement;
nothing older is used. What else the vantage does at the time makes the page slower, never faster.
It measures this page from here: not what visitors have, not what comes after a click.

The vantage needs python3, curl, pkill, Chromium or Chrome, Node 18.16 or newer, and `npm install -g
lighthouse@12`; as root Chromium runs without its sandbox, so open only pages of your own.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from verifier.checks._browser import Browser, Load, Opened, judge_opened, open_page, refuse_url
from verifier.checks.base import Check, Host, Mismatch

_NAMES = {
    "fcp_ms": "first contentful paint",
    "lcp_ms": "largest contentful paint",
    "tti_ms": "time to interactive",
}
# No page is painted in a microsecond.
_NEVER_MS = 0.001

Limit = Annotated[float, Field(gt=0)] | None


@dataclass(frozen=True, kw_only=True)
class Params(Browser):
    url: str
    runs: Annotated[int, Field(ge=1, le=9)] = 3
    fcp_ms: Limit = None
    lcp_ms: Limit = None
    tti_ms: Limit = None

    def __post_init__(self) -> None:
        refuse_url(self.url)
        if not self.limits:
            raise ValueError("at least one of fcp_ms, lcp_ms, tti_ms")

    @property
    def limits(self) -> dict[str, float]:
        """The limits that are given, by name."""
        given = {"fcp_ms": self.fcp_ms, "lcp_ms": self.lcp_ms, "tti_ms": self.tti_ms}
        return {name: limit for name, limit in given.items() if limit is not None}

    @property
    def browser(self) -> Browser:
        """What is the same for all who may share a measurement."""
        return Browser(self.preset, self.command, self.chrome, self.chrome_flags, self.max_time_s)


@dataclass(frozen=True)
class Metric:
    """One of the three times in milliseconds, run by run; `spread_ms` is slowest minus fastest,
    `missing` says why a run has none.
    """

    name: str
    runs_ms: tuple[float, ...]
    median_ms: float
    spread_ms: float
    missing: str


@dataclass(frozen=True)
class Seen:
    opened: Opened
    metrics: tuple[Metric, ...]


def observe(host: Host, want: Params) -> Seen:
    opened = open_page(host, want.browser, want.url, want.runs)
    return Seen(opened, tuple(_metric(name, opened.loads) for name in _NAMES))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    wrong = judge_opened(want.url, seen.opened)
    if wrong:
        return wrong
    return [
        mismatch
        for metric in seen.metrics
        if metric.name in want.limits
        for mismatch in _judge_metric(want, metric, want.limits[metric.name])
    ]


def _impossible(want: Params) -> Params:
    limits = dict.fromkeys(want.limits, _NEVER_MS)
    return replace(
        want,
        runs=1,
        fcp_ms=limits.get("fcp_ms"),
        lcp_ms=limits.get("lcp_ms"),
        tti_ms=limits.get("tti_ms"),
    )


CHECK = Check(Params, observe, judge, impossible=_impossible, burdens=True, shares=True)


def _metric(name: str, loads: tuple[Load, ...]) -> Metric:
    runs = tuple(load.times[name] for load in loads if name in load.times)
    why = next((load.missing[name] for load in loads if name in load.missing), "")
    if not runs:
        return Metric(name, (), 0, 0, why)
    median, spread = statistics.median(runs), max(runs) - min(runs)
    return Metric(name, runs, round(median, 1), round(spread, 1), why)


def _judge_metric(want: Params, metric: Metric, limit: float) -> list[Mismatch]:
    what = f"{_NAMES[metric.name]} of {want.url} ({want.preset})"
    wanted = f"below {limit:g} ms in the median of {want.runs}"
    if metric.missing or len(metric.runs_ms) < want.runs:
        saw = f"{len(metric.runs_ms)} that could be measured: {metric.missing}"
        return [Mismatch(what, wanted, saw)]
    if metric.median_ms < limit:
        return []
    each = ", ".join(f"{ms:.0f}" for ms in metric.runs_ms)
    return [Mismatch(what, wanted, f"{metric.median_ms:.0f} ms (runs: {each})")]
