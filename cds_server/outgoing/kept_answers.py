"""Answers that are kept for a while, so that not every request needs the server that gave them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class KeptAnswers(Generic[T]):
    """Answers by key. A failure is kept too, but shortly: a server that hangs is not waited for by everyone in turn."""

    def __init__(self, seconds: float, failed_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._failed_seconds = failed_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, T | Exception]] = {}

    def get(self, key: str, fetch: Callable[[], T], failures: type[Exception]) -> T:
        """The answer under a key, fetched if none is kept. Raises what `fetch` raises, also a kept one of `failures`.

        The keys are few: each is named in the settings.
        """
        with self._lock:
            until, kept = self._kept.get(key, (0.0, None))
        if kept is None or until <= self._clock():
            kept = self._fetched(key, fetch, failures)
        if isinstance(kept, Exception):
            raise kept
        return kept

    def _fetched(self, key: str, fetch: Callable[[], T], failures: type[Exception]) -> T | Exception:
        found: T | Exception
        try:
            found, seconds = fetch(), self._seconds
        except failures as error:
            found, seconds = error, self._failed_seconds
        with self._lock:
            self._kept[key] = (self._clock() + seconds, found)
        return found
