"""What is done around every request: an id, one log line, the numbers, and a limit on its size. An
unexpected error becomes a 500 that names the id and nothing else; its traceback goes to the log.
"""

import logging
import re
import time
import uuid

from sqlalchemy import Engine
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import metrics
from app.logs import log

SLOW_MS = 500
ENVELOPE_BYTES = 64 * 1024  # what a multipart upload may carry besides the file
REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


class RequestLog:
    def __init__(self, app: ASGIApp, *, engine: Engine, debug: bool) -> None:
        self.app = app
        self.engine = engine
        self.debug = debug

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = _request_id(scope)
        status = 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                headers["X-Content-Type-Options"] = "nosniff"
            await send(message)

        failure: Exception | None = None
        try:
            await self.app(scope, receive, send_marked)
        except Exception as error:
            failure = error
            if self.debug:  # the traceback goes to the user too, from the layer around this one
                raise
            if not status:
                answer = {"detail": "Internal Server Error", "request_id": request_id}
                await JSONResponse(answer, status_code=500)(scope, receive, send_marked)
        finally:
            seconds = time.perf_counter() - started
            metrics.note_pool(self.engine)
            metrics.note_request(scope["method"], _route(scope), status or 500, seconds)
            _log(scope, status or 500, seconds, request_id, failure)


class UploadLimit:
    """Refuses a request by its Content-Length, before a byte of it is spooled."""

    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        self.app = app
        self.limit = limit + ENVELOPE_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        announced = Headers(scope=scope).get("content-length", "") if "headers" in scope else ""
        if announced.isdigit() and int(announced) > self.limit:
            refusal = JSONResponse({"detail": "The upload is too large."}, status_code=413)
            await refusal(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _request_id(scope: Scope) -> str:
    sent = Headers(scope=scope).get("x-request-id", "")
    return sent if REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex


def _route(scope: Scope) -> str:
    # The pattern, not the path: a scan for paths that do not exist must not make new series.
    return getattr(scope.get("route"), "path", "none")


def _log(
    scope: Scope, status: int, seconds: float, request_id: str, failure: Exception | None
) -> None:
    duration_ms = round(seconds * 1000, 1)
    level, message = logging.INFO, "request"
    if status >= 500:
        level, message = logging.ERROR, "request failed"
    elif duration_ms > SLOW_MS:
        level, message = logging.WARNING, "slow request"
    fields = {
        "method": scope["method"],
        "path": scope["path"],
        "status": status,
        "duration_ms": duration_ms,
        "request_id": request_id,
    }
    log.log(level, message, exc_info=failure, extra=fields)
