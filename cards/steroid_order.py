"""The corticosteroid that a card would order, and what of one is already running."""

from __future__ import annotations

from decimal import Decimal

from cards.card import Suggestion
from cards.orders import INTRAVENOUS, Offer, medication_request, ordered_at, single_dose
from cards.shown import when
from cards.situation import drafted
from fhir_mappings.clinical_facts import (
    DraftOrder,
    DrugClass,
    PatientFacts,
    SteroidGiven,
)
from fhir_mappings.terminology import Terminology
from fhir_mappings.thresholds import Thresholds

STEROID_CLASSES = (DrugClass.STEROID,)
KEY = "corticosteroid"


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
    grade = facts.grade.grade if facts.grade else None
    strongest = grade == 4 or (bool(facts.progressed) and grade == 3 and _in_use(facts, t))
    in_hand = _in_hand(facts, drafts, t, strongest=strongest)
    if in_hand is not None:
        return in_hand
    below = "; ".join(f"{s.ingredient} given {when(facts.local(s.at))}" for s in facts.steroids)
    below = f"Already given, and not counted as this regimen: {below}." if below else ""
    if facts.age is None:
        return Offer(KEY, None, f"The age is not known, so no corticosteroid dose is computed. {below}".strip())
    if facts.age.years < t.adult_age:
        text = "Corticosteroid per paediatric protocol: no dose is computed below 18 years."
        return Offer(KEY, None, f"{text} {below}".strip(), barred=True)
    drug, dose, hours = "dexamethasone", t.dexamethasone_dose, every_hours
    if strongest:
        drug, dose, hours = "methylprednisolone", t.methylprednisolone_dose, 12
    source = "ASCO 2021" if grade in (3, 4) else "ASCO 2021 (grade 2: one or two doses)"
    return Offer(KEY, _suggestion(facts, patient, terms, drug, dose, hours, source), below)


def _in_hand(facts: PatientFacts, drafts: tuple[DraftOrder, ...], t: Thresholds, *, strongest: bool) -> Offer | None:
    """What says that the order is drafted, running or ordered already."""
    if drafted(drafts, *STEROID_CLASSES):
        return Offer(KEY, None, "A systemic corticosteroid is drafted.", in_hand=True)
    running = steroid_running(facts, t, strongest_only=strongest)
    if running is not None:
        text = f"{running.ingredient.capitalize()} is running ({when(facts.local(running.at))})."
        return Offer(KEY, None, text, in_hand=True, done=True)
    for order in facts.pending:
        if order.drug is None or order.drug.drug_class not in STEROID_CLASSES:
            continue
        if not strongest or order.drug.ingredient == "methylprednisolone":
            ordered = f"A corticosteroid is ordered{ordered_at(facts, order.authored)}, not yet charted."
            return Offer(KEY, None, ordered, in_hand=True)
    return None


def _suggestion(
    facts: PatientFacts, patient: str, terms: Terminology, drug: str, dose: Decimal, hours: int, source: str
) -> Suggestion:
    concept = next(c for c in terms.value_sets["systemic-corticosteroid"] if c.ingredient == drug)
    label = f"{drug.capitalize()} {dose} mg IV every {hours} h"
    timing = {"repeat": {"frequency": 1, "period": hours, "periodUnit": "h"}}
    dosage = {"text": f"{dose} mg IV every {hours} hours", "timing": timing, "route": INTRAVENOUS, **single_dose(dose)}
    note = f"Adult regimen, {source}. Review daily and taper as CRS settles."
    now = facts.local(facts.as_of)
    return Suggestion(
        label,
        f"Order {label}",
        medication_request(patient, concept, f"{drug} {dose} mg IV", now, dosage, note),
        KEY,
    )
