"""The lab's tracker: takes errors and timings in Sentry's envelope protocol, shows what it took,
and draws the lab's dashboard. It keeps the newest events in memory; nothing of them survives it.

    POST /api/PROJECT/envelope/     an envelope; 200 {"id": ...}, 403 for a key of another project
    POST /api/PROJECT/store/        the older form: one event as JSON
    GET  /api/PROJECT/events/       the newest events, newest first: id, type, title
    GET  /api/PROJECT/events/ID/    one event as it came
    GET  /                          the dashboard: every host with what Prometheus says of it

Standard input: one `PROJECT KEY` a line. Needs Python's own library only.
"""

import gzip
import hmac
import html
import json
import re
import sys
import time
import urllib.parse
import urllib.request
import uuid
import zlib
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = 8090
KEPT = 2000
MOST_BYTES = 1_000_000
JSON = "application/json"
PROMETHEUS = "http://127.0.0.1:9090/api/v1/query?query="
INTAKE = re.compile(r"/api/(?P<project>\w+)/(?P<form>envelope|store)/")
EVENTS = re.compile(r"/api/(?P<project>\w+)/events/(?:(?P<event>[0-9a-f]{32})/)?")
KEY_IN_HEADER = re.compile(r"\bsentry_key=([^,\s]+)")


class Refused(Exception):
    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class Projects:
    """The key of each project, and the events that came with it."""

    def __init__(self, keys: dict[str, str]) -> None:
        self._keys = keys
        self._events: dict[str, OrderedDict[str, dict]] = {name: OrderedDict() for name in keys}

    def authenticate(self, project: str, key: str) -> None:
        if project not in self._keys or not hmac.compare_digest(self._keys[project], key):
            raise Refused(HTTPStatus.FORBIDDEN, "no such project, or not its key")

    def keep(self, project: str, kind: str, event: dict) -> str:
        name = str(event.get("event_id") or uuid.uuid4().hex).replace("-", "").lower()
        if not re.fullmatch(r"[0-9a-f]{32}", name):
            raise Refused(HTTPStatus.BAD_REQUEST, "event_id is no UUID")
        events = self._events[project]
        events[name] = {**event, "event_id": name, "type": kind, "received": time.time()}
        while len(events) > KEPT:
            events.popitem(last=False)
        return name

    def event(self, project: str, name: str) -> dict:
        try:
            return self._events[project][name]
        except KeyError:
            raise Refused(HTTPStatus.NOT_FOUND, "no such event") from None

    def newest(self, project: str) -> list[dict]:
        if project not in self._events:
            raise Refused(HTTPStatus.NOT_FOUND, "no such project")
        found = list(self._events[project].items())[-100:]
        return [{"id": n, "type": e["type"], "title": title_of(e)} for n, e in reversed(found)]


def title_of(event: dict) -> str:
    message = event.get("message") or event.get("logentry") or event.get("transaction") or ""
    return str(message.get("formatted", "") if isinstance(message, dict) else message)


