"""One answer carries headers with the values that are wanted, and lacks others.

    - id: pages-are-compressed
      check: http_header
      with:
        url: http://127.0.0.1:3000/
        wants: {Content-Encoding: "gzip|br", Vary: ".*accept-encoding.*", ETag: ""}
        absent: [X-Powered-By]
        request_headers: {Accept-Encoding: gzip}

`wants` maps a header to a regular expression for its whole value, upper and lower case being the
same; `""` takes any value but an empty one. A header that comes several times counts as one value,
joined with commas. `absent` are headers that must not come, whatever their value. At least one of
the two says something. `method` and `request_headers` are what is asked with; `status` is the one
that the answer must have: the headers of an error page say nothing about the page. `max_time_s` is
how long the answer may take. The values of cookies are left out before anything is compared: of
`Set-Cookie` only its name and its attributes can be asked for (`session=.*; *HttpOnly.*`). Redirects
are not followed. For the headers that protect a browser there is `security_headers`, for caching
`cache_headers`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from verifier.checks._http import MAX_TIME_S, Answer, Request, excerpt, fetch, unanswered
from verifier.checks._pattern import refuse_bad_patterns
from verifier.checks.base import Check, Host, Mismatch


@dataclass(frozen=True, slots=True)
class Params:
    url: str
    wants: Mapping[str, str] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    request_headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    status: int = 200
    max_time_s: float = MAX_TIME_S

    def __post_init__(self) -> None:
        if not (self.wants or self.absent):
            raise ValueError("needs at least one header under wants or absent")
        both = {name.lower() for name in self.wants} & {name.lower() for name in self.absent}
        if both:
            raise ValueError(f"both wanted and absent: {', '.join(sorted(both))}")
        refuse_bad_patterns("wants", filter(None, self.wants.values()))


@dataclass(frozen=True, slots=True)
class Seen:
    """The answer without its body."""

    answer: Answer


def observe(host: Host, want: Params) -> Seen:
    request = Request(want.url, want.method, want.request_headers, "", want.max_time_s)
    answer = fetch(host, request)
    return Seen(Answer(answer.status, answer.headers, "", answer.trouble))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    answer = seen.answer
    wrong = unanswered(f"{want.method} {want.url}", answer, status=want.status)
    if wrong:
        return wrong
    sent = {name for name, _ in answer.headers}
    for name, pattern in want.wants.items():
        value = answer.header(name)
        if name.lower() not in sent:
            wanted = f"/{pattern}/" if pattern else "some value"
            wrong.append(Mismatch(f"header {name}", wanted, "no such header"))
        elif not pattern and not value.strip(", "):
            wrong.append(Mismatch(f"header {name}", "some value", "an empty one"))
        elif pattern and not re.fullmatch(pattern, value, re.IGNORECASE):
            wrong.append(Mismatch(f"header {name}", f"/{pattern}/", excerpt(value) or "nothing"))
    for name in want.absent:
        if name.lower() in sent:
            saw = excerpt(answer.header(name)) or "an empty one"
            wrong.append(Mismatch(f"header {name}", "not sent", saw))
    return wrong


def _impossible(want: Params) -> Params:
    names = want.wants or ("X-Verifier-No-Such-Header",)
    return replace(want, wants=dict.fromkeys(names, "verifier-no-such-value"))


CHECK = Check(Params, observe, judge, impossible=_impossible)
