"""An OpenAPI document is served, parses, and documents what it must.

    - id: api-documented
      check: openapi
      with:
        url: http://127.0.0.1:8000/openapi.json
        docs_url: http://127.0.0.1:8000/docs
        paths: [GET /files, POST /files]

Always: `openapi` 3.x, a title and a version, at least one operation, and responses with
descriptions in each. `docs_url` is the page for people: it must load as HTML. `paths` are
operations that must be documented (`/files` alone means any method). `routes` is a program on the
host, run in `routes_in`, that prints what the application really registered as JSON (`[{"method":
"get", "path": "/files"}]`): each must be documented and each documented one real. `security` names
schemes that must be defined and be asked for by an operation; a scheme asked for and not defined is
red. `protected` are operations that must ask for a scheme. `errors: true` wants a 4xx, 5xx or
default response in every operation below `errors_below`; `examples: true` wants an example wherever
a request or a 2xx response carries JSON.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from verifier.checks._http import MAX_TIME_S, Answer, Request, excerpt, fetch, unanswered
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.document import parse_yaml
from verifier.errors import CannotObserve, DocumentError

_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})


@dataclass(frozen=True)
class Params:
    url: str
    docs_url: str = ""
    paths: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    routes_in: str = ""
    security: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    errors: bool = False
    errors_below: str = "/"
    examples: bool = False
    max_time_s: float = MAX_TIME_S


@dataclass(frozen=True)
class Operation:
    """`lacks` are places that should carry an example and do not."""

    name: str
    responses: tuple[str, ...]
    undescribed: tuple[str, ...] = ()
    security: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Document:
    version: str
    title: str
    release: str
    operations: tuple[Operation, ...]
    schemes: tuple[str, ...]


@dataclass(frozen=True)
class Seen:
    """`document` is None, with the reason in `trouble`, when what came is no OpenAPI document."""

    answer: Answer
    docs: Answer | None
    document: Document | None = None
    trouble: str = ""
    routes: tuple[str, ...] = field(default=())


def observe(host: Host, want: Params) -> Seen:
    answer = fetch(host, Request(want.url, max_time_s=want.max_time_s))
    docs = (
        fetch(host, Request(want.docs_url, max_time_s=want.max_time_s)) if want.docs_url else None
    )
    routes = _routes(host, want) if want.routes else ()
    brief = Answer(answer.status, answer.headers, answer.body[:200], answer.trouble)
    try:
        document = _read(answer.body) if answer.body else None
    except (DocumentError, TypeError, ValueError) as error:
        return Seen(brief, docs, None, str(error), routes)
    return Seen(brief, docs, document, "" if document else "an empty answer", routes)


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    wrong = _judge_page(want, seen.docs) if seen.docs else []
    unread = unanswered(f"GET {want.url}", seen.answer)
    if unread:
        return [*wrong, *unread]
    if seen.document is None:
        return [*wrong, Mismatch(want.url, "an OpenAPI document", seen.trouble)]
    return [
        *wrong,
        *_judge_frame(seen.document),
        *_judge_paths(want, seen, seen.document),
        *_judge_security(want, seen.document),
        *_judge_content(want, seen.document),
    ]


def _impossible(want: Params) -> Params:
    if want.security:
        return replace(want, security=(*want.security, "verifier-no-such-scheme"))
    if want.protected:
        return replace(want, protected=(*want.protected, "GET /verifier-no-such-path"))
    return replace(want, paths=(*want.paths, "GET /verifier-no-such-path"))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _routes(host: Host, want: Params) -> tuple[str, ...]:
    chdir = f"cd {shlex.quote(want.routes_in)} && " if want.routes_in else ""
    printed = ask(host, chdir + shlex.join(want.routes))
    try:
        found = [f"{r['method'].upper()} {r['path']}" for r in json.loads(printed)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CannotObserve(f"the list of routes is not understood: {excerpt(printed)}") from error
    if not found:
        raise CannotObserve("the list of routes is empty")
    return tuple(sorted(found))


def _read(text: str) -> Document:
    raw = _mapping(parse_yaml(text, where="the document"), "the document")
    info = _mapping(raw.get("info"), "info")
    components = _mapping(raw.get("components", {}), "components")
    common = _names_of(raw.get("security", []))
    return Document(
        version=str(raw.get("openapi", "")),
        title=str(info.get("title", "")),
        release=str(info.get("version", "")),
        operations=tuple(_operations(_mapping(raw.get("paths", {}), "paths"), common)),
        schemes=tuple(_mapping(components.get("securitySchemes", {}), "securitySchemes")),
    )


def _operations(paths: Mapping[str, object], common: tuple[str, ...]) -> Iterator[Operation]:
    for path, item in paths.items():
        for method, body in _mapping(item, path).items():
            if method in _METHODS:
                name = f"{method.upper()} {path}"
                yield _operation(name, _mapping(body, name), common)


def _operation(name: str, body: Mapping[str, object], common: tuple[str, ...]) -> Operation:
    responses = _mapping(body.get("responses", {}), f"{name} responses")
    parts = {str(code): _mapping(part, f"{name} {code}") for code, part in responses.items()}
    wants_example = {code: part for code, part in parts.items() if code.startswith("2")}
    if "requestBody" in body:
        wants_example["request"] = _mapping(body["requestBody"], f"{name} requestBody")
    return Operation(
        name=name,
        responses=tuple(parts),
        undescribed=tuple(
            c for c, p in parts.items() if "$ref" not in p and not p.get("description")
        ),
        security=_names_of(body["security"]) if "security" in body else common,
        lacks=tuple(where for where, part in wants_example.items() if _lacks_example(part)),
    )


def _lacks_example(part: Mapping[str, object]) -> bool:
    content = _mapping(part.get("content", {}), "content")
    media = [_mapping(m, name) for name, m in content.items() if "json" in name]
    return any(not _has_example(entry) for entry in media)


def _has_example(entry: Mapping[str, object]) -> bool:
    schema = _mapping(entry.get("schema", {}), "schema")
    places = (entry.get("example"), entry.get("examples"), schema.get("example"))
    return any(place is not None for place in (*places, schema.get("examples")))


def _names_of(requirements: object) -> tuple[str, ...]:
    if not isinstance(requirements, list):
        raise TypeError("security is not a list")
    return tuple(dict.fromkeys(name for one in requirements for name in _mapping(one, "security")))


def _mapping(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{where} is not an object")
    return value


def _judge_page(want: Params, page: Answer) -> list[Mismatch]:
    wrong = unanswered(f"GET {want.docs_url}", page)
    if not wrong and (page.media_type != "text/html" or "<" not in page.body):
        wrong = [Mismatch(f"GET {want.docs_url}", "an HTML page", page.said)]
    return wrong


def _judge_frame(document: Document) -> list[Mismatch]:
    wrong = []
    if not document.version.startswith("3."):
        wrong.append(Mismatch("openapi", "version 3.x", document.version or "none"))
    for name, value in (("info.title", document.title), ("info.version", document.release)):
        if not value:
            wrong.append(Mismatch(name, "a text", "none"))
    if not document.operations:
        wrong.append(Mismatch("paths", "at least one operation", "none"))
    for operation in document.operations:
        if not operation.responses:
            wrong.append(Mismatch(operation.name, "responses", "none"))
        bare = (f"{operation.name} {code}" for code in operation.undescribed)
        wrong += [Mismatch(response, "a description", "none") for response in bare]
    return wrong


def _judge_paths(want: Params, seen: Seen, document: Document) -> list[Mismatch]:
    documented = {operation.name for operation in document.operations}
    known = documented | {name.partition(" ")[2] for name in documented}
    wrong = [Mismatch(path, "documented", "not there") for path in want.paths if path not in known]
    if want.routes:
        served = set(seen.routes)
        wrong += [Mismatch(r, "documented", "served only") for r in sorted(served - documented)]
        wrong += [Mismatch(r, "served", "documented only") for r in sorted(documented - served)]
    return wrong


def _judge_security(want: Params, document: Document) -> list[Mismatch]:
    asked = {name for operation in document.operations for name in operation.security}
    by_name = {operation.name: operation for operation in document.operations}
    wrong = [
        Mismatch(f"security scheme {name}", "defined", "only asked for")
        for name in sorted(asked - set(document.schemes))
    ]
    for name in want.security:
        if name not in document.schemes:
            wrong.append(Mismatch(f"security scheme {name}", "defined", "not there"))
        elif name not in asked:
            wrong.append(Mismatch(f"security scheme {name}", "asked for", "no operation does"))
    open_ = [n for n in want.protected if n not in by_name or not by_name[n].security]
    return [*wrong, *(Mismatch(n, "asks for a security scheme", "asks for none") for n in open_)]


def _judge_content(want: Params, document: Document) -> list[Mismatch]:
    wrong = []
    for operation in document.operations:
        below = operation.name.partition(" ")[2].startswith(want.errors_below)
        if want.errors and below and not any(_is_error(code) for code in operation.responses):
            said = ", ".join(operation.responses) or "none"
            wrong.append(Mismatch(operation.name, "an error response", said))
        if want.examples:
            wrong += [
                Mismatch(f"{operation.name} {p}", "an example", "none") for p in operation.lacks
            ]
    return wrong


def _is_error(code: str) -> bool:
    return code == "default" or code[:1] in ("4", "5")
