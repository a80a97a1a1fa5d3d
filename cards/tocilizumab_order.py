"""The tocilizumab that a card would order: label dose by weight, and what bars it."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from cards.card import Suggestion
from cards.orders import INTRAVENOUS, Offer, medication_request, ordered_at, single_dose
from cards.shown import number, when
from cards.situation import drafted, in_24_h, uncharted_tocilizumab
from fhir_mappings.clinical_facts import (
    DraftOrder,
    DrugClass,
    PatientFacts,
    Weight,
)
from fhir_mappings.terminology import Terminology
from fhir_mappings.thresholds import Thresholds


def tocilizumab_dose(weight: Weight, t: Thresholds) -> Decimal:
    """Milligrams, rounded to 1 mg: min(800, weight × 8, or × 12 below 30 kg)."""
    return min(t.toci_max, (weight.kg * _per_kg(weight, t)).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _per_kg(weight: Weight, t: Thresholds) -> Decimal:
    return t.toci_per_kg if weight.kg >= t.toci_light_below else t.toci_per_kg_light


def interval_ends(facts: PatientFacts, t: Thresholds) -> datetime | None:
    """When the 8 h since the last dose that may have been given are over; None where they are, or none was given."""
    starts = facts.tocilizumab.safety_starts
    if not starts or facts.as_of - max(starts) >= t.dose_interval:
        return None
    return max(starts) + t.dose_interval


def tocilizumab_bar(facts: PatientFacts, t: Thresholds) -> tuple[str, bool]:
    """Why tocilizumab is not suggested ("" where nothing bars it), and whether the patient bars it (interval,
    maximum, hypersensitivity) rather than a gap in what is known."""
    starts, opens = facts.tocilizumab.safety_starts, interval_ends(facts, t)
    if facts.tocilizumab_hypersensitivity:
        return "No tocilizumab order: hypersensitivity to tocilizumab is on record.", True
    if opens is not None:
        return f"No tocilizumab order before {when(facts.local(opens))}: at least 8 h between dose starts.", True
    if len(starts) >= t.doses_max:
        return f"No tocilizumab order: {len(starts)} doses given, at most {t.doses_max} in all.", True
    last_day = in_24_h(starts, facts.as_of)
    if len(last_day) >= t.doses_per_day:
        return f"No tocilizumab order: {len(last_day)} doses in 24 h.", True
    return _tocilizumab_gap(facts, t), False


def _tocilizumab_gap(facts: PatientFacts, t: Thresholds) -> str:
    if not facts.tocilizumab.history_complete:
        return "No tocilizumab order: the administrations could not all be read, so earlier doses may be missing."
    if facts.age is None:
        return "No tocilizumab order: the age is not known, so no dose is computed."
    if facts.age.years < t.toci_min_age:
        return "No tocilizumab order: below the age of 2 years the label gives no dose."
    if facts.weight is None:
        return f"No tocilizumab order: no weight of the last {t.weight_age.days} days on record. Weigh the patient."
    return ""


def tocilizumab_offer(
    facts: PatientFacts,
    drafts: tuple[DraftOrder, ...],
    patient: str,
    terms: Terminology,
    t: Thresholds,
    *,
    recommended: bool,
) -> Offer:
    """The label dose for the weight, or why it is not offered."""
    key = "tocilizumab"
    if drafted(drafts, DrugClass.TOCILIZUMAB):
        return Offer(key, None, "Tocilizumab is drafted.", in_hand=True)
    for order in uncharted_tocilizumab(facts, drafts):
        ordered = f"Tocilizumab is ordered{ordered_at(facts, order.authored)}, not yet charted."
        return Offer(key, None, ordered, in_hand=True)
    bar, by_patient = tocilizumab_bar(facts, t)
    weight = facts.weight
    if bar or weight is None:
        return Offer(key, None, bar, barred=by_patient)
    dose = tocilizumab_dose(weight, t)
    basis = f"{_per_kg(weight, t)} mg/kg × {number(weight.kg)} kg weighed {when(facts.local(weight.at))}"
    label = f"Tocilizumab {dose} mg IV over 60 min ({basis}); check the dose after accepting"
    resource = medication_request(
        patient, terms.first("tocilizumab"), f"tocilizumab {dose} mg IV", facts.local(facts.as_of),
        {"text": f"{dose} mg IV over 60 minutes, once", "route": INTRAVENOUS, **single_dose(dose)},
        f"{basis}, at most {t.toci_max} mg. Check the dose after accepting.",
    )  # fmt: skip
    note = ""
    if abs(weight.kg - t.toci_light_below) <= t.tier_margin:
        note = f"At {number(weight.kg)} kg the dose tier is near: it changes at {t.toci_light_below} kg."
    return Offer(key, Suggestion(label, f"Order {label}", resource, key, recommended), note)