def read_envelope(body: bytes) -> tuple[dict, list[tuple[dict, bytes]]]:
    """The header, and each item with its own header. An item without a length ends at its line's
    end.
    """
    head, _, rest = body.partition(b"\n")
    items = []
    while rest.strip():
        line, _, rest = rest.partition(b"\n")
        header = json.loads(line)
        if "length" in header:
            payload, rest = rest[: header["length"]], rest[header["length"] :].lstrip(b"\n")
        else:
            payload, _, rest = rest.partition(b"\n")
        items.append((header, payload))
    return json.loads(head), items


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    projects: Projects

    def do_POST(self) -> None:
        self.answer(self.take)

    def do_GET(self) -> None:
        self.answer(self.show)

    def answer(self, work: Callable[[urllib.parse.SplitResult], tuple[str, str]]) -> None:
        try:
            status, kind, text = HTTPStatus.OK, *work(urllib.parse.urlsplit(self.path))
        except Refused as refusal:
            status, kind, text = refusal.status, JSON, json.dumps({"detail": str(refusal)})
        except (ValueError, KeyError, TypeError, AttributeError, OSError, zlib.error):
            status, kind, text = HTTPStatus.BAD_REQUEST, JSON, '{"detail": "no envelope"}'
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        if status >= HTTPStatus.BAD_REQUEST:
            # What was refused may not have been read to its end.
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def take(self, url: urllib.parse.SplitResult) -> tuple[str, str]:
        place = INTAKE.fullmatch(url.path)
        if not place:
            raise Refused(HTTPStatus.NOT_FOUND, "nothing is here")
        self.projects.authenticate(place["project"], self.key(url))
        body = self.body()
        if place["form"] == "store":
            taken = self.projects.keep(place["project"], "event", json.loads(body))
        else:
            taken = self.take_envelope(place["project"], body)
        return JSON, json.dumps({"id": taken})

    def take_envelope(self, project: str, body: bytes) -> str:
        header, items = read_envelope(body)
        taken = str(header.get("event_id", ""))
        for item, payload in items:
            if item.get("type") in ("event", "transaction"):
                event = {"event_id": header.get("event_id"), **json.loads(payload)}
                taken = self.projects.keep(project, item["type"], event)
        return taken

    def key(self, url: urllib.parse.SplitResult) -> str:
        in_header = KEY_IN_HEADER.search(self.headers.get("X-Sentry-Auth", ""))
        in_query = urllib.parse.parse_qs(url.query).get("sentry_key", [""])
        return in_header[1] if in_header else in_query[0]

    def body(self) -> bytes:
        length = int(self.headers.get("Content-Length", "0"))
        if length > MOST_BYTES:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {MOST_BYTES} bytes")
        body = self.rfile.read(length)
        packed = self.headers.get("Content-Encoding", "")
        return {"gzip": gzip.decompress, "deflate": zlib.decompress}.get(packed, bytes)(body)

    def show(self, url: urllib.parse.SplitResult) -> tuple[str, str]:
        place = EVENTS.fullmatch(url.path)
        if url.path == "/":
            return "text/html", draw_dashboard()
        if not place:
            raise Refused(HTTPStatus.NOT_FOUND, "nothing is here")
        if place["event"]:
            found = self.projects.event(place["project"], place["event"])
        else:
            found = self.projects.newest(place["project"])
        return JSON, json.dumps(found, ensure_ascii=False)

    def log_message(self, form: str, *words: object) -> None:
        # Without the query: the key may be in it.
        line = form % words
        sys.stderr.write(f"{self.address_string()} {re.sub(r'[?][^ ]*', '', line)}\n")


def draw_dashboard() -> str:
    try:
        hosts = states(ask_prometheus("up"))
        note = "" if hosts else "<p>Prometheus watches nothing.</p>"
    except (OSError, ValueError, KeyError) as error:
        hosts, note = {}, f"<p>Prometheus does not answer: {html.escape(str(error))}</p>"
    rows = "\n".join(
        f'<tr data-host="{name}" data-state="{state}"><td>{name}</td><td>{state}</td></tr>'
        for name, state in sorted(hosts.items())
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Lab dashboard</title></head><body>
<h1>Lab dashboard</h1>{note}
<table><tr><th>host</th><th>state</th></tr>
{rows}
</table></body></html>
"""


def ask_prometheus(query: str) -> list[dict]:
    with urllib.request.urlopen(PROMETHEUS + urllib.parse.quote(query), timeout=3) as answer:
        return json.load(answer)["data"]["result"]


def states(series: list[dict]) -> dict[str, str]:
    """A host is up when everything on it that is scraped is."""
    values: dict[str, list[str]] = {}
    for one in series:
        values.setdefault(html.escape(one["metric"].get("host", "?")), []).append(one["value"][1])
    return {h: "up" if all(v == "1" for v in seen) else "down" for h, seen in values.items()}


def main() -> None:
    Handler.projects = Projects(dict(line.split() for line in sys.stdin if line.strip()))
    ThreadingHTTPServer(("0.0.0.0", PORT), Handler).serve_forever()


if __name__ == "__main__":
    main()
