"""The story of one call: record → facts → cards → answer."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from cards.card import card_json
from cards.choose import Call, advice
from cds_server.assessment import EXTENSION, assessment
from cds_server.hook_request import HookRequest
from cds_server.patient_record import Sources, read_patient_record
from cds_server.problems import Problem
from fhir_mappings.clinical_facts import Completeness, PatientFacts
from fhir_mappings.course_search import Reading
from fhir_mappings.draft_orders import draft_orders
from fhir_mappings.ownership import AnotherPatientError
from fhir_mappings.patient_facts import settled_facts


def advise(request: HookRequest, sources: Sources, as_of: datetime, deadline: float, public_url: str) -> dict[str, Any]:
    """The CDS Hooks answer.

    1. Read the record: prefetch first, the FHIR server for the rest.
    2. Work out the facts, resting on valid FHIR only.
    3. Choose the cards for the hook and its drafts.
    4. Refuse (412) where what is needed could not be read; otherwise answer with cards and the reasoning.
    """
    try:
        record = read_patient_record(request, sources, as_of, deadline)
    except AnotherPatientError as error:
        name = "another-patient-sent" if error.from_client else "another-patient-served"
        raise Problem(name, [(error.where, "is not the patient of context.patientId")]) from error
    terms, t = sources.terms, sources.thresholds
    how = Reading(terms, t, sources.zone, request.patient_id, request.fhir_server, as_of)
    facts = settled_facts(record, how)
    drafts = draft_orders(request.drafts, request.selections, record.pool, terms, request.fhir_server, t)
    found = advice(facts, Call(request.hook, request.patient_id, drafts), terms, t)
    if found.unreadable and not found.cards:
        raise Problem("unreadable-record", _unread(facts))
    topics = f"{public_url}/CodeSystem/crs-cards"
    return {
        "cards": [card_json(card, topics, lambda: str(uuid.uuid4())) for card in found.cards],
        "extension": {EXTENSION: assessment(facts, found, t)},
    }


def _unread(facts: PatientFacts) -> list[tuple[str, str]]:
    """What is missing, by kind of data, and why."""
    return [
        ("", f"{kind.value}: {coverage.why or 'not read'}")
        for kind, coverage in facts.coverage.items()
        if coverage.state is not Completeness.COMPLETE
    ]
