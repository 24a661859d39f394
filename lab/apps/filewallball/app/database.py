"""The database: its engine with a bounded pool, the `files` table as every schema since 0001 has
it, and the questions asked of it. Columns that came later are touched only by a release whose
schema has them, so that release 1 still works after the migration of release 2.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    func,
    insert,
    literal_column,
    select,
    text,
)
from sqlalchemy.engine import URL, Row
from sqlalchemy.exc import ProgrammingError

from app.settings import Settings

LIST_LIMIT = 1000
POOL_TIMEOUT_SECONDS = 3
RECYCLE_SECONDS = 1800

files = Table(
    "files",
    MetaData(),
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(255), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("stored_as", String(64), nullable=False),
    Column("uploaded_at", DateTime, nullable=False),
)


@dataclass(frozen=True, slots=True)
class StoredFile:
    id: int
    name: str
    size: int
    sha256: str
    stored_as: str
    uploaded_at: datetime

    def public(self) -> dict[str, object]:
        return {
            "id": self.id,
            "name": self.name,
            "size": self.size,
            "sha256": self.sha256,
            "uploaded_at": f"{self.uploaded_at.isoformat(timespec='seconds')}Z",
        }


def connect(settings: Settings) -> Engine:
    """Opens nothing yet: the first query does."""
    url = URL.create(
        "mysql+pymysql",
        username=settings.db_user,
        password=settings.db_password.get_secret_value(),
        host=settings.db_host,
        port=settings.db_port,
        database=settings.db_name,
        query={"charset": "utf8mb4"},
    )
    return create_engine(
        url,
        pool_size=settings.db_pool_size,
        max_overflow=settings.db_max_overflow,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        pool_pre_ping=True,
        pool_recycle=RECYCLE_SECONDS,
        connect_args={"connect_timeout": 3, "read_timeout": 10, "write_timeout": 10},
    )


def current_revision(engine: Engine) -> str | None:
    """None when no migration has ever run. Raises SQLAlchemyError when the database is away."""
    with engine.connect() as connection:
        try:
            version = connection.scalar(text("SELECT version_num FROM alembic_version"))
        except ProgrammingError:  # no such table
            return None
    return None if version is None else str(version)


def list_files(engine: Engine) -> list[StoredFile]:
    """Newest first, at most LIST_LIMIT."""
    with engine.connect() as connection:
        rows = connection.execute(select(files).order_by(files.c.id.desc()).limit(LIST_LIMIT))
        return [_stored_file(row) for row in rows]


def find_file(engine: Engine, file_id: int) -> StoredFile | None:
    with engine.connect() as connection:
        row = connection.execute(select(files).where(files.c.id == file_id)).one_or_none()
    return _stored_file(row) if row else None


def add_file(engine: Engine, *, name: str, size: int, sha256: str, stored_as: str) -> StoredFile:
    uploaded_at = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    row = insert(files).values(
        name=name, size=size, sha256=sha256, stored_as=stored_as, uploaded_at=uploaded_at
    )
    with engine.begin() as connection:
        file_id = int(connection.execute(row).lastrowid)
    return StoredFile(file_id, name, size, sha256, stored_as, uploaded_at)


def remove_file(engine: Engine, file_id: int) -> bool:
    with engine.begin() as connection:
        return connection.execute(delete(files).where(files.c.id == file_id)).rowcount == 1


def count_download(engine: Engine, file_id: int) -> None:
    """Needs schema 2."""
    counted = text("UPDATE files SET downloads = downloads + 1 WHERE id = :id")
    with engine.begin() as connection:
        connection.execute(counted, {"id": file_id})


def totals(engine: Engine, *, with_downloads: bool) -> dict[str, int]:
    """`with_downloads` needs schema 2."""
    asked = [func.count().label("files"), func.coalesce(func.sum(files.c.size), 0).label("bytes")]
    if with_downloads:
        downloads: ColumnElement[int] = literal_column("downloads")
        asked.append(func.coalesce(func.sum(downloads), 0).label("downloads"))
    with engine.connect() as connection:
        row = connection.execute(select(*asked).select_from(files)).one()
    return {name: int(value) for name, value in row._mapping.items()}


def _stored_file(row: Row[tuple[object, ...]]) -> StoredFile:
    return StoredFile(**row._mapping)
