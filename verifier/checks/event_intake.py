"""The tracker of errors, or of timings, takes what the application would send: one marked test event
is accepted.

    - id: errors-arrive
      check: event_intake
      with:
        env_file: /srv/app/.env
        dsn_key: ERROR_TRACKING_DSN
        lookup_url: "http://tracker.example:8090/api/1/events/{event_id}/"

The DSN is read on the host out of `env_file`, as the application reads it; it is shown nowhere and
stands on no command line. From the host one event in Sentry's envelope protocol is sent with its
key: an `error` at level info or, with `kind: transaction`, a timing; each says in its title, its
logger and a tag that it is a test by verifier. Wanted are status 200 and the id of the event. With
`lookup_url`, in which `{event_id}` is replaced, the event must be readable there within `max_time_s`:
many trackers accept first and throw away later. `lookup_token_key` names a setting of the same file
that is sent as bearer token. Red: no DSN or one that is none, a refused key, no answer, a name that
cannot be resolved, an answer without the id, an event that is never readable.

The test event stays in the tracker; no sender can take one back. That the application really sends
its own errors is not seen. It needs python3 on the host.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field

from verifier.checks._login import Client, Login, Vantage, log_in
from verifier.checks.base import Check, Host, Mismatch
from verifier.errors import CannotObserve


@dataclass(frozen=True, slots=True)
class Params:
    env_file: Annotated[str, Field(min_length=1)]
    dsn_key: Annotated[str, Field(min_length=1)]
    kind: Literal["error", "transaction"] = "error"
    lookup_url: str = ""
    lookup_token_key: str = ""
    max_time_s: Annotated[float, Field(gt=0, le=20)] = 10

    def __post_init__(self) -> None:
        if self.lookup_url and "{event_id}" not in self.lookup_url:
            raise ValueError("lookup_url must hold {event_id}, or it could not be this event")
        if self.lookup_token_key and not self.lookup_url:
            raise ValueError("lookup_token_key is for lookup_url")


@dataclass(frozen=True, slots=True)
class Seen:
    """`login.outcome` is `in`, or the step that failed: `dsn`, `connection`, `key`, `answer`,
    `lookup`; `incomplete` when a setting is missing.
    """

    login: Login


def observe(host: Host, want: Params) -> Seen:
    asked = {"kind": want.kind, "lookup_url": want.lookup_url, "max_time_s": want.max_time_s}
    keys = {"dsn": want.dsn_key}
    if want.lookup_token_key:
        keys["token"] = want.lookup_token_key
    program = f"want = json.loads({json.dumps(asked)!r})\n{_PROGRAM}"
    login = log_in(host, Vantage(env_file=want.env_file), Client("python", program, keys))
    if login.outcome == "cannot":
        raise CannotObserve(login.said)
    return Seen(login)


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    login = seen.login
    if login.outcome == "in":
        return []
    if login.outcome == "incomplete":
        saw = f"no value for {', '.join(login.missing)} in {want.env_file}"
        return [Mismatch(f"tracker of {want.dsn_key}", "to be configured", saw)]
    wanted = _WANTED.get(login.outcome, "the test event to be accepted with its id")
    return [Mismatch(f"tracker of {want.dsn_key}", wanted, login.said)]


def _impossible(want: Params) -> Params:
    # No second event goes out: the setting is missing before anything could be sent.
    return replace(want, dsn_key="VERIFIER_NO_SUCH_DSN")


CHECK = Check(Params, observe, judge, impossible=_impossible)

_WANTED = {
    "dsn": "a DSN like https://KEY@host/PROJECT",
    "connection": "an answer",
    "key": "the key to be accepted",
    "lookup": "the accepted event to be readable",
}

_PROGRAM = """
import http.client, re, socket, time, uuid
from datetime import datetime, timezone
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

began = time.monotonic()
key = ""

