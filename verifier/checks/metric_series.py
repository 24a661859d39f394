"""Prometheus really watches: a series has a fresh sample, its targets are up, and a value computed
from it is where it should be.

    - id: errors-are-watched
      check: metric_series
      from: controller
      with:
        url: http://prometheus.example:9090
        series: ['app_requests_total{host="web1"}']
        max_age_s: 60
        up: 'up{job="app", host="web1"}'
        value: 'sum(rate(app_errors_total{host="web1"}[1m]))'
        max: 0.5

`series` are selectors: at least `min_series` (1) series must match each, and the newest sample of
the youngest must be at most `max_age_s` seconds old by Prometheus' own clock. `up` selects the targets:
every one must be 1, and there must be one. `value` is any expression; each of its results must be
a number between `min` and `max`. No series, no target and no value are red: a monitor that sees
nothing looks like a calm one. So give a counter that may not exist yet an `or vector(0)`, and judge
that it is watched by `series`. Prometheus not answering, or refusing the query, is red too: the
monitor is not alive. A name that cannot be resolved is no verdict. Whether anybody is alerted is not
seen. It needs curl where it is asked from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, cast
from urllib.parse import urlencode

from pydantic import Field

from verifier.checks._http import MAX_TIME_S, Request, at_path, excerpt, fetch, parse_json
from verifier.checks.base import Check, Host, Mismatch
from verifier.errors import CannotObserve

_OK = 200
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Params:
    url: Annotated[str, Field(min_length=1)]
    series: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
    max_age_s: Annotated[float, Field(gt=0)]
    min_series: Annotated[int, Field(ge=1)] = 1
    up: str = ""
    value: str = ""
    min: float | None = None
    max: float | None = None
    max_time_s: float = MAX_TIME_S

    def __post_init__(self) -> None:
        has_limit = self.min is not None or self.max is not None
        if bool(self.value) != has_limit:
            raise ValueError("'value' and a limit for it ('min', 'max') belong together")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is above max: no value could pass")


@dataclass(frozen=True, slots=True)
class Sample:
    """One result of a query: its labels as Prometheus writes them, and its value."""

    labels: str
    value: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What one query gave. `trouble` is why it gave nothing, in Prometheus' or curl's words."""

    samples: tuple[Sample, ...] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """`ages` are, for each selector, the seconds since the newest sample of every series. What was
    not asked is None.
    """

    ages: tuple[Answer, ...]
    targets: Answer | None = None
    values: Answer | None = None


def observe(host: Host, want: Params) -> Seen:
    ages: list[Answer] = []
    for selector in want.series:
        ages.append(_query(host, want, f"time() - timestamp({selector})"))
        if ages[-1].trouble:  # it would be silent for the others just as long
            return Seen(tuple(ages))
    targets = _query(host, want, want.up) if want.up else None
    values = _query(host, want, want.value) if want.value else None
    return Seen(tuple(ages), targets, values)


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    wrong = [
        Mismatch(f"Prometheus at {want.url}", f"an answer to {query}", answer.trouble)
        for query, answer in (
            *zip(want.series, seen.ages, strict=False),  # after a trouble none was asked any more
            (want.up, seen.targets),
            (want.value, seen.values),
        )
        if answer is not None and answer.trouble
    ]
    if wrong:
        return wrong
    wrong = [
        mismatch
        for selector, ages in zip(want.series, seen.ages, strict=True)
        for mismatch in _judge_ages(want, selector, ages.samples)
    ]
    if seen.targets is not None:
        wrong += _judge_targets(want, seen.targets.samples)
    if seen.values is not None:
        wrong += _judge_values(want, seen.values.samples)
    return wrong


def _impossible(want: Params) -> Params:
    return replace(want, min_series=1_000_000_000)


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _judge_ages(want: Params, selector: str, ages: tuple[Sample, ...]) -> list[Mismatch]:
    if len(ages) < want.min_series:
        return [Mismatch(f"series {selector}", f"{want.min_series} or more", str(len(ages)))]
    youngest = min(ages, key=lambda one: one.value)
    # NaN compares as neither, and would pass as fresh.
    if youngest.value <= want.max_age_s:
        return []
    wanted = f"at most {want.max_age_s:g} s old"
    return [Mismatch(f"newest sample of {selector}", wanted, f"{youngest.value:.1f} s")]


def _judge_targets(want: Params, targets: tuple[Sample, ...]) -> list[Mismatch]:
    if not targets:
        return [Mismatch(f"targets {want.up}", "at least one", "none")]
    down = [one for one in targets if one.value != 1]
    return [Mismatch(f"target {one.labels}", "up", "down") for one in down[:_SHOWN]]


def _judge_values(want: Params, values: tuple[Sample, ...]) -> list[Mismatch]:
    if not values:
        return [Mismatch(want.value, "a value", "none")]
    limits = (("at least", want.min), ("at most", want.max))
    wanted = " and ".join(f"{word} {limit:g}" for word, limit in limits if limit is not None)
    low = -math.inf if want.min is None else want.min
    high = math.inf if want.max is None else want.max
    out = [one for one in values if not low <= one.value <= high]
    return [
        Mismatch(f"{want.value} {one.labels}".strip(), wanted, f"{one.value:g}")
        for one in out[:_SHOWN]
    ]


def _query(host: Host, want: Params, query: str) -> Answer:
    url = f"{want.url.rstrip('/')}/api/v1/query?{urlencode({'query': query})}"
    answer = fetch(host, Request(url, max_time_s=want.max_time_s))
    if answer.trouble or answer.status != _OK:
        return Answer(trouble=answer.said)
    try:
        return Answer(_samples(parse_json(answer.body)))
    except (ValueError, LookupError, TypeError) as error:
        said = excerpt(answer.body, 100)
        raise CannotObserve(f"{want.url} does not answer as Prometheus: {said}") from error


def _samples(document: object) -> tuple[Sample, ...]:
    """The samples of an instant query: a vector, or the one number of a scalar."""
    if at_path(document, "data.resultType") == "scalar":
        return (Sample("", float(str(at_path(document, "data.result.1")))),)
    found = cast("list[dict[str, Any]]", at_path(document, "data.result"))
    return tuple(Sample(_labels(one["metric"]), float(one["value"][1])) for one in found)


def _labels(metric: Mapping[str, str]) -> str:
    name = metric.get("__name__", "")
    pairs = ", ".join(f'{k}="{v}"' for k, v in sorted(metric.items()) if k != "__name__")
    return f"{name}{{{pairs}}}" if pairs else name
