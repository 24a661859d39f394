"""Whether this process can do its work now: each dependency by name, `ok` or what is wrong with it.
An error's class is named and its text is not, for the page is public.
"""

from dataclasses import dataclass

from redis.exceptions import RedisError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.cache import Cache
from app.database import current_revision
from app.release import Release

OK = "ok"
OFF = "off"


@dataclass(frozen=True, slots=True)
class Health:
    checks: dict[str, str]

    @property
    def is_ok(self) -> bool:
        return all(answer in {OK, OFF} for answer in self.checks.values())


def check_health(engine: Engine, cache: Cache, release: Release) -> Health:
    return Health({**_database(engine, release), "redis": _redis(cache)})


def _database(engine: Engine, release: Release) -> dict[str, str]:
    try:
        current = current_revision(engine)
    except SQLAlchemyError as error:
        return {"database": f"failed: {type(error).__name__}", "schema": "unknown"}
    return {"database": OK, "schema": _schema(current, release.revision)}


def _schema(current: str | None, needed: str) -> str:
    # A newer schema is fine: migrations only add, so that an older release can be put back.
    if current is not None and current >= needed:
        return OK
    return f"failed: at {current or 'nothing'}, needs {needed}"


def _redis(cache: Cache) -> str:
    if not cache.is_configured:
        return OFF
    try:
        cache.ping()
    except RedisError as error:
        return f"failed: {type(error).__name__}"
    return OK
