"""Meant to fail half way, for the release `3-migration`: the first statement stays (MariaDB commits
each change of a table at once), the second is a partial index, which MariaDB does not have.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("files", sa.Column("owner", sa.String(64), nullable=True))
    op.execute("CREATE INDEX ix_files_owner ON files (owner) WHERE owner IS NOT NULL")
