"""The database as the service uses it. If it is down, no user loses a card: lost decisions are counted, logged and
shown as degraded."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from cds_server.operations.metrics import Metrics
from cds_server.storage.log_file import LogFile
from cds_server.storage.probe import write_probe
from cds_server.storage.schema import is_up_to_date, upgrade

log = logging.getLogger("cds_server")
R = TypeVar("R")
RETRY_SECONDS = 10.0
PROBE_SECONDS = 1.0  # a write that succeeded so lately need not be tried again
NO_ANSWER = "does not answer"
REPLACED = "the file was removed or replaced"
WAITING_AT_MOST = 500  # writes that wait for a slow database before new ones count as lost


class StoreUnavailableError(Exception):
    """A database that did not answer in time, or not at all."""


class Store:
    """The database behind threads of its own, so that a slow one delays no call longer than the call allows."""

    def __init__(self, engine: Engine, metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._metrics = metrics
        self._clock = clock
        self._file = LogFile(engine)
        self._written: float | None = None
        threads = 1 if isinstance(engine.pool, StaticPool) else 2
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="log")
        self._lock = threading.Lock()
        self._ready = False
        self._upgrading = threading.Lock()
        self._failed: float | None = None
        self._waiting = 0
        self.degraded: str | None = None
        self._executor.submit(self._prepare)

    def _prepare(self) -> None:
        """Make the tables before the first call; a failure shows as degraded and is tried again."""
        with contextlib.suppress(StoreUnavailableError):
            self._make_ready()

    def write(self, work: Callable[[Session], object], seconds: float, what: str) -> None:
        """Do work that still counts if it is late. `what` names it for the metrics.

        Raises StoreUnavailableError if it is not done in time, and IntegrityError.
        """
        future = self.submit(work, writes=True)
        if future is None:
            raise StoreUnavailableError
        try:
            future.result(timeout=max(0.0, seconds))
        except FutureTimeoutError as error:
            self.late(what)
            raise StoreUnavailableError from error

    def run(self, work: Callable[[Session], R], seconds: float) -> R:
        """Do work whose result somebody waits for; late work is dropped if it has not begun.

        Raises StoreUnavailableError if it is not done in time, and IntegrityError.
        """
        future = self.submit(work)
        if future is None:
            raise StoreUnavailableError
        try:
            return future.result(timeout=max(0.0, seconds))
        except FutureTimeoutError as error:
            future.cancel()  # nobody waits for it any more, so it must not delay work that is still wanted
            self.late("read")
            raise StoreUnavailableError from error

    def write_now(self, work: Callable[[Session], R]) -> R:
        """Write in the thread of the caller, who may wait as long as the database takes.

        Raises StoreUnavailableError and IntegrityError.
        """
        return self._in_transaction(work, writes=True)

    def submit(self, work: Callable[[Session], R], *, writes: bool = False) -> Future[R] | None:
        """Begin work in a transaction of its own; None if too much is waiting already. `writes` says that its success
        shows that the log can be written."""
        with self._lock:
            if self._waiting >= WAITING_AT_MOST:
                return None
            self._waiting += 1
        future = self._executor.submit(self._in_transaction, work, writes=writes)
        future.add_done_callback(self._done)
        return future

    def can_write(self, seconds: float) -> bool:
        """Tell whether the database takes a decision now, by a write; `degraded` then says the same."""
        lately = self._written is not None and self._clock() - self._written < PROBE_SECONDS
        if lately and self.degraded is None and self._file.is_in_place():  # anyone may ask for our health
            return True
        try:
            self.write(write_probe, seconds, "probe")
        except (IntegrityError, StoreUnavailableError):
            return False
        return True

    def close(self) -> None:
        """Finish the writes under way and close the connections."""
        self._executor.shutdown(wait=True)
        self._engine.dispose()

    def _done(self, _: object) -> None:
        with self._lock:
            self._waiting -= 1

    def _in_transaction(self, work: Callable[[Session], R], *, writes: bool) -> R:
        self._make_ready()
        try:
            with Session(self._engine, expire_on_commit=False) as session, session.begin():
                result = work(session)
            if not self._file.is_in_place():
                raise StoreUnavailableError("the file was removed while it was written")
        except IntegrityError:
            raise
        except Exception as error:  # whatever it is, it costs no one a card
            self.degrade(NO_ANSWER, error)
            raise StoreUnavailableError from error
        if writes:  # what can be read may still be a full disk, or a broken file
            self._written = self._clock()
            self.degraded = None
            self._metrics.log_degraded.set(0)
        return result

    def _make_ready(self) -> None:
        """Bring the tables up to date, once, while others wait. If that fails, it is tried again only now and then."""
        with self._upgrading:
            if self._ready and self._file.is_in_place():
                return
            if self._ready:
                self._begin_new_file()
            now = self._clock()
            if self._failed is not None and now - self._failed < RETRY_SECONDS:
                raise StoreUnavailableError
            try:
                if not is_up_to_date(self._engine):
                    upgrade(self._engine)
                self._file.remember()
            except Exception as error:  # also a schema of a later version
                self._failed = now
                self.degrade(NO_ANSWER, error)
                raise StoreUnavailableError from error
            self._ready = True

    def _begin_new_file(self) -> None:
        """Let go of a file that was removed or replaced: the next connections open what is at the path now."""
        self._ready = False
        self._engine.dispose()
        self._metrics.log_losses.labels("file").inc()
        self.degrade(REPLACED)

    def late(self, what: str) -> None:
        """Count a wait that ended before the database answered."""
        self._metrics.log_late.labels(what).inc()
        self.degrade("does not answer in time")

    def degrade(self, says: str, error: Exception | None = None) -> None:
        """Say that the log is degraded: the words go to anyone who asks, the kind of error only to the log lines."""
        if self.degraded is None:
            log.error("the decision log is degraded: %s", says if error is None else type(error).__name__)
        self.degraded = says
        self._metrics.log_degraded.set(1)
