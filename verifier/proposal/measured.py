"""Lines whose point is a number: how fast, how full, how large, how much of it tested."""

from __future__ import annotations

import re
from dataclasses import replace

from verifier.checklist.commands import Command
from verifier.checklist.markdown import plain
from verifier.proposal.limits import Limit, limits_in
from verifier.proposal.proposal import Proposal, bound, by_person
from verifier.proposal.subject import Subject

_SLOWEST_MS = 60_000  # what takes longer is no answer of a service


def limit_of(subject: Subject) -> Proposal | None:
    """A line whose point is a number, with the assertion that was understood."""
    stated = limits_in(plain(subject.line.title))
    if not stated:
        return capacity(subject)
    limit = stated[0]
    by = _kept_by_people(subject, limit)
    if by:
        return by_person(subject, f"understood as {limit}; {by[0]}", role=by[1], span=limit.span)
    found = capacity(subject) or _measure_of(subject, limit)
    if found or subject.line.kind != "limit":
        return found
    why = f"understood as {limit}; nothing here measures it"
    return by_person(subject, why, role="operator", span=limit.span)


def _kept_by_people(subject: Subject, limit: Limit) -> tuple[str, str] | None:
    """Why no check keeps this limit, and who does; None when one may."""
    if subject.says("alerting") or (limit.unit == "ms" and limit.value > _SLOWEST_MS):
        return "a person keeps to it", "operator"
    if subject.says("page_speed"):
        return "measured in a browser", "tester"
    return None


def _measure_of(subject: Subject, limit: Limit) -> Proposal | None:
    match limit.unit:
        case "ms" if subject.near("response_time") or subject.near("endpoint"):
            return latency(subject, limit, "")
        case "%" if limit.is_upper and _about_the_host(subject):
            return host_usage(subject, limit)
        case "%" if not limit.is_upper and subject.says("unit_tests"):
            return test_suite(subject, None)
        case "bytes" if subject.says("bundle"):
            return bound(
                subject,
                "bundle_size",
                {"directory": "{{ path }}", "budget": {"*.js": int(limit.value)}},
                f"understood as {limit}",
                ("path",),
                span=limit.span,
                vantage="controller",
            )
    return None


def _about_the_host(subject: Subject) -> bool:
    return subject.says("disk") or (subject.near("cpu_memory") and not subject.near("alerting"))


def _volume_of(subject: Subject) -> str:
    """The file system that the line names, else the root."""
    named = re.search(r"(?<![\w/.])(/(?:[\w.-]+/?)*)(?![\w/])", plain(subject.line.title))
    return named.group(1) if named else "/"


def latency(subject: Subject, limit: Limit, route: str) -> Proposal:
    statistic = {"avg": "avg_ms", "p99": "p99_ms"}.get(limit.statistic, "p95_ms")
    health = subject.around.health_routes if subject.says("health") else ()
    path = route or (health[0] if health else "{{ path }}")
    missing = ("base_url",) if path != "{{ path }}" else ("base_url", "path")
    shown = limit if limit.statistic else replace(limit, statistic=statistic.removesuffix("_ms"))
    return bound(
        subject,
        "http_latency",
        {"url": "{{ base_url }}" + path, statistic: limit.value},
        f"understood as {shown}",
        missing,
        span=limit.span,
        vantage="controller",
    )


def host_usage(subject: Subject, limit: Limit | None) -> Proposal:
    which = [
        key
        for group, key in (
            ("cpu_word", "cpu_percent"),
            ("memory_word", "memory_percent"),
            ("disk", "disk_percent"),
        )
        if subject.says(group)
    ] or ["cpu_percent", "memory_percent"]
    value: object = limit.value if limit else "{{ threshold }}"
    given: dict[str, object] = dict.fromkeys(which, value)
    if "disk_percent" in given:
        given["paths"] = [_volume_of(subject)]
    return bound(
        subject,
        "host_usage",
        given,
        f"understood as {limit}" if limit else "how much of the host is used",
        () if limit else ("threshold",),
        span=limit.span if limit else "",
    )


def capacity(subject: Subject) -> Proposal | None:
    """`8 GB of RAM`: how large the machine must be, not how much of it may be used."""
    found = re.search(
        r"(\d+(?:[.,]\d+)?)\s?(GB|GiB|TB|G)\b\+?|(\d+)\s?(?:\+\s?)?(?:v?cpus?|cores?|코어|コア|核)\b",
        plain(subject.line.title),
        re.IGNORECASE,
    )
    if (
        not found
        or subject.says("limit_word")
        or subject.near("container")
        or subject.says("bundle")
        or subject.says("usage_word")
    ):
        return None
    amount = float((found.group(1) or found.group(3)).replace(",", "."))
    if found.group(3):
        given: dict[str, object] = {"cores": int(amount)}
    elif subject.says("disk"):
        given = {
            "free_disk_gb": amount * (1000 if found.group(2).upper() == "TB" else 1),
            "path": _volume_of(subject),
        }
    elif subject.says("memory_word"):
        given = {"memory_gb": amount}
    else:
        return None
    return bound(
        subject, "host_capacity", given, "a machine that must be large enough", span=found.group(0)
    )


def test_suite(subject: Subject, command: Command | None) -> Proposal:
    given: dict[str, object] = {"command": list(command.words) if command else "{{ command }}"}
    limit = _first(subject, "%")
    if limit and not limit.is_upper:
        given["min_coverage"] = limit.value
    return bound(
        subject,
        "test_run",
        given,
        "a test suite that must really have run",
        () if command else ("command",),
        vantage="controller",
    )


def _first(subject: Subject, unit: str) -> Limit | None:
    return next(
        (limit for limit in limits_in(plain(subject.line.title)) if limit.unit == unit), None
    )
