"""Records that could not be used, in words: concept, value as charted, time, and the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from cards.sentences.escaping import plain_reference
from cards.sentences.numbers_and_times import when
from fhir_mappings.facts.analytes import ANALYTES
from fhir_mappings.facts.coverage import Completeness, Kind, SetAside
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.sought import BIRTH_DATE, weights_set_aside
from fhir_mappings.facts.thresholds import Thresholds

MOST_NAMED = 2
_NAMES: Mapping[str, str] = {
    **{analyte.value_set: analyte.name for analyte in ANALYTES},
    "body-temperature": "temperature",
    "systolic-pressure": "blood pressure",
    "mean-arterial-pressure": "mean pressure",
    "blood-pressure-panel": "blood pressure",
    "oxygen-saturation": "SpO2",
    "oxygen-flow": "oxygen flow",
    "inhaled-oxygen-concentration": "FiO2",
    "oxygen-delivery-device": "oxygen device",
    "body-weight": "weight",
    "neutrophils": "ANC",
    "platelets": "platelets",
    "alanine-aminotransferase": "ALT",
    "aspartate-aminotransferase": "AST",
    "blood-culture": "blood culture",
    "urine-culture": "urine culture",
    "viral-pcr": "viral PCR",
    "ice-score": "ICE",
    "icans-grade": "ICANS",
    "birth-date": "birth date",
}
_KINDS: Mapping[Kind, str] = {
    Kind.PATIENT: "patient",
    Kind.ADMINISTRATIONS: "administration",
    Kind.PROCEDURES: "procedure",
    Kind.SUPPORT_PROCEDURES: "procedure",
    Kind.CONDITIONS: "diagnosis",
    Kind.ALLERGIES: "allergy",
    Kind.MEDICATION_ORDERS: "order",
    Kind.SERVICE_ORDERS: "order",
}
_AHEAD = "dated ahead of the clock"


def not_used(facts: PatientFacts, found: Iterable[SetAside], quoted: Callable[[str], str] = str) -> str:
    """`weight 82 st of 5 Mar 08:00 could not be used (unit "st" cannot be converted to kg)`, two of them and how many
    more; "" for none. `quoted` makes the text of a record fit for where it is shown."""
    every = tuple(found)
    named = [_of_one(facts, one, quoted) for one in every[:MOST_NAMED]]
    more = [f"{len(every) - MOST_NAMED} more"] if len(every) > MOST_NAMED else []
    return " and ".join(filter(None, ("; ".join(named), *more)))


def _of_one(facts: PatientFacts, one: SetAside, quoted: Callable[[str], str]) -> str:
    return f"{record_words(facts, one, quoted)} could not be used ({why_set_aside(one, quoted)})"


def weight_unread(facts: PatientFacts, t: Thresholds, quoted: Callable[[str], str] = str) -> str:
    """The reason for no weight to dose by: those that could not be used, else why they were not read."""
    lost = not_used(facts, weights_set_aside(facts, t), quoted)
    return lost or f"the weight could not be read{why_unread(facts, Kind.WEIGHT, quoted=quoted)}"


def age_unread(facts: PatientFacts, quoted: Callable[[str], str] = str) -> str:
    """The reason for no age: the birth date that could not be used, else that none was read, else that none stands on
    record."""
    lost = not_used(facts, BIRTH_DATE.of(facts.set_aside), quoted)
    coverage = facts.coverage.get(Kind.PATIENT)
    if lost or (coverage is not None and coverage.state is Completeness.COMPLETE):
        return lost or "no birth date on record"
    return f"the birth date could not be read{why_unread(facts, Kind.PATIENT, quoted=quoted)}"


def record_words(facts: PatientFacts, one: SetAside, quoted: Callable[[str], str] = str) -> str:
    """The concept of a record, its value and its time: `weight 82 st of 5 Mar 08:00`."""
    stated = f" {quoted(one.stated)}" if one.stated else ""
    return f"{_name(one)}{stated}{_time(facts, one)}"


def why_set_aside(one: SetAside, quoted: Callable[[str], str] = str) -> str:
    return _AHEAD if one.is_ahead else quoted(one.why)


def _name(one: SetAside) -> str:
    """The concept, if its code is known, else the kind of data, else the resource."""
    names = dict.fromkeys(name for value_set, name in _NAMES.items() if value_set in one.value_sets)
    if names:
        return next(iter(names))
    kinds = dict.fromkeys(_KINDS[kind] for kind in Kind if kind in one.kinds and kind in _KINDS)
    return next(iter(kinds)) if len(kinds) == 1 else plain_reference(one.reference)


def _time(facts: PatientFacts, one: SetAside) -> str:
    if one.at is None:
        return ""
    at = facts.local(one.at.earliest)
    year = f" {at.year}" if at.year != facts.local(facts.as_of).year else ""
    return f" of {at.day} {at:%b}{year}" if one.at.is_date else f" of {when(at)}{year}"


def why_unread(facts: PatientFacts, *kinds: Kind, quoted: Callable[[str], str] = str) -> str:
    """` (the FHIR server answered 503)`, the reason for which the first of some kinds of data was not all read; ""
    where nothing says so."""
    found = (facts.coverage.get(kind) for kind in kinds)
    whys = (c.why for c in found if c is not None and c.state is not Completeness.COMPLETE and c.why)
    return next((f" ({quoted(why)})" for why in whys), "")
