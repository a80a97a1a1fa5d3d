"""Decisions in a spool that nobody can bring in, and that no count of waiting ones shows."""

from __future__ import annotations

import os
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from enum import Enum
from pathlib import Path

Connect = Callable[[Path], sqlite3.Connection]
BEING_MADE_SECONDS = 60.0  # a younger file without tables is one that a worker begins
_MAY = os.R_OK | os.W_OK
_PASSES = ("SQLITE_BUSY", "SQLITE_LOCKED")
_NO_TABLE = "SQLITE_ERROR"


class Wrong(Enum):
    """The reason why decisions stay where they are, in words after their number."""

    NO_PERMISSION = ("file may not be read and written", "files may not be read and written")
    DAMAGED = ("file is damaged", "files are damaged")
    EMPTY = ("file holds no table", "files hold no table")
    NO_KEY = (
        "decision is opened by no key of CRS_CDS_SPOOL_KEY",
        "decisions are opened by no key of CRS_CDS_SPOOL_KEY",
    )
    BROKEN = ("decision is damaged", "decisions are damaged")


class SpoolCheck:
    """A check of the files of a folder. `opens` says whether one of our keys opens a decision; each is tried once."""

    def __init__(self, folder: Path, pattern: str, connect: Connect, opens: Callable[[bytes], bool]) -> None:
        self._folder = folder
        self._pattern = pattern
        self._connect = connect
        self._opens = opens
        self._tried: dict[Path, Mapping[str, bool]] = {}

    def wrong(self) -> str | None:
        """A sentence on all that is wrong; None if every decision there could come in."""
        if not os.path.isdir(self._folder):  # Path.is_dir raises where a folder above bars us
            return "its folder is not there, or cannot be reached"
        if not _may(self._folder, _MAY | os.X_OK):
            return "its folder may not be read and written"
        files = sorted(self._folder.glob(self._pattern))
        self._tried = {file: tried for file, tried in self._tried.items() if file in files}
        found: Counter[Wrong] = Counter()
        for file in files:
            found.update(self._wrong_in(file))
        said = [f"{number} {what.value[number != 1]}" for what, number in sorted(found.items(), key=_by_name)]
        return "; ".join(said) or None

    def _wrong_in(self, file: Path) -> Mapping[Wrong, int]:
        if not _may(file, _MAY):
            return {Wrong.NO_PERMISSION: 1} if os.path.lexists(file) else {}
        try:
            with closing(self._connect(file)) as connection:
                tried = dict(self._try_each(file, connection))
        except sqlite3.DatabaseError as error:
            return _meaning(file, error)
        self._tried[file] = tried
        closed = sum(not opened for opened in tried.values())
        # one worker wrote the file, with one key: where that opens some, the others are damaged
        what = Wrong.NO_KEY if closed == len(tried) else Wrong.BROKEN
        return {what: closed} if closed else {}

    def _try_each(self, file: Path, connection: sqlite3.Connection) -> Iterator[tuple[str, bool]]:
        before = self._tried.get(file, {})
        for (id_,) in connection.execute("SELECT id FROM decision").fetchall():
            if id_ in before:
                yield id_, before[id_]
                continue
            for (sealed,) in connection.execute("SELECT sealed FROM decision WHERE id = ?", (id_,)):
                yield id_, isinstance(sealed, bytes) and self._opens(sealed)


def _meaning(file: Path, error: sqlite3.DatabaseError) -> Mapping[Wrong, int]:
    """The meaning of an error of SQLite for a file: nothing if it was removed just now, is in use or is being made."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(_PASSES):
        return {}
    try:
        written = file.stat().st_mtime
    except OSError:
        return {}
    if name == _NO_TABLE:
        return {Wrong.EMPTY: 1} if time.time() - written > BEING_MADE_SECONDS else {}
    return {Wrong.DAMAGED: 1}


def _may(path: Path, how: int) -> bool:
    return os.access(path, how, effective_ids=True)


def _by_name(found: tuple[Wrong, int]) -> str:
    return found[0].name
