"""The verification of the chain: each row of the log against the digest in its seal, each seal against the one before.

Whoever can write the database can also seal anew. Only a hash that is kept elsewhere shows that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cds_server.storage.chain.seals import BEGINNING, entries_of, seal_hash
from cds_server.storage.database import AnchorRow, DecisionRow, FeedbackRow, SealRow


@dataclass
class Verified:
    """The outcome: what is wrong, the number of sealed rows and of rows that are not sealed yet, the anchors, and the
    hashes of the chain by number."""

    faults: list[str] = field(default_factory=list)
    sealed: int = 0
    unsealed: int = 0
    anchors: list[AnchorRow] = field(default_factory=list)
    hashes: dict[int, str] = field(default_factory=dict)


def verified(session: Session, expected: str | None = None) -> Verified:
    """The verification of the whole log. `expected` is the hash of a seal that was kept elsewhere."""
    _see_one_moment(session)
    found = Verified(anchors=_anchors(session))
    last = found.anchors[-1] if found.anchors else None
    found.hashes = {anchor.number: anchor.hash for anchor in found.anchors}
    number, previous = (last.number, last.hash) if last is not None else (0, BEGINNING)
    for one in session.scalars(select(SealRow.number).order_by(SealRow.number)).all():
        try:
            seal = session.get_one(SealRow, one)
            found.faults += [*_faults_of_seal(seal, number, previous), *_faults_of_rows(session, seal)]
        except _UNREADABLE:
            found.faults.append(f"seal {one} was changed: it cannot be read")
            number, previous = one, _hash_alone(session, one)
            continue
        found.sealed += len(seal.entries)
        found.hashes[seal.number] = seal.hash
        number, previous = seal.number, seal.hash
        session.expunge_all()  # a log of years does not fit into memory
    found.faults += _of_no_seal(session)
    for kind in (DecisionRow, FeedbackRow):
        found.unsealed += session.scalar(select(func.count()).select_from(kind).where(kind.seal.is_(None))) or 0
    if expected is not None and expected.lower() not in found.hashes.values():
        found.faults.append(f"no seal has the hash {expected}: the log was sealed anew, or purged beyond it")
    return found


# Whoever changes a row by hand may leave a value that is no time, no JSON, or JSON of another shape.
_UNREADABLE = (ValueError, TypeError, AttributeError)


def _anchors(session: Session) -> list[AnchorRow]:
    """The anchors. Raises UnreadableAnchorError: without them nobody knows where the chain begins."""
    try:
        return list(session.scalars(select(AnchorRow).order_by(AnchorRow.number)))
    except _UNREADABLE as error:
        raise UnreadableAnchorError("an anchor was changed: it cannot be read") from error


class UnreadableAnchorError(Exception):
    """An anchor of a purge with a value that cannot be read."""


def _hash_alone(session: Session, number: int) -> str:
    return session.scalar(select(SealRow.hash).where(SealRow.number == number)) or ""


def _faults_of_seal(seal: SealRow, number: int, previous: str) -> Iterator[str]:
    if seal.number != number + 1:
        yield f"seal {number + 1} is missing" if seal.number > number else f"seal {seal.number} was purged"
    elif seal.previous != previous:
        yield f"seal {seal.number} does not follow the one before it"
    if seal.hash != seal_hash(seal):
        yield f"seal {seal.number} was changed"


def _faults_of_rows(session: Session, seal: SealRow) -> Iterator[str]:
    there = _digests(session, seal.number)
    sealed = {(kind, id_): digest for kind, id_, digest in seal.entries}
    for key in sorted(there.keys() | sealed.keys()):
        if there.get(key) != sealed.get(key):
            what = "missing" if key not in there else "added" if key not in sealed else "changed"
            yield f"seal {seal.number}: {key[0]} {key[1]} {'is missing' if what == 'missing' else f'was {what}'}"


def _digests(session: Session, number: int) -> dict[tuple[str, str], str]:
    """The digest of each row of a seal, by kind and id; another one for a row that cannot be read."""
    decided, said = (DecisionRow.seal == number), (FeedbackRow.seal == number)
    try:
        decisions = session.scalars(select(DecisionRow).where(decided)).all()
        feedback = session.scalars(select(FeedbackRow).where(said)).all()
        return {(kind, id_): digest for kind, id_, digest in entries_of(session, decisions, feedback)}
    except _UNREADABLE:
        rows = [("decision", id_) for id_ in session.scalars(select(DecisionRow.id).where(decided))]
        rows += [("feedback", id_) for id_ in session.scalars(select(FeedbackRow.digest).where(said))]
        return {key: digest for row in rows for key, digest in _digests_of_one(session, *row).items()}


def _digests_of_one(session: Session, kind: str, id_: str) -> dict[tuple[str, str], str]:
    """The digest of one row and, if it is a decision, of its cards."""
    try:
        decisions = [session.get_one(DecisionRow, id_)] if kind == "decision" else []
        feedback = [] if decisions else [session.get_one(FeedbackRow, id_)]
        return {(kind, name): digest for kind, name, digest in entries_of(session, decisions, feedback)}
    except _UNREADABLE:
        return {(kind, id_): "it cannot be read"}


def _of_no_seal(session: Session) -> Iterator[str]:
    """The rows that name a seal that is not there."""
    for kind, name, key in ((DecisionRow, "decision", DecisionRow.id), (FeedbackRow, "feedback", FeedbackRow.digest)):
        query = select(key, kind.seal).where(kind.seal.is_not(None), kind.seal.not_in(select(SealRow.number)))
        for id_, number in session.execute(query):
            yield f"seal {number}, which is not there: {name} {id_}"


def _see_one_moment(session: Session) -> None:
    """Let all queries of this transaction see the log as it is now, beside a service that writes and seals."""
    connection = session.connection()
    is_postgresql = connection.dialect.name == "postgresql"
    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ" if is_postgresql else "BEGIN")
