"""The concepts that a record is asked for, and the resources set aside of each in the window that is asked about.

A text that would say "none on record" or "not measured" asks here first.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from fhir_mappings.facts.analytes import Analyte
from fhir_mappings.facts.coverage import Kind, SetAside, Sought
from fhir_mappings.facts.grade import GradeRow
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.row_parts import Missing
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import DrugClass


def _observed(kind: Kind, *value_sets: str) -> Sought:
    return Sought(frozenset({kind}), frozenset(value_sets))


TEMPERATURE = _observed(Kind.VITALS, "body-temperature")
PRESSURE = _observed(Kind.VITALS, "systolic-pressure", "mean-arterial-pressure", "blood-pressure-panel")
OXYGEN = _observed(
    Kind.OXYGEN, "oxygen-saturation", "oxygen-flow", "inhaled-oxygen-concentration", "oxygen-delivery-device",
    "room-air", "low-flow-oxygen", "blow-by-oxygen", "high-flow-oxygen", "cpap-bipap", "home-cpap",
    "mechanical-ventilation",
)  # fmt: skip
WEIGHT = _observed(Kind.WEIGHT, "body-weight")
NEUTROPHILS = _observed(Kind.SAFETY_LABS, "neutrophils")
PLATELETS = _observed(Kind.SAFETY_LABS, "platelets")
ALT = _observed(Kind.SAFETY_LABS, "alanine-aminotransferase")
AST = _observed(Kind.SAFETY_LABS, "aspartate-aminotransferase")
MICROBIOLOGY = _observed(Kind.MICROBIOLOGY, "blood-culture", "urine-culture", "viral-pcr")
BLOOD_CULTURES = _observed(Kind.MICROBIOLOGY, "blood-culture")
NEURO = _observed(Kind.NEURO, "ice-score", "icans-grade")
ALLERGIES = Sought(frozenset({Kind.ALLERGIES}))
DIAGNOSES = Sought(frozenset({Kind.CONDITIONS}))
BIRTH_DATE = _observed(Kind.PATIENT, "birth-date")
RUNNING = Sought(frozenset({Kind.RUNNING}))
INFUSION_PROCEDURES = Sought(frozenset({Kind.PROCEDURES}))
SUPPORT_PROCEDURES = Sought(frozenset({Kind.SUPPORT_PROCEDURES}))


def given(*drugs: DrugClass) -> Sought:
    """Administrations of some classes of drugs."""
    return Sought(frozenset({Kind.ADMINISTRATIONS}), drugs=frozenset(drugs))


def results_of(analyte: Analyte) -> Sought:
    return _observed(analyte.kind, analyte.value_set)


def set_aside_since(facts: PatientFacts, concept: Sought, since: datetime) -> tuple[SetAside, ...]:
    """The resources of a concept set aside from `since` on; what is charted ahead of the clock belongs to it."""
    return concept.of(facts.set_aside, since, facts.as_of)


def temperatures_set_aside(facts: PatientFacts, t: Thresholds) -> tuple[SetAside, ...]:
    return _of_window(facts, TEMPERATURE, t.fever_window)


def pressures_set_aside(facts: PatientFacts, t: Thresholds) -> tuple[SetAside, ...]:
    return _of_window(facts, PRESSURE, t.bp_window)


def oxygen_set_aside(facts: PatientFacts, t: Thresholds) -> tuple[SetAside, ...]:
    """Devices count for longer than the readings of a window."""
    return _of_window(facts, OXYGEN, t.stale_limit)


def rows_not_charted(facts: PatientFacts, t: Thresholds) -> tuple[GradeRow, ...]:
    """The rows of the grade for which nothing stands on record in the window. What could not be read, or could not be
    used, is another matter."""
    if facts.grade is None:
        return ()
    asked = (
        (facts.grade.pressure, Missing.PRESSURE, Missing.PRESSURE_UNREAD, pressures_set_aside(facts, t)),
        (facts.grade.oxygen, Missing.OXYGEN, Missing.OXYGEN_UNREAD, oxygen_set_aside(facts, t)),
    )
    return tuple(
        row for row, lack, unread, lost in asked if lack in row.missing and unread not in row.missing and not lost
    )


def weights_set_aside(facts: PatientFacts, t: Thresholds) -> tuple[SetAside, ...]:
    return _of_window(facts, WEIGHT, t.weight_age)


def counts_set_aside(facts: PatientFacts, concept: Sought, t: Thresholds) -> tuple[SetAside, ...]:
    """Those of NEUTROPHILS, PLATELETS, ALT or AST."""
    return _of_window(facts, concept, t.safety_labs_age)


def tests_set_aside(facts: PatientFacts, t: Thresholds) -> tuple[SetAside, ...]:
    """Cultures and viral PCR."""
    return _of_window(facts, MICROBIOLOGY, t.infection_age)


def infections_set_aside(facts: PatientFacts, t: Thresholds) -> tuple[SetAside, ...]:
    """Cultures, PCR and diagnoses: each may be a sign of infection."""
    return tuple(dict.fromkeys((*tests_set_aside(facts, t), *DIAGNOSES.of(facts.set_aside))))


def scores_set_aside(facts: PatientFacts, t: Thresholds) -> tuple[SetAside, ...]:
    """ICE scores and ICANS grades."""
    return _of_window(facts, NEURO, t.icans_window)


def baselines_set_aside(facts: PatientFacts, analyte: Analyte, t: Thresholds) -> tuple[SetAside, ...]:
    """Results that may have been the baseline: of the time before the infusion, and of the rest of its day."""
    if facts.course is None:
        return ()
    since, until = baseline_span(facts, t)
    return results_of(analyte).of(facts.set_aside, since, until)


def baseline_span(facts: PatientFacts, t: Thresholds) -> tuple[datetime, datetime]:
    """The span of which a sample can be a baseline. Raises ValueError without a course."""
    if facts.course is None:
        raise ValueError("without a course there is no baseline")
    return facts.course.start - t.baseline_far, facts.course.day_before + timedelta(days=2)


def results_set_aside(facts: PatientFacts, analyte: Analyte) -> tuple[SetAside, ...]:
    """Results of the time since the infusion."""
    return set_aside_since(facts, results_of(analyte), facts.course.start) if facts.course is not None else ()


def _of_window(facts: PatientFacts, concept: Sought, window: timedelta) -> tuple[SetAside, ...]:
    return set_aside_since(facts, concept, facts.as_of - window)
