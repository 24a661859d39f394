"""What a line of a log is about, and how often: severity, kind, and the pattern it folds into. Read by
checks here, and sent as it is to the host (`on_the_host`), so that a log is read where it lies and
only groups of lines leave it. Hence nothing but the standard library, in words of Python 3.8.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from typing import NamedTuple
from urllib.parse import unquote

KINDS = ("errors", "performance", "security")

# The first of these in a line is its level; the same words further on are only talked about.
_WORD = re.compile(
    r"\[(?i:(error|err|critical|crit|fatal|panic|emerg|alert|warning|warn|notice|note|info|debug"
    r"|오류|에러|심각|치명적|경고|주의|정보|알림))\]"
    r"|\b(ERROR|CRITICAL|FATAL|PANIC|EMERG|ALERT|WARNING|WARN|NOTICE|NOTE|INFO|DEBUG|LOG)\b"
    r"|^(?i:(error|fatal|panic|warning)\b)|^(Traceback)\b"
    r"|(?:^|\s)(오류|에러|심각|치명적|경고|주의|정보|알림)\s*[:：]"  # noqa: RUF001  both are in use
)
_LEVELS = {
    "error": (
        *("error", "err", "critical", "crit", "fatal", "panic", "alert", "emerg", "emergency"),
        *("traceback", "오류", "에러", "심각", "치명적", "50", "60"),  # the numbers are pino's
    ),
    "warning": ("warning", "warn", "경고", "주의", "40"),
}
_LEVEL_KEYS = ("level", "severity", "levelname", "lvl")
_TIME_KEYS = ("timestamp", "time", "@timestamp", "ts", "datetime")
_TEXT_KEYS = ("message", "msg", "event")
_PATH_KEYS = ("path", "url", "uri", "request")
_STATUS_KEYS = ("status", "statusCode", "status_code")
_DURATION_KEYS = ("duration_ms", "ms", "elapsed_ms", "took_ms", "responseTime", "latency_ms")

_PERFORMANCE = re.compile(
    r"(?i)\bslow (?:request|query|statement)|\btimed? ?out\b|\bdeadline exceeded|\bdeadlock"
    r"|\bout of memory|\bheap out of|\boom[- ]?kill|\btoo many (?:connections|clients|open files)"
    r"|\bQueuePool limit|\bpool (?:is )?(?:exhausted|timeout)|\bevent loop (?:lag|blocked)"
    r"|느린 (?:요청|쿼리)|시간 ?초과|타임아웃|응답 ?지연|교착|메모리 부족|연결이? 너무 많"
)
_SECURITY = re.compile(
    r"(?i)\baccess denied for|\bauthentication fail|\bfailed (?:login|password)|\blogin fail"
    r"|\binvalid (?:password|credential|token|signature|csrf|user)|\bcsrf\b.*(?:fail|mismatch|invalid)"
    r"|\bunauthori[sz]ed|\bno pg_hba\.conf entry|\bWRONGPASS\b|\bNOAUTH\b|\bpermission denied for"
    r"|\bbrute.?force|\bsql injection|인증 ?(?:에 )?실패|로그인 ?(?:에 )?실패|비밀번호.{0,10}(?:틀|일치하지|오류)"
    r"|접근 ?(?:이 )?거부|권한 ?(?:이 )?없|비정상.{0,6}접근|무단 ?접근|토큰.{0,8}(?:만료|유효하지)"
)
_SCAN = re.compile(
    r"(?i)/wp-(?:admin|login|content|json)|/xmlrpc\.php|/(?:phpmyadmin|pma|adminer)\b|/cgi-bin/"
    r"|/\.(?:env|git|svn|aws|ssh|ht(?:access|passwd)|DS_Store)\b|/actuator\b|/server-status\b"
    r"|/vendor/phpunit|/boaform|/etc/(?:passwd|shadow)|\.\.[/\\]|<script|\$\{jndi:"
    r"|\bunion\b.{1,20}\bselect\b|'\s*(?:or|and)\s*'?\d|\bsleep\(\d|\.(?:php|asp|jsp|cgi)\b"
)
_ACCESS = re.compile(
    r'"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE) (\S+)[^"]*"(?: (\d{3})\b)?'
)

# What makes two lines of one kind different although they say the same, in the order of folding.
_FOLDS = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]+\d{1,2}:\d\d:\d\d(?:[.,]\d+)?(?:Z| ?UTC| ?[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\d{1,2}/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d(?: [+-]\d{4})?"), "<time>"),
    (re.compile(r"\b\d{1,2}:\d\d:\d\d(?:[.,]\d+)?\b"), "<time>"),
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.]+\b"), "<mail>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"), "<ip>"),
    (re.compile(r"\b(?=[a-z]*\d)[0-9a-f]{8,}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\b(?=\w*\d)\w{20,}\b"), "<id>"),
    (re.compile(r"\d+(?:\.\d+)?"), "<n>"),
)  # fmt: skip
_HIDE = (
    (re.compile(r"(?i)((?:password|passwd|secret|token|api_?key|credential|authorization|cookie)"
                r"[\"']?\s*[=:]\s*[\"']?(?:bearer |basic )?)(?!(?:yes|no)\b)[^\s\"',;&}]+"), r"\1[hidden]"),
    (re.compile(r"(://[^\s:/@]*:)[^\s/@]+@"), r"\1[hidden]@"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"), "[hidden]"),
)  # fmt: skip
_STAMPS = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]+\d{1,2}:\d\d:\d\d(?:[.,]\d+)?(?:Z| ?UTC| ?[+-]\d\d:?\d\d)?"), ""),
    (re.compile(r"\d{1,2}/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}"), "%d/%b/%Y:%H:%M:%S %z"),
    (re.compile(r"\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d"), "%d %b %Y %H:%M:%S"),
)  # fmt: skip
_HEAD = 80  # a line's own time stands in its first characters
_LONGEST = 4000
_PATTERN = 160
_EXAMPLE = 240
_EXAMPLES = 3
_PATTERNS = 200
_SHOWN = 10
_OTHER = "<more patterns>"


class Asked(NamedTuple):
    """What to read and what to look for. `containers` have `name`, `id` and `since`; `refused` are
    the statuses that count as a refusal, `patterns` more patterns for a kind.
    """

    containers: list[dict[str, str]]
    files: list[str]
    window_s: float
    slow_ms: float
    refused: list[int]
    ignore: list[str]
    patterns: dict[str, list[str]]
    most_bytes: int


class Counted(NamedTuple):
    """One log: `lines` that were read, `recent` those of this window, `first_at` the time of the
    first, and the kinds.
    """

    lines: int
    recent: int
    first_at: float | None
    kinds: list[dict[str, object]]

    def told(self, source: str, *, ever: bool, reaches_back: bool) -> dict[str, object]:
        return {
            "source": source,
            "lines": self.lines,
            "recent": self.recent,
            "ever": ever,
            "reaches_back": reaches_back,
            "kinds": self.kinds,
        }


def severity(line: str) -> str:
    """`error`, `warning` or `other`: by the level of a JSON line, else by its first level word."""
    fields = as_json(line)
    level = next((str(fields[key]) for key in _LEVEL_KEYS if key in fields), "")
    if not level and not fields:
        match = _WORD.search(line)
        level = next(filter(None, match.groups())) if match else ""
    named = (name for name, levels in _LEVELS.items() if level.lower() in levels)
    return next(named, "other")


def as_json(line: str) -> dict[str, object]:
    """The fields of a JSON line; none for any other line."""
    if not line.startswith("{"):
        return {}
    try:
        return dict(json.loads(line))
    except (ValueError, TypeError):
        return {}


def kinds_of(line: str, asked: Asked) -> tuple[str, ...]:
    """Which of KINDS a line belongs to; it may be several."""
    fields = as_json(line)
    found = set()
    if severity(line) == "error":
        found.add("errors")
    took = (fields.get(key) for key in _DURATION_KEYS)
    is_slow = any(isinstance(ms, (int, float)) and ms > asked.slow_ms for ms in took)
    if is_slow or _PERFORMANCE.search(line):
        found.add("performance")
    path, status = _request(line, fields)
    if _SECURITY.search(line) or _SCAN.search(path) or status in asked.refused:
        found.add("security")
    for kind, patterns in asked.patterns.items():
        if any(re.search(pattern, line) for pattern in patterns):
            found.add(kind)
    return tuple(kind for kind in KINDS if kind in found)


def fold(line: str) -> str:
    """The line without what differs from one time to the next: times, numbers, ids, addresses."""
    fields = as_json(line)
    text = next((str(fields[key]) for key in _TEXT_KEYS if key in fields), "")
    told = ("method", *_PATH_KEYS) if text else ()
    text = " ".join((text or line, *(str(fields[key]) for key in told if key in fields)))
    text = _hidden(text)
    for pattern, word in _FOLDS:
        text = pattern.sub(word, text)
    # A status is a number that says something.
    status = " ".join(str(fields[key]) for key in _STATUS_KEYS if key in fields)
    return " ".join(f"{text[:_PATTERN]} {status}".split())


def moment(text: str) -> float | None:
    """The Unix time that a timestamp stands for; without a zone it is this machine's own time."""
    for pattern, form in _STAMPS:
        match = pattern.search(text)
        if match:
            try:
                return _read_time(match[0], form)
            except ValueError:
                continue
    return None


