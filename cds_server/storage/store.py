"""What was advised and why, kept beside the answer; feedback joined to it; tokens that were used.

A database that is down never costs the user a card: the loss is counted, logged and shown as degraded, and tokens
are then remembered by this worker alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import as_file, files
from typing import TypeVar

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from cds_server.operations.metrics import Metrics
from cds_server.storage.database import SCHEMA, CardRow, DecisionRow, FeedbackRow, SmartRow, TokenRow

log = logging.getLogger("cds_server")
R = TypeVar("R")
RETRY_SECONDS = 10.0
CLEAN_SECONDS = 3600.0  # expired tokens are deleted this often by each worker
SWEEP_SECONDS = 5.0  # so often a worker forgets those that it remembers itself
_UPGRADING = threading.Lock()  # alembic's context is one for the process
PURGED_AT_ONCE = 500
PAUSE_SECONDS = 0.02
WAITING_AT_MOST = 500  # writes that wait for a slow database before new ones count as lost


class LogUnavailableError(Exception):
    """The database did not answer in time, or not at all."""


@dataclass(frozen=True)
class Decision:
    """One answer to remember; the cards as (uuid, card id, indicator, shown, suggestion uuids)."""

    row: DecisionRow
    cards: Sequence[CardRow]


class Pseudonyms:
    """Keyed hashes over issuer, tenant, FHIR base and id: the same person is the same word, to who has the key."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def of(self, kind: str, issuer: str, tenant: str | None, fhir_base: str | None, id_: str) -> str:
        text = "\x1f".join((kind, issuer, tenant or "", fhir_base or "", id_))
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()


class DecisionLog:
    """The log behind threads of its own, so that a slow database holds up no call beyond the seconds it gives."""

    def __init__(self, engine: Engine, metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._metrics = metrics
        self._clock = clock
        threads = 1 if isinstance(engine.pool, StaticPool) else 2
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="log")
        self._lock = threading.Lock()
        self._ready = False
        self._upgrading = threading.Lock()
        self._failed: float | None = None
        self._waiting = 0
        self._remembered: dict[str, float] = {}
        self._swept = self._cleaned = clock()
        self.lost = 0
        self.degraded: str | None = None
        self._executor.submit(self._prepare)

    def _prepare(self) -> None:
        """The tables before the first call; a failure shows as degraded and is tried again."""
        with contextlib.suppress(LogUnavailableError):
            self._make_ready()

    def record(self, decision: Decision, seconds: float) -> bool:
        """Commit a decision; whether it was committed in time. A late one still counts if it succeeds."""

        def write(session: Session) -> None:
            session.add(decision.row)
            session.flush()
            session.add_all(decision.cards)
            session.execute(  # feedback that overtook a late decision
                update(FeedbackRow)
                .where(
                    FeedbackRow.card_uuid.in_([card.uuid for card in decision.cards]),
                    FeedbackRow.issuer == decision.row.issuer,
                    FeedbackRow.tenant == decision.row.tenant,
                )
                .values(matched=True)
            )

        def settled(future: Future[None]) -> None:
            if future.exception() is not None:
                self.lose(future.exception())

        future = self._submit(write)
        if future is None:
            self.lose(None)
            return False
        future.add_done_callback(settled)
        try:
            future.result(timeout=max(0.0, seconds))
        except FutureTimeoutError:
            self._late("decision")
            return False
        except (IntegrityError, LogUnavailableError):
            return False
        return True

    def is_first_use(self, token: str, expires: datetime, seconds: float) -> bool:
        """Whether a token's id is used for the first time, on any worker; on this one alone while the database does
        not answer, which is counted."""
        with self._lock:
            now = self._clock()
            if now - self._swept >= SWEEP_SECONDS:  # not with each call: at a hundred a second they are thousands
                self._swept = now
                self._remembered = {t: until for t, until in self._remembered.items() if until >= now}
            if token in self._remembered:
                return False
            self._remembered[token] = now + max(0.0, (expires - datetime.now(UTC)).total_seconds())

        def insert(session: Session) -> None:
            session.add(TokenRow(token=token, expires=expires))

        future = self._submit(insert)
        try:
            if future is None:
                raise LogUnavailableError
            future.result(timeout=max(0.0, seconds))
        except IntegrityError:
            return False
        except (FutureTimeoutError, LogUnavailableError) as error:  # a late one is still written, for the others
            self._metrics.log_losses.labels("token").inc()
            if isinstance(error, FutureTimeoutError):
                self._late("token")
        self._clean_now_and_then()
        return True

    def run(self, work: Callable[[Session], R], seconds: float) -> R:
        """Do some work in a transaction of its own. Raises LogUnavailableError, or IntegrityError."""
        future = self._submit(work)
        if future is None:
            raise LogUnavailableError
        try:
            return future.result(timeout=max(0.0, seconds))
        except FutureTimeoutError as error:
            future.cancel()  # nobody waits for it: it shall not stand before what is still wanted
            self._late("read")
            raise LogUnavailableError from error

    def answers(self, seconds: float) -> bool:
        """Whether the database answers now; what it says shows in `degraded`."""
        try:
            self.run(lambda session: session.execute(select(1)), seconds)
        except LogUnavailableError:
            return False
        return True

    def close(self) -> None:
        """Finish what is being written and let the connections go."""
        self._executor.shutdown(wait=True)
        self._engine.dispose()

    def _submit(self, work: Callable[[Session], R]) -> Future[R] | None:
        with self._lock:
            if self._waiting >= WAITING_AT_MOST:
                return None
            self._waiting += 1
        future = self._executor.submit(self._in_transaction, work)
        future.add_done_callback(self._done)
        return future

    def _done(self, _: object) -> None:
        with self._lock:
            self._waiting -= 1

    def _in_transaction(self, work: Callable[[Session], R]) -> R:
        self._make_ready()
        try:
            with Session(self._engine, expire_on_commit=False) as session, session.begin():
                result = work(session)
        except IntegrityError:
            raise
        except Exception as error:  # whatever it is, it costs no one a card
            self._degrade(type(error).__name__)
            raise LogUnavailableError from error
        self.degraded = None
        self._metrics.log_degraded.set(0)
        return result

    def _make_ready(self) -> None:
        """Bring the tables up to date, once; others wait meanwhile. While it fails, it is tried now and then only."""
        with self._upgrading:
            if self._ready:
                return
            now = self._clock()
            if self._failed is not None and now - self._failed < RETRY_SECONDS:
                raise LogUnavailableError
            try:
                if not is_up_to_date(self._engine):
                    upgrade(self._engine)
            except Exception as error:  # also a schema of a later version
                self._failed = now
                self._degrade(type(error).__name__)
                raise LogUnavailableError from error
            self._ready = True

    def _clean_now_and_then(self) -> None:
        with self._lock:
            if self._clock() - self._cleaned < CLEAN_SECONDS:
                return
            self._cleaned = self._clock()
        self._submit(forget_tokens)

    def _late(self, what: str) -> None:
        self._metrics.log_late.labels(what).inc()
        self._degrade("does not answer in time")

    def _degrade(self, why: str) -> None:
        if self.degraded is None:
            log.error("the decision log is degraded: %s", why)
        self.degraded = why
        self._metrics.log_degraded.set(1)

    def lose(self, error: BaseException | None) -> None:
        """Count a decision that is not in the log, and say why."""
        with self._lock:
            self.lost += 1
        self._metrics.log_losses.labels("decision").inc()
        why = type(error.__cause__ or error).__name__ if error is not None else "too many are waiting"
        if error is None:
            self._degrade(why)
        log.error("a decision could not be logged: %s", why)


