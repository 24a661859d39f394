"""Brings the database to the schema of this release. `upgrade` runs what is pending, once, whoever
else tries at the same time; `status` only looks. Both print one line of JSON. There is no
downgrade: migrations only add, and an older release works on a newer schema.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.database import connect, current_revision
from app.release import load_release
from app.settings import load_settings

SCRIPTS = Path(__file__).resolve().parent.parent / "migrations"
LOCK = "filewallball-migrate"
LOCK_SECONDS = 60


class MigrationError(Exception):
    """The database could not be brought to this release's schema."""


def main(arguments: list[str]) -> int:
    if arguments not in (["status"], ["upgrade"]):
        print("usage: python3 -m app.migrate status|upgrade", file=sys.stderr)
        return 2
    release = load_release()
    engine = connect(load_settings(release))
    try:
        ran = upgrade(engine, release.revision) if arguments == ["upgrade"] else None
        answer = status(engine, release.revision)
    except (MigrationError, SQLAlchemyError) as error:
        print(json.dumps({"error": str(error)}), file=sys.stderr)
        return 1
    if ran is not None:
        answer["ran"] = ran
    print(json.dumps(answer))
    return 0


def status(engine: Engine, head: str) -> dict[str, object]:
    current = current_revision(engine)
    return {"current": current, "head": head, "pending": _pending(current, head)}


def upgrade(engine: Engine, head: str) -> list[str]:
    """The revisions that ran; none when the database was there already, or further."""
    # MariaDB commits each change of a table at once, so a transaction would only pretend.
    in_steps = engine.execution_options(isolation_level="AUTOCOMMIT")
    with in_steps.connect() as connection, _lock(connection):
        pending = _pending(current_revision(engine), head)
        if pending:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, head)
        return pending


def _pending(current: str | None, head: str) -> list[str]:
    revisions = ScriptDirectory.from_config(_config()).walk_revisions()
    return sorted(r.revision for r in revisions if (current or "") < r.revision <= head)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    return config


@contextmanager
def _lock(connection: Connection) -> Iterator[None]:
    # The database's own lock: it is let go when the connection ends, however it ends.
    name = {"name": LOCK}
    taken = text("SELECT GET_LOCK(:name, :seconds)")
    if connection.scalar(taken, name | {"seconds": LOCK_SECONDS}) != 1:
        raise MigrationError(f"somebody else has been migrating for {LOCK_SECONDS} s")
    try:
        yield
    finally:
        connection.execute(text("SELECT RELEASE_LOCK(:name)"), name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
