"""What large calls freed goes back to the system, also where a small block that is still in use lies above it."""

from __future__ import annotations

import gc
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC

import pytest

from cds_server.operations import freed_memory
from fhir_mappings.reading.fhir_time import moment

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


def test_nothing_small_of_a_large_call_keeps_its_memory() -> None:
    moment("2026-03-02T10:00:00+08:00", UTC)
    name = "".join(("utc", "offset"))  # a string of its own, as datetime makes one
    held = sys.getrefcount(name)
    getattr(UTC, name)
    freed_memory.give_back()
    assert sys.getrefcount(name) == held
    assert moment.cache_info().currsize == 0


def readings(first: int, then: object) -> object:
    """What `resident` says: at the start of the thread the memory before, then that of now."""
    said = iter([first])
    return lambda: next(said, None) or then()  # type: ignore[operator]
