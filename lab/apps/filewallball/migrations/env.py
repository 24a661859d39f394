"""Run by Alembic. The connection comes from app.migrate, which also holds the lock on it."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
