"""The time of one call: by when it must be answered, and how long of that it may wait for the decision log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

WORK_PART = 0.1  # of the time of a call is kept for working out what to say


class CallTime:
    """`log_seconds` is one allowance for every wait for the log, so that a slow database costs a call no more.

    What of it is not yet used is kept back from reading the record: the answer must still be logged.
    """

    def __init__(
        self, started: float, seconds: float, log_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.started = started
        self.deadline = started + seconds
        self._log_seconds = log_seconds
        self._work_seconds = seconds * WORK_PART
        self._clock = clock

    def remaining(self) -> float:
        return max(0.0, self.deadline - self._clock())

    def is_left(self) -> bool:
        return self.remaining() > 0

    @property
    def reading_ends(self) -> float:
        """The moment by which the record must be read: what comes of it must still be worked out and logged."""
        return self.deadline - self._log_seconds - self._work_seconds

    @contextmanager
    def waiting_for_the_log(self) -> Iterator[float]:
        """The seconds that may be waited; what is used of them is gone."""
        began = self._clock()
        try:
            yield min(self._log_seconds, self.remaining())
        finally:
            self._log_seconds = max(0.0, self._log_seconds - (self._clock() - began))

    def milliseconds(self) -> int:
        return int((self._clock() - self.started) * 1000)
