"""The memory that the large calls of a worker share: their bodies, and the answers of FHIR servers to them.

The limits of a call bound one call, and several large ones at once would hold several times that. So they take turns
where there is no room for all. A call with some thousand Observations holds less than is free to each, and never waits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from cds_server.operations.freed_memory import give_back

MIB = 1024 * 1024
FREE_BYTES = 4 * MIB  # of each call: some thousand Observations
SHARED_BYTES = 40 * MIB  # two of the largest bodies


class LargeCalls:
    """The room of one worker, for what its calls hold beyond FREE_BYTES each.

    The call that came first is never refused room. Its own limits bound it, and without that two calls, each with half
    of the room, would wait for each other.
    """

    def __init__(
        self,
        most: int = SHARED_BYTES,
        *,
        free: int = FREE_BYTES,
        clock: Callable[[], float] = time.monotonic,
        give_back: Callable[[], None] = give_back,
    ) -> None:
        self.free = free
        self._most = most
        self._clock = clock
        self._give_back = give_back
        self._changed = threading.Condition()
        self._held: dict[HeldBytes, int] = {}  # in the order in which they asked

    def begin(self) -> HeldBytes:
        """The bytes of a call that begins: none yet."""
        return HeldBytes(self)

    def hold(self, call: HeldBytes, size: int, until: float) -> bool:
        """Wait until there is room, and tell whether there was before the moment `until` of the clock."""
        with self._changed:
            while not self._has_room(call, size):
                left = until - self._clock()
                if left <= 0 or call.has_ended:
                    return False
                self._changed.wait(left)
            self._held[call] += size
            return True

    def _has_room(self, call: HeldBytes, size: int) -> bool:
        if call.has_ended:  # a search that came too late for it
            return False
        self._held.setdefault(call, 0)
        return next(iter(self._held)) is call or sum(self._held.values()) + size <= self._most

    def leave(self, call: HeldBytes) -> None:
        """Free what a call held. It goes back to the system before the next call has its room: each thread has an arena
        of the allocator, and what is free in one serves no other."""
        with self._changed:
            call.has_ended = True
        if call in self._held:
            self._give_back()
        with self._changed:
            self._held.pop(call, None)
            self._changed.notify_all()


class HeldBytes:
    """The bytes that one call holds. Its threads share it."""

    def __init__(self, calls: LargeCalls) -> None:
        self.has_ended = False
        self._calls = calls
        self._lock = threading.Lock()
        self._free = calls.free

    def take(self, size: int, until: float) -> bool:
        """Hold some bytes more, and tell whether there was room for them before that moment."""
        with self._lock:
            beyond = max(0, size - self._free)
            self._free -= size - beyond
        return beyond == 0 or self._calls.hold(self, beyond, until)

    def end(self) -> None:
        """Hold nothing any more."""
        self._calls.leave(self)
