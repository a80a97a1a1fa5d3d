"""The return of freed memory to the system.

The allocator of glibc keeps what a large call freed, in an arena for each thread that worked on it, for as long as no
other call needs it there. Several large calls at once leave a worker with hundreds of MiB that nobody uses.

Python's own allocator gives back an arena of 1 MiB only when nothing in it is in use. What outlives a large call is
small, but lies in as many arenas as that call filled.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from fhir_mappings.reading.fhir_time import moment

EVERY_SECONDS = 10.0
GROWN_BYTES = 48 * 1024 * 1024  # beyond the least so far; below that it is not worth the look
LARGE_BLOCK_BYTES = 1024 * 1024
_M_MMAP_THRESHOLD = -3  # malloc.h
_PAGES = Path("/proc/self/statm")
_PAGE_BYTES = 4096


def start_giving_back() -> None:
    """Look now and then, as long as the process lives, where the allocator can give back anything."""
    _map_large_blocks()
    if _trim() is not None and _PAGES.exists():
        threading.Thread(target=_look, name="freed-memory", daemon=True).start()


def give_back() -> None:
    """Give all that is freed back to the system, where the allocators can. It takes some ten milliseconds."""
    if gc.get_freeze_count():  # as in a worker: else it would look at all that start-up made
        gc.collect()
    moment.cache_clear()
    _forget_names()
    trim = _trim()
    if trim is not None:
        trim(0)


def _forget_names() -> None:
    """Let go of the names by which attributes were last looked up.

    CPython keeps the last 4,096, by where each name lies in memory. `datetime` makes the name "utcoffset" anew for each
    time that it converts. After a chart of 50,000 times the names lie all over its memory, and 3 MiB of it stay in use
    with every such call.
    """
    forget = getattr(sys, "_clear_internal_caches", None)  # since 3.13
    (forget or sys._clear_type_cache)()


# By itself the allocator takes blocks of up to 32 MiB from its arenas, once it has seen such a block. There a body that
# grows is copied and leaves holes, and what is freed stays.
def _map_large_blocks() -> None:
    """Let each large block be memory of its own, which grows in place and goes back as soon as it is freed."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)


@cache
def _trim() -> Callable[[int], int] | None:
    return getattr(ctypes.CDLL(None), "malloc_trim", None)


def _look() -> None:
    least = resident()
    while True:
        time.sleep(EVERY_SECONDS)
        least = min(least, resident())
        if resident() > least + GROWN_BYTES:
            give_back()


def resident() -> int:
    """The bytes of this process in memory."""
    return int(_PAGES.read_text(encoding="ascii").split()[1]) * _PAGE_BYTES
