"""The log of decisions: the database, and the spool for what it does not take."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import partial

from sqlalchemy.exc import DataError, IntegrityError

from cds_server.operations.metrics import Metrics
from cds_server.storage.decisions import Decision, decision_of_rows, plain_rows, write_decision, write_once
from cds_server.storage.spool import Spool, Spooled, SpoolFullError
from cds_server.storage.store import Store, StoreUnavailableError

log = logging.getLogger("cds_server")
FORGOTTEN_AT_ONCE = 50  # a commit of the spool for so many decisions; one that comes in twice is found by its id


class DecisionLog:
    """The decisions of one service. Without a spool those that the database does not take are lost, and counted."""

    def __init__(self, store: Store, metrics: Metrics, spool: Spool | None = None) -> None:
        self._store = store
        self._metrics = metrics
        self._spool = spool
        self._lock = threading.Lock()
        self.lost = 0

    def record(self, decision: Decision, seconds: float) -> None:
        """Commit a decision. One that is not committed in this time is in the spool when this returns, or is lost
        unless its commit still succeeds."""
        rows = plain_rows(decision)  # a commit that is late still works with the decision itself
        future = self._store.submit(partial(write_decision, decision=decision), writes=True)
        if future is not None and self._is_committed(future, seconds):
            return
        try:
            if self._spool is None:
                raise SpoolFullError
            self._spool.put(decision.row.id, decision.row.at, [card["uuid"] for card in rows["cards"]], rows)
        except SpoolFullError:
            if future is None:
                self.lose(None)
            else:
                future.add_done_callback(self._settled)
        self.count_waiting()

    def _is_committed(self, future: Future[None], seconds: float) -> bool:
        try:
            future.result(timeout=max(0.0, seconds))
        except FutureTimeoutError:
            self._store.late("decision")
        except (IntegrityError, StoreUnavailableError):
            return False
        else:
            return True
        return False

    def _settled(self, future: Future[None]) -> None:
        if future.exception() is not None:
            self.lose(future.exception())

    def lose(self, error: BaseException | None) -> None:
        """Count a decision that is not in the log, and log why. Without an error too many were waiting."""
        with self._lock:
            self.lost += 1
        self._metrics.log_losses.labels("decision").inc()
        why = type(error.__cause__ or error).__name__ if error is not None else "too many are waiting"
        if error is None:
            self._store.degrade(why)
        log.error("a decision could not be logged: %s", why)

    def count_waiting(self) -> int:
        """The number of decisions in the spool, which the metrics show too."""
        waiting = self._spool.count() if self._spool is not None else 0
        self._metrics.spooled.set(waiting)
        return waiting

    def spool_state(self) -> str | None:
        """A sentence on the spool: what waits there, and what of it cannot come in; None if nothing does."""
        waiting = self.count_waiting()
        wrong = self._spool.wrong() if self._spool is not None else None
        self._metrics.spool_unreadable.set(wrong is not None)
        said = [f"{waiting} decisions wait for the log"] if waiting else []
        return "; ".join([*said, *([wrong] if wrong else [])]) or None

    def is_waiting(self, ids: Collection[str]) -> bool:
        """Tell whether one of these decisions or cards is in the spool, and not yet in the database."""
        return self._spool is not None and self._spool.holds(ids)

    def bring_in(self) -> None:
        """Write what waits in the spool, oldest first, until the database refuses."""
        if self._spool is None or not self.count_waiting():
            return
        with self._spool.alone() as ours:
            if ours:
                self._bring_in(self._spool)
        self.count_waiting()

    def _bring_in(self, spool: Spool) -> None:
        taken: list[Spooled] = []
        for one in spool.oldest_first():
            if one.rows is None:  # it waits for the key that opens it
                continue
            if not self._is_dealt_with(one):
                break
            taken.append(one)
            if len(taken) == FORGOTTEN_AT_ONCE:
                spool.forget(taken)
                taken.clear()
        spool.forget(taken)

    def _is_dealt_with(self, one: Spooled) -> bool:
        """Write a decision of the spool; False if the database does not take anything now."""
        for last in (False, True):
            decision = decision_of_rows(one.rows or {})
            try:
                self._store.write_now(partial(write_once, decision=decision))
            except IntegrityError as error:  # a late commit came first, and is found the second time
                if last:
                    self.lose(error)
            except StoreUnavailableError as error:
                if not isinstance(error.__cause__, DataError):
                    return False
                self.lose(error)
                return True
            else:
                return True
        return True
