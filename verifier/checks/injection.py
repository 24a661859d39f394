"""Hostile input does no harm: what is sent is neither run as SQL nor shown as HTML.

    - id: search-is-safe
      check: injection
      with: {url: "http://127.0.0.1:8000/search?q={probe}", value: lamp}
    - id: login-is-safe
      check: injection
      with:
        url: http://127.0.0.1:8000/notes/find
        method: POST
        field: title
        fields: {limit: 10}
        content_type: json
        kinds: [sql]

One input of one address is tried: where `{probe}` stands in the path or query of `url`, or `field`
in a form or JSON document that is posted, with `fields` beside it. `value` is harmless input that
finds something there; all else is compared with its answer. For `sql` that is single quotes, double
quotes, a backslash, and pairs of a true and a false condition behind `value`; for `xss` a tag that
means nothing. None of it writes, deletes or waits, but it is some fifteen requests that the
application answers as any other: an address that stores what it is sent stores these. Red: a status
of `red_from` or more (500; choose 400 where such input must not be refused either), the error
message of a database or of its library, the tag coming back as HTML or ending an attribute, a true
condition answered as `value` is and the false one not, and an application that no longer answers
afterwards. No verdict: `value` is not answered below 400, a limiter answers 429, or `value` and
nonsense are answered alike, where SQL would not show. Where nothing can be found, as in an empty
table, `finds_nothing: true` lets errors alone speak: a quote that ends a text breaks the query, and
an application that keeps silent about that is green.

`source` is the local address to ask from, such as 127.0.0.5, or a net to take a new one from each
time: a limiter counts by address.

What it cannot find: any other input and address, and those behind a login; injection that shows
neither in an answer nor in a status (blind, by time, in `insert` or `order by`, on a later page);
stored XSS and XSS that scripts make in the browser, or inside a script; languages other than SQL
and HTML; and all that a filter in front stops while the application behind it is open. Green is
therefore no proof. Read the queries in the source, and let people or a scanner test what matters.
"""

from __future__ import annotations

import dataclasses
import html
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import Annotated, Literal
from urllib.parse import quote, quote_plus, urlencode, urlsplit

from pydantic import Field

from verifier.checks._http import MAX_TIME_S, Answer, Request, address_of, excerpt, fetch
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve

_PLACE = "{probe}"
_MARKER = """<v3r1f1er a="'">"""
_NONSENSE = "v3r1f1er0"
_TOO_MANY = 429
_REDIRECTED = range(300, 400)
_WRONG = 400
_BROKEN = 500
_LOWEST = 100  # of all statuses


@dataclass(frozen=True, slots=True)
class Params:
    url: str
    field: str = ""
    method: Literal["GET", "POST"] = "GET"
    content_type: Literal["form", "json"] = "form"
    kinds: tuple[Literal["sql", "xss"], ...] = ("sql", "xss")
    value: str = "1"
    fields: Mapping[str, str | int | float | bool] = dataclasses.field(default_factory=dict)
    max_time_s: float = MAX_TIME_S
    red_from: Annotated[int, Field(ge=_LOWEST, le=_BROKEN)] = _BROKEN
    finds_nothing: bool = False
    source: str = ""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("url begins with http:// or https:// and a host")
        if _PLACE in parts.netloc or _PLACE in parts.fragment or self.url.count(_PLACE) > 1:
            raise ValueError(f"{_PLACE} stands once, in the path or the query of url")
        if (_PLACE in self.url) == bool(self.field):
            raise ValueError(f"give either {_PLACE} in url or field")
        if (self.field or self.fields) and self.method != "POST":
            raise ValueError("field and fields are sent with method POST")
        if self.field in self.fields:
            raise ValueError("fields has the field that is tried")
        address_of(self.source)
        if not self.kinds:
            raise ValueError("kinds leaves nothing to try")
        if not re.fullmatch(r"\w[\w .@-]*", self.value):
            raise ValueError("value has only letters, digits, blanks and . @ - _")


@dataclass(frozen=True, slots=True)
class Look:
    """One input and what came: `database` is a database's error message in it that is not in the
    answer to `value`, `tag` how the tag of the probe stands in it as HTML.
    """

    sent: str
    status: int
    said: str
    database: str = ""
    tag: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """A true and a false condition, and which of them is answered as `value` alone is."""

    true: str
    false: str
    true_is_alike: bool
    false_is_alike: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """`afterwards` is the answer to `value` when all probes have been sent; `tells_apart` whether
    nonsense is answered otherwise than `value`.
    """

    probes: tuple[Look, ...]
    pairs: tuple[Pair, ...]
    afterwards: Look
    tells_apart: bool


