"""The label dose of tocilizumab by weight, and the check of a drafted dose against it."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from cards.deciding.tocilizumab_gate import is_under_age
from cards.sentences.numbers_and_times import number
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import DraftOrder, Route, StatedDose
from fhir_mappings.facts.weight import Weight


class DoseFault(StrEnum):
    """A finding of the check of a drafted dose, the most important first."""

    UNDER_AGE = "below the age that the label gives a dose for"
    NOT_INTRAVENOUS = "not intravenous"
    ABOVE_MAXIMUM = "more than the label's maximum"
    ABOVE_PER_KG = "more for each kilogram than the label's most"
    OTHER_TIER = "the dose of the other weight tier"
    OFF = "off the dose by weight"
    DIFFERS = "stated in ways that differ"
    IMPLAUSIBLE_WEIGHT = "the recent weight is implausible"
    NO_WEIGHT = "no recent weight"
    NOT_READABLE = "dose not readable"
    REPEATS = "more than one dose"


def tocilizumab_dose(weight: Weight, t: Thresholds) -> Decimal:
    """The label dose in mg: min(800, weight × 8, or × 12 below 30 kg) with the package's numbers.

    It is rounded to a site's band, such as 20 mg, where that stays within what a draft may be off; else to 1 mg.
    """
    dose = _dose(weight, per_kg(weight, t), t)
    banded = min(t.toci_max, (dose / t.toci_rounding).quantize(Decimal(1), rounding=ROUND_HALF_UP) * t.toci_rounding)
    return banded if _is_near(banded, dose, t) else dose


def per_kg(weight: Weight, t: Thresholds) -> Decimal:
    return t.toci_per_kg if weight.kg >= t.toci_light_below else t.toci_per_kg_light


def _dose(weight: Weight, rate: Decimal, t: Thresholds) -> Decimal:
    return min(t.toci_max, (weight.kg * rate).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def drafted_mg(draft: DraftOrder, facts: PatientFacts) -> Decimal | None:
    """The drafted dose in mg, stated so or by weight; None if it cannot be read, or if it is per weight and no weight
    is known."""
    if draft.dose.mg is not None:
        return draft.dose.mg
    return _by_weight(draft.dose, facts)


def _by_weight(dose: StatedDose, facts: PatientFacts) -> Decimal | None:
    return dose.mg_per_kg * facts.weight.kg if dose.mg_per_kg is not None and facts.weight is not None else None


def differing(dose: StatedDose, facts: PatientFacts, t: Thresholds, *, most: Decimal | None = None) -> tuple[str, ...]:
    """The ways to state a dose that contradict each other, as charted; none where they agree.

    A dose by weight agrees with a mass that it comes near, and with the most for one dose where it is more.
    """
    by_weight = _by_weight(dose, facts)
    if dose.mg is None or by_weight is None:
        return dose.differ
    near = abs(by_weight - dose.mg) <= dose.mg * t.dose_agreement
    capped = most is not None and dose.mg == most and by_weight > most
    return dose.differ if near or capped else tuple(said for said in dose.said if said not in dose.not_compared)


def not_compared(dose: StatedDose, facts: PatientFacts) -> tuple[str, ...]:
    """The ways to state a dose that nothing could be compared with."""
    if dose.mg is None or dose.mg_per_kg is None or facts.weight is not None:
        return dose.not_compared
    return (*dose.not_compared, f"{number(dose.mg_per_kg)} mg/kg")


def dose_faults(draft: DraftOrder, facts: PatientFacts, t: Thresholds) -> tuple[DoseFault, ...]:
    """The faults of a drafted tocilizumab dose, and what is unknown about it, the most important first."""
    found: list[DoseFault] = []
    differs = bool(differing(draft.dose, facts, t, most=t.toci_max))
    mg, weight = None if differs else drafted_mg(draft, facts), facts.weight
    if is_under_age(facts, t):
        found.append(DoseFault.UNDER_AGE)
    if draft.route not in (Route.INTRAVENOUS, Route.NOT_STATED):
        found.append(DoseFault.NOT_INTRAVENOUS)
    if mg is not None and mg > t.toci_max:
        found.append(DoseFault.ABOVE_MAXIMUM)
    if weight is None and draft.dose.mg_per_kg is not None and draft.dose.mg_per_kg > t.toci_per_kg_light:
        found.append(DoseFault.ABOVE_PER_KG)
    if mg is not None and weight is not None:
        found += _against_weight(mg, weight, t)
    if differs:
        found.append(DoseFault.DIFFERS)
    if weight is None:
        found.append(DoseFault.NO_WEIGHT if facts.implausible_weight is None else DoseFault.IMPLAUSIBLE_WEIGHT)
    if not differs and not draft.dose.is_read:
        found.append(DoseFault.NOT_READABLE)
    if draft.dose.repeats:
        found.append(DoseFault.REPEATS)
    return tuple(found)


def _against_weight(mg: Decimal, weight: Weight, t: Thresholds) -> list[DoseFault]:
    rates = (t.toci_per_kg, t.toci_per_kg_light)
    other = next(rate for rate in reversed(rates) if rate != per_kg(weight, t) or rates[0] == rates[1])
    if _is_near(mg, tocilizumab_dose(weight, t), t):
        return []
    return [DoseFault.OTHER_TIER if _is_near(mg, _dose(weight, other, t), t) else DoseFault.OFF]


def _is_near(mg: Decimal, dose: Decimal, t: Thresholds) -> bool:
    return abs(mg - dose) <= dose * t.dose_off