def own_time(line: str) -> float | None:
    """The time a line of a log file says it was written."""
    fields = as_json(line)
    for key in _TIME_KEYS:
        value = fields.get(key)
        if isinstance(value, str):
            return moment(value)
        if isinstance(value, (int, float)):
            return value / 1000 if value > 1e11 else float(value)  # noqa: PLR2004  milliseconds
    return moment(line[:_HEAD])


def report(asked: Asked) -> dict[str, object]:
    """Everything asked about the logs of this machine, as one JSON-able value. OSError or
    ValueError when a log cannot be read.
    """
    now = time.time()
    logs = [_read_container(one, asked, now) for one in asked.containers]
    unmatched = []
    for pattern in asked.files:
        paths = sorted(path for path in glob.glob(pattern) if os.path.isfile(path))  # noqa: PTH207, PTH113
        folder = pattern.rpartition("/")[0]
        if not paths and not glob.has_magic(folder):
            _refuse_unlisted(folder)
        unmatched += [] if paths else [pattern]
        logs += [_read_file(path, asked, now) for path in paths if not path.endswith(".gz")]
    return {"logs": logs, "unmatched": unmatched}


def on_the_host() -> None:
    """The whole program, when this file is sent to a host: argument in, one line of JSON out."""
    try:
        sys.stdout.write(json.dumps(report(Asked(**json.loads(sys.argv[1])))) + "\n")
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)


