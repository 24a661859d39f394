"""The routes. Each asks one of the other modules and shapes the answer; `Service` holds what they
share.
"""

import time
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response, UploadFile
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import Engine

from app import database, links, metrics, pages
from app.cache import Cache
from app.health import check_health
from app.release import Release
from app.settings import Settings
from app.storage import Storage, TooLarge, shown_name


@dataclass(frozen=True, slots=True)
class Service:
    settings: Settings
    release: Release
    engine: Engine
    storage: Storage
    cache: Cache

    @property
    def counts_downloads(self) -> bool:
        return self.release.schema >= 2


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Shared = Annotated[Service, Depends(_service)]
router = APIRouter()


@router.get("/", response_class=HTMLResponse, summary="Front page")
def front(service: Shared) -> str:
    return pages.front_page(service.release)


@router.get("/docs", response_class=HTMLResponse, summary="This documentation")
def docs(request: Request) -> str:
    return pages.docs_page(request.app.openapi())


@router.get("/health", summary="Whether the service can do its work")
def health(service: Shared) -> JSONResponse:
    seen = check_health(service.engine, service.cache, service.release)
    answer = {
        "status": "ok" if seen.is_ok else "degraded",
        "release": service.release.release,
        "checks": seen.checks,
    }
    return JSONResponse(answer, status_code=200 if seen.is_ok else 503)


@router.get("/metrics", summary="Numbers for Prometheus")
def measure() -> Response:
    return Response(metrics.exposition(), media_type=CONTENT_TYPE_LATEST)


@router.get("/stats", summary="How many files, bytes and downloads")
def stats(service: Shared) -> Response:
    def count() -> object:
        return database.totals(service.engine, with_downloads=service.counts_downloads)

    text = service.cache.remember("stats", service.settings.cache_ttl_stats, count)
    return Response(text, media_type="application/json")


@router.get("/files", summary="List the files, newest first")
def list_files(service: Shared) -> Response:
    def read() -> object:
        return [stored.public() for stored in database.list_files(service.engine)]

    text = service.cache.remember("files", service.settings.cache_ttl_files, read)
    return Response(text, media_type="application/json")


@router.post("/files", status_code=201, summary="Upload a file")
def upload(file: UploadFile, service: Shared) -> dict[str, object]:
    try:
        stored = service.storage.save(file.file)
    except TooLarge as error:
        raise HTTPException(413, "The upload is too large.") from error
    try:
        added = database.add_file(
            service.engine,
            name=shown_name(file.filename),
            size=stored.size,
            sha256=stored.sha256,
            stored_as=stored.stored_as,
        )
    except BaseException:
        service.storage.remove(stored.stored_as)
        raise
    service.cache.forget()
    return added.public()


@router.get("/files/{file_id}", response_class=FileResponse, summary="Download a file")
def download(file_id: int, service: Shared) -> FileResponse:
    return _send(_found(service, file_id), service)


@router.delete("/files/{file_id}", status_code=204, summary="Delete a file")
def remove(file_id: int, service: Shared) -> None:
    stored = _found(service, file_id)
    if not database.remove_file(service.engine, file_id):
        raise HTTPException(404, "No such file.")
    service.storage.remove(stored.stored_as)
    service.cache.forget()


@router.post("/files/{file_id}/link", status_code=201, summary="Make a link that expires")
def make_link(file_id: int, service: Shared) -> dict[str, object]:
    _found(service, file_id)
    expires = int(time.time()) + links.LIFETIME_SECONDS
    signature = links.sign(service.settings.secret_key, file_id, expires)
    return {"url": f"/shared/{file_id}?expires={expires}&signature={signature}"}


@router.get("/shared/{file_id}", response_class=FileResponse, summary="Download by such a link")
def download_shared(file_id: int, expires: int, signature: str, service: Shared) -> FileResponse:
    key = service.settings.secret_key
    if not links.is_valid(key, file_id, expires, signature, now=time.time()):
        raise HTTPException(403, "The link has expired or was never ours.")
    return _send(_found(service, file_id), service)


def _found(service: Service, file_id: int) -> database.StoredFile:
    stored = database.find_file(service.engine, file_id)
    if stored is None:
        raise HTTPException(404, "No such file.")
    return stored


def _send(stored: database.StoredFile, service: Service) -> FileResponse:
    if service.counts_downloads:
        database.count_download(service.engine, stored.id)
    return FileResponse(
        service.storage.path(stored.stored_as),
        filename=stored.name,
        media_type="application/octet-stream",
        headers={"X-Content-SHA256": stored.sha256},
    )
