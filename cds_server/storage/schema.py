"""The tables that this version wants: the test whether they are there, and the migrations that make them."""

from __future__ import annotations

import threading
from importlib.resources import as_file, files

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from cds_server.storage.database import SCHEMA

_UPGRADING = threading.Lock()  # alembic's context is one for the process


def is_up_to_date(engine: Engine) -> bool:
    """Tell whether the tables are those of this version; False also if that cannot be told."""
    with engine.connect() as connection:
        try:
            return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == SCHEMA
        except SQLAlchemyError:  # there are no tables yet
            return False


def upgrade(engine: Engine) -> None:
    """Run the migrations. Workers that start together wait for each other: the first one makes the tables."""
    # a tenth of a worker's memory, needed once for each new version
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    with _UPGRADING, as_file(files("cds_server.storage") / "migrations") as folder, engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.attributes["connection"] = connection
        if engine.dialect.name == "postgresql":
            # a migration of large tables takes time, and this worker may wait for another one's
            connection.exec_driver_sql("SET statement_timeout = 0; SET lock_timeout = 0")
            connection.exec_driver_sql("SELECT pg_advisory_lock(7421)")
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            command.upgrade(config, "head")
            connection.commit()
        finally:
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("SELECT pg_advisory_unlock(7421)")
                connection.exec_driver_sql("RESET statement_timeout; RESET lock_timeout")
                connection.commit()