def _refuse_unlisted(folder: str) -> None:
    """PermissionError for a folder that this user may not look into: nothing found is not nothing
    there.
    """
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        os.listdir(folder)  # noqa: PTH208


def _read_container(one: dict[str, str], asked: Asked, now: float) -> dict[str, object]:
    started = moment(one["since"]) or 0.0
    before = now - 2 * asked.window_s
    # The engine's own stamps, as no program in a container has to write one.
    said = _docker_logs(one["id"], "--since", f"{max(started, before):.3f}", "--timestamps")
    found = _count(((moment(line[:40]), line.partition(" ")[2]) for line in said), asked, now)
    # Nothing lately is not nothing at all.
    ever = bool(found.lines) or any(_docker_logs(one["id"], "--since", one["since"], "--tail", "1"))
    return found.told(one["name"], ever=ever, reaches_back=started <= before)


def _docker_logs(name: str, *words: str) -> Iterator[str]:
    with subprocess.Popen(
        ["docker", "logs", *words, name],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        line = ""
        for line in process.stdout or ():
            yield line.rstrip("\n")
    if process.returncode:
        raise OSError(f"the log of {name[:12]} cannot be read: {line.strip()[:200]}")


def _read_file(path: str, asked: Asked, now: float) -> dict[str, object]:
    most = asked.most_bytes
    with open(path, "rb") as file:  # noqa: PTH123
        size = file.seek(0, os.SEEK_END)
        written_at = os.fstat(file.fileno()).st_mtime
        file.seek(max(0, size - most))
        if size > most:
            file.readline()
        lines = (raw.decode("utf-8", "replace").rstrip("\n") for raw in file)
        found = _count(_with_time(lines, written_at), asked, now)
    first_at = now if found.first_at is None else found.first_at
    if size > most and first_at > now - asked.window_s:
        raise ValueError(f"{path} has more than {most} bytes of the last {asked.window_s:g} s")
    reaches_back = first_at <= now - 2 * asked.window_s
    return found.told(path, ever=found.lines > 0, reaches_back=reaches_back)


def _with_time(lines: Iterable[str], written_at: float) -> Iterator[tuple[float, str]]:
    """A line without a time of its own, such as one of a traceback, has that of the line before;
    where there is none either, that of the file's last change: later than true, never earlier.
    """
    at = written_at
    for line in lines:
        at = own_time(line) or at
        yield at, line


def _count(stamped: Iterable[tuple[float | None, str]], asked: Asked, now: float) -> Counted:
    """How many lines there are, and of each kind those of this window and of the one before."""
    ignored = [re.compile(pattern) for pattern in asked.ignore]
    tally = _Tally()
    lines = recent = 0
    first: float | None = None
    for at, text in stamped:
        if not text.strip():
            continue
        lines += 1
        first = at if first is None else first
        age = 0.0 if at is None else now - at
        if age > 2 * asked.window_s:
            continue
        recent += age <= asked.window_s
        if not any(pattern.search(text) for pattern in ignored):
            for kind in kinds_of(text[:_LONGEST], asked):
                tally.add(kind, text[:_LONGEST], is_before=age > asked.window_s)
    return Counted(lines, recent, first, [tally.told(kind) for kind in KINDS])


class _Tally:
    """Counts by kind and pattern, with the first lines of each; bounded, whatever a log holds."""

    def __init__(self) -> None:
        self.groups: dict[str, dict[str, list[int]]] = {kind: {} for kind in KINDS}
        self.examples: dict[tuple[str, str], list[str]] = {}

    def add(self, kind: str, text: str, *, is_before: bool) -> None:
        pattern, groups = fold(text), self.groups[kind]
        if pattern not in groups and len(groups) >= _PATTERNS:
            pattern = _OTHER
        groups.setdefault(pattern, [0, 0])[is_before] += 1
        kept = self.examples.setdefault((kind, pattern), [])
        if not is_before and len(kept) < _EXAMPLES:
            kept.append(_hidden(text)[:_EXAMPLE])

    def told(self, kind: str) -> dict[str, object]:
        groups = self.groups[kind]
        ordered = sorted(groups.items(), key=lambda item: (-item[1][0], -item[1][1], item[0]))
        return {
            "name": kind,
            "now": sum(now for now, _ in groups.values()),
            "before": sum(before for _, before in groups.values()),
            "patterns": len(groups),
            "groups": [
                {
                    "pattern": pattern,
                    "now": now,
                    "before": before,
                    "first": self.examples[kind, pattern],
                }
                for pattern, (now, before) in ordered[:_SHOWN]
            ],
        }


def _request(line: str, fields: dict[str, object]) -> tuple[str, int]:
    """The path that was asked for, its percent signs undone twice, and the status; "" and 0."""
    path = next((str(fields[key]) for key in _PATH_KEYS if key in fields), "")
    status = next((fields[key] for key in _STATUS_KEYS if key in fields), 0)
    access = None if fields else _ACCESS.search(line)
    if access:
        path, status = access[1], access[2] or 0
    number = int(status) if isinstance(status, (int, str)) and str(status).isdigit() else 0
    return unquote(unquote(path)), number


def _hidden(text: str) -> str:
    for pattern, word in _HIDE:
        text = pattern.sub(word, text)
    return text


def _read_time(text: str, form: str) -> float:
    if form:
        return datetime.strptime(text, form).timestamp()  # noqa: DTZ007  naive is local, on purpose
    text = re.sub(r" ?UTC$", "Z", re.sub(r"[T ]+", "T", text, count=1).replace(",", "."))
    day, _, rest = text.partition("T")
    match = re.match(r"(\d+):(\d\d):(\d\d)(\.\d+)?(.*)", rest)
    if not match:
        raise ValueError(text)
    hour, minute, second, fraction, zone = match.groups()
    read = datetime.strptime(f"{day} {hour}:{minute}:{second}", "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007
    if zone:
        sign = -1 if zone[0] == "-" else 1
        digits = zone.strip("+-Z").replace(":", "") or "0000"
        shift = sign * (int(digits[:2]) * 3600 + int(digits[2:]) * 60)
        return read.replace(tzinfo=timezone.utc).timestamp() - shift + float(fraction or 0)  # noqa: UP017
    return read.timestamp() + float(fraction or 0)
