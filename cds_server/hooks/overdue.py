"""The end of reading from clients that are late, by one thread for all calls: a timer of its own starts a thread for
each call, which costs more than reading its body."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count

_NEVER = float("inf")


class Overdue:
    """The connections that are read from, each with the moment at which that ends."""

    def __init__(self) -> None:
        self._reading: dict[int, tuple[float, socket.socket]] = {}
        self._changed = threading.Condition()
        self._looks_at = _NEVER  # the thread's next look: a moment at or before the end of each
        self._names = count()
        self._is_watched = False

    @contextmanager
    def after(self, seconds: float, connection: socket.socket | None) -> Iterator[None]:
        """Stop reading from the connection if what is done within takes longer; the client still gets its answer."""
        if connection is None:
            yield
            return
        name, ends = next(self._names), time.monotonic() + seconds
        with self._changed:
            self._reading[name] = (ends, connection)
            if not self._is_watched:  # not before the first call: a worker is a fork, and threads do not fork
                threading.Thread(target=self._watch, name="overdue bodies", daemon=True).start()
                self._is_watched = True
            if ends < self._looks_at:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._reading.pop(name, None)

    def _watch(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for name, (ends, connection) in list(self._reading.items()):
                    if ends <= now:
                        del self._reading[name]
                        stop_reading(connection)
                self._looks_at = min((ends for ends, _ in self._reading.values()), default=_NEVER)
                self._changed.wait(None if self._looks_at == _NEVER else max(0.0, self._looks_at - now))


def stop_reading(connection: socket.socket | None) -> None:
    """Stop reading from a client; it still gets its answer."""
    if connection is not None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RD)
