"""Coded diagnoses and allergies: those that stand, and their claims about CAR-T cells, CRS and ICANS."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.course import CodedCrs
from fhir_mappings.facts.coverage import Kind, SetAside
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.fhir_time import moment_or_none
from fhir_mappings.reading.resource_pool import ResourcePool

_REFUTED = frozenset({"refuted", "entered-in-error"})
_INACTIVE = frozenset({"inactive", "resolved", "remission"})


def is_active(data: fs.Condition | fs.AllergyIntolerance) -> bool:
    """Tell whether a diagnosis or allergy is neither refuted nor over; one without a clinical status counts."""
    return not is_refuted(data) and not _coded_as(data.clinical_status, _INACTIVE)


def is_refuted(data: fs.Condition | fs.AllergyIntolerance) -> bool:
    return _coded_as(data.verification_status, _REFUTED)


def recorded_at(data: fs.Condition, zone: tzinfo) -> datetime | None:
    """The time at which a diagnosis was recorded, or else began."""
    return moment_or_none(data.recorded_date or data.onset_date_time, zone)


def claims(
    pool: ResourcePool, terms: Terminology, zone: tzinfo, as_of: datetime, max_age: timedelta
) -> tuple[tuple[CodedCrs, ...], bool]:
    """The coded CRS grades within `max_age`, and whether any code of that time claims CAR-T cells, CRS or ICANS."""
    coded: list[CodedCrs] = []
    claimed = False
    for resource in pool.of_type(fs.Condition):
        data = resource.data
        if is_refuted(data):
            continue
        sets = terms.sets_of(fs.codings_of(data.code)) & {"coded-crs", "coded-icans", "car-t-history"}
        when = recorded_at(data, zone)
        if not sets or when is None or as_of - when > max_age:
            continue
        claimed = True
        if "coded-crs" in sets:
            coded += [CodedCrs(c.code, when) for c in data.code.coding if c.code and c.code.startswith("D89.83")]
    return tuple(dict.fromkeys(coded)), claimed


def unnamed_diagnoses(pool: ResourcePool, terms: Terminology) -> tuple[SetAside, ...]:
    """The active allergies and diagnoses without a code or text: each may be one that was searched for."""
    kinds: tuple[tuple[type[fs.Condition | fs.AllergyIntolerance], Kind], ...] = (
        (fs.AllergyIntolerance, Kind.ALLERGIES),
        (fs.Condition, Kind.CONDITIONS),
    )
    return tuple(
        SetAside(resource.reference, "does not say what it is of", frozenset({kind}))
        for struct, kind in kinds
        for resource in pool.of_type(struct)
        if is_active(resource.data) and not _is_named(resource.data.code, terms)
    )


def _is_named(concept: fs.CodeableConcept | None, terms: Terminology) -> bool:
    if concept is None:
        return False
    texts = [concept.text, *(c.display for c in concept.coding)]
    return any(text and text.strip() for text in texts) or terms.name_something(fs.codings_of(concept))


def _coded_as(concept: fs.CodeableConcept | None, codes: frozenset[str]) -> bool:
    return concept is not None and any(c.code in codes for c in concept.coding)
