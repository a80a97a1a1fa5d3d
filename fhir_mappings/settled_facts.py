"""The facts that rest on valid FHIR only.

Everything is scanned, and only what decides is validated: the facts are worked out from scanned fields, then the
resources behind them are validated. An invalid one is set aside, and the facts are worked out again until they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fhir_mappings.course_search import MappingContext
from fhir_mappings.facts.course import Course
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.patient_facts import patient_facts
from fhir_mappings.reading.chart_memory import each
from fhir_mappings.reading.resource_pool import OutOfTimeError, PatientRecord
from fhir_mappings.reading.validation import validation_error


def settled_facts(
    record: PatientRecord, context: MappingContext, in_time: Callable[[], bool] = lambda: True
) -> PatientFacts:
    """The facts, resting on valid FHIR only. Raises OutOfTimeError once `in_time` says that no time is left."""
    while True:
        facts = patient_facts(record, context)
        if not refuse_invalid(record, facts.evidence, facts.course, in_time):
            return facts


def refuse_invalid(
    record: PatientRecord, evidence: Iterable[str], course: Course | None, in_time: Callable[[], bool]
) -> bool:
    """Set aside all evidence that is not valid FHIR, and tell whether there was any. Raises OutOfTimeError."""
    # an infusion that is refused here is reported by a card: silence about it would be wrong
    infused = {r for i in course.infusions for r in i.references} if course else set()
    refused = False
    for reference in evidence:
        if not in_time():
            raise OutOfTimeError
        resource = record.pool.get(reference)
        if resource is None or next(each(record.pool.memory, "valid", (resource,), validation_error)) is None:
            continue
        refused = True
        # a server makes the same mistake in all results of a code: refuse them together, not one in each round
        for like in record.pool.like(resource):
            if not in_time():
                raise OutOfTimeError
            why = validation_error(like)
            if why is not None:
                record.pool.remove(like.reference, why, infusion=like.reference in infused)
    return refused
