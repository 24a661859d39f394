"""The optional cache in Redis. Losing it costs speed and nothing else: every failure is a miss, and
after one the cache is left alone for a while. Keys carry the release, whose answers may look
different, and a generation that each change moves on, so that a slow reader cannot put an old list
back.
"""

import json
import time
from collections.abc import Callable

from redis import Redis
from redis.exceptions import RedisError

from app.logs import log
from app.release import Release
from app.settings import Settings

REST_SECONDS = 10
TIMEOUT_SECONDS = 0.5
GENERATION = "filewallball:generation"


class Cache:
    def __init__(self, settings: Settings, release: Release) -> None:
        password = settings.redis_password
        self._release = release.release
        self._rests_until = 0.0
        self._redis = None
        if settings.redis_host:
            self._redis = Redis(
                host=settings.redis_host,
                port=settings.redis_port,
                password=password.get_secret_value() if password else None,
                socket_timeout=TIMEOUT_SECONDS,
                socket_connect_timeout=TIMEOUT_SECONDS,
                decode_responses=True,
            )

    @property
    def is_configured(self) -> bool:
        return self._redis is not None

    def ping(self) -> None:
        """Raises RedisError."""
        if self._redis:
            self._redis.ping()

    def remember(self, name: str, ttl: int, make: Callable[[], object]) -> str:
        """The JSON text of `make()`, at most `ttl` seconds old."""
        key = self._key(name)
        kept = self._ask(lambda redis: redis.get(key)) if key else None
        if isinstance(kept, str):
            return kept
        made = json.dumps(make(), ensure_ascii=False)
        if key:
            self._ask(lambda redis: redis.set(key, made, ex=ttl))
        return made

    def forget(self) -> None:
        self._ask(lambda redis: redis.incr(GENERATION))

    def _key(self, name: str) -> str | None:
        generation = self._ask(lambda redis: redis.get(GENERATION) or "0")
        if generation is None:
            return None
        return f"filewallball:{self._release}:{name}:{generation}"

    def _ask(self, question: Callable[[Redis], object]) -> object:
        if self._redis is None or time.monotonic() < self._rests_until:
            return None
        try:
            return question(self._redis)
        except RedisError as error:
            self._rests_until = time.monotonic() + REST_SECONDS
            log.warning("cache is away, working without it: %s", type(error).__name__)
            return None
