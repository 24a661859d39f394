"""What Prometheus may ask. The workers share their numbers through files in METRICS_DIR, so that
any of them can answer for all.
"""

import os
from pathlib import Path

from prometheus_client import REGISTRY as OWN_REGISTRY
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from sqlalchemy import Engine, event
from sqlalchemy.pool import QueuePool

from app.release import Release

METRICS_DIR = "PROMETHEUS_MULTIPROC_DIR"  # the client library's own variable
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

requests = Counter("filewallball_requests", "Requests answered.", ("method", "route", "status"))
durations = Histogram(
    "filewallball_request_seconds", "Time to answer.", ("route",), buckets=SECONDS
)
pool_size = Gauge(
    "filewallball_db_pool_size", "Connections the pools may hold.", multiprocess_mode="livesum"
)
pool_in_use = Gauge(
    "filewallball_db_pool_in_use", "Connections handed out.", multiprocess_mode="livesum"
)
release_info = Gauge(
    "filewallball_release_info", "The release.", ("release", "schema"), multiprocess_mode="livemax"
)


def watch(engine: Engine, release: Release, *, limit: int) -> None:
    """`limit` is the pool size with its overflow."""
    pool_size.set(limit)
    pool_in_use.set(0)
    release_info.labels(release.release, str(release.schema)).set(1)
    event.listen(engine, "checkout", lambda *_: note_pool(engine))


def note_pool(engine: Engine) -> None:
    # The pool is asked anew each time: counting its events would drift when a connection is lost.
    if isinstance(engine.pool, QueuePool):
        pool_in_use.set(engine.pool.checkedout())


def note_request(method: str, route: str, status: int, seconds: float) -> None:
    requests.labels(method, route, str(status)).inc()
    durations.labels(route).observe(seconds)


def exposition() -> bytes:
    shared = os.environ.get(METRICS_DIR)
    if not shared:
        return generate_latest(OWN_REGISTRY)
    _forget_dead_workers(Path(shared))
    registry = CollectorRegistry()
    MultiProcessCollector(registry, shared)  # type: ignore[no-untyped-call]  # the library leaves it untyped
    return generate_latest(registry)


def _forget_dead_workers(shared: Path) -> None:
    for numbers in shared.glob("gauge_live*_*.db"):
        pid = numbers.stem.rsplit("_", 1)[-1]
        if not Path("/proc", pid).exists():
            mark_process_dead(int(pid), str(shared))  # type: ignore[no-untyped-call]  # the same
