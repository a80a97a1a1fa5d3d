"""The amount of a corticosteroid given, ordered or drafted, and the amount that counts as running."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from cards.deciding.dose_check import differing
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds, in_unit
from fhir_mappings.facts.treatment import DraftOrder, HourlyRate, PendingOrder, StatedDose, SteroidGiven

DEXAMETHASONE, METHYLPREDNISOLONE = "dexamethasone", "methylprednisolone"


@dataclass(frozen=True)
class Running:
    """The corticosteroids that together count as running, oldest first. `reached` is the time of the dose that makes
    them enough, counted from the last one backwards: the next dose is due one interval after it."""

    given: tuple[SteroidGiven, ...]
    reached: datetime

    @property
    def infusing(self) -> bool:
        return any(one.infusing for one in self.given)


def is_child(facts: PatientFacts, t: Thresholds) -> bool:
    return facts.age is not None and facts.age.years < t.adult_age


def per_dexamethasone(ingredient: str, t: Thresholds) -> Decimal | None:
    """The milligrams that equal 1 mg of dexamethasone; None if no equivalence is listed."""
    return {
        DEXAMETHASONE: Decimal(1),
        METHYLPREDNISOLONE: t.methylprednisolone_per_dexa,
        "prednisone": t.prednisone_per_dexa,
        "prednisolone": t.prednisone_per_dexa,
        "hydrocortisone": t.hydrocortisone_per_dexa,
    }.get(ingredient)


def enough_mg(ingredient: str, facts: PatientFacts, t: Thresholds, *, methylprednisolone: bool) -> Decimal | None:
    """The milligrams that count as running. With `methylprednisolone` only the regimen of grade 4 counts.

    A child counts by weight, at every grade, and at most as an adult; without a usable weight as an adult.
    """
    per = per_dexamethasone(ingredient, t)
    if per is None:
        return None
    if is_child(facts, t) and facts.weight is not None:
        by_weight = (
            t.dexamethasone_running_child
            if ingredient == DEXAMETHASONE
            else t.methylprednisolone_running_child * per / t.methylprednisolone_per_dexa
        )
        return min(by_weight * facts.weight.kg, t.steroid_running_dose * per)
    if methylprednisolone and not is_child(facts, t):
        return t.methylprednisolone_running if ingredient == METHYLPREDNISOLONE else None
    return t.steroid_running_dose * per


def given_mg(given: SteroidGiven, facts: PatientFacts, t: Thresholds) -> Decimal | None:
    """The milligrams that count of what was given: of an infusion that runs those of `steroid_running`, of one that has
    ended what it gave, else the dose. None where that cannot be told."""
    hourly = _by_weight(given.hourly, facts)
    if given.infusing and hourly is not None:
        return hourly * in_unit(t.steroid_running, "h")
    dose = single_mg(given.dose, facts, t)
    if dose is None and hourly is not None and given.until is not None:
        return hourly * in_unit(given.until - given.at, "h")
    return dose


def single_mg(dose: StatedDose, facts: PatientFacts, t: Thresholds) -> Decimal | None:
    """A single dose in milligrams, stated so or by weight; None where its ways to be stated differ."""
    if differing(dose, facts, t):
        return None
    if dose.mg is None and dose.mg_per_kg is not None and facts.weight is not None:
        return dose.mg_per_kg * facts.weight.kg
    return dose.mg


def ordered_mg(order: DraftOrder | PendingOrder, facts: PatientFacts, t: Thresholds) -> Decimal | None:
    """The single dose of an order; that of its dose form where it states no other."""
    if order.dose.is_stated:
        return single_mg(order.dose, facts, t)
    return order.steroid_mg


def is_enough(
    order: DraftOrder | PendingOrder, facts: PatientFacts, t: Thresholds, *, methylprednisolone: bool
) -> bool:
    """Tell whether a single dose of an order is enough to count as running."""
    enough = None if order.drug is None else enough_mg(
        order.drug.ingredient, facts, t, methylprednisolone=methylprednisolone
    )  # fmt: skip
    mg = ordered_mg(order, facts, t)
    return enough is not None and mg is not None and mg >= enough


def recently_given(facts: PatientFacts, t: Thresholds) -> tuple[SteroidGiven, ...]:
    """The corticosteroids given in the last day, and those that infuse: they are named whatever their dose."""
    return tuple(one for one in facts.steroids if one.infusing or facts.as_of - one.ended <= t.steroid_named)


def given_since(given: Iterable[SteroidGiven], since: datetime) -> tuple[SteroidGiven, ...]:
    return tuple(one for one in given if one.infusing or one.ended >= since)


def running(
    facts: PatientFacts, t: Thresholds, *, methylprednisolone: bool, every: timedelta = timedelta()
) -> Running | None:
    """The corticosteroids that count as running, for a regimen that is given `every` so often; None if too little."""
    counted = [one for one in facts.steroids if one.infusing or facts.as_of - one.ended < _window(one, facts, every, t)]
    return enough_of(counted, facts, t, methylprednisolone=methylprednisolone)


def enough_of(
    given: Iterable[SteroidGiven], facts: PatientFacts, t: Thresholds, *, methylprednisolone: bool
) -> Running | None:
    """The last of some doses that are enough when they are added up; None if all of them are too little."""
    part, used = Decimal(0), []
    for one in sorted(given, key=lambda g: (g.infusing, g.ended), reverse=True):
        enough = enough_mg(one.ingredient, facts, t, methylprednisolone=methylprednisolone)
        mg = given_mg(one, facts, t)
        if enough is None or mg is None:
            continue
        used.append(one)
        part += mg / enough
        if part >= 1:
            return Running(tuple(reversed(used)), one.ended)
    return None


def _window(given: SteroidGiven, facts: PatientFacts, every: timedelta, t: Thresholds) -> timedelta:
    """The time for which a dose counts: longer where it is ordered, or asked for, once a day."""
    ordered = [
        order.every
        for order in facts.steroid_orders
        if order.every is not None and order.drug is not None and order.drug.ingredient == given.ingredient
    ]
    return min(max(t.steroid_running, every, *ordered), t.steroid_named)


def _by_weight(hourly: HourlyRate, facts: PatientFacts) -> Decimal | None:
    if hourly.mg is None and hourly.mg_per_kg is not None and facts.weight is not None:
        return hourly.mg_per_kg * facts.weight.kg
    return hourly.mg