def observe(host: Host, want: Params) -> Seen:
    source = address_of(want.source)

    def send(text: str) -> Answer:
        return fetch(host, replace(_request(want, text), source=source))

    harmless = [_harmless(want, send(want.value)) for _ in range(2)]
    sent = [*(_QUOTES if "sql" in want.kinds else ()), *([_MARKER] if "xss" in want.kinds else ())]
    answers = {text: send(text) for text in (one.format(value=want.value) for one in sent)}
    pairs = _PAIRS if "sql" in want.kinds else ()
    wanted = [tuple(one.format(value=want.value) for one in pair) for pair in pairs]
    answers |= {text: send(text) for pair in wanted for text in pair}
    if "sql" in want.kinds:
        answers[_NONSENSE] = send(_NONSENSE)
    ask(host, "sleep %s", "1")  # a time of day in the page is another one now
    last = send(want.value)
    basis = [*harmless, last] if last.status == harmless[0].status else harmless
    alike = _comparison(want, basis)
    seen = Seen(
        tuple(_look(text, answer, harmless[0]) for text, answer in answers.items()),
        tuple(_pair(true, false, answers, alike, send) for true, false in wanted),
        replace(_look(want.value, last, harmless[0]), database=""),
        tells_apart=_NONSENSE in answers and not alike(_NONSENSE, answers[_NONSENSE]),
    )
    if not judge(want, seen):  # what is red already needs no more
        _refuse_if_blind(want, seen)
    return seen


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    what = f"{want.method} {want.url}"
    what = f"{what} {want.field}" if want.field else what
    broken = [(one.sent, one.said) for one in seen.probes if one.status >= want.red_from]
    said = [(one.sent, one.database) for one in seen.probes if one.database]
    tags = [(one.sent, one.tag) for one in seen.probes if one.tag]
    run = [
        (pair.true, f"answered as {want.value} is, and {pair.false} is not: it is run as SQL")
        for pair in seen.pairs
        if pair.true_is_alike and not pair.false_is_alike
    ]
    found = (
        (f"an answer below {want.red_from}", broken),
        ("no error message of a database", said),
        ("no tag of the visitor's as HTML", tags),
        ("a condition that is only text", run),
    )
    wrong = [_first(what, wanted, all_of_it) for wanted, all_of_it in found if all_of_it]
    after = seen.afterwards
    if after.trouble or after.status >= _BROKEN:
        wrong.append(Mismatch(f"{what} afterwards", "still answered", after.trouble or after.said))
    return wrong


def _impossible(want: Params) -> Params:
    return replace(want, red_from=_LOWEST)


CHECK = Check(Params, observe, judge, impossible=_impossible)

_QUOTES = ("{value}'", '{value}"', "{value}')", "{value}\\")
# True and false behind a number, a text, and a text in LIKE. The two numbers are unlikely to be in anybody's data.
_PAIRS = (
    ("{value} AND 4173=4173", "{value} AND 4173=4174"),
    ("{value}' AND '4173'='4173", "{value}' AND '4173'='4174"),
    ("{value}%' AND '4173%'='4173", "{value}%' AND '4173%'='4174"),
)
# As they stand in an answer once the escapes of HTML and JSON are gone.
_MESSAGES = (
    # MySQL, MariaDB
    r"You have an error in your SQL syntax",
    r"manual that corresponds to your (?:MySQL|MariaDB)",
    r"ER_PARSE_ERROR|pymysql\.err\.|MySQLdb\.|mysql\.connector\.errors|com\.mysql\.",
    r"Warning: (?:mysqli?_|PDO::|pg_|SQLite3::)",
    # PostgreSQL
    r'syntax error at or near "|unterminated quoted string at or near',
    r"invalid input syntax for (?:type )?(?:integer|bigint|uuid|numeric|date|boolean)",
    r"PG::\w+Error|psycopg2?\.|asyncpg\.exceptions|org\.postgresql\.util",
    # SQLite
    r'near ".{1,40}": syntax error|unrecognized token: "',
    r"SQLITE_ERROR|sqlite3\.\w*Error|SQLite3::\w*Exception",
    # SQL Server
    r"Unclosed quotation mark after the character string|Incorrect syntax near '",
    r"Microsoft OLE DB Provider|SQL Server Driver|System\.Data\.SqlClient|microsoft\.sqlserver",
    # Oracle
    r"\bORA-\d{5}\b|quoted string not properly terminated|oracle\.jdbc",
    # the libraries between
    r"SQLSTATE\[\w+\]|PDOException|sqlalchemy\.exc|QueryFailedError|Sequelize\w*Error",
    r"PrismaClient\w*Error|ActiveRecord::StatementInvalid|Doctrine.?DBAL|org\.hibernate\.",
    r"django\.db\.utils|Illuminate.?Database.?QueryException|java\.sql\.SQL\w*Exception",
)
_DATABASES = re.compile("|".join(_MESSAGES))
_AS_HTML = ("text/html", "application/xhtml+xml", "image/svg+xml", "")

_Alike = Callable[[str, Answer], bool]


