"""The folder in which the workers of one gunicorn count together. It goes with them, however they end.

Each process of a gunicorn holds a lock on its folder, from the first process on, and loses it with its life. A folder
that nobody holds was left by one that was killed, and the next start removes it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path

PREFIX = "crs-cds-counts-"
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_OWNER = ".owner"  # prometheus_client reads *.db only
_UNLOCKED_SECONDS = 24 * 3600.0  # a folder without a lock is being made just now, or is of a version without locks
_held: list[int] = []  # the locks of this process, which its workers inherit


def take_count_folder() -> None:
    """Set the variable that prometheus_client reads, to a new folder unless it is set already, and hold the folder."""
    if VARIABLE not in os.environ:
        remove_left_folders()
        os.environ[VARIABLE] = tempfile.mkdtemp(prefix=PREFIX)
    if _is_ours(folder := Path(os.environ[VARIABLE])):  # an upgraded gunicorn inherits its predecessor's
        _hold(folder)


def leave_count_folder() -> None:
    """Remove the folder, unless an upgraded gunicorn counts in it too."""
    folder = Path(os.environ.get(VARIABLE, ""))
    while _held:
        os.close(_held.pop())
    if _is_ours(folder) and _is_left(folder):
        shutil.rmtree(folder, ignore_errors=True)


def remove_left_folders() -> None:
    """Remove the folders of gunicorns that ended without doing so."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if _is_ours(folder) and _is_left(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    """Tell whether this is a folder, and no link, that this user made for counts. Others may write beside it."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return folder.name.startswith(PREFIX) and stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def _hold(folder: Path) -> None:
    lock = os.open(folder / _OWNER, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    fcntl.flock(lock, fcntl.LOCK_SH)
    _held.append(lock)


def _is_left(folder: Path) -> bool:
    try:
        lock = os.open(folder / _OWNER, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        with suppress(OSError):
            return time.time() - folder.stat().st_mtime > _UNLOCKED_SECONDS
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(lock)
