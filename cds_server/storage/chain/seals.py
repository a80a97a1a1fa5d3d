"""The chain of seals over the decision log.

Rows are not chained as they are written, because workers would wait for each other. Every minute one worker seals what
is not sealed: it digests each row, and hashes the digests with the seal before. A decision that comes late, and
feedback that comes later, are in the seal of their own minute.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import select, text, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from cds_server.storage.database import AnchorRow, CardRow, DecisionRow, FeedbackRow, SealRow, Table
from cds_server.storage.store import Store

R = TypeVar("R", DecisionRow, FeedbackRow)
BEGINNING = "0" * 64  # the hash before the first seal
SEALED_AT_ONCE = 500  # decisions, and entries of feedback, in one seal
EVERY = timedelta(seconds=55)
_LOCK = 7422
# `seal` says where a row is sealed; `matched` says whether a card is there yet, and changes when it comes
_NOT_DIGESTED = {"decision": {"seal"}, "card": set[str](), "feedback": {"seal", "matched"}}


@dataclass(frozen=True)
class Head:
    """The end of the chain: the last seal, or the anchor where a purge deleted them all."""

    number: int
    hash: str
    at: datetime | None = None


def seal_log(store: Store, now: datetime) -> None:
    """Seal what is not sealed, unless another worker is at it or was within the last minute."""
    work = partial(_seal_if_due, now=now)
    while (future := store.submit(work, writes=True)) is not None and future.result():
        work = partial(_seal_more, now=now)


def _seal_if_due(session: Session, now: datetime) -> bool:
    if not lock_seals(session, wait=False):
        return False
    at = head_of(session).at
    is_due = at is None or not timedelta(0) <= now - at < EVERY
    return is_due and seal_next(session, now)


def _seal_more(session: Session, now: datetime) -> bool:
    return lock_seals(session, wait=False) and seal_next(session, now)


def seal_next(session: Session, now: datetime) -> bool:
    """Seal the rows that are not sealed, under the lock; True if there may be more."""
    decisions = _unsealed(session, DecisionRow, DecisionRow.id)
    feedback = _unsealed(session, FeedbackRow, FeedbackRow.digest)
    if not decisions and not feedback:
        return False
    head = head_of(session)
    entries = entries_of(session, decisions, feedback)
    times = [*(row.at for row in decisions), *(row.received_at for row in feedback)]
    number, ids = head.number + 1, sorted(id_ for _, id_, _ in entries)
    seal = SealRow(
        number=number, at=now, latest=max(times), first_id=ids[0], last_id=ids[-1], count=len(entries),
        entries=entries, previous=head.hash,
    )  # fmt: skip
    seal.hash = seal_hash(seal)
    session.add(seal)
    session.execute(update(DecisionRow).where(DecisionRow.id.in_([d.id for d in decisions])).values(seal=number))
    digests = [row.digest for row in feedback]
    session.execute(update(FeedbackRow).where(FeedbackRow.digest.in_(digests)).values(seal=number))
    return len(decisions) == SEALED_AT_ONCE or len(feedback) == SEALED_AT_ONCE


def lock_seals(session: Session, *, wait: bool) -> bool:
    """Lock the seals until the transaction ends; False if another process has them and `wait` is false."""
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return True
    if wait:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        return True
    return bool(connection.scalar(text(f"SELECT pg_try_advisory_xact_lock({_LOCK})")))


def head_of(session: Session) -> Head:
    """The end of the chain."""
    seal = session.execute(
        select(SealRow.number, SealRow.hash, SealRow.at).order_by(SealRow.number.desc()).limit(1)
    ).first()
    anchor = session.scalars(select(AnchorRow).order_by(AnchorRow.number.desc()).limit(1)).first()
    if seal is not None and (anchor is None or seal.number > anchor.number):
        return Head(seal.number, seal.hash, seal.at)
    return Head(anchor.number, anchor.hash, anchor.at) if anchor is not None else Head(0, BEGINNING)


def _unsealed(session: Session, kind: type[R], key: InstrumentedAttribute[str]) -> Sequence[R]:
    return session.scalars(select(kind).where(kind.seal.is_(None)).order_by(key).limit(SEALED_AT_ONCE)).all()


def entries_of(session: Session, decisions: Sequence[DecisionRow], feedback: Sequence[FeedbackRow]) -> list[list[str]]:
    """The kind, id and digest of each row, the cards of the decisions among them, in order of kind and id."""
    cards = session.scalars(select(CardRow).where(CardRow.decision_id.in_([decision.id for decision in decisions])))
    rows = (
        *(["card", card.uuid, digest("card", card)] for card in cards),
        *(["decision", decision.id, digest("decision", decision)] for decision in decisions),
        *(["feedback", said.digest, digest("feedback", said)] for said in feedback),
    )
    return sorted(rows)


def digest(kind: str, row: Table) -> str:
    """SHA-256 over a row in one form: JSON with sorted names, times in UTC. What is null is left out, so that a column
    that a later version adds changes no digest."""
    names = {column.key for column in row.__table__.columns} - _NOT_DIGESTED[kind]
    values = {name: value for name in names if (value := getattr(row, name)) is not None}
    return _hash({"kind": kind, **values})


def seal_hash(seal: SealRow) -> str:
    """The hash of a seal, over all that it says."""
    names = ("number", "at", "latest", "first_id", "last_id", "count", "entries", "previous")
    return _hash({name: getattr(seal, name) for name in names})


def _hash(value: Any) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), default=_time)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _time(value: Any) -> str:
    if not isinstance(value, datetime):
        raise TypeError(type(value).__name__)
    return value.astimezone(UTC).isoformat(timespec="microseconds")
