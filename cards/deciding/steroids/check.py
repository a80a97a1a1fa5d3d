"""The check of a drafted corticosteroid: is it a second one, and is its dose more than the most for one dose?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from cards.deciding.drafts import drafted
from cards.deciding.steroids.amounts import (
    DEXAMETHASONE,
    METHYLPREDNISOLONE,
    Running,
    enough_of,
    is_child,
    is_enough,
    ordered_mg,
)
from cards.deciding.steroids.regimen import Regimen, prescription
from cards.deciding.steroids.state import active_order
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import DraftOrder, DrugClass, PendingOrder


@dataclass(frozen=True)
class Second:
    """A draft beside one that meets the same need: doses given or infusing, an active order, or another draft."""

    draft: DraftOrder
    given: Running | None = None
    due: datetime | None = None
    ordered: PendingOrder | None = None
    beside: DraftOrder | None = None


@dataclass(frozen=True)
class TooMuch:
    """A draft of more than the most for one dose: `most` in mg, or in mg/kg of a weight of `kg`."""

    draft: DraftOrder
    mg: Decimal
    most: Decimal
    kg: Decimal | None = None


SteroidFault = Second | TooMuch


def steroid_faults(
    facts: PatientFacts, drafts: tuple[DraftOrder, ...], regimen: Regimen | None, t: Thresholds
) -> tuple[SteroidFault, ...]:
    """The faults of the drafted corticosteroids; each second one before what is too much."""
    ours = drafted(drafts, DrugClass.STEROID)
    seconds = (second for draft in ours for second in _seconds(draft, facts, ours, regimen, t))
    excessive = (fault for draft in ours if (fault := _too_much(draft, facts, t)) is not None)
    return (*seconds, *excessive)


def _seconds(
    draft: DraftOrder, facts: PatientFacts, ours: tuple[DraftOrder, ...], regimen: Regimen | None, t: Thresholds
) -> Iterator[Second]:
    """The corticosteroids beside a draft, each enough to count as running, that meet its need already.

    Where methylprednisolone is asked for and drafted, another corticosteroid is stopped for it and counts as none.
    """
    if draft.drug is None or not is_enough(draft, facts, t, methylprednisolone=False):
        return
    asked = regimen is not None and regimen.is_methylprednisolone
    strong = asked and draft.drug.ingredient == METHYLPREDNISOLONE
    every = draft.every or (prescription(regimen, t).every if regimen is not None else t.steroid_running)
    found = _given_within(every, facts, t, strong=strong)
    if found is not None:
        yield Second(draft, given=found, due=None if found.infusing else found.reached + every)
    ordered = active_order(facts, ours, t, methylprednisolone=strong)
    if found is None and ordered is not None and is_enough(ordered, facts, t, methylprednisolone=strong):
        yield Second(draft, ordered=ordered)
    for other in ours[: ours.index(draft)]:
        if is_enough(other, facts, t, methylprednisolone=strong) and other.reference != draft.reference:
            yield Second(draft, beside=other)


def _given_within(every: timedelta, facts: PatientFacts, t: Thresholds, *, strong: bool) -> Running | None:
    given = (one for one in facts.steroids if one.infusing or facts.as_of - one.ended < every)
    return enough_of(given, facts, t, methylprednisolone=strong)


def _too_much(draft: DraftOrder, facts: PatientFacts, t: Thresholds) -> TooMuch | None:
    mg = ordered_mg(draft, facts, t)
    if draft.drug is None or mg is None:
        return None
    most = {DEXAMETHASONE: t.dexamethasone_max, METHYLPREDNISOLONE: t.methylprednisolone_max}.get(draft.drug.ingredient)
    if most is None:
        return None
    if mg > most:
        return TooMuch(draft, mg, most)
    by_kg = t.dexamethasone_max_child if draft.drug.ingredient == DEXAMETHASONE else t.methylprednisolone_max_child
    if is_child(facts, t) and facts.weight is not None and mg > by_kg * facts.weight.kg:
        return TooMuch(draft, mg, by_kg, facts.weight.kg)
    return None
