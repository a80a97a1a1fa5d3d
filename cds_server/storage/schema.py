"""The tables that this version wants: the test whether they are there, and the migrations that make them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, MetaData, func, select
from sqlalchemy.exc import SQLAlchemyError

from cds_server.storage.database import SCHEMA

if TYPE_CHECKING:
    from alembic.config import Config

_UPGRADING = threading.Lock()  # alembic's context is one for the process


def is_up_to_date(engine: Engine) -> bool:
    """Tell whether the tables are those of this version; False also if that cannot be told."""
    with engine.connect() as connection:
        try:
            return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == SCHEMA
        except SQLAlchemyError:  # there are no tables yet
            return False


def upgrade(engine: Engine) -> None:
    """Run the migrations. Workers that start together wait for each other: the first one makes the tables.

    Raises UnknownRevisionError for tables that this version does not know.
    """
    from alembic.util import CommandError  # noqa: PLC0415 - as below

    with _migrating(engine) as (migrate, config):
        try:
            migrate.upgrade(config, "head")
        except CommandError as error:
            raise UnknownRevisionError("the tables are of a revision that this version does not know") from error


def downgrade(engine: Engine) -> str:
    """Take the tables back to the revision before that of this version, and return its name.

    Raises NoRevisionBeforeError if they are of another revision, or there is none before.
    """
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - as below

    if not is_up_to_date(engine):
        raise NoRevisionBeforeError(f"the tables are not of revision {SCHEMA}, which this version has")
    with _migrating(engine) as (migrate, config):
        before = ScriptDirectory.from_config(config).get_revision(SCHEMA).down_revision
        if not isinstance(before, str):
            raise NoRevisionBeforeError(f"there is no revision before {SCHEMA}")
        migrate.downgrade(config, before)
    return before


def rows_by_table(engine: Engine) -> dict[str, int]:
    """The number of rows of each table that there is, without Alembic's own."""
    with engine.connect() as connection:
        there = MetaData()
        there.reflect(connection)
        return {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in there.sorted_tables
            if table.name != "alembic_version"
        }


class UnknownRevisionError(Exception):
    """Tables of a later version, or of another service."""


class NoRevisionBeforeError(Exception):
    """Tables that cannot be taken back by one revision."""


@contextmanager
def _migrating(engine: Engine) -> Iterator[tuple[Any, Config]]:
    """The commands of Alembic and their configuration, in one transaction and while nobody else migrates."""
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
            yield command, config
            connection.commit()
        finally:
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("SELECT pg_advisory_unlock(7421)")
                connection.exec_driver_sql("RESET statement_timeout; RESET lock_timeout")
                connection.commit()