def is_up_to_date(engine: Engine) -> bool:
    """Whether the tables are those of this version; not where that cannot be told."""
    with engine.connect() as connection:
        try:
            return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == SCHEMA
        except SQLAlchemyError:  # there are no tables yet
            return False


def upgrade(engine: Engine) -> None:
    """Run the migrations. Workers that start together wait for each other: the first one makes the tables."""
    # a tenth of a worker's memory, needed once for each new version
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    with _UPGRADING, as_file(files("cds_server.storage") / "migrations") as folder, engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.attributes["connection"] = connection
        if engine.dialect.name == "postgresql":
            # large tables take their time, and another worker's migration is waited for
            connection.exec_driver_sql("SET statement_timeout = 0; SET lock_timeout = 0")
            connection.exec_driver_sql("SELECT pg_advisory_lock(7421)")
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            command.upgrade(config, "head")
            connection.commit()
        finally:
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("SELECT pg_advisory_unlock(7421)")
                connection.exec_driver_sql("RESET statement_timeout; RESET lock_timeout")
                connection.commit()


def purge(engine: Engine, before: datetime) -> int:
    """Delete decisions, their cards and their feedback older than a moment; how many decisions.

    A part at a time, so that a service beside it can write.
    """
    deleted = 0
    while True:
        with Session(engine) as session, session.begin():
            old = list(session.scalars(select(DecisionRow.id).where(DecisionRow.at < before).limit(PURGED_AT_ONCE)))
            cards = select(CardRow.uuid).where(CardRow.decision_id.in_(old))
            session.execute(delete(FeedbackRow).where(FeedbackRow.card_uuid.in_(cards)))
            session.execute(delete(CardRow).where(CardRow.decision_id.in_(old)))
            session.execute(delete(DecisionRow).where(DecisionRow.id.in_(old)))
            if not old:
                unmatched = (FeedbackRow.matched.is_(False), FeedbackRow.received_at < before)
                session.execute(delete(FeedbackRow).where(*unmatched))
                forget_tokens(session)
                return deleted
        deleted += len(old)
        time.sleep(PAUSE_SECONDS)


def forget_tokens(session: Session) -> None:
    """Delete the tokens that have expired: no clock is a day off. Sessions end at once, and with them their tokens."""
    now = datetime.now(UTC)
    session.execute(delete(TokenRow).where(TokenRow.expires < now - timedelta(days=1)))
    session.execute(delete(SmartRow).where(SmartRow.expires <= now))