def end(outcome, said):
    text = str(said)
    for secret in (given.get("dsn", ""), key, given.get("token", "")):  # a server may send it back
        text = text.replace(secret, "[secret]") if secret else text
    text = " ".join(text.split())[:300] or "nothing"
    tell(outcome=outcome, said=text, took_ms=(time.monotonic() - began) * 1000)

class NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *words):
        return None

opener = build_opener(ProxyHandler({}), NoRedirects)

def ask(request):
    left = want["max_time_s"] - (time.monotonic() - began)
    try:
        with opener.open(request, timeout=max(left, 0.1)) as answer:
            return answer.status, answer.read(100000).decode("utf-8", "replace")
    except HTTPError as error:
        return error.code, error.read(2000).decode("utf-8", "replace")

def why(error):
    reason = getattr(error, "reason", error)
    if isinstance(reason, (TimeoutError, socket.timeout)):
        return "no answer within %g s" % want["max_time_s"]
    if isinstance(reason, socket.gaierror):
        return "the name %s cannot be resolved: %s" % (place.hostname, reason.strerror)
    return getattr(reason, "strerror", None) or reason

if not all(given.values()):
    end("incomplete", "")
try:
    place = urlsplit(given["dsn"])
    port = place.port
    key = place.username or ""
    parts = re.fullmatch(r"(.*)/(\\w+)", place.path)
except ValueError:
    end("dsn", "another text")
if place.scheme not in ("http", "https") or not key or not place.hostname or not parts:
    end("dsn", "another text")
name = "[%s]" % place.hostname if ":" in place.hostname else place.hostname
base = "%s://%s%s%s" % (place.scheme, name, ":%d" % port if port else "", parts[1])

event_id, now = uuid.uuid4().hex, time.time()
event = {
    "event_id": event_id, "timestamp": now, "platform": "python", "logger": "verifier",
    "environment": "verifier-test", "tags": {"verifier": "test-event"},
}
title = "Test event by verifier: the tracker takes events"
if want["kind"] == "transaction":
    event.update(type="transaction", transaction=title, start_timestamp=now - 0.001, spans=[],
        contexts={"trace": {"trace_id": uuid.uuid4().hex, "span_id": uuid.uuid4().hex[:16],
                            "op": "test", "status": "ok"}})
else:
    event.update(level="info", message=title, fingerprint=["verifier-test-event"])
kind = "transaction" if want["kind"] == "transaction" else "event"
sent_at = datetime.fromtimestamp(now, timezone.utc).isoformat()
lines = [{"event_id": event_id, "sent_at": sent_at}, {"type": kind}, event]
request = Request(
    "%s/api/%s/envelope/" % (base, parts[2]),
    data="\\n".join(json.dumps(line) for line in lines).encode(),
    headers={"Content-Type": "application/x-sentry-envelope", "User-Agent": "verifier/1",
        "X-Sentry-Auth": "Sentry sentry_version=7, sentry_client=verifier/1, sentry_key=" + key},
)

try:
    status, body = ask(request)
except (URLError, http.client.HTTPException, OSError, UnicodeError, ValueError) as error:
    end("connection", why(error))
if status in (401, 403):
    end("key", "%d %s" % (status, body))
try:
    told = json.loads(body).get("id", "")
except (ValueError, AttributeError):
    told = ""
if status != 200 or str(told).replace("-", "").lower() != event_id:
    end("answer", "%d %s" % (status, body))

if want["lookup_url"]:
    url = want["lookup_url"].replace("{event_id}", event_id)
    headers = {"Authorization": "Bearer " + given["token"]} if "token" in given else {}
    said = ""
    while time.monotonic() - began < want["max_time_s"]:
        try:
            status, body = ask(Request(url, headers=headers))
            if status == 200 and event_id in body.replace("-", "").lower():
                break
            said = "%d %s" % (status, body)
        except (URLError, http.client.HTTPException, OSError, ValueError) as error:
            place = urlsplit(url)
            said = why(error)
        time.sleep(0.3)
    else:
        end("lookup", said)
end("in", "accepted")
"""
