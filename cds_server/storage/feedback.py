"""The storing of feedback entries: the same entry once, one for an unknown card as unmatched, and one for another
client's card not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from cds_server.storage.database import CardRow, DecisionRow, FeedbackRow
from cds_server.trust.client_trust import Caller


@dataclass(frozen=True)
class FeedbackOutcome:
    """The indexes of entries that were not simply stored: those for an unknown card, and those for another client's
    card."""

    unmatched: tuple[int, ...]
    refused: tuple[int, ...]


def store_feedback(
    session: Session, entries: Sequence[Mapping[str, Any]], caller: Caller, service: str, now: datetime
) -> FeedbackOutcome:
    """Store each entry that this client is entitled to give."""
    unmatched: list[int] = []
    refused: list[int] = []
    for index, entry in enumerate(entries):
        card = session.get(CardRow, entry["card"].lower())
        decision = session.get(DecisionRow, card.decision_id) if card is not None else None
        if decision is None:
            unmatched.append(index)
        elif (decision.issuer, decision.tenant, decision.service) != (caller.issuer, caller.tenant or "", service):
            # another client's card, or another service's, is named by its index in the 200 answer, as unmatched cards
            # are
            refused.append(index)
            continue
        row = _row(entry, caller.issuer, caller.tenant or "", now, matched=decision is not None)
        known = session.get(FeedbackRow, row.digest)
        if known is None:
            session.add(row)
            session.flush()
        else:  # sent before its card was in the log, and now sent again
            known.matched = known.matched or row.matched
    return FeedbackOutcome(tuple(unmatched), tuple(refused))


def _row(entry: Mapping[str, Any], issuer: str, tenant: str, now: datetime, *, matched: bool) -> FeedbackRow:
    reasons = [*([entry["override_reason"]] if entry["override_reason"] else []), *(entry["override_reasons"] or [])]
    codes = [
        "|".join(filter(None, (reason["reason"]["system"], reason["reason"]["code"])))
        for reason in reasons
        if reason["reason"]
    ]
    comments = [reason["user_comment"] for reason in reasons if reason["user_comment"]]
    accepted = [suggestion["id"] for suggestion in entry["accepted_suggestions"] or []]
    at = entry["outcome_timestamp"]
    said = (issuer, tenant, entry["card"], entry["outcome"], str(at), *codes, *comments, *accepted)
    return FeedbackRow(
        digest=hashlib.sha256("\x1f".join(said).encode()).hexdigest(),
        card_uuid=entry["card"].lower(),
        issuer=issuer,
        tenant=tenant,
        outcome=entry["outcome"],
        outcome_at=at,
        received_at=now,
        reasons=codes,
        comment="\n".join(comments) or None,
        accepted=accepted,
        matched=matched,
    )
