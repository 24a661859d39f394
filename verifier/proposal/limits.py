"""Limits written in prose, as the assertion that was understood: a number with its unit, which side
of it is right, and of what statistic. Pure; what the limit is about is told by the words around it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from verifier.checklist.vocabulary import folded

Side = Literal["<", "<=", ">", ">="]

_UNITS: dict[str, tuple[str, float]] = {
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds", "밀리초", "ミリ秒", "毫秒"), ("ms", 1)),
    **dict.fromkeys(
        ("s", "sec", "secs", "second", "seconds", "초", "秒", "segundo", "segundos", "seconde", "secondes",
         "sekunde", "sekunden", "saniye", "giây", "секунд", "секунды", "сек", "с", "detik", "secondi"),
        ("ms", 1000),
    ),
    **dict.fromkeys(("min", "mins", "minute", "minutes", "분", "分", "分钟"), ("ms", 60_000)),
    **dict.fromkeys(
        ("h", "hour", "hours", "시간", "時間", "小时", "saat", "stunden", "horas", "heures", "giờ", "часов", "jam"),
        ("ms", 3_600_000),
    ),
    **dict.fromkeys(("%", "percent", "퍼센트", "％"), ("%", 1)),
    **dict.fromkeys(("kb", "kib"), ("bytes", 1024)),
    **dict.fromkeys(("mb", "mib"), ("bytes", 1024**2)),
    **dict.fromkeys(("gb", "gib"), ("bytes", 1024**3)),
    **dict.fromkeys(
        ("replica", "replicas", "instance", "instances", "worker", "workers", "node", "nodes", "개", "대", "건",
         "件", "个", "台"),
        ("count", 1),
    ),
}  # fmt: skip
_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_NUMBER = rf"(?P<number>\d+(?:[.,]\d+)?)\s?(?P<unit>{_UNIT})?(?![\w가-힣]*\d)(?P<plus>\+)?"
_BELOW = (
    r"<|≤|<=|＜|최대|最大|最高|under|below|less than|lower than|at most|no more than|not more than|within|up to|max(?:imum)?\.?(?: of)?"
    r"|unter|weniger als|maximal|höchstens|menor (?:que|a)|menos de|abaixo de|inferior a|por debajo de|máximo(?: de)?"
    r"|moins de|inférieure? à|au plus|en fazla|dưới|nhỏ hơn|tối đa|менее|меньше|ниже|не более|до"
    r"|小于|低于|不超过|少于|小於|低於|kurang dari|maksimal"
)
_ABOVE = (
    r">|≥|>=|＞|최소|最低|最小|至少|over|above|more than|greater than|higher than|at least|no less than|min(?:imum)?\.?(?: of)?"
    r"|über|mindestens|mehr als|maior que|mais de|pelo menos|acima de|mínimo(?: de)?|mayor que|más de|al menos"
    r"|plus de|au moins|supérieure? à|en az|trên|lớn hơn|ít nhất|tối thiểu|более|больше|выше|не менее"
    r"|大于|高于|超过|至少|不少于|不低于|大於|lebih dari|minimal"
)
_BEFORE = re.compile(
    rf"(?P<below>{_BELOW})\s*(?P<eq>=)?\s*{_NUMBER}".replace(
        "(?P<below>", "(?<![A-Za-z])(?P<below>"
    ),
)
_BEFORE_ABOVE = re.compile(rf"(?<![A-Za-z])(?P<above>{_ABOVE})\s*(?P<eq>=)?\s*{_NUMBER}")
_AFTER = re.compile(
    rf"{_NUMBER}\s*(?:(?P<below>이하|미만|이내|以内|以下|未満|未满|altında|или менее|or less|or fewer|or lower|oder weniger|ou moins|o menos|ou menos)"
    r"|(?P<above>이상|초과|以上|超|or more|or higher|or above|oder mehr|ou plus|o más|ou mais))"
)
_PERCENTILE = re.compile(
    r"\bp ?(?P<p>50|75|90|95|99(?:\.9)?)\b|(?P<n>50|75|90|95|99(?:\.9)?)(?:th|-th)?\s?(?:%\s?ile|percentile|백분위|パーセンタイル|分位|perzentil|percentil|centile|перцентил|persentil)"
)
_AVERAGE = re.compile(
    r"\bavg\b|\baverage\b|\bmean\b|평균|平均|durchschnitt|média|promedio|moyenne|ortalama|trung bình|средн|rata-rata"
)
_A_MINUTE = 60_000  # ms
_STRICT_WORDS = ("under", "below", "less than", "more than", "over", "above", "unter", "über")
_STRICT = {"미만", "초과", "未満", "未满", "超"}


@dataclass(frozen=True, slots=True)
class Limit:
    """`value` is in `unit`: ms, %, bytes, count, or empty when none was named. `statistic` is `avg`,
    `p95` and the like, or empty. `span` is the text it was read from.
    """

    side: Side
    value: float
    unit: str
    statistic: str
    span: str

    @property
    def is_upper(self) -> bool:
        return self.side in ("<", "<=")

    def __str__(self) -> str:
        if self.unit == "ms" and self.value >= _A_MINUTE:
            hours = self.value >= 60 * _A_MINUTE
            amount = self.value / (60 * _A_MINUTE if hours else _A_MINUTE)
            return f"{self.statistic or 'value'} {self.side} {amount:g} {'h' if hours else 'min'}"
        number = f"{self.value:g}"
        unit = {"ms": " ms", "%": " %", "bytes": " bytes", "count": ""}.get(self.unit, "")
        return f"{self.statistic or 'value'} {self.side} {number}{unit}"


def limits_in(text: str) -> tuple[Limit, ...]:
    """Every limit that `text` states. A number alone, a date or a version is none."""
    plain = _without_percentile(folded(text))
    statistic = _statistic_of(folded(text))
    found: list[Limit] = []
    for pattern in (_AFTER, _BEFORE, _BEFORE_ABOVE):
        for match in pattern.finditer(plain):
            if any(match.group(0) in f.span or f.span in match.group(0) for f in found):
                continue
            limit = _limit(match, statistic)
            if limit:
                found.append(limit)
    if not found and (plus := re.search(rf"{_NUMBER}(?<=\+)", plain)) and plus["unit"]:
        limit = _limit_of(plus, ">=", statistic)
        found += [limit] if limit else []
    return tuple(found)


def _limit(match: re.Match[str], statistic: str) -> Limit | None:
    groups = match.groupdict()
    word = groups.get("below") or groups.get("above") or ""
    upper = bool(groups.get("below"))
    strict = word in _STRICT or (word in "<>＜＞" and not groups.get("eq"))
    strict = strict or word in _STRICT_WORDS
    side: Side = ("<" if strict else "<=") if upper else (">" if strict else ">=")
    return _limit_of(match, side, statistic)


def _limit_of(match: re.Match[str], side: Side, statistic: str) -> Limit | None:
    unit, factor = _UNITS.get(match["unit"] or "", ("", 1.0))
    value = float(match["number"].replace(",", ".")) * factor
    return Limit(side, value, unit, statistic, match.group(0).strip())


def _statistic_of(text: str) -> str:
    percentile = _PERCENTILE.search(text)
    if percentile:
        return f"p{percentile['p'] or percentile['n']}"
    return "avg" if _AVERAGE.search(text) else ""


def _without_percentile(text: str) -> str:
    return _PERCENTILE.sub(" ", text)
