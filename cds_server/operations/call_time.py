"""The time of one call: its deadline, and how much of it may be spent waiting for the decision log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# this part of a call's time is kept for working out what to say; a record that takes longer is a 503, not a late answer
WORK_PART = 0.1
GRACE_SECONDS = 0.5


class CallTime:
    """The time of one call. `log_seconds` is a single allowance for every wait for the log, so that a slow database
    costs a call no more.

    The unused part of it is kept back from reading the record, because the answer must still be logged.
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

    def may_work(self) -> bool:
        """Tell whether what is under way may go on: an answer that is a little late is better than none."""
        return self._clock() < self.deadline + GRACE_SECONDS

    @property
    def reading_ends(self) -> float:
        """The moment by which the record must be read: the answer must still be worked out and logged."""
        return self.deadline - self._log_seconds - self._work_seconds

    @contextmanager
    def waiting_for_the_log(self) -> Iterator[float]:
        """Yield the seconds that may be waited, and deduct those that were used."""
        began = self._clock()
        try:
            yield min(self._log_seconds, self.remaining())
        finally:
            self._log_seconds = max(0.0, self._log_seconds - (self._clock() - began))

    def milliseconds(self) -> int:
        return int((self._clock() - self.started) * 1000)
