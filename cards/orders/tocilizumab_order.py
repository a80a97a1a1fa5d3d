"""The tocilizumab that a card would order: label dose by weight, and what bars it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from cards.deciding.card import Suggestion
from cards.deciding.dose_check import dose_faults, per_kg, tocilizumab_dose, weight_is_unread
from cards.deciding.offer import Offer, ordered_at
from cards.deciding.situation import are_too_many, drafted, in_24_h, is_too_soon, uncharted_tocilizumab
from cards.deciding.tocilizumab_gate import interval_ends
from cards.orders.orders import INTRAVENOUS, medication_request, ordered_concept, single_dose, without_empties
from cards.sentences.numbers_and_times import InWords, number, when
from cards.sentences.phrases import phrase
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.patient import PatientFacts, Weight
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import DraftOrder, DrugClass, Route


def tocilizumab_bar(facts: PatientFacts, t: Thresholds) -> tuple[str, bool]:
    """Why tocilizumab is not suggested ("" where nothing bars it), and whether the patient bars it (interval,
    maximum, hypersensitivity) rather than a gap in what is known."""
    starts, opens, shown = facts.tocilizumab.safety_starts, interval_ends(facts, t), InWords(t)
    last_day = in_24_h(starts, facts.as_of)
    if facts.tocilizumab_hypersensitivity:
        return phrase("no_tocilizumab", "allergic"), True
    if opens is not None:
        return phrase("no_tocilizumab", "interval", opens=when(facts.local(opens)), t=shown), True
    if len(starts) >= t.doses_max:
        return phrase("no_tocilizumab", "number", number=len(starts), t=shown), True
    if len(last_day) >= t.doses_per_day:
        return phrase("no_tocilizumab", "day", number=len(last_day), t=shown), True
    gap = _tocilizumab_gap(facts, t)
    return (phrase("no_tocilizumab", gap, t=shown) if gap else ""), False


def _tocilizumab_gap(facts: PatientFacts, t: Thresholds) -> str:
    """What is not known and a dose needs."""
    if not facts.tocilizumab.history_complete:
        return "history"
    if facts.age is None:
        return "age unknown"
    if facts.age.years < t.toci_min_age:
        return "under age"
    if weight_is_unread(facts):
        return "weight unread"
    return "no weight" if facts.weight is None else ""


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
    bar, by_patient = tocilizumab_bar(facts, t)
    weight = facts.weight
    # what bars a dose is said beside the draft too, so that no card speaks for what a check forbids
    beside = f" {bar}" if by_patient else ""
    if drafted(drafts, DrugClass.TOCILIZUMAB):
        return Offer(key, None, f"{phrase('order', 'toci drafted')}{beside}", in_hand=True, barred=by_patient)
    for order in uncharted_tocilizumab(facts, drafts):
        ordered = phrase("order", "toci ordered", at=ordered_at(facts, order.authored))
        return Offer(key, None, f"{ordered}{beside}", in_hand=True, barred=by_patient)
    if bar or weight is None:
        return Offer(key, None, bar, barred=by_patient)
    dose = tocilizumab_dose(weight, t)
    basis = _basis(facts, weight, t)
    label = _label(dose, basis)
    resource = medication_request(
        patient, ordered_concept("tocilizumab", terms), _text(dose), facts.local(facts.as_of),
        _dosage(dose),
        f"{basis}, at most {t.toci_max} mg. Check the dose after accepting.",
    )  # fmt: skip
    note = ""
    if abs(weight.kg - t.toci_light_below) <= t.tier_margin:
        note = phrase("order", "tier", kg=number(weight.kg), t=InWords(t))
    return Offer(key, Suggestion(label, f"Order {label}", resource, key, recommended), note)


def _basis(facts: PatientFacts, weight: Weight, t: Thresholds) -> str:
    return f"{per_kg(weight, t)} mg/kg × {number(weight.kg)} kg weighed {when(facts.local(weight.at))}"


def _label(dose: Decimal, basis: str) -> str:
    return f"Tocilizumab {dose} mg IV over 60 min ({basis}); check the dose after accepting"


def _dosage(dose: Decimal) -> Mapping[str, Any]:
    return {"text": f"{dose} mg IV over 60 minutes, once", "route": INTRAVENOUS, **single_dose(dose)}


_STATES_A_DOSE = ("dosageInstruction", "dispenseRequest", "note", "text")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_DEEPEST = 40


def corrected_draft_offer(facts: PatientFacts, drafts: tuple[DraftOrder, ...], t: Thresholds) -> Offer:
    """The first draft whose dose is doubtful, with the label dose in its place: an update, never a second order."""
    key = "tocilizumab"
    draft = next(d for d in drafted(drafts, DrugClass.TOCILIZUMAB) if dose_faults(d, facts, t))
    bar, by_patient = tocilizumab_bar(facts, t)
    if bar or facts.weight is None:
        return Offer(key, None, bar, barred=by_patient)
    why_not = _not_corrected(draft, facts, drafts, t)
    if why_not:
        return Offer(key, None, phrase("not_corrected", why_not))
    dose, basis = tocilizumab_dose(facts.weight, t), _basis(facts, facts.weight, t)
    # what states another amount, or how much to dispense of it, goes: one draft must not say two doses
    kept = {k: v for k, v in draft.resource.items() if k not in _STATES_A_DOSE and not k.startswith("_")}
    concept = kept.get("medicationCodeableConcept")
    if isinstance(concept, Mapping):
        kept["medicationCodeableConcept"] = {**concept, "text": _text(dose)}
    resource = without_empties({**kept, "dosageInstruction": [_dosage(dose)]})
    label = f"Change the draft: {_label(dose, basis)}"
    return Offer(key, Suggestion(label, label, resource, key, action="update"))


def _not_corrected(draft: DraftOrder, facts: PatientFacts, drafts: tuple[DraftOrder, ...], t: Thresholds) -> str:
    """Why a draft gets no dose from us, though one could be worked out."""
    grade = facts.grade.grade if facts.grade is not None else None
    mild = grade in (0, 1) and facts.grade is not None and not facts.grade.minimum
    if is_too_soon(facts, drafts, t) or are_too_many(facts, drafts, t):
        return "counted"
    if len(facts.tocilizumab.doses) >= 2 and grade in (1, 2):
        return "two doses"
    if grade == 0 or (mild and facts.icans.grade):
        return "no indication"
    if facts.course is not None and facts.course.days_since_last > t.study_days.days:
        return "late"
    if draft.route not in (Route.INTRAVENOUS, Route.NOT_STATED):
        return "route"
    instructions = draft.resource.get("dosageInstruction")
    several = isinstance(instructions, list) and len(instructions) > 1
    id_ = draft.resource.get("id")
    named = isinstance(id_, str) and _ID.fullmatch(id_) is not None
    return "elsewhere" if several or not named or _is_deep(draft.resource) else ""


def _is_deep(value: object) -> bool:
    """Nested deeper than any order: it is not copied."""
    level: list[object] = [value]
    for _ in range(_DEEPEST):
        inner = [v for one in level if isinstance(one, Mapping) for v in one.values()]
        inner += [v for one in level if isinstance(one, list) for v in one]
        level = inner
    return bool(level)


def _text(dose: Decimal) -> str:
    return f"tocilizumab {dose} mg IV"
