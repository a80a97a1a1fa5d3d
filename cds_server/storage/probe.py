"""A write that leaves nothing behind: the test whether the log takes decisions."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from cds_server.storage.database import CardRow, DecisionRow


def write_probe(session: Session) -> None:
    """Write a decision with a card and delete both again, in the transaction of the session.

    They go into the tables that decisions need, because a full disk or a broken file may leave other tables usable.
    """
    id_ = str(uuid.uuid4())
    decision = DecisionRow(
        id=id_, at=datetime.now(UTC), service="probe", issuer="", tenant="", patient="", user="", hook_instance="",
        orders=[], rules=[], assessment={}, state="", shadow=True, rules_hash="", version="", milliseconds=0,
    )  # fmt: skip
    session.add(decision)
    session.flush()
    card = CardRow(uuid=id_, decision_id=id_, card="probe", indicator="", shown=False, suggestions=[])
    session.add(card)
    session.flush()
    session.delete(card)
    session.flush()
    session.delete(decision)
