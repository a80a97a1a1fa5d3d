"""The corticosteroid that a card would order, and those that are already running, ordered or drafted.

Regimens (ASCO 2021): dexamethasone 10 mg every 12 h at grades 1 and 2 and every 6 h at grade 3; methylprednisolone
500 mg every 12 h at grade 4 and after progress to grade 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from cards.deciding.card import Suggestion
from cards.deciding.drafts import drafted
from cards.deciding.offer import Offer, ordered_at, wants_methylprednisolone
from cards.orders.orders import CRS, INTRAVENOUS, Ordering, medication_request, ordered_concept, single_dose
from cards.sentences.escaping import escaped
from cards.sentences.numbers_and_times import InWords, when
from cards.sentences.phrases import phrase
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds, in_unit
from fhir_mappings.facts.treatment import DraftOrder, DrugClass, PendingOrder, SteroidGiven

STEROID_CLASSES = (DrugClass.STEROID,)
KEY = "corticosteroid"
ICANS = "ICANS after CAR-T cells"


def steroid_running(facts: PatientFacts, t: Thresholds, *, strongest_only: bool) -> SteroidGiven | None:
    """The corticosteroid that counts as running; None if there is none.

    With `strongest_only` only the methylprednisolone regimen counts, at its full dose. A lesser dose is named on the
    card and takes no suggestion away.
    """
    enough = t.methylprednisolone_dose / t.methylprednisolone_per_dexa if strongest_only else _enough(facts, t)
    for given in facts.steroids:
        if strongest_only and given.ingredient != "methylprednisolone":
            continue
        if given.dexamethasone_mg is not None and given.dexamethasone_mg >= enough:
            return given
    return None


def _is_regimen(order: DraftOrder | PendingOrder, facts: PatientFacts, t: Thresholds, *, strongest: bool) -> bool:
    """Tell whether an order or draft counts as the regimen; one without a stated dose counts."""
    if order.drug is None or (strongest and order.drug.ingredient != "methylprednisolone"):
        return False
    if not order.dose.is_stated and order.dexamethasone_mg is None:
        return order.drug.ingredient in ("dexamethasone", "methylprednisolone")
    enough = t.methylprednisolone_dose / t.methylprednisolone_per_dexa if strongest else _enough(facts, t)
    return order.dexamethasone_mg is not None and order.dexamethasone_mg >= enough


def _enough(facts: PatientFacts, t: Thresholds) -> Decimal:
    child = facts.age is not None and facts.age.years < t.adult_age
    if child and facts.weight is not None:
        return facts.weight.kg * t.steroid_running_child
    return t.steroid_running_dose


def steroid_offer(order: Ordering, *, every: timedelta, icans: bool = False) -> Offer:
    """The corticosteroid of the situation for an adult, words only for a child. `every` is for dexamethasone."""
    facts, drafts, t = order.facts, order.drafts, order.t
    strongest = wants_methylprednisolone(facts)
    in_hand = _in_hand(facts, drafts, t, strongest=strongest)
    if in_hand is not None:
        return in_hand
    below = _lesser(facts, drafts)
    if facts.age is None:
        return Offer(KEY, None, f"{phrase('no_steroid', 'age unknown')} {below}".strip())
    if facts.age.years < t.adult_age:
        text = phrase("no_steroid", "child", t=InWords(t))
        return Offer(KEY, None, f"{text} {below}".strip(), barred=True)
    return Offer(KEY, _suggestion(order, _regimen(facts, t, every=every, icans=icans), icans=icans), below)


@dataclass(frozen=True)
class _Regimen:
    drug: str
    mg: Decimal
    every: timedelta
    source: str


def _regimen(facts: PatientFacts, t: Thresholds, *, every: timedelta, icans: bool) -> _Regimen:
    grade = facts.grade.grade if facts.grade else None
    if wants_methylprednisolone(facts):
        source = "ASCO 2021" if grade == 4 else "ASCO 2021 for grade 4, here after progress on two doses of tocilizumab"
        return _Regimen("methylprednisolone", t.methylprednisolone_dose, t.methylprednisolone_every, source)
    source = "ASCO 2021" if grade in (3, 4) else "ASCO 2021 (grade 2: one or two doses)"
    if icans:
        source = "for ICANS 10–20 mg every 6 h, 1–3 days (PMC10573998)"
    return _Regimen("dexamethasone", t.dexamethasone_dose, every, source)


def _in_hand(facts: PatientFacts, drafts: tuple[DraftOrder, ...], t: Thresholds, *, strongest: bool) -> Offer | None:
    """The offer without a suggestion if the order is drafted, running or ordered already; else None."""
    if any(_is_regimen(d, facts, t, strongest=strongest) for d in drafted(drafts, *STEROID_CLASSES)):
        return Offer(KEY, None, phrase("order", "steroid drafted"), in_hand=True)
    running = steroid_running(facts, t, strongest_only=strongest)
    if running is not None:
        child = facts.age is not None and facts.age.years < t.adult_age
        variant = "steroid running child" if child else "steroid running"
        at = when(facts.local(running.at))
        text = phrase("order", variant, drug=running.ingredient.capitalize(), at=at)
        return Offer(KEY, None, text, in_hand=True, done=True)
    for order in facts.pending:
        if order.drug is None or order.drug.drug_class not in STEROID_CLASSES:
            continue
        if _is_recent(order, facts, t) and _is_regimen(order, facts, t, strongest=strongest):
            ordered = phrase("order", "steroid ordered", at=ordered_at(facts, order.authored))
            return Offer(KEY, None, ordered, in_hand=True)
    return None


def _is_recent(order: PendingOrder, facts: PatientFacts, t: Thresholds) -> bool:
    """Tell whether an order is recent. One that was never closed, a premedication of weeks ago, answers nothing now."""
    return order.authored is None or facts.as_of - order.authored <= t.steroid_order_age


def _lesser(facts: PatientFacts, drafts: tuple[DraftOrder, ...]) -> str:
    """The note that names corticosteroids given, ordered or drafted that are less than this regimen; "" if none."""
    named = [_with_dose(f"{s.ingredient} given {when(facts.local(s.at))}", s) for s in facts.steroids]
    orders: tuple[DraftOrder | PendingOrder, ...] = (*facts.pending, *drafts)
    steroids = [
        _with_dose(f"{o.drug.ingredient} ordered or drafted", o)
        for o in orders
        if o.drug is not None and o.drug.drug_class in STEROID_CLASSES
    ]
    named += dict.fromkeys(steroids)
    return phrase("order", "lesser", named="; ".join(named)) if named else ""


def _with_dose(steroid: str, stated: DraftOrder | PendingOrder | SteroidGiven) -> str:
    """A corticosteroid, with its dose as charted where that could not be read."""
    dose = stated.dose
    if dose.is_read or not dose.is_stated:
        return steroid
    variant = "dose differs" if dose.differ else "dose unread"
    return phrase("order", variant, steroid=steroid, ways=escaped(", ".join(dose.differ or dose.said)))


def _suggestion(order: Ordering, regimen: _Regimen, *, icans: bool) -> Suggestion:
    drug, dose, hours = regimen.drug, regimen.mg, int(in_unit(regimen.every, "h"))
    label = f"{drug.capitalize()} {dose} mg IV every {hours} h"
    timing = {"repeat": {"frequency": 1, "period": hours, "periodUnit": "h"}}
    dosage = {"text": f"{dose} mg IV every {hours} hours", "timing": timing, "route": INTRAVENOUS, **single_dose(dose)}
    taper = " Then 250 mg × 2 d, 125 mg × 2 d, 60 mg, each every 12 h (ASCO)." if drug == "methylprednisolone" else ""
    what = "ICANS" if icans else "CRS"
    note = f"Adult regimen, {regimen.source}. Review daily and taper as {what} settles.{taper} Antifungal prophylaxis."
    concept = ordered_concept(drug, order.terms)
    resource = medication_request(order, concept, f"{drug} {dose} mg IV", dosage, note, ICANS if icans else CRS)
    return Suggestion(label, f"Order {label}", resource, KEY, mg=dose)
