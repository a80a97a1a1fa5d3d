"""The return of freed memory to the system.

The allocator of glibc keeps what a large call freed, in an arena for each thread that worked on it, for as long as no
other call needs it there. Several large calls at once leave a worker with hundreds of MiB that nobody uses.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from pathlib import Path

EVERY_SECONDS = 10.0
GROWN_BYTES = 48 * 1024 * 1024  # beyond the least so far; below that it is not worth the look
_PAGES = Path("/proc/self/statm")
_PAGE_BYTES = 4096


def start_giving_back() -> None:
    """Look now and then, as long as the process lives, where the allocator can give back anything."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None and _PAGES.exists():
        threading.Thread(target=_give_back, args=(trim,), name="freed-memory", daemon=True).start()


def _give_back(trim: Callable[[int], int]) -> None:
    least = resident()
    while True:
        time.sleep(EVERY_SECONDS)
        least = min(least, resident())
        if resident() > least + GROWN_BYTES:
            trim(0)


def resident() -> int:
    """The bytes of this process in memory."""
    return int(_PAGES.read_text(encoding="ascii").split()[1]) * _PAGE_BYTES
