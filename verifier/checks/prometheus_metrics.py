"""A metrics endpoint answers in Prometheus' text format, and the series that matter are in it.

    - id: metrics-parse
      check: prometheus_metrics
      with:
        url: http://127.0.0.1:8000/metrics
        names: [filewallball_requests_total]

Every line is parsed (text format 0.0.4 and OpenMetrics' plain part): a line that is no sample, no
comment and not empty is red with its number, and so are a value that is no number, one series
twice, and a type that is not known. An answer without a sample is red: an exporter that measures
nothing parses too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from verifier.checks._http import MAX_TIME_S, Answer, Request, excerpt, fetch, unanswered
from verifier.checks.base import Check, Host, Mismatch

_LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*\s*=\s*"(?:[^"\\\n]|\\[\\n"])*"'
_SAMPLE = re.compile(
    r"(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)"
    rf"\s*(?P<labels>\{{\s*(?:{_LABEL}(?:\s*,\s*{_LABEL})*\s*,?)?\s*\}})?"
    r"\s+(?P<value>\S+)(?:\s+-?\d+(?:\.\d+)?)?(?:\s+#\s.*)?\s*"
)
_TYPE = re.compile(r"#\s*TYPE\s+(\S+)\s+(\S+)\s*")
_KNOWN_TYPES = frozenset(
    {"counter", "gauge", "histogram", "summary", "untyped", "unknown", "info", "stateset"}
)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|[Ii]nf|NaN)")


@dataclass(frozen=True)
class Params:
    url: str
    names: tuple[str, ...] = ()
    max_time_s: float = MAX_TIME_S


@dataclass(frozen=True)
class Seen:
    answer: Answer


def observe(host: Host, want: Params) -> Seen:
    return Seen(fetch(host, Request(want.url, max_time_s=want.max_time_s)))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    wrong = unanswered(f"GET {want.url}", seen.answer)
    if wrong:
        return wrong
    try:
        names = _sample_names(seen.answer.body)
    except ValueError as error:
        return [Mismatch("the metrics", "Prometheus' text format", str(error))]
    if not names:
        return [Mismatch("the metrics", "samples", "none")]
    missing = [name for name in want.names if name not in names]
    return [Mismatch(f"metric {name}", "a sample", "none") for name in missing]


def _impossible(want: Params) -> Params:
    return replace(want, names=(*want.names, "verifier_no_such_metric"))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _sample_names(text: str) -> frozenset[str]:
    """The names of all samples; ValueError names the first line that is not the format."""
    seen: set[tuple[str, str]] = set()
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and (series := _series(number, line.strip())):
            if series in seen:
                raise ValueError(f"line {number} is a series that was there before: {line[:120]}")
            seen.add(series)
    return frozenset(name for name, _ in seen)


def _series(number: int, line: str) -> tuple[str, str] | None:
    if line.startswith("#"):
        declared = _TYPE.fullmatch(line)
        if declared and declared[2] not in _KNOWN_TYPES:
            raise ValueError(f"line {number} has an unknown type: {excerpt(line)}")
        return None
    sample = _SAMPLE.fullmatch(line)
    if not sample or not _NUMBER.fullmatch(sample["value"]):
        raise ValueError(f"line {number} is no sample: {excerpt(line)}")
    return sample["name"], sample["labels"] or ""
