"""The orders that a card suggests, as complete FHIR resources, and what bars one.

Doses: tocilizumab label (8 mg/kg from 30 kg, 12 mg/kg below, at most 800 mg), corticosteroids ASCO 2021.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from cards.card import Suggestion
from cards.situation import drafted
from fhir_mappings.clinical_facts import (
    DraftOrder,
    DrugClass,
    PatientFacts,
    SteroidGiven,
    Weight,
)
from fhir_mappings.terminology import LOINC, RXNORM, Concept, Terminology
from fhir_mappings.thresholds import Thresholds

UCUM = "http://unitsofmeasure.org"
INTRAVENOUS = {"coding": [{"system": "http://snomed.info/sct", "code": "47625008", "display": "Intravenous route"}]}


@dataclass(frozen=True)
class Offer:
    """An order that a card would make: the suggestion, or why there is none.

    `in_hand` says that the order is drafted, active or running, `done` that it is running or was done today, and
    `barred` that the patient, not a gap in the record, speaks against it.
    """

    key: str
    suggestion: Suggestion | None
    note: str = ""
    in_hand: bool = False
    done: bool = False
    barred: bool = False


def tocilizumab_dose(weight: Weight, t: Thresholds) -> Decimal:
    """Milligrams, rounded to 1 mg: min(800, weight × 8, or × 12 below 30 kg)."""
    per_kg = t.toci_per_kg if weight.kg >= t.toci_light_below else t.toci_per_kg_light
    return min(t.toci_max, (weight.kg * per_kg).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def tocilizumab_bar(facts: PatientFacts, t: Thresholds) -> tuple[str, bool]:
    """Why tocilizumab is not suggested ("" where nothing bars it), and whether the patient bars it (interval,
    maximum, hypersensitivity) rather than a gap in what is known."""
    history, now = facts.tocilizumab, facts.as_of
    starts = [*history.safety_starts]
    if facts.tocilizumab_hypersensitivity:
        return "No tocilizumab order: hypersensitivity to tocilizumab is on record.", True
    if starts and now - max(starts) < t.dose_interval:
        opens = max(starts) + t.dose_interval
        return f"No tocilizumab order before {when(facts.local(opens))}: at least 8 h between dose starts.", True
    if len(starts) >= t.doses_max:
        return f"No tocilizumab order: {len(starts)} doses given, at most {t.doses_max} in all.", True
    last_day = [s for s in starts if (now - s).total_seconds() < 24 * 3600]
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
    for order in facts.pending:
        if order.drug is not None and order.drug.drug_class is DrugClass.TOCILIZUMAB:
            ordered = f"Tocilizumab is ordered{_ordered_at(facts, order.authored)}, not yet charted."
            return Offer(key, None, ordered, in_hand=True)
    bar, by_patient = tocilizumab_bar(facts, t)
    weight = facts.weight
    if bar or weight is None:
        return Offer(key, None, bar, barred=by_patient)
    dose = tocilizumab_dose(weight, t)
    per_kg = t.toci_per_kg if weight.kg >= t.toci_light_below else t.toci_per_kg_light
    basis = f"{per_kg} mg/kg × {number(weight.kg)} kg weighed {when(facts.local(weight.at))}"
    label = f"Tocilizumab {dose} mg IV over 60 min ({basis}); check the dose after accepting"
    resource = _medication_request(
        patient, terms.first("tocilizumab"), f"tocilizumab {dose} mg IV", facts.local(facts.as_of),
        {"text": f"{dose} mg IV over 60 minutes, once", "route": INTRAVENOUS, **_single_dose(dose)},
        f"{basis}, at most {t.toci_max} mg. Check the dose after accepting.",
    )  # fmt: skip
    note = ""
    if abs(weight.kg - t.toci_light_below) <= t.tier_margin:
        note = f"At {number(weight.kg)} kg the dose tier is near: it changes at {t.toci_light_below} kg."
    return Offer(key, Suggestion(label, f"Order {label}", resource, key, recommended), note)


def _ordered_at(facts: PatientFacts, authored: datetime | None) -> str:
    return f" {when(facts.local(authored))}" if authored else ""


STEROID_CLASSES = (DrugClass.STEROID,)


def steroid_running(facts: PatientFacts, t: Thresholds, *, strongest_only: bool) -> SteroidGiven | None:
    """A corticosteroid that counts as running; less than its dose is named and takes no suggestion away.

    At grade 4, or after progress to grade 3, only the methylprednisolone regimen does.
    """
    enough = t.methylprednisolone_dose / t.methylprednisolone_per_dexa if strongest_only else _enough(facts, t)
    for given in facts.steroids:
        if strongest_only and given.ingredient != "methylprednisolone":
            continue
        if given.dexamethasone_mg is not None and given.dexamethasone_mg >= enough:
            return given
    return None


def _in_use(facts: PatientFacts, t: Thresholds) -> bool:
    """Whether a corticosteroid below methylprednisolone is running or ordered: after progress, the step above it."""
    ordered = any(o.drug is not None and o.drug.drug_class is DrugClass.STEROID for o in facts.pending)
    return ordered or steroid_running(facts, t, strongest_only=False) is not None


def _enough(facts: PatientFacts, t: Thresholds) -> Decimal:
    child = facts.age is not None and facts.age.years < t.adult_age
    if child and facts.weight is not None:
        return facts.weight.kg * t.steroid_running_child
    return t.steroid_running_dose


def steroid_offer(
    facts: PatientFacts,
    drafts: tuple[DraftOrder, ...],
    patient: str,
    terms: Terminology,
    t: Thresholds,
    *,
    every_hours: int,
) -> Offer:
    """The corticosteroid of the situation for an adult; for a child words only. `every_hours` for dexamethasone."""
    key = "corticosteroid"
    grade = facts.grade.grade if facts.grade else None
    stepped_up = bool(facts.progressed) and grade == 3 and _in_use(facts, t)
    strongest = grade == 4 or stepped_up
    if drafted(drafts, *STEROID_CLASSES):
        return Offer(key, None, "A systemic corticosteroid is drafted.", in_hand=True)
    running = steroid_running(facts, t, strongest_only=strongest)
    if running is not None:
        return Offer(
            key,
            None,
            f"{running.ingredient.capitalize()} is running ({when(facts.local(running.at))}).",
            in_hand=True,
            done=True,
        )
    for order in facts.pending:
        named = order.drug is not None and order.drug.drug_class in STEROID_CLASSES
        if named and (not strongest or (order.drug and order.drug.ingredient == "methylprednisolone")):
            ordered = f"A corticosteroid is ordered{_ordered_at(facts, order.authored)}, not yet charted."
            return Offer(key, None, ordered, in_hand=True)
    below = "; ".join(f"{s.ingredient} given {when(facts.local(s.at))}" for s in facts.steroids)
    below = f"Already given, and not counted as this regimen: {below}." if below else ""
    if facts.age is None or facts.age.years < t.adult_age:
        text = "Corticosteroid per paediatric protocol: no dose is computed below 18 years."
        if facts.age is None:
            text = "The age is not known, so no corticosteroid dose is computed."
        return Offer(key, None, f"{text} {below}".strip(), barred=True)
    drug, dose, hours = "dexamethasone", t.dexamethasone_dose, every_hours
    if strongest:
        drug, dose, hours = "methylprednisolone", t.methylprednisolone_dose, 12
    concept = next(c for c in terms.value_sets["systemic-corticosteroid"] if c.ingredient == drug)
    label = f"{drug.capitalize()} {dose} mg IV every {hours} h"
    timing = {"repeat": {"frequency": 1, "period": hours, "periodUnit": "h"}}
    resource = _medication_request(
        patient, concept, f"{drug} {dose} mg IV", facts.local(facts.as_of),
        {"text": f"{dose} mg IV every {hours} hours", "timing": timing, "route": INTRAVENOUS, **_single_dose(dose)},
        f"Adult regimen, ASCO 2021{'' if grade in (3, 4) else ' (grade 2: one or two doses)'}. "
        "Review daily and taper as CRS settles.",
    )  # fmt: skip
    return Offer(key, Suggestion(label, f"Order {label}", resource, key), below)


def _single_dose(dose: Decimal) -> Mapping[str, Any]:
    quantity = {"value": int(dose), "unit": "mg", "system": UCUM, "code": "mg"}
    return {"doseAndRate": [{"doseQuantity": quantity}]}


def _medication_request(
    patient: str, concept: Concept, text: str, now: datetime, dosage: Mapping[str, Any], note: str
) -> Mapping[str, Any]:
    coding = {"system": RXNORM, "code": concept.code, "display": concept.display}
    return {
        "resourceType": "MedicationRequest",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"coding": [coding], "text": text},
        "subject": {"reference": f"Patient/{patient}"},
        "authoredOn": now.isoformat(timespec="seconds"),
        "reasonCode": [{"text": "Cytokine release syndrome after CAR-T cells"}],
        "note": [{"text": note}],
        "dosageInstruction": [dict(dosage)],
    }


def service_offer(
    facts: PatientFacts, drafts: tuple[DraftOrder, ...], patient: str, set_id: str, terms: Terminology
) -> Offer:
    """A laboratory test, culture or image as ServiceRequest, unless it is ordered, drafted or done today."""
    key = f"service:{set_id}"
    concept = terms.first(set_id)
    name = terms.titles[set_id]
    if any(set_id in d.sets for d in drafts) or any(set_id in o.sets for o in facts.pending):
        return Offer(key, None, f"{name}: ordered.", in_hand=True)
    if set_id in facts.done_recently and set_id != "interleukin-6":
        return Offer(key, None, f"{name}: done in the last 24 h.", in_hand=True, done=True)
    resource = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "code": {"coding": [{"system": LOINC, "code": concept.code, "display": concept.display}], "text": name},
        "subject": {"reference": f"Patient/{patient}"},
        "authoredOn": facts.local(facts.as_of).isoformat(timespec="seconds"),
        "reasonCode": [{"text": "Cytokine release syndrome after CAR-T cells"}],
    }
    return Offer(key, Suggestion(name, f"Order {name}", resource, key))


def when(at: datetime) -> str:
    """A time as the ward writes it, in the facility's zone: 9 Mar 06:00."""
    return f"{at.day} {at:%b %H:%M}"


def number(value: Decimal) -> str:
    """Without trailing zeros and never in exponents."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
