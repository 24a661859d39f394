"""The look that every HTTP check shares: one request with `curl` from where the host stands,
bounded in time and size, without proxies, without the user's own curl settings, without following
redirects. Facts only; no opinion. A service that does not answer is a fact (`trouble`); a curl that
cannot ask is CannotObserve.
"""

from __future__ import annotations

import ipaddress
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from verifier.checks.base import Host, Mismatch
from verifier.errors import CannotObserve

MAX_TIME_S = 10.0
MAX_BYTES = 2_000_000

# curl's own exit codes for a server that refuses, hangs up, stays silent or speaks something else.
_NO_ANSWER = frozenset({1, 7, 8, 16, 18, 28, 35, 51, 52, 55, 56, 60, 92, 95})
_TOO_BIG = 63


@dataclass(frozen=True)
class Request:
    """What to ask. `source` is the address to ask from: some services count by address."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    max_time_s: float = MAX_TIME_S
    source: str = ""


@dataclass(frozen=True)
class Answer:
    """What came: `status` 0 and a `trouble` when nothing did. Values of cookies are left out."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    trouble: str = ""

    def header(self, name: str) -> str:
        """Every value of one header, joined as RFC 9110 joins them; empty when it is not there."""
        return ", ".join(value for key, value in self.headers if key == name.lower())

    @property
    def media_type(self) -> str:
        return self.header("content-type").partition(";")[0].strip().lower()

    @property
    def said(self) -> str:
        """The answer in a few words, for a reason that names what came instead."""
        if self.trouble:
            return self.trouble
        return f"{self.status} {self.media_type} {excerpt(self.body)}".strip()


def fetch(host: Host, request: Request) -> Answer:
    """The answer to one request. CannotObserve when curl is missing, misused, or cannot resolve the
    name.
    """
    words = [*curl_words(request), "-i", "-X", request.method]
    words += ["-I"] if request.method == "HEAD" else []
    words += [
        word for name, value in request.headers.items() for word in ("-H", f"{name}: {value}")
    ]
    words += ["--data-raw", request.body] if request.body else []
    done = host.run("curl" + " %s" * (len(words) + 1), *words, request.url)
    if done.rc == 0:
        return _answer(done.stdout)
    return Answer(0, trouble=no_answer(done.rc, done.stderr))


def curl_words(request: Request) -> list[str]:
    """The options that every curl of ours has, without the URL."""
    words = ["-q", "-sS", "--noproxy", "*", "--max-time", f"{request.max_time_s:g}"]
    words += ["--max-filesize", str(MAX_BYTES)]
    return [*words, "--interface", request.source] if request.source else words


def address_of(source: str) -> str:
    """The address to ask from: `source` itself, or one at random out of it when it is a network."""
    if "/" not in source:
        return source
    network = ipaddress.ip_network(source)
    # Not the first addresses: they are the ones that others use.
    return str(
        network[secrets.randbelow(network.num_addresses * 3 // 4) + network.num_addresses // 8]
    )


def no_answer(code: int, stderr: str) -> str:
    """Curl's reason why a service did not answer; CannotObserve when the fault is on the asking
    side.
    """
    said = (stderr.strip() or "no output").splitlines()[-1][:300]
    if code == _TOO_BIG:
        raise CannotObserve(f"the answer is bigger than {MAX_BYTES} bytes: {said}")
    if code not in _NO_ANSWER:
        raise CannotObserve(f"curl ended with {code}: {said}")
    return said


def unanswered(what: str, answer: Answer, *, status: int = 200) -> list[Mismatch]:
    """The mismatch of an answer that never came or has another status; empty when all is well."""
    if not answer.trouble and answer.status == status:
        return []
    return [Mismatch(what, f"status {status}", answer.said)]


def at_path(document: object, path: str) -> object:
    """The value at a dotted path of a JSON document (`checks.database`, `0.name`); LookupError if
    there is none.
    """
    for part in filter(None, path.split(".")):
        if isinstance(document, Mapping) and part in document:
            document = document[part]
        elif isinstance(document, list) and part.isdigit() and int(part) < len(document):
            document = document[int(part)]
        else:
            raise LookupError(path)
    return document


def read_headers(head: str) -> Iterator[tuple[str, str]]:
    """The headers in what stands before a body, names in lower case; a cookie loses its value."""
    for line in head.splitlines()[1:]:
        name, colon, value = line.partition(":")
        shown = value.strip()
        if name.lower() == "set-cookie":
            cookie, _, rest = shown.partition("=")
            shown = f"{cookie}=...;{rest.partition(';')[2]}"
        if colon:
            yield name.strip().lower(), shown


def parse_json(text: str) -> object:
    """The JSON document in `text`; ValueError when it is none, or has NaN or a key twice."""
    return json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_refuse)


def excerpt(text: str, length: int = 200) -> str:
    """The beginning of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[:length]}..."


def _answer(output: str) -> Answer:
    head, blank, rest = output.replace("\r\n", "\n").partition("\n\n")
    # Interim answers (100, 103) stand before the real one, each with a head of its own.
    while blank and _status(head) in range(100, 200):
        head, blank, rest = rest.partition("\n\n")
    return Answer(_status(head), tuple(read_headers(head)), rest)


def _status(head: str) -> int:
    words = head.split(maxsplit=2)
    if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdigit():  # noqa: PLR2004
        raise CannotObserve(f"the answer has no status line: {excerpt(head, 80)}")
    return int(words[1])


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _refuse(word: str) -> object:
    raise ValueError(f"{word} is no JSON")
