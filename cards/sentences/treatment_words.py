"""Doses and corticosteroids given, in the same words on cards, in `explain` and on the course page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from cards.sentences.numbers_and_times import number, when
from cards.sentences.set_aside_words import not_used, why_unread
from fhir_mappings.facts.coverage import Kind
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.sought import given
from fhir_mappings.facts.treatment import BLOCKERS, BlockerGiven, Dose, Route, SteroidGiven
from fhir_mappings.facts.weight import Weight


def dose_number(facts: PatientFacts) -> str:
    """The number of doses: `2`, or `at least 2` if the history could not all be read."""
    history = facts.tocilizumab
    return str(len(history.doses)) if history.history_complete else f"at least {len(history.doses)}"


def history_unread(facts: PatientFacts, quoted: Callable[[str], str] = str) -> str:
    """The reason for which doses may be missing: administrations that could not be used, else why not all were read."""
    lost = not_used(facts, given(*BLOCKERS).of(facts.set_aside), quoted)
    said = lost or f"the administrations could not all be read{why_unread(facts, Kind.ADMINISTRATIONS, quoted=quoted)}"
    return f"{said}: earlier doses may be missing"


def dose_times(facts: PatientFacts) -> str:
    """The times of the doses: `9 Mar 10:00, 11 Mar 10:00`; "" if no dose was given."""
    return ", ".join(dose_time(facts, dose) for dose in facts.tocilizumab.doses)


def dose_time(facts: PatientFacts, dose: Dose) -> str:
    at = facts.local(dose.start)
    return f"{at.day} {at:%b}, time not known" if dose.date_only else when(at)


def clock(facts: PatientFacts, at: datetime) -> str:
    """The time of day, with the date where it is another day: `06:00`, `8 Mar 06:00`."""
    local, now = facts.local(at), facts.local(facts.as_of)
    return f"{local:%H:%M}" if local.date() == now.date() else when(local)


_ROUTES = {Route.INTRAVENOUS: " IV", Route.SUBCUTANEOUS: " SC"}


def blockers_given(facts: PatientFacts) -> str:
    """The IL-6 and IL-1 blockers that are no doses for CRS: `anakinra 100 mg SC, 4 doses, last 02:00`."""
    return "; ".join(_blocker(facts, one) for one in facts.other_blockers)


def _blocker(facts: PatientFacts, one: BlockerGiven) -> str:
    amount = f" {number(one.dose.mg)} mg" if one.dose.mg is not None else ""
    if one.dose.mg is None and one.dose.mg_per_kg is not None:
        amount = f" {number(one.dose.mg_per_kg)} mg/kg"
    local = facts.local(one.last)
    at = f"{local.day} {local:%b}" if one.date_only else clock(facts, one.last)
    times = f"{one.number} doses, last {at}" if one.number > 1 else at
    return f"{one.ingredient}{amount}{_ROUTES.get(one.route, '')}, {times}"


def steroid_given(facts: PatientFacts, given: SteroidGiven) -> str:
    """Drug and time of a corticosteroid: `dexamethasone 9 Mar 06:00`."""
    return f"{given.ingredient} {when(facts.local(given.at))}"


def weight_doubt(facts: PatientFacts) -> str:
    """The weights that contradict each other: `124 kg on 6 Mar, 12.4 kg on 2 Mar`; "" if nothing is in doubt."""
    found = facts.implausible_weight
    if found is None:
        return ""
    if found.other is None:
        return f"{_weighed(facts, found.latest)}, implausible{_of_age(facts)}"
    return f"{_weighed(facts, found.latest)}, {_weighed(facts, found.other)}"


def _of_age(facts: PatientFacts) -> str:
    return f" at {facts.age.years} years" if facts.age is not None else ""


def _weighed(facts: PatientFacts, weight: Weight) -> str:
    at = facts.local(weight.at)
    return f"{number(weight.kg)} kg on {at.day} {at:%b}"
