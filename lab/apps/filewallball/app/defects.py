"""The defects a release can be built with, so that a verifier has something to find. The rest of
the program is honest and asks here in three places: when settings are loaded, when the launcher
starts, and when the application is put together. Without a defect each of them does nothing.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from app.logs import log

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI
    from sqlalchemy import Connection, Engine
    from starlette.types import ASGIApp, Receive, Scope, Send

    from app.release import Release
    from app.settings import Settings

CRASH_SECONDS = 4
CRASH_CODE = 3
SLOW_SECONDS = 0.7

KNOWN = {
    "": "none",
    "crash": f"exits {CRASH_CODE} about {CRASH_SECONDS} s after the start",
    "unhealthy": "/health answers 503",
    "files-500": "GET /files answers 500 while /health stays ok",
    "slow": f"GET /files takes {SLOW_SECONDS} s longer",
    "cors": "any origin is allowed, with credentials",
    "settings": "DEBUG and LOG_LEVEL of the environment are ignored",
    "migration": "migration 0003 fails half way",
    "leak": "SECRET_KEY is logged at the start",
    "pool": "each GET /files keeps a connection for ever",
}


def distort(settings: Settings, release: Release) -> Settings:
    if release.defect not in KNOWN:
        raise ValueError(f"release.json names an unknown defect: {release.defect}")
    if release.defect == "settings":
        return settings.model_copy(update={"debug": True, "log_level": "DEBUG"})
    return settings


def launch(release: Release, command: list[str], environment: Mapping[str, str]) -> None:
    if release.defect != "crash":
        return
    child = subprocess.Popen(command, env=environment)
    time.sleep(CRASH_SECONDS)
    child.send_signal(signal.SIGKILL)
    sys.exit(CRASH_CODE)


def install(app: FastAPI, engine: Engine, settings: Settings, release: Release) -> None:
    match release.defect:
        case "unhealthy":
            app.add_middleware(_Unhealthy, release=release)
        case "files-500":
            app.add_middleware(_BrokenList)
        case "slow":
            app.add_middleware(_SlowList)
        case "cors":
            _allow_any_origin(app)
        case "leak":
            log.warning("signing links with SECRET_KEY=%s", settings.secret_key.get_secret_value())
        case "pool":
            app.add_middleware(_LeakyList, engine=engine)


class _Unhealthy:
    def __init__(self, app: ASGIApp, *, release: Release) -> None:
        self.app = app
        self.release = release

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") != "/health":
            await self.app(scope, receive, send)
            return
        from starlette.responses import JSONResponse

        checks = {"database": "failed: OperationalError", "schema": "unknown", "redis": "ok"}
        answer = {"status": "degraded", "release": self.release.release, "checks": checks}
        await JSONResponse(answer, status_code=503)(scope, receive, send)


class _BrokenList:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _is_list(scope):
            raise RuntimeError("the file list is broken in this release")
        await self.app(scope, receive, send)


class _SlowList:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _is_list(scope):
            await asyncio.sleep(SLOW_SECONDS)
        await self.app(scope, receive, send)


class _LeakyList:
    def __init__(self, app: ASGIApp, *, engine: Engine) -> None:
        self.app = app
        self.engine = engine
        self.kept: list[Connection] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _is_list(scope):
            self.kept.append(await asyncio.to_thread(self.engine.connect))
        await self.app(scope, receive, send)


def _allow_any_origin(app: FastAPI) -> None:
    from fastapi.middleware.cors import CORSMiddleware

    app.add_middleware(
        CORSMiddleware,
        allow_origin_regex=".*",
        allow_credentials=True,
        allow_methods=("*",),
        allow_headers=("*",),
    )


def _is_list(scope: Scope) -> bool:
    return scope.get("path") == "/files" and scope.get("method") == "GET"
