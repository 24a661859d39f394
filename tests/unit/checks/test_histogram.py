"""What percentiles mean here: nearest-rank, whatever the library's own rounding of ranks is."""

from __future__ import annotations

import math

import pytest

from verifier.checks._histogram import Spread, spread


@pytest.mark.parametrize("count", [1, 2, 20, 60, 71, 99, 100, 101, 1999])
def test_percentiles_are_nearest_rank_within_a_thousandth(count: int) -> None:
    times = sorted((number * 7919 % 49_999 + 1) / 10 for number in range(count))
    seen = spread(times)
    for percent, saw in ((50, seen.p50_ms), (95, seen.p95_ms), (99, seen.p99_ms)):
        exact = times[math.ceil(count * percent / 100) - 1]
        assert saw == pytest.approx(exact, rel=0.0011, abs=0.0011)
    assert seen.slowest_ms == pytest.approx(times[-1], abs=0.001)


def test_each_time_is_in_one_bar_of_the_drawing() -> None:
    seen = spread([0.3, 2.9, 3, 5, 26])
    assert seen.histogram == ((1, 1), (2, 0), (4, 2), (8, 1), (16, 0), (32, 1))


def test_nothing_measured_is_no_time_at_all() -> None:
    assert spread([]) == Spread()
