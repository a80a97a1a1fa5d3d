"""A circuit breaker for one FHIR server: one that does not answer is not asked for a while, so that the calls which
need it end at once instead of holding their places until their time is over.

| state     | begins when                                     | a call                                    |
|-----------|-------------------------------------------------|-------------------------------------------|
| closed    | a call got an answer                            | asks                                      |
| open      | FAILURES calls in WINDOW_SECONDS got none       | does not ask                              |
| on trial  | FIRST_PAUSE after that; each trial that fails   | one asks, the others do not               |
|           | doubles the pause, up to LONGEST_PAUSE          |                                           |

A call that does not ask, or that has hardly any time left when it asks, says nothing: whoever sends bodies slowly could
otherwise close a server to everyone, and the trial goes to the next call.

A status below 500 is an answer. What counts is a call, not a request: one chart that is too large for its time makes
many searches late, and the server is well.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

FAILURES = 5
WINDOW_SECONDS = 30.0
FIRST_PAUSE = 10.0
LONGEST_PAUSE = 60.0


class Circuit:
    """The circuit to one FHIR server. Each call that `begins` ends it, with what became of it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failed: deque[float] = deque(maxlen=FAILURES)
        self._pause = FIRST_PAUSE
        self._open_until: float | None = None
        self._trial_ends = 0.0

    @property
    def is_open(self) -> bool:
        return self._open_until is not None

    def begin(self) -> bool:
        """Tell whether a call that begins now may ask the server."""
        with self._lock:
            now = self._clock()
            if self._open_until is None:
                return True
            if now < max(self._open_until, self._trial_ends):
                return False
            self._trial_ends = now + LONGEST_PAUSE  # if this call never ends, another one is tried
            return True

    def leave(self) -> None:
        """Say that a call that might ask has nothing to say of the server: it did not ask, or had no time to."""
        with self._lock:
            self._trial_ends = 0.0

    def end(self, *, answered: bool) -> None:
        """Say whether the server answered a call that asked it."""
        with self._lock:
            now = self._clock()
            if answered:
                self._failed.clear()
                self._open_until, self._pause, self._trial_ends = None, FIRST_PAUSE, 0.0
            elif self._open_until is None:
                self._failed.append(now)
                if len(self._failed) == FAILURES and now - self._failed[0] <= WINDOW_SECONDS:
                    self._open_until = now + self._pause
            elif self._trial_ends:  # a call that began before the circuit opened changes nothing
                self._pause = min(LONGEST_PAUSE, 2 * self._pause)
                self._open_until, self._trial_ends = now + self._pause, 0.0
