"""The file of a log in SQLite: the one that our connections have open must still be the one at its path."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import Connection, Engine


class LogFile:
    """The file behind an engine, by device and inode. A database without a file never moves."""

    # SQLite writes on into a file that was removed or replaced, and says that the write succeeded
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._path: Path | None = None
        self._identity: tuple[int, int] | None = None

    def remember(self) -> None:
        """Remember the file that the engine's connections open now."""
        if self._engine.dialect.name != "sqlite":
            return
        with self._engine.connect() as connection:
            self._path = _path_of(connection)
        self._identity = _identity(self._path)

    def is_in_place(self) -> bool:
        """Tell whether the file at the path is the remembered one."""
        return self._identity == _identity(self._path)


def _path_of(connection: Connection) -> Path | None:
    """The file of the main database, as SQLite itself names it; None in memory."""
    name = connection.exec_driver_sql("PRAGMA database_list").fetchone()
    return Path(name[2]) if name is not None and name[2] else None


def _identity(path: Path | None) -> tuple[int, int] | None:
    try:
        found = os.stat(path) if path is not None else None
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found is not None else None
