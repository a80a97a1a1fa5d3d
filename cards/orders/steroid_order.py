"""The corticosteroid that a card would order, and those that are already running, ordered or drafted.

The regimens are those of ASCO 2021 (`cards/deciding/steroids/regimen.py`).
"""

from __future__ import annotations

from datetime import timedelta

from cards.deciding.card import Suggestion
from cards.deciding.dose_check import differing
from cards.deciding.offer import Offer, ordered_at
from cards.deciding.steroids.amounts import METHYLPREDNISOLONE, is_child, recently_given
from cards.deciding.steroids.regimen import Prescription, Regimen, prescription
from cards.deciding.steroids.state import SteroidState, steroid_state
from cards.orders.orders import CRS, INTRAVENOUS, Ordering, medication_request, ordered_concept, single_dose
from cards.orders.steroid_words import capital, given_one, given_words, often
from cards.sentences.escaping import escaped
from cards.sentences.numbers_and_times import InWords, with_thousands
from cards.sentences.phrases import phrase
from cards.sentences.set_aside_words import age_unread
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds, in_unit
from fhir_mappings.facts.treatment import DraftOrder, DrugClass, PendingOrder, StatedDose, SteroidGiven

KEY = "corticosteroid"
ICANS = "ICANS after CAR-T cells"


def steroid_offer(order: Ordering, regimen: Regimen, *, icans: bool = False) -> Offer:
    """The corticosteroid of the answer for an adult, words only for a child: all cards ask for the same one."""
    facts, drafts, t = order.facts, order.drafts, order.t
    state = steroid_state(facts, drafts, regimen, t)
    said = _said(state, facts, t)
    if state.in_hand:
        return Offer(KEY, None, _joined(said, *_in_hand(state, facts)), in_hand=True, done=state.done)
    said = _joined(said, _lesser(state, facts, drafts, regimen, t))
    if facts.age is None:
        return Offer(
            KEY, None, _joined(said, phrase("no_steroid", "age unknown", age_unread=age_unread(facts, escaped)))
        )
    if is_child(facts, t):
        return Offer(KEY, None, _joined(said, phrase("no_steroid", "child", t=InWords(t))), barred=True)
    return Offer(KEY, _suggestion(order, regimen, icans=icans), said)


def _joined(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def _said(state: SteroidState, facts: PatientFacts, t: Thresholds) -> str:
    """The sentence on what is running: it comes before what is ordered and drafted."""
    if state.running is None:
        return ""
    variant = "steroid given child" if is_child(facts, t) else "steroid given"
    return phrase("order", variant, given=capital(given_words(state, facts)))


def _in_hand(state: SteroidState, facts: PatientFacts) -> list[str]:
    found = []
    if state.ordered is not None:
        variant = "steroid active" if state.ordered.charted else "steroid ordered"
        found.append(phrase("order", variant, at=ordered_at(facts, state.ordered.authored)))
    return [*found, *([phrase("order", "steroid drafted")] if state.drafted else [])]


def _lesser(
    state: SteroidState, facts: PatientFacts, drafts: tuple[DraftOrder, ...], regimen: Regimen, t: Thresholds
) -> str:
    """The note that names corticosteroids given, ordered or drafted that are less than this regimen; "" if none."""
    counted = {one.reference for one in state.running.given} if state.running is not None else set()
    named = [_given(one, facts, t) for one in recently_given(facts, t) if one.reference not in counted]
    orders: tuple[DraftOrder | PendingOrder, ...] = (*facts.pending, *drafts)
    steroids = [
        _with_dose(f"{o.drug.ingredient} ordered or drafted", o.dose, facts, t)
        for o in orders
        if o.drug is not None and o.drug.drug_class is DrugClass.STEROID
    ]
    named += dict.fromkeys(steroids)
    if not named:
        return ""
    return _joined(phrase("order", "lesser", named="; ".join(named)), _instead(facts, drafts, regimen, t))


def _instead(facts: PatientFacts, drafts: tuple[DraftOrder, ...], regimen: Regimen, t: Thresholds) -> str:
    """The sentence that methylprednisolone takes the place of another corticosteroid; "" where there is none."""
    if not regimen.is_methylprednisolone:
        return ""
    given = {one.ingredient for one in recently_given(facts, t)}
    orders: tuple[DraftOrder | PendingOrder, ...] = (*facts.steroid_orders, *drafts)
    ordered = {o.drug.ingredient for o in orders if o.drug is not None and o.drug.drug_class is DrugClass.STEROID}
    others = sorted((given | ordered) - {METHYLPREDNISOLONE})
    return phrase("order", "instead", drugs=" and ".join(others)) if others else ""


def _given(one: SteroidGiven, facts: PatientFacts, t: Thresholds) -> str:
    return _with_dose(given_one(one, facts), one.dose, facts, t)


def _with_dose(steroid: str, dose: StatedDose, facts: PatientFacts, t: Thresholds) -> str:
    """A corticosteroid, with its dose as charted where that could not be read."""
    ways = differing(dose, facts, t)
    if ways:
        return phrase("order", "dose differs", steroid=steroid, ways=escaped(", ".join(ways)))
    if dose.is_read or not dose.is_stated:
        return steroid
    return phrase("order", "dose unread", steroid=steroid, ways=escaped(", ".join(dose.said)))


def _suggestion(order: Ordering, regimen: Regimen, *, icans: bool) -> Suggestion:
    asked = prescription(regimen, order.t)
    drug, dose, hours = asked.drug, asked.mg, int(in_unit(asked.every, "h"))
    written = with_thousands(dose)
    label = f"{drug.capitalize()} {written} mg IV {often(asked)}"
    repeat = {"count": int(asked.doses), "frequency": 1, "period": hours, "periodUnit": "h"}
    text = f"{written} mg IV {often(asked)}, {asked.doses} doses, then reassess"
    dosage = {"text": text, "timing": {"repeat": repeat}, "route": INTRAVENOUS, **single_dose(dose)}
    what = "ICANS" if icans else "CRS"
    note = (
        f"Adult regimen, {_source(regimen, order.facts)}. {asked.doses} doses, then reassess; taper as {what} "
        f"settles.{_taper(asked)} Antifungal prophylaxis."
    )
    concept = ordered_concept(drug, order.terms)
    resource = medication_request(order, concept, f"{drug} {written} mg IV", dosage, note, ICANS if icans else CRS)
    return Suggestion(label, f"Order {label}", resource, KEY, mg=dose)


def _taper(asked: Prescription) -> str:
    if asked.drug != METHYLPREDNISOLONE or asked.every >= timedelta(days=1):
        return ""
    return " Then 250 mg × 2 d, 125 mg × 2 d, 60 mg, each every 12 h (ASCO)."


def _source(regimen: Regimen, facts: PatientFacts) -> str:
    grade = facts.grade.grade if facts.grade else None
    match regimen:
        case Regimen.METHYLPREDNISOLONE_ICANS:
            return "ASCO 2021 for ICANS of grade 4"
        case Regimen.METHYLPREDNISOLONE:
            return "ASCO 2021" if grade == 4 else "ASCO 2021 for grade 4, here after progress on dexamethasone"
        case Regimen.DEXAMETHASONE_SEVERE:
            return "ASCO 2021" if grade in (3, 4) else "ASCO 2021, as at grade 3"
        case Regimen.DEXAMETHASONE:
            return "ASCO 2021 (grade 2: one or two doses)"
