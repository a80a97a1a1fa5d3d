"""The Alembic environment: it runs the migrations on the connection that cds_server/storage/schema.py hands over."""

from __future__ import annotations

from alembic import context

from cds_server.storage.database import Table

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Table.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
