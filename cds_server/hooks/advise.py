"""The story of one call: record → facts → cards → answer."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from cards.choose import Advice, advice
from cards.deciding.card import card_json
from cards.deciding.dismissed import Dismissed
from cards.deciding.when_to_show import Call
from cds_server.hooks.assessment import EXTENSION, assessment
from cds_server.hooks.hook_request import HookRequest
from cds_server.operations.call_time import CallTime
from cds_server.problems import Problem
from cds_server.record.patient_record import Sources, read_patient_record
from cds_server.site_rules import SiteRules
from fhir_mappings.course_search import Reading
from fhir_mappings.draft_orders import draft_orders
from fhir_mappings.facts.coverage import Completeness
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.patient_facts import OutOfTimeError, settled_facts
from fhir_mappings.reading.ownership import AnotherPatientError
from fhir_mappings.reading.read_resources import PatientRecord


@dataclass(frozen=True)
class Advised:
    """What was worked out for a call, before it is logged and sent, and the record that it rests on."""

    facts: PatientFacts
    found: Advice
    record: PatientRecord


def advise(
    request: HookRequest, sources: Sources, as_of: datetime, call_time: CallTime, dismissed: tuple[Dismissed, ...] = ()
) -> Advised:
    """What the service has to say.

    1. Read the record: prefetch first, the FHIR server for the rest.
    2. Work out the facts, resting on valid FHIR only.
    3. Choose the cards for the hook and its drafts.
    4. Refuse (412) where what is needed could not be read.
    """
    try:
        record = read_patient_record(request, sources, as_of, call_time.reading_ends)
    except AnotherPatientError as error:
        name = "another-patient-sent" if error.from_client else "another-patient-served"
        raise Problem(name, [(error.where, "is not the patient of context.patientId")]) from error
    try:
        facts, found = considered(
            request, record, sources.rules, sources.zone, as_of, dismissed, lambda: call_time.remaining() > 0
        )
    except OutOfTimeError as error:
        raise Problem("out-of-time") from error
    if found.unreadable and not found.cards:
        raise Problem("unreadable-record", unread(facts))
    return Advised(facts, found, record)


def considered(
    request: HookRequest,
    record: PatientRecord,
    rules: SiteRules,
    zone: tzinfo | None,
    as_of: datetime,
    dismissed: tuple[Dismissed, ...] = (),
    in_time: Callable[[], bool] = lambda: True,
) -> tuple[PatientFacts, Advice]:
    """Record → facts → cards, without the world: what `explain` does with a recorded bundle too."""
    terms, t = rules.terms, rules.thresholds
    how = reading_of(request, rules, zone, as_of)
    facts = settled_facts(record, how, in_time)
    drafts = draft_orders(request.drafts, request.selections, record.pool, terms, request.fhir_server, t)
    return facts, advice(facts, Call(request.hook, request.patient_id, drafts), terms, t, rules.modes, dismissed)


def reading_of(request: HookRequest, rules: SiteRules, zone: tzinfo | None, as_of: datetime) -> Reading:
    """How the record of a call is to be read."""
    return Reading(rules.terms, rules.thresholds, zone, request.patient_id, request.fhir_server, as_of)


def answer(
    facts: PatientFacts, found: Advice, rules: SiteRules, public_url: str, course: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Cards and reasoning as CDS Hooks JSON; `course` is the link of the cards that show evidence."""
    topics = f"{public_url}/CodeSystem/crs-cards"
    return {
        "cards": [card_json(card, topics, lambda: str(uuid.uuid4()), course) for card in found.cards],
        "extension": {EXTENSION: assessment(facts, found, rules.hash)},
    }


def unread(facts: PatientFacts) -> list[tuple[str, str]]:
    """What is missing, by kind of data, and why."""
    return [
        ("", f"{kind.value}: {coverage.why or 'not read'}")
        for kind, coverage in facts.coverage.items()
        if coverage.state is not Completeness.COMPLETE
    ]
