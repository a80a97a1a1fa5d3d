"""Decisions that the database did not take, in encrypted files beside it until it takes them.

Each worker writes one small file of SQLite, because its commits survive kill -9, its size can be bounded, and several
processes can read and shorten it. Whichever worker reaches the database brings in the decisions of all files, also of
workers that ended. A file without decisions is removed.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import threading
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from cryptography.fernet import InvalidToken

from cds_server.storage.fernet_keys import fernet_for
from cds_server.storage.spool_check import SpoolCheck

log = logging.getLogger("cds_server")
PREFIX = "crs-cds-spool-"
PAGE_BYTES = 4096
FEWEST_PAGES = 16
BUSY_SECONDS = 2.0
_LOCK = "crs-cds-spool.lock"
_TABLES = """
CREATE TABLE decision (id TEXT PRIMARY KEY, at TEXT NOT NULL, sealed BLOB NOT NULL);
CREATE TABLE card (uuid TEXT PRIMARY KEY, decision TEXT NOT NULL);
"""


class SpoolFullError(Exception):
    """A decision that the spool could not keep: its file is full, or its disk."""


@dataclass(frozen=True)
class Spooled:
    """One decision in a spool: the file that holds it, its id, and its rows; None if no key of ours opens them."""

    file: Path
    id: str
    rows: Mapping[str, Any] | None


class Spool:
    """The files of all workers in one folder. `secrets` are keys, the present one first; `most_bytes` is the size of
    one worker's file."""

    def __init__(self, folder: Path, secrets: Sequence[str], most_bytes: int) -> None:
        self._folder = folder
        self._fernet = fernet_for(b"crs-cds spool", secrets)
        self._most_pages = max(FEWEST_PAGES, most_bytes // PAGE_BYTES)
        self._lock = threading.Lock()
        self._file: Path | None = None
        self._connection: sqlite3.Connection | None = None
        self._told: set[Path] = set()
        self._check = SpoolCheck(
            folder, f"{PREFIX}*.sqlite", _opened_file, lambda sealed: self._opened(sealed) is not None
        )

    def put(self, id_: str, at: datetime, cards: Collection[str], rows: Mapping[str, Any]) -> None:
        """Keep a decision: it is on the disk when this returns. Raises SpoolFullError."""
        decision = (id_, _text(at), self._fernet.encrypt(msgspec.json.encode(rows)))
        try:
            with self._lock:
                self._insert(decision, cards)
                if not self._is_there():  # another worker removed it, as an empty file, at this moment
                    self._insert(decision, cards)
        except (sqlite3.Error, OSError) as error:
            raise SpoolFullError from error

    def count(self) -> int:
        """The number of decisions that wait."""
        return sum(number for _, (number,) in self._select("SELECT count(*) FROM decision"))

    def wrong(self) -> str | None:
        """A sentence on the decisions that cannot come in, whatever the database takes; None if all can."""
        return self._check.wrong()

    def holds(self, ids: Collection[str]) -> bool:
        """Tell whether one of these decisions or cards waits."""
        marks = ", ".join("?" * len(ids))
        query = f"SELECT 1 FROM card WHERE uuid IN ({marks}) UNION SELECT 1 FROM decision WHERE id IN ({marks})"  # noqa: S608 - question marks
        return any(True for _ in self._select(query, (*ids, *ids)))

    def oldest_first(self) -> Iterator[Spooled]:
        """The decisions of all files, as they were when this began."""
        waiting = sorted((at, id_, file) for file, (at, id_) in self._select("SELECT at, id FROM decision"))
        for _, id_, file in waiting:
            for (sealed,) in self._selected(file, "SELECT sealed FROM decision WHERE id = ?", (id_,)):
                yield Spooled(file, id_, self._opened(sealed))

    def forget(self, taken: Sequence[Spooled]) -> None:
        """Remove decisions, and each file that has none left."""
        for file in {one.file for one in taken}:
            ids = [(one.id,) for one in taken if one.file == file]
            # one that cannot be shortened costs no other; what is in the database already is found there by its id
            with suppress(sqlite3.DatabaseError), closing(_connected(file)) as connection:
                with connection:
                    connection.executemany("DELETE FROM card WHERE decision = ?", ids)
                    connection.executemany("DELETE FROM decision WHERE id = ?", ids)
                _unlink_if_empty(file, connection)

    def purge(self, before: datetime) -> int:
        """Delete the decisions older than a moment, also those that no key of ours opens; return their number."""
        with self.alone(wait=True):
            query = "SELECT id FROM decision WHERE at < ?"
            old = [Spooled(file, id_, None) for file, (id_,) in self._select(query, (_text(before),))]
            self.forget(old)
        return len(old)

    @contextmanager
    def alone(self, *, wait: bool = False) -> Iterator[bool]:
        """Be the only process that empties the spool; False if another one is at it and `wait` is false."""
        lock = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            ours = True
        except BlockingIOError:
            ours = False
        try:
            yield ours
        finally:
            os.close(lock)

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = self._file = None

    def _insert(self, decision: tuple[str, str, bytes], cards: Collection[str]) -> None:
        connection = self._connection
        if connection is None or not self._is_there():
            connection = self._new_file()
        with connection:
            connection.execute("INSERT INTO decision VALUES (?, ?, ?)", decision)
            connection.executemany("INSERT INTO card VALUES (?, ?)", [(card, decision[0]) for card in cards])

    def _is_there(self) -> bool:
        return self._file is not None and self._file.exists()

    def _new_file(self) -> sqlite3.Connection:
        """Begin a file, under a name that no other file had: an old one may still be open elsewhere."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        file = self._folder / f"{PREFIX}{uuid.uuid4().hex}.sqlite"
        os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))
        connection = _connected(file)
        connection.execute(f"PRAGMA max_page_count = {self._most_pages}")
        connection.executescript(_TABLES)
        self._file, self._connection = file, connection
        return connection

    def _select(self, query: str, values: Sequence[str] = ()) -> Iterator[tuple[Path, Any]]:
        """The rows of a query in each file."""
        for file in sorted(self._folder.glob(f"{PREFIX}*.sqlite")):
            for row in self._selected(file, query, values):
                yield file, row

    def _selected(self, file: Path, query: str, values: Sequence[str]) -> Sequence[Any]:
        try:
            with closing(_opened_file(file)) as connection:
                return connection.execute(query, values).fetchall()
        except sqlite3.OperationalError:  # it was removed just now, is being made, or is busy
            return ()
        except sqlite3.DatabaseError as error:
            if file not in self._told:
                self._told.add(file)
                log.error("a file of the spool cannot be read: %s", type(error).__name__)
            return ()

    def _opened(self, sealed: bytes) -> Mapping[str, Any] | None:
        try:
            return msgspec.json.decode(self._fernet.decrypt(sealed), type=dict[str, Any])
        except (InvalidToken, msgspec.MsgspecError):
            return None


def _connected(file: Path) -> sqlite3.Connection:
    connection = _opened_file(file)
    try:
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _opened_file(file: Path) -> sqlite3.Connection:
    """A connection to a file that is there. It changes nothing of it by itself."""
    address = f"{file.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, check_same_thread=False)


def _unlink_if_empty(file: Path, connection: sqlite3.Connection) -> None:
    """Remove a file without decisions. If its worker is just writing to it, it waits for us, and then misses it."""
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("SELECT 1 FROM decision LIMIT 1").fetchone() is None:
        for end in ("", "-wal", "-shm"):
            with suppress(OSError):
                os.unlink(f"{file}{end}")
    connection.rollback()


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
