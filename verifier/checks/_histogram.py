"""Times of many requests as one distribution: its percentiles, and its buckets for whoever draws
it. The only import of the histogram library. Figures only; no opinion.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hdrh.histogram import HdrHistogram

_LONGEST_US = 3_600_000_000
_DIGITS = 3  # figures are right within 0.1 %


@dataclass(frozen=True, slots=True)
class Spread:
    """Milliseconds; all 0 when nothing was measured. `histogram` is (upper end of a bar, count)
    with bars that double, `encoded` the whole of it as HdrHistogram's own tools read and merge it.
    """

    count: int = 0
    avg_ms: float = 0
    p50_ms: float = 0
    p95_ms: float = 0
    p99_ms: float = 0
    slowest_ms: float = 0
    histogram: tuple[tuple[float, int], ...] = ()
    encoded: str = ""


def spread(times_ms: Sequence[float]) -> Spread:
    """The distribution of these times."""
    if not times_ms:
        return Spread()
    recorded = HdrHistogram(1, _LONGEST_US, _DIGITS)
    for time_ms in times_ms:
        recorded.record_value(min(max(round(time_ms * 1000), 1), _LONGEST_US))
    return Spread(
        count=len(times_ms),
        avg_ms=round(sum(times_ms) / len(times_ms), 3),
        p50_ms=_percentile(recorded, 50),
        p95_ms=_percentile(recorded, 95),
        p99_ms=_percentile(recorded, 99),
        slowest_ms=round(max(times_ms), 3),
        histogram=tuple(
            (step.value_iterated_to / 1000, step.count_added_in_this_iter_step)
            for step in recorded.get_log_iterator(1000, 2)
        ),
        encoded=recorded.encode().decode("ascii"),
    )


def _percentile(recorded: HdrHistogram, percent: int) -> float:
    # The library rounds the rank, half up; nearest-rank never leaves out a slow one.
    total = recorded.get_total_count()
    rank = math.ceil(total * percent / 100)
    return float(recorded.get_value_at_percentile(100 * rank / total)) / 1000
