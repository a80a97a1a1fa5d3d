"""The part of a regimen that is running, ordered or drafted already, and the time at which its next dose is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cards.deciding.drafts import drafted
from cards.deciding.steroids.amounts import DEXAMETHASONE, METHYLPREDNISOLONE, Running, is_enough, running
from cards.deciding.steroids.regimen import Regimen, prescription
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import DraftOrder, DrugClass, PendingOrder


@dataclass(frozen=True)
class SteroidState:
    """`due` is the time of the next dose of what is running; None of an infusion. `ordered` is an active order that is
    enough, charted or not."""

    running: Running | None
    due: datetime | None
    is_due: bool
    ordered: PendingOrder | None
    drafted: bool

    @property
    def in_hand(self) -> bool:
        return self.drafted or self.done

    @property
    def done(self) -> bool:
        """True if the regimen is ordered, or its next dose is not due yet."""
        return self.ordered is not None or (self.running is not None and not self.is_due)


def steroid_state(facts: PatientFacts, drafts: tuple[DraftOrder, ...], regimen: Regimen, t: Thresholds) -> SteroidState:
    every = prescription(regimen, t).every
    strong = regimen.is_methylprednisolone
    found = running(facts, t, methylprednisolone=strong, every=every)
    due = None if found is None or found.infusing else found.reached + every
    ours = drafted(drafts, DrugClass.STEROID)
    return SteroidState(
        running=found,
        due=due,
        is_due=due is not None and facts.as_of >= due,
        ordered=active_order(facts, ours, t, methylprednisolone=strong),
        drafted=any(_counts(draft, facts, t, methylprednisolone=strong) for draft in ours),
    )


def active_order(
    facts: PatientFacts, ours: tuple[DraftOrder, ...], t: Thresholds, *, methylprednisolone: bool
) -> PendingOrder | None:
    """The active order that counts as the regimen and that no draft replaces."""
    replaced = {d.replaces for d in ours} | {d.reference for d in ours}
    return next(
        (
            order
            for order in facts.steroid_orders
            if order.reference not in replaced
            and _is_current(order, facts, t)
            and _counts(order, facts, t, methylprednisolone=methylprednisolone)
        ),
        None,
    )


def _is_current(order: PendingOrder, facts: PatientFacts, t: Thresholds) -> bool:
    """Tell whether an active order is still meant: it is recent, or repeats and was given in the last day.

    One that was never closed, a premedication of weeks ago, answers nothing now; nor does one dose that is charted.
    """
    if not order.charted:
        return order.authored is None or facts.as_of - order.authored <= t.steroid_order_age
    drug = order.drug.ingredient if order.drug is not None else ""
    given = any(one.ingredient == drug and facts.as_of - one.ended <= t.steroid_named for one in facts.steroids)
    return order.every is not None and given


def _counts(order: DraftOrder | PendingOrder, facts: PatientFacts, t: Thresholds, *, methylprednisolone: bool) -> bool:
    """Tell whether an order or draft counts as the regimen; one of its drugs without a stated dose counts."""
    if order.drug is None:
        return False
    if not order.dose.is_stated and order.steroid_mg is None:
        names = (METHYLPREDNISOLONE,) if methylprednisolone else (DEXAMETHASONE, METHYLPREDNISOLONE)
        return order.drug.ingredient in names
    return is_enough(order, facts, t, methylprednisolone=methylprednisolone)