def _request(want: Params, text: str) -> Request:
    url, headers, body = want.url.replace(_PLACE, quote(text, safe="")), {}, ""
    if want.field or want.fields:
        given = {**want.fields, **({want.field: text} if want.field else {})}
        as_json = want.content_type == "json"
        kind = "application/json" if as_json else "application/x-www-form-urlencoded"
        headers, body = {"Content-Type": kind}, json.dumps(given) if as_json else urlencode(given)
    return Request(url, want.method, headers, body, want.max_time_s)


def _harmless(want: Params, answer: Answer) -> Answer:
    said = f"the harmless '{want.value}' is answered {excerpt(answer.said, 120)}"
    if answer.trouble or answer.status >= _WRONG:
        raise CannotObserve(f"{said}: give a value that is answered below 400")
    if "xss" in want.kinds and answer.status in _REDIRECTED:
        to = answer.header("location").partition("?")[0]
        raise CannotObserve(f"{said}, a redirect to {to}: there is no page in which a tag could be")
    return answer


def _look(text: str, answer: Answer, harmless: Answer) -> Look:
    return Look(
        text,
        answer.status,
        "" if answer.trouble else answer.said,
        _database(answer.body, harmless.body),
        _tag(answer) if text == _MARKER else "",
        answer.trouble,
    )


def _database(body: str, harmless: str) -> str:
    known = {match[0] for match in _DATABASES.finditer(_unescaped(harmless))}
    text = _unescaped(body)
    for match in _DATABASES.finditer(text):
        if match[0] not in known:
            return excerpt(text[match.start() : match.start() + 160], 120)
    return ""


def _unescaped(text: str) -> str:
    return html.unescape(text).replace("\\", "")


def _tag(answer: Answer) -> str:
    if answer.media_type not in _AS_HTML:
        return ""
    found = re.search(r"<v3r1f1er.{0,40}", answer.body, re.IGNORECASE)
    if found:
        return f"it comes back as it was sent: {excerpt(found[0], 60)}"
    page = _Attributes()
    page.feed(answer.body)
    return f"its quotes end the attribute {page.ended}" if page.ended else ""


class _Attributes(HTMLParser):
    """Finds the attribute that ends within the marker: at the first quote of its own kind."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        raw = self.get_starttag_text() or ""
        for name, value in attrs:
            ends_early = (value or "").lower().endswith(("v3r1f1er a=", 'v3r1f1er a="'))
            if ends_early and re.search(r"v3r1f1er a=(&quot;|&#34;)?[\"']", raw, re.IGNORECASE):
                self.ended = f"{name} of {tag}"


def _comparison(want: Params, harmless: list[Answer]) -> _Alike:
    """Whether an answer has all that every answer to `value` has, whatever else is in it."""
    stable = _words(harmless[0].body)
    for answer in harmless[1:]:
        stable &= _words(answer.body)

    def alike(text: str, answer: Answer) -> bool:
        body = answer.body
        for shape in _shapes(text):
            body = body.replace(shape, want.value)
        return answer.status == harmless[0].status and not stable - _words(body)

    return alike


def _words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text))


def _shapes(text: str) -> tuple[str, ...]:
    """A text as an answer may show it again, the longest shapes first."""
    escaped = html.escape(text)
    found = {
        text,
        escaped,
        escaped.replace("&#x27;", "&#39;"),
        escaped.replace("&#x27;", "&#039;"),
        html.escape(text, quote=False),
        json.dumps(text)[1:-1],
        quote(text, safe=""),
        quote_plus(text),
    }
    return tuple(sorted(found, key=len, reverse=True))


def _pair(
    true: str,
    false: str,
    answers: Mapping[str, Answer],
    alike: _Alike,
    send: Callable[[str], Answer],
) -> Pair:
    pair = Pair(true, false, alike(true, answers[true]), alike(false, answers[false]))
    if pair.true_is_alike and not pair.false_is_alike:
        # Once more: a page may have changed just between the two.
        again = Pair(true, false, alike(true, send(true)), alike(false, send(false)))
        return again if again.false_is_alike else pair
    return pair


def _refuse_if_blind(want: Params, seen: Seen) -> None:
    for look in seen.probes:
        if look.status == _TOO_MANY:
            raise CannotObserve(f"'{look.sent}' is answered 429: a limiter counts these requests")
        if look.trouble:
            raise CannotObserve(f"'{look.sent}' is not answered: {look.trouble}")
    if "sql" in want.kinds and not seen.tells_apart and not want.finds_nothing:
        raise CannotObserve(
            f"'{want.value}' and nonsense are answered alike, so SQL would not show: "
            "give a value that finds something, or say finds_nothing"
        )


def _first(what: str, wanted: str, found: list[tuple[str, str]]) -> Mismatch:
    sent, saw = found[0]
    more = f" (and for {len(found) - 1} more)" if len(found) > 1 else ""
    return Mismatch(f"{what} given {sent}", wanted, f"{saw}{more}")
