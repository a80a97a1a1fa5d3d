"""The used tokens: each counts once, on whatever worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy.exc import IntegrityError

from cds_server.operations.metrics import Metrics
from cds_server.storage.chain.purge import forget_ended
from cds_server.storage.database import TokenRow
from cds_server.storage.store import Store, StoreUnavailableError

CLEAN_SECONDS = 3600.0  # each worker deletes what has ended this often
SWEEP_SECONDS = 5.0  # each worker forgets ended tokens of its own memory this often


class UsedTokens:
    """The used tokens of all workers, in the database. While it does not answer, only those of this worker are known,
    which is counted."""

    def __init__(self, store: Store, metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._metrics = metrics
        self._clock = clock
        self._lock = threading.Lock()
        self._remembered: dict[str, float] = {}
        self._swept = self._cleaned = clock()

    def is_first_use(self, token: str, expires: datetime, seconds: float) -> bool:
        """Tell whether a token is used for the first time. The database is waited for at most so many seconds."""
        if not self._is_new_here(token, expires):
            return False
        try:
            self._store.write(lambda session: session.add(TokenRow(token=token, expires=expires)), seconds, "token")
        except IntegrityError:
            return False
        except StoreUnavailableError:
            # With a slow database two workers may take one token; to wait longer would cost the user a card. It is
            # counted, and the late row still bars the token afterwards.
            self._metrics.log_losses.labels("token").inc()
        self._clean_now_and_then()
        return True

    def _is_new_here(self, token: str, expires: datetime) -> bool:
        """Remember a token; True if this worker had not seen it."""
        with self._lock:
            now = self._clock()
            if now - self._swept >= SWEEP_SECONDS:  # not with each call: at a hundred a second they are thousands
                self._swept = now
                self._remembered = {t: until for t, until in self._remembered.items() if until >= now}
            if token in self._remembered:
                return False
            self._remembered[token] = now + max(0.0, (expires - datetime.now(UTC)).total_seconds())
            return True

    def _clean_now_and_then(self) -> None:
        with self._lock:
            if self._clock() - self._cleaned < CLEAN_SECONDS:
                return
            self._cleaned = self._clock()
        self._store.submit(forget_ended)
