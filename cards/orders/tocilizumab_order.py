"""The tocilizumab that a card would order: the label dose by weight, or the bar to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any

from cards.deciding.card import Suggestion
from cards.deciding.dose_check import dose_faults, not_compared, per_kg, tocilizumab_dose
from cards.deciding.drafts import drafted, uncharted_tocilizumab
from cards.deciding.offer import Offer, ordered_at
from cards.deciding.tocilizumab_gate import Gate, draft_bars, tocilizumab_gate
from cards.orders.orders import INTRAVENOUS, Ordering, medication_request, ordered_concept, single_dose, without_empties
from cards.sentences.escaping import escaped
from cards.sentences.numbers_and_times import InWords, number, when
from cards.sentences.phrases import phrase
from cards.sentences.set_aside_words import age_unread, weight_unread
from cards.sentences.treatment_words import history_unread, weight_doubt
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import DraftOrder, DrugClass, Route
from fhir_mappings.facts.weight import Weight

TOCILIZUMAB = "tocilizumab"


def _barred(gate: Gate, facts: PatientFacts, t: Thresholds) -> str:
    """The sentence that says why no order is offered; "" if nothing bars one."""
    if gate.bar is None:
        return ""
    opens = when(facts.local(gate.opens)) if gate.opens is not None else ""
    return phrase(
        "no_tocilizumab", gate.bar, opens=opens, number=gate.doses, weight_unread=weight_unread(facts, t, escaped),
        age_unread=age_unread(facts, escaped), history_unread=history_unread(facts, escaped),
        weights=weight_doubt(facts), t=InWords(t),
    )  # fmt: skip


def tocilizumab_offer(order: Ordering, *, recommended: bool) -> Offer:
    """The offer of the label dose for the weight, or of a note that says why there is none."""
    key, facts, drafts, t = TOCILIZUMAB, order.facts, order.drafts, order.t
    gate = tocilizumab_gate(facts, t)
    bar, by_patient, weight = _barred(gate, facts, t), gate.by_patient, facts.weight
    # the card names the bar beside a draft too, so that it does not recommend what a draft check forbids
    beside = f" {bar}" if by_patient else ""
    own = drafted(drafts, DrugClass.TOCILIZUMAB)
    if own:  # also if its dose is off: toci-dose-check alone offers the correction
        note = f"{phrase('order', 'toci drafted')}{_not_compared(own, facts)}{beside}"
        return Offer(key, None, note, in_hand=True, barred=by_patient)
    for pending in uncharted_tocilizumab(facts, drafts):
        ordered = phrase("order", "toci ordered", at=ordered_at(facts, pending.authored))
        return Offer(key, None, f"{ordered}{beside}", in_hand=True, done=True, barred=by_patient)
    if bar or weight is None:
        return Offer(key, None, bar, barred=by_patient)
    dose = tocilizumab_dose(weight, t)
    basis = _basis(facts, weight, t)
    label = _label(dose, basis)
    resource = medication_request(
        order, ordered_concept("tocilizumab", order.terms), _text(dose), _dosage(dose),
        f"{basis}, at most {t.toci_max} mg. Check the dose after accepting.",
    )  # fmt: skip
    note = ""
    if abs(weight.kg - t.toci_light_below) <= t.tier_margin:
        note = phrase("order", "tier", kg=number(weight.kg), t=InWords(t))
    return Offer(key, Suggestion(label, f"Order {label}", resource, key, recommended, mg=dose), note)


def _not_compared(own: tuple[DraftOrder, ...], facts: PatientFacts) -> str:
    """The ways in which a draft also states its dose, where nothing says whether they are the same; "" for none."""
    ways = [escaped(way) for draft in own for way in not_compared(draft.dose, facts)]
    return phrase("order", "not compared", ways=", ".join(ways)) if ways else ""


def _basis(facts: PatientFacts, weight: Weight, t: Thresholds) -> str:
    return f"{per_kg(weight, t)} mg/kg × {number(weight.kg)} kg weighed {when(facts.local(weight.at))}"


def _label(dose: Decimal, basis: str) -> str:
    return f"Tocilizumab {dose} mg IV over 60 min ({basis}); check the dose after accepting"


def _dosage(dose: Decimal) -> Mapping[str, Any]:
    return {"text": f"{dose} mg IV over 60 minutes, once", "route": INTRAVENOUS, **single_dose(dose)}


_STATES_A_DOSE = ("dosageInstruction", "dispenseRequest", "note", "text")
_ID = re.compile(r"[A-Za-z0-9._~-]{1,255}")
_DEEPEST = 40


def corrected_draft_offer(order: Ordering) -> Offer:
    """The first draft whose dose is doubtful, with the label dose in its place: an update, never a second order.

    A draft is corrected only if tocilizumab could be suggested here and the draft is meant for a vein.
    """
    key, facts, drafts, t = TOCILIZUMAB, order.facts, order.drafts, order.t
    draft = next(d for d in drafted(drafts, DrugClass.TOCILIZUMAB) if dose_faults(d, facts, t))
    gate = tocilizumab_gate(facts, t)
    if gate.bar is not None or facts.weight is None:
        return Offer(key, None, _barred(gate, facts, t), barred=gate.by_patient)
    why_not = _not_corrected(draft, facts, drafts, t)
    if why_not is not None:
        return Offer(key, None, phrase("not_corrected", why_not))
    dose, basis = tocilizumab_dose(facts.weight, t), _basis(facts, facts.weight, t)
    # whatever states another amount is dropped (dosages, notes, narrative, dispensing): a draft must not say two doses
    kept = {k: v for k, v in draft.resource.items() if k not in _STATES_A_DOSE and not k.startswith("_")}
    concept = kept.get("medicationCodeableConcept")
    if isinstance(concept, Mapping):
        kept["medicationCodeableConcept"] = {**concept, "text": _text(dose)}
    resource = without_empties({**kept, "dosageInstruction": [_dosage(dose)]})
    label = f"Change the draft: {_label(dose, basis)}"
    return Offer(key, Suggestion(label, label, resource, key, action="update"))


class NotCorrected(StrEnum):
    """A reason not to correct a draft although a dose could be computed. The values name the sentences."""

    COUNTED = "counted"
    INFECTION = "infection"
    TWO_DOSES = "two doses"
    NO_INDICATION = "no indication"
    LATE = "late"
    ROUTE = "route"
    ELSEWHERE = "elsewhere"


def _not_corrected(
    draft: DraftOrder, facts: PatientFacts, drafts: tuple[DraftOrder, ...], t: Thresholds
) -> NotCorrected | None:
    grade = facts.grade.grade if facts.grade is not None else None
    mild = grade in (0, 1) and facts.grade is not None and not facts.grade.minimum
    if draft_bars(facts, drafts, t):
        return NotCorrected.COUNTED
    if facts.infection.culture is not None and (grade is None or grade < 3):
        return NotCorrected.INFECTION
    if len(facts.tocilizumab.doses) >= 2 and grade in (1, 2):
        return NotCorrected.TWO_DOSES
    if grade == 0 or (mild and facts.icans.grade):
        return NotCorrected.NO_INDICATION
    if facts.course is not None and facts.course.days_since_last > t.study_days.days:
        return NotCorrected.LATE
    if draft.route not in (Route.INTRAVENOUS, Route.NOT_STATED):
        return NotCorrected.ROUTE
    instructions = draft.resource.get("dosageInstruction")
    several = isinstance(instructions, list) and len(instructions) > 1
    id_ = draft.resource.get("id")
    named = isinstance(id_, str) and _ID.fullmatch(id_) is not None
    return NotCorrected.ELSEWHERE if several or not named or _is_deep(draft.resource) else None


def _is_deep(value: object) -> bool:
    """Tell whether a draft nests deeper than any order does; such a draft is not copied."""
    level: list[object] = [value]
    for _ in range(_DEEPEST):
        inner = [v for one in level if isinstance(one, Mapping) for v in one.values()]
        inner += [v for one in level if isinstance(one, list) for v in one]
        level = inner
    return bool(level)


def _text(dose: Decimal) -> str:
    return f"tocilizumab {dose} mg IV"
