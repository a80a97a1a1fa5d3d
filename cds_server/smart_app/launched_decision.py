"""The way from a card to the course and back: the link that names a decision, and the decision that a launch may
show."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from cds_server.operations.call_time import CallTime
from cds_server.running import Running
from cds_server.storage.database import DecisionRow
from cds_server.storage.smart_sessions import OpenSession
from cds_server.storage.store import StoreUnavailableError
from cds_server.trust.smart_registration import SmartServer

MOST_CONTEXT = 64  # characters of what may name a decision


def launched_decision(
    here: Running, server: SmartServer, opened: OpenSession, call_time: CallTime
) -> DecisionRow | None:
    """The decision that a launch names, if it is of this patient, of this FHIR base and of an issuer that may speak of
    it; the row holds the first two as one pseudonym. About any other decision, and one in shadow, nothing is said.

    Raises StoreUnavailableError, because a page without the reasons that it was opened for would look complete.
    """
    try:
        id_ = str(uuid.UUID(opened.app_context or ""))
    except ValueError:
        return None

    def find(session: Session) -> DecisionRow | None:
        return session.get(DecisionRow, id_)

    with call_time.waiting_for_the_log() as seconds:
        row = here.store.run(find, seconds)
    if row is None and here.decisions.is_waiting([id_]):
        raise StoreUnavailableError
    if row is None or row.shadow or row.issuer not in server.issuers:
        return None
    patient = here.pseudonyms.of("patient", row.issuer, row.tenant, opened.fhir_base, opened.patient)
    return row if patient == row.patient else None
