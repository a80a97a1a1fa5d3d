"""The tables of the decision log, feedback, seen tokens and SMART sessions (SQLAlchemy), and the engine for them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Engine, ForeignKey, Index, String, Text, create_engine, event
from sqlalchemy.engine import Dialect, make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import StaticPool
from sqlalchemy.types import TypeDecorator

from cds_server.limits import naming
from cds_server.settings.database_address import database_url

BUSY_SECONDS = 5
SCHEMA = "0003"  # the last of the migrations


class Instant(TypeDecorator[datetime]):
    """An aware datetime in UTC, even if the database stores no offset (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Table(DeclarativeBase):
    """The base of every table of ours."""


class DecisionRow(Table):
    """One answered call. Patient and user are keyed pseudonyms; `silence` is the reason why nothing was shown."""

    __tablename__ = "decision"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    service: Mapped[str] = mapped_column(String(40))
    issuer: Mapped[str] = mapped_column(Text)
    tenant: Mapped[str] = mapped_column(Text)
    patient: Mapped[str] = mapped_column(String(64))
    user: Mapped[str] = mapped_column(String(64))
    hook_instance: Mapped[str] = mapped_column(String(64))
    orders: Mapped[list[str]] = mapped_column(JSON)
    rules: Mapped[list[str]] = mapped_column(JSON)
    assessment: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(Text)
    silence: Mapped[str | None] = mapped_column(String(60))
    shadow: Mapped[bool] = mapped_column()
    rules_hash: Mapped[str] = mapped_column(String(16))
    version: Mapped[str] = mapped_column(String(20))
    milliseconds: Mapped[int] = mapped_column()
    seal: Mapped[int | None] = mapped_column()
    __table_args__ = (
        Index("decision_seal", "seal"),
        Index("decision_at", "at"),
        Index("decision_user", "patient", "user", "at"),
    )


class CardRow(Table):
    """One card of a decision, shown or in shadow, by the uuid that the client knows it by."""

    __tablename__ = "card"
    uuid: Mapped[str] = mapped_column(String(36), primary_key=True)
    decision_id: Mapped[str] = mapped_column(ForeignKey("decision.id", ondelete="CASCADE"), index=True)
    card: Mapped[str] = mapped_column(String(40))
    indicator: Mapped[str] = mapped_column(String(10))
    shown: Mapped[bool] = mapped_column()
    suggestions: Mapped[list[str]] = mapped_column(JSON)


class FeedbackRow(Table):
    """One entry of feedback. `digest` makes sure that the same entry counts once. Without a known card it is
    unmatched."""

    __tablename__ = "feedback"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    card_uuid: Mapped[str] = mapped_column(String(64), index=True)
    issuer: Mapped[str] = mapped_column(Text)
    tenant: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(String(12))
    outcome_at: Mapped[datetime | None] = mapped_column(Instant)
    received_at: Mapped[datetime] = mapped_column(Instant)
    reasons: Mapped[list[str]] = mapped_column(JSON)
    comment: Mapped[str | None] = mapped_column(Text)
    accepted: Mapped[list[str]] = mapped_column(JSON)
    matched: Mapped[bool] = mapped_column()
    seal: Mapped[int | None] = mapped_column()
    __table_args__ = (Index("feedback_seal", "seal"),)


class SealRow(Table):
    """One seal over rows of the log: (kind, id, digest) of each, and a hash over these and the hash before.

    `latest` is the time of its newest row. The rows of decision and feedback name the seal that they are in; a card is
    in the seal of its decision.
    """

    __tablename__ = "seals"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Instant)
    latest: Mapped[datetime] = mapped_column(Instant)
    first_id: Mapped[str] = mapped_column(String(64))
    last_id: Mapped[str] = mapped_column(String(64))
    count: Mapped[int] = mapped_column()
    entries: Mapped[list[list[str]]] = mapped_column(JSON)
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AnchorRow(Table):
    """The last seal that a purge deleted, and how many rows it deleted: the chain goes on from there."""

    __tablename__ = "anchors"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[str] = mapped_column(String(64))
    count: Mapped[int] = mapped_column()
    at: Mapped[datetime] = mapped_column(Instant)
    by: Mapped[str] = mapped_column(Text)


class TokenRow(Table):
    """The id of a used token, as a hash, kept until the token expires."""

    __tablename__ = "seen_token"
    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires: Mapped[datetime] = mapped_column(Instant, index=True)


class SmartRow(Table):
    """A SMART launch under way, or a session: hashes of its handle and of the browser's cookie; the rest is
    encrypted."""

    __tablename__ = "smart_session"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    browser: Mapped[str] = mapped_column(String(64))
    sealed: Mapped[str] = mapped_column(Text)
    expires: Mapped[datetime] = mapped_column(Instant, index=True)


def engine_for(url: str, statement_seconds: int = BUSY_SECONDS) -> Engine:
    """The engine of a database URL: SQLite (a file) or PostgreSQL. Raises SettingsError.

    PostgreSQL ends a statement after `statement_seconds`; 0, for reports and purges, sets no limit.
    """
    with naming("CRS_CDS_DATABASE_URL"):
        parsed = make_url(database_url(url))
    backend = parsed.get_backend_name()
    if backend == "sqlite" and not parsed.database:  # one connection in memory, for tests and a quick look
        return create_engine(parsed, poolclass=StaticPool, connect_args={"check_same_thread": False})
    if backend == "sqlite":
        engine = create_engine(parsed, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _careful_sqlite)
        return engine
    parsed = parsed.set(drivername="postgresql+psycopg")
    return create_engine(
        parsed, pool_pre_ping=True, pool_size=4, max_overflow=4, pool_timeout=BUSY_SECONDS,
        connect_args={
            "connect_timeout": BUSY_SECONDS, "tcp_user_timeout": BUSY_SECONDS * 1000,
            "options": f"-c statement_timeout={statement_seconds}s -c lock_timeout={BUSY_SECONDS}s",
        },
    )  # fmt: skip


def _careful_sqlite(connection: Any, _: object) -> None:
    """Set up a connection so that commits survive a crash, workers wait for each other, and cascades hold."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
