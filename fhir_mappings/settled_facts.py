"""Facts that rest on valid FHIR only: what is not valid is set aside, and the facts are worked out again."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fhir_mappings.course_search import MappingContext
from fhir_mappings.facts.course import Course
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.patient_facts import patient_facts
from fhir_mappings.reading.resource_pool import PatientRecord
from fhir_mappings.reading.validation import validation_error


class OutOfTimeError(Exception):
    """The facts of a record could not be settled in the time that there is."""


def settled_facts(
    record: PatientRecord, how: MappingContext, in_time: Callable[[], bool] = lambda: True
) -> PatientFacts:
    """The facts, resting on valid FHIR only: what they rest on is validated, what is not valid is set aside, and
    the facts are worked out again without it, until they stand. Raises OutOfTimeError."""
    while True:
        facts = patient_facts(record, how)
        if not refuse_invalid(record, facts.evidence, facts.course, in_time):
            return facts


def refuse_invalid(
    record: PatientRecord, evidence: Iterable[str], course: Course | None, in_time: Callable[[], bool]
) -> bool:
    """Set aside what of the evidence is not valid FHIR; whether anything was. Raises OutOfTimeError."""
    infused = {r for i in course.infusions for r in i.references} if course else set()
    refused = False
    for reference in evidence:
        if not in_time():
            raise OutOfTimeError
        resource = record.pool.get(reference)
        if resource is None or validation_error(resource) is None:
            continue
        refused = True
        # a server's mistake is in all its results of a code: refuse them at once, not one in each round
        for like in record.pool.like(resource):
            if not in_time():
                raise OutOfTimeError
            why = validation_error(like)
            if why is not None:
                record.pool.remove(like.reference, why, infusion=like.reference in infused)
    return refused
