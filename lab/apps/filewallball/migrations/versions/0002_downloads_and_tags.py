"""Download counts and tags. It only adds, with defaults, so that release 1 keeps working."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column(
        "files", sa.Column("downloads", sa.Integer, nullable=False, server_default=sa.text("0"))
    )
    op.create_index("ix_files_uploaded_at", "files", ["uploaded_at"])
    op.create_table(
        "file_tags",
        sa.Column(
            "file_id",
            sa.Integer,
            sa.ForeignKey("files.id", name="fk_file_tags_file", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("tag", sa.String(64), primary_key=True),
        mysql_charset="utf8mb4",
    )
