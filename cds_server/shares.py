"""The places for calls, and the share of them that one client or one FHIR server may have."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cds_server.operations.metrics import Metrics
from cds_server.problems import Problem, ProblemId

LATELY_SECONDS = 60.0  # who called in this time counts as calling
UNKNOWN = ""  # the client of a call whose token was not checked yet


class Places:
    """The places for calls at once. Where several clients may call, one has at most half of them while another calls,
    and three quarters otherwise; so has one FHIR server where several may be asked. One that hangs, or a client that is
    busy, leaves room for the others.

    The door, where tokens are checked, has as many places of its own. So a call that is refused, by its token or by its
    client's share, never takes the place of another.
    """

    # The last quarter is never lent: the first call of another would find every place taken for as long as calls last.
    def __init__(
        self,
        number: int,
        metrics: Metrics,
        *,
        clients: int,
        servers: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.free = threading.BoundedSemaphore(number)
        self._door = threading.BoundedSemaphore(number)
        self._metrics = metrics
        self._number = number
        self._shared = {"client": clients > 1, "server": servers > 1}
        self._clock = clock
        self._lock = threading.Lock()
        self._taken: Counter[tuple[str, str]] = Counter()
        self._called: dict[tuple[str, str], float] = {}

    @contextmanager
    def door(self) -> Iterator[None]:
        """Take a place at the door. Raises Problem `busy` if all are taken."""
        with self._one(self._door, UNKNOWN):
            yield

    @contextmanager
    def of_client(self, client: str) -> Iterator[None]:
        """Take a place for a call of this client. Raises Problem `busy` if all are taken, or its share is: if calls
        waited, each would lose time."""
        with self._share("client", client, client), self._one(self.free, client):
            yield

    @contextmanager
    def _one(self, places: threading.BoundedSemaphore, client: str) -> Iterator[None]:
        if not places.acquire(blocking=False):
            raise self._busy(client, "")
        try:
            yield
        finally:
            places.release()

    @contextmanager
    def of_server(self, base: str | None, client: str) -> Iterator[None]:
        """Count a call that has a place as one that asks this FHIR server. Raises Problem `busy` beyond its share."""
        if base is None:
            yield
            return
        with self._share("server", base, client):
            yield

    @contextmanager
    def _share(self, kind: str, name: str, client: str) -> Iterator[None]:
        key = (kind, name)
        with self._lock:
            self._called[key] = self._clock()
            if self._taken[key] >= self._most(key):
                raise self._busy(client, kind)
            self._taken[key] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[key] -= 1

    def _most(self, key: tuple[str, str]) -> int:
        """The places that one client or server may have now."""
        kind, _ = key
        if not self._shared[kind]:
            return self._number
        since = self._clock() - LATELY_SECONDS
        others = any(other != key and other[0] == kind and at > since for other, at in self._called.items())
        return max(1, self._number // 2 if others else self._number * 3 // 4)

    def _busy(self, client: str, share: str) -> Problem:
        self._metrics.busy.labels(client, share).inc()
        return Problem(ProblemId.BUSY, [], f"share of one {share}" if share else "")
