"""What large calls freed goes back to the system, also where a small block that is still in use lies above it."""

from __future__ import annotations

import gc
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from cds_server.operations import freed_memory

BLOCKS, BLOCK_BYTES = 2500, 64 * 1024
MIB = 1024 * 1024


def test_freed_memory_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freed_memory, "EVERY_SECONDS", 0.05)
    gc.collect()
    before = freed_memory.resident()
    with ThreadPoolExecutor(1) as thread:
        blocks = thread.submit(lambda: [bytes(b"x" * BLOCK_BYTES) for _ in range(BLOCKS)]).result()
        assert freed_memory.resident() - before > 100 * MIB
        del blocks[:-1]  # the last block stays, and the allocator gives back nothing by itself
        kept = freed_memory.resident() - before
        assert kept > freed_memory.GROWN_BYTES, "otherwise this shows nothing"
        least = freed_memory.resident
        monkeypatch.setattr(freed_memory, "resident", readings(before, least))
        freed_memory.start_giving_back()
        until = time.monotonic() + 10
        while least() - before > freed_memory.GROWN_BYTES and time.monotonic() < until:
            time.sleep(0.05)
    assert least() - before <= freed_memory.GROWN_BYTES


def readings(first: int, then: object) -> object:
    """What `resident` says: at the start of the thread the memory before, then that of now."""
    said = iter([first])
    return lambda: next(said, None) or then()  # type: ignore[operator]
