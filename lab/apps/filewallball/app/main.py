"""The application, put together once in each worker: settings, pool, cache, storage, and the layers
around the routes.
"""

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from app import database, defects, metrics
from app.api import Service, router
from app.cache import Cache
from app.logs import log
from app.release import load_release
from app.requests import RequestLog, UploadLimit
from app.settings import load_settings
from app.storage import Storage


def create_app() -> FastAPI:
    release = load_release()
    settings = load_settings(release)
    log.setLevel(settings.log_level)
    engine = database.connect(settings)
    metrics.watch(engine, release, limit=settings.db_pool_size + settings.db_max_overflow)
    storage = Storage(settings.upload_dir, settings.max_upload_mb * 1024 * 1024)

    app = FastAPI(
        title="FileWallBall",
        version=release.release,
        debug=settings.debug,
        docs_url=None,
        redoc_url=None,
    )
    cache = Cache(settings, release)
    app.state.service = Service(settings, release, engine, storage, cache)
    app.include_router(router)

    # The last one added is the outermost.
    app.add_middleware(UploadLimit, limit=storage.limit)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.origins,
        allow_credentials=True,
        allow_methods=("GET", "POST", "DELETE"),
        allow_headers=("Content-Type", "X-Request-ID"),
    )
    defects.install(app, engine, settings, release)
    app.add_middleware(RequestLog, engine=engine, debug=settings.debug)
    return app
