"""The list of origins whose pages may call the service is a list of real https origins, and nothing
else.

    - id: origins-declared
      check: cors_origins
      with:
        path: /srv/app/.env.prod
        key: CORS_ORIGINS
        expected: [https://files.example, https://admin.files.example]

The value may be a comma list or a JSON list. Red when absent or empty, for `*` anywhere, `null`,
plain http (except for the hosts in `allow_http_hosts`), and for whatever a browser would never send
as an origin: a path, a trailing slash, a user, upper case, a bare name. With `expected` the list
must hold exactly these.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, urlsplit

from verifier.checks._dotenv import read_env
from verifier.checks.base import Check, Host, Mismatch

_LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*|\[[0-9a-f:]+\]")
_DEFAULT_PORT = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Params:
    path: str
    key: str
    expected: tuple[str, ...] = ()
    allow_http_hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seen:
    """`value` as it stands in the file, None when the key is absent. Origins are no secret."""

    value: str | None


def observe(host: Host, want: Params) -> Seen:
    return Seen(read_env(host, want.path).values.get(want.key))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if not seen.value:
        return [Mismatch(want.key, "at least one origin", "absent" if seen.value is None else "''")]
    origins = _listed(seen.value)
    if origins is None:
        return [Mismatch(want.key, "a comma list or a JSON list of texts", "broken JSON")]
    if not origins:
        return [Mismatch(want.key, "at least one origin", "an empty list")]
    found = [
        Mismatch(want.key, "https origins", f"'{origin}': {why}")
        for origin in origins
        if (why := _complaint(origin, want.allow_http_hosts))
    ]
    found += [
        Mismatch(want.key, "each origin once", f"'{origin}' stands twice")
        for origin in sorted({o for o in origins if origins.count(o) > 1})
    ]
    return found + _differences(want, origins)


def _impossible(want: Params) -> Params:
    return replace(want, expected=("https://verifier-no-such-thing.invalid",))


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _listed(value: str) -> list[str] | None:
    if not value.lstrip().startswith(("[", "{", '"')):
        return [origin.strip() for origin in value.split(",")]
    try:
        given = json.loads(value)
    except json.JSONDecodeError:
        return None
    is_list = isinstance(given, list) and all(isinstance(origin, str) for origin in given)
    return given if is_list else None


def _complaint(origin: str, allow_http_hosts: tuple[str, ...]) -> str:
    if "*" in origin:
        return "a wildcard lets every page in"
    if not origin or origin == "null":
        return "no origin"
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return "malformed"
    if parts.scheme not in _DEFAULT_PORT:
        return "not https://host"
    if parts.scheme == "http" and parts.hostname not in allow_http_hosts:
        return "plain http"
    return _malformed(origin, parts, port)


def _malformed(origin: str, parts: SplitResult, port: int | None) -> str:
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    if not _HOST.fullmatch(name):
        return "malformed host name"
    if port == _DEFAULT_PORT[parts.scheme]:
        return "browsers leave the default port out, so it would never match"
    canonical = f"{parts.scheme}://{name}" + (f":{port}" if port else "")
    return "" if origin == canonical else f"more than an origin (a browser would send {canonical})"


def _differences(want: Params, origins: list[str]) -> list[Mismatch]:
    if not want.expected:
        return []
    missing = [Mismatch(want.key, o, "missing") for o in want.expected if o not in origins]
    return missing + [
        Mismatch(want.key, "only the declared origins", f"'{o}'")
        for o in dict.fromkeys(origins)
        if o not in want.expected and not _complaint(o, want.allow_http_hosts)
    ]
