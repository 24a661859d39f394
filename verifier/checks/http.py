"""An HTTP request is answered as it should be: status, media type, text, headers, JSON values and
JSON shape.

    - id: health-says-ok
      check: http
      with:
        url: http://127.0.0.1:8000/health
        content_type: application/json
        json: {status: ok, checks.database: ok}

`json` maps a dotted path to the value wanted there. `json_type` (list, object, string, number,
boolean, null) is the type of the document, or of the value at `json_path`; `item_keys` are the keys
every object of that list must have and `min_items` how many it must hold: an empty list proves
nothing about `item_keys`. `contains` are texts and `matches` a regular expression that the body
must have; `headers` maps a header to a regular expression for its whole value. Redirects are not
followed: ask for `status: 302` and the `Location` header instead. Bound with `from: controller` it
sees what a user of the service sees.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from verifier.checks._http import (
    MAX_TIME_S,
    Answer,
    Request,
    at_path,
    excerpt,
    fetch,
    parse_json,
    unanswered,
)
from verifier.checks.base import Check, Host, Mismatch

_TYPES: dict[str, tuple[type, ...]] = {
    "list": (list,),
    "object": (dict,),
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


@dataclass(frozen=True)
class Params:
    url: str
    method: str = "GET"
    status: int = 200
    content_type: str = ""
    contains: tuple[str, ...] = ()
    matches: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    json_path: str = ""
    json_type: str = ""
    item_keys: tuple[str, ...] = ()
    min_items: int = 0
    request_headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    max_time_s: float = MAX_TIME_S

    def __post_init__(self) -> None:
        if self.json_type and self.json_type not in _TYPES:
            raise ValueError(f"json_type is one of {', '.join(_TYPES)}")
        re.compile(self.matches)


@dataclass(frozen=True)
class Seen:
    answer: Answer


def observe(host: Host, want: Params) -> Seen:
    request = Request(want.url, want.method, want.request_headers, want.body, want.max_time_s)
    return Seen(fetch(host, request))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    wrong = unanswered(f"{want.method} {want.url}", seen.answer, status=want.status)
    if wrong:
        return wrong
    return [*_judge_text(want, seen.answer), *_judge_json(want, seen.answer)]


def _impossible(want: Params) -> Params:
    if want.json or want.json_type or want.item_keys or want.min_items:
        paths = want.json or ("verifier-no-such-key",)
        return replace(want, json=dict.fromkeys(paths, "verifier-no-such-value"))
    return replace(want, contains=(*want.contains, "verifier-no-such-text"))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _judge_text(want: Params, answer: Answer) -> list[Mismatch]:
    wrong = [
        Mismatch("the body", f"to contain '{text}'", excerpt(answer.body))
        for text in want.contains
        if text not in answer.body
    ]
    if not re.search(want.matches, answer.body):
        wrong.append(Mismatch("the body", f"to match /{want.matches}/", excerpt(answer.body)))
    if want.content_type and answer.media_type != want.content_type.lower():
        wrong.append(Mismatch("Content-Type", want.content_type, answer.media_type or "none"))
    for name, pattern in want.headers.items():
        if not re.fullmatch(pattern, answer.header(name), re.IGNORECASE):
            wrong.append(Mismatch(f"header {name}", pattern, answer.header(name) or "none"))
    return wrong


def _judge_json(want: Params, answer: Answer) -> list[Mismatch]:
    if not (want.json or want.json_type or want.item_keys or want.min_items):
        return []
    try:
        document = parse_json(answer.body)
    except ValueError as error:
        return [Mismatch("the body", "JSON", f"{error}: {excerpt(answer.body)}")]
    wrong = [
        mismatch for path, value in want.json.items() for mismatch in _at(document, path, value)
    ]
    return [*wrong, *_judge_shape(want, document)]


def _at(document: object, path: str, wanted: object) -> list[Mismatch]:
    try:
        found = at_path(document, path)
    except LookupError:
        return [Mismatch(path, repr(wanted), "nothing there")]
    # An inventory may type a release as 2 or "2"; true and "true" stay different things.
    is_flag = isinstance(found, bool) or isinstance(wanted, bool)
    same = found == wanted if is_flag else str(found) == str(wanted)
    return [] if same else [Mismatch(path, repr(wanted), excerpt(repr(found)))]


def _judge_shape(want: Params, document: object) -> list[Mismatch]:
    what = want.json_path or "the document"
    try:
        value = at_path(document, want.json_path)
    except LookupError:
        return [Mismatch(what, "to be there", "nothing there")]
    wanted = want.json_type or ("list" if want.item_keys or want.min_items else "")
    if wanted and not _is_of(value, wanted):
        return [Mismatch(what, f"a {wanted}", excerpt(repr(value)))]
    return _judge_items(want, what, value) if isinstance(value, list) else []


def _is_of(value: object, wanted: str) -> bool:
    if isinstance(value, bool) and wanted != "boolean":
        return False
    return isinstance(value, _TYPES[wanted])


def _judge_items(want: Params, what: str, items: list[object]) -> list[Mismatch]:
    if len(items) < want.min_items:
        return [Mismatch(what, f"{want.min_items} items or more", str(len(items)))]
    for place, item in enumerate(items):
        there = item if isinstance(item, Mapping) else {}
        missing = [key for key in want.item_keys if key not in there]
        if missing:
            wanted = f"keys {', '.join(want.item_keys)}"
            return [Mismatch(f"item {place} of {what}", wanted, excerpt(repr(item)))]
    return []
