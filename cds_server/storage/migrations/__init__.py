"""The Alembic migrations of the database; cds_server/storage/schema.py runs them."""
