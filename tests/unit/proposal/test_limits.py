from __future__ import annotations

import pytest

from verifier.proposal.limits import limits_in


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("p95 < 500ms", "p95 < 500 ms"),
        ("평균 200ms 이하", "avg <= 200 ms"),
        ("CPU < 70%", "value < 70 %"),
        ("under 3 seconds", "value < 3000 ms"),
        ("95 percentile: < 500ms", "p95 < 500 ms"),
        ("99th percentile below 1 s", "p99 < 1000 ms"),
        ("at least 2 replicas", "value >= 2"),
        ("응답이 100ms 미만", "value < 100 ms"),
        ("成功率 99%以上", "value >= 99 %"),
        ("3秒以内に応答", "value <= 3000 ms"),
        ("响应时间不超过 800 毫秒", "value <= 800 ms"),
        ("unter 1,5 Sekunden", "value < 1500 ms"),
        ("menos de 2 segundos", "value <= 2000 ms"),
        ("en fazla 300ms", "value <= 300 ms"),
        ("не более 2 секунд", "value <= 2000 ms"),
        ("chunk of at most 250 KB", "value <= 256000 bytes"),
        ("error rate ≤ 1%", "value <= 1 %"),
    ],
)
def test_a_limit_in_prose_is_shown_back_as_it_was_understood(text: str, understood: str) -> None:
    assert [str(limit) for limit in limits_in(text)] == [understood]


@pytest.mark.parametrize(
    "text",
    [
        "Python 3.10+ is installed",
        "wait 5-60 minutes",
        "2025년 8월 24일",
        "release v1.2.3",
        "step 3 of 7",
        "port 8000",
        "keep 5 releases",
        "",
    ],
)
def test_a_number_alone_is_no_limit(text: str) -> None:
    assert limits_in(text) == ()


def test_the_side_of_a_limit_is_kept() -> None:
    (upper,) = limits_in("< 80%")
    (lower,) = limits_in("> 80%")
    assert upper.is_upper
    assert not lower.is_upper


def test_two_limits_in_one_line_are_both_read() -> None:
    assert len(limits_in("CPU < 70%, memory < 80%")) == 2
