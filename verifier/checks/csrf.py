"""A request that changes something is refused without the CSRF token, and gets through with it.

    - id: csrf-refused
      check: csrf
      with:
        url: http://127.0.0.1:3000/api/items
        token_url: http://127.0.0.1:3000/api/csrf-token
        body: '{}'
        accepted: [400]

Four requests with the cookies that `token_url` gave: without a token, with a wrong one, with the
right token but without the cookies (a token alone is no proof), and with everything. The first
three must get `refused`, the last one of `accepted`: without this counter-proof a dead endpoint
would pass. Give a `body` that is refused for another reason behind the guard (an empty object, 400)
and the look changes nothing on the host. The token is read at `token_path` of the answer's JSON and
sent in `header`. It all happens in one small program on the host: neither the token nor a cookie
leaves it, and nothing is written down. Cookies marked Secure are sent over http as well, as to a
proxy behind TLS.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.errors import CannotObserve


@dataclass(frozen=True)
class Params:
    url: str
    token_url: str
    token_path: str = "token"  # noqa: S105  the name of a JSON key
    header: str = "x-csrf-token"
    method: str = "POST"
    body: str = "{}"
    content_type: str = "application/json"
    refused: int = 403
    accepted: tuple[int, ...] = (200, 201, 202, 204)

    def __post_init__(self) -> None:
        if not self.accepted or self.refused in self.accepted:
            raise ValueError("accepted is a list of statuses without the one of a refusal")


@dataclass(frozen=True)
class Seen:
    """Statuses; 0 with a `trouble` where nothing answered."""

    token: int
    without: int = 0
    wrong: int = 0
    cookieless: int = 0
    right: int = 0
    trouble: str = ""


def observe(host: Host, want: Params) -> Seen:
    asked = json.dumps(
        {
            "url": want.url,
            "token_url": want.token_url,
            "path": want.token_path,
            "header": want.header,
            "method": want.method,
            "body": want.body,
            "type": want.content_type,
        }
    )
    printed = ask(host, "python3 -c %s %s", _PROGRAM, asked)
    try:
        return Seen(**json.loads(printed))
    except (TypeError, ValueError) as error:
        raise CannotObserve("the program on the host printed something else") from error


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    if seen.trouble:
        return [Mismatch("the CSRF token", f"from {want.token_url}", seen.trouble)]
    what = f"{want.method} {want.url}"
    tried = (
        ("without a token", seen.without),
        ("with a wrong token", seen.wrong),
        ("with a token but no cookie", seen.cookieless),
    )
    wrong = [
        Mismatch(f"{what} {how}", f"refused with {want.refused}", str(status))
        for how, status in tried
        if status != want.refused
    ]
    if seen.right not in want.accepted:
        allowed = " or ".join(map(str, want.accepted))
        wrong.append(Mismatch(f"{what} with the right token", allowed, str(seen.right)))
    return wrong


def _impossible(want: Params) -> Params:
    return replace(want, refused=1000)  # a status has three digits


CHECK = Check(Params, observe, judge, impossible=_impossible)


_PROGRAM = """
import json, sys, urllib.error, urllib.request

want = json.loads(sys.argv[1])

class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None

opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), Stay())

def send(url, method, headers, body=None):
    data = body.encode() if body is not None else None
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with opener.open(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read(1000000)
    except urllib.error.HTTPError as error:
        return error.code, error.headers, b""

def give(**seen):
    print(json.dumps(seen))
    sys.exit(0)

def post(headers):
    headers = {"Content-Type": want["type"], **headers}
    return send(want["url"], want["method"], headers, want["body"])[0]

try:
    status, headers, body = send(want["token_url"], "GET", {})
    if status != 200:
        give(token=status, trouble="status %d" % status)
    cookies = "; ".join(c.split(";")[0] for c in headers.get_all("Set-Cookie") or [])
    token = json.loads(body)
    for part in want["path"].split("."):
        token = token[part]
    if not token or not isinstance(token, str):
        give(token=status, trouble="no text at " + want["path"])
    if not cookies:
        give(token=status, trouble="no cookie came with the token")
    wrong = token[::-1] if token[::-1] != token else token + "0"
    kept = {"Cookie": cookies}
    give(token=status, without=post(kept), wrong=post({want["header"]: wrong, **kept}),
         cookieless=post({want["header"]: token}), right=post({want["header"]: token, **kept}))
except (KeyError, TypeError, ValueError):
    give(token=status, trouble="no token at '%s' of the answer" % want["path"])
except OSError as error:
    give(token=0, trouble="no answer: %s" % error)
"""
