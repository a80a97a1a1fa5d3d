"""Doses and corticosteroids given, in the same words on cards, in `explain` and on the course page."""

from __future__ import annotations

from cards.sentences.numbers_and_times import when
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.treatment import Dose, SteroidGiven


def dose_number(facts: PatientFacts) -> str:
    """The number of doses: `2`, or `at least 2` if the history could not all be read."""
    history = facts.tocilizumab
    return str(len(history.doses)) if history.history_complete else f"at least {len(history.doses)}"


def dose_times(facts: PatientFacts) -> str:
    """The times of the doses: `9 Mar 10:00, 11 Mar 10:00`; "" if no dose was given."""
    return ", ".join(dose_time(facts, dose) for dose in facts.tocilizumab.doses)


def dose_time(facts: PatientFacts, dose: Dose) -> str:
    at = facts.local(dose.start)
    return f"{at.day} {at:%b}, time not known" if dose.date_only else when(at)


def steroid_given(facts: PatientFacts, given: SteroidGiven) -> str:
    """Drug and time of a corticosteroid: `dexamethasone 9 Mar 06:00`."""
    return f"{given.ingredient} {when(facts.local(given.at))}"
