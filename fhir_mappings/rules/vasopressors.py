"""The vasopressors that run at one moment.

ASTCT counts concurrent vasopressors and does not count vasopressin among "multiple". Overlap is tested at the moment
itself: two drugs given one after the other are one pressor. Only a record lowers the row, never the clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fhir_mappings.facts.row_parts import PressorRunning
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import Administration, Delivery, Drug, DrugClass, PendingOrder, Route, of_class


@dataclass(frozen=True)
class PressorState:
    """The state of one drug at a moment. `carry` is how long a charted rate of it counts as running."""

    running: PressorRunning
    last_charted: datetime
    open_since: datetime | None
    reference: str
    carry: timedelta
    without_rate: bool = False  # what says that it runs may as well be a push


def pressor_infusions(given: Iterable[Administration], t: Thresholds) -> tuple[Administration, ...]:
    """Administrations that are continuous intravenous infusions of a vasopressor, or say that one stopped."""
    return tuple(a for a in _into_a_vein(given) if a.delivery is not Delivery.PUSH and not _is_amount_alone(a, t))


def pressor_pushes(given: Iterable[Administration], t: Thresholds) -> tuple[Administration, ...]:
    """Vasopressors pushed into a vein, by their words or as a small amount alone: they are no infusion."""
    return tuple(a for a in _into_a_vein(given) if a.delivery is Delivery.PUSH or _is_amount_alone(a, t))


def _into_a_vein(given: Iterable[Administration]) -> Iterable[Administration]:
    for a in of_class(given, DrugClass.VASOPRESSOR, DrugClass.VASOPRESSIN):
        if a.route in (Route.INTRAVENOUS, Route.NOT_STATED) and a.delivery is not Delivery.ELSEWHERE:
            yield a


def _is_bare(a: Administration) -> bool:
    """Tell whether neither a rate, a period, `in-progress` nor words say that it runs."""
    return a.rate is None and a.is_event and a.status != "in-progress" and a.delivery is not Delivery.INFUSION


def _is_amount_alone(a: Administration, t: Thresholds) -> bool:
    """Tell whether all that is charted is an amount too small for a bag, or any of a drug that is also pushed."""
    small = a.drug.traits.also_pushed or (a.dose_mg is not None and a.dose_mg < t.push_below)
    return _is_bare(a) and a.has_amount and small


def _stops(a: Administration) -> bool:
    if a.rate is not None:
        return a.rate <= 0 or a.status == "stopped"
    # an event that is `completed` with a rate or an amount is the drug being given, not its end
    if a.has_amount and a.status == "completed":
        return False
    return a.end is None and not a.open_ended and a.status in ("stopped", "completed")


def pressor_state(events: Sequence[Administration], at: datetime, t: Thresholds) -> PressorState | None:
    """The state of one drug at `at`, from all its records; None if it had not begun."""
    # at the same moment a stop is read before a start, because a new bag replaces the old one
    begun = sorted((e for e in events if e.start.earliest <= at), key=lambda e: (e.start.earliest, not _stops(e)))
    if not begun:
        return None
    last = begun[-1]
    charted = max(_charted(e, at) for e in begun)
    carry = carry_of(last, t)
    stop = max((e.start.earliest for e in begun[1:] if _stops(e)), default=None)
    # a period that is open in the record is running whatever another record says; an event ends with a later stop
    still_open = [
        e
        for e in begun
        if e.open_ended and not _stops(e) and (not e.is_event or stop is None or stop <= e.start.earliest)
    ]
    if still_open:
        first = min(e.start.earliest for e in still_open)
        return PressorState(PressorRunning.ACTIVE, charted, first, still_open[-1].reference, carry)
    if any(e.end is not None and e.start.earliest <= at < e.end for e in begun):
        return PressorState(PressorRunning.ACTIVE, charted, None, last.reference, carry)
    if last.status == "on-hold" and at - charted <= t.stale_limit:
        return PressorState(PressorRunning.HELD, charted, None, last.reference, carry)
    if last.status in ("on-hold", "stopped") or last.end is not None:
        return PressorState(PressorRunning.NO, charted, None, last.reference, carry)
    if _stops(last) and (len(begun) > 1 or last.rate is not None):
        return PressorState(PressorRunning.NO, charted, None, last.reference, carry)
    age = at - last.start.earliest
    running = (
        PressorRunning.ACTIVE if age <= carry else PressorRunning.STALE if age <= t.stale_limit else PressorRunning.NO
    )
    without_rate = all(_is_bare(e) for e in begun if last.start.earliest - e.start.earliest <= carry)
    return PressorState(running, charted, None, last.reference, carry, without_rate)


def carry_of(a: Administration, t: Thresholds) -> timedelta:
    """The time for which a charted rate of this drug counts as running: its own, else that of all vasopressors."""
    return a.drug.traits.carry or t.pressor_carry


def _charted(e: Administration, at: datetime) -> datetime:
    return e.end if e.end is not None and e.end <= at else e.start.earliest


Pressors = dict[str, tuple[DrugClass, PressorState]]
"""Ingredient → class and state of those running, stale or on hold."""


def running_pressors(infusions: Sequence[Administration], at: datetime, t: Thresholds) -> Pressors:
    by_drug: dict[str, list[Administration]] = {}
    for a in infusions:
        by_drug.setdefault(a.drug.ingredient, []).append(a)
    found: Pressors = {}
    for ingredient, events in sorted(by_drug.items()):
        state = pressor_state(events, at, t)
        if state is not None and state.running is not PressorRunning.NO:
            found[ingredient] = (events[0].drug.drug_class, state)
    return found


def most_together(stale: Pressors) -> int:
    """The most vasopressors, vasopressin apart, that were last charted so close together that they ran at one time.

    They count together when all are stale, because the clock alone must not lower grade 4.
    """
    states = sorted((s for c, s in stale.values() if c is DrugClass.VASOPRESSOR), key=lambda s: s.last_charted)
    return max(
        (sum(s.last_charted <= one.last_charted + one.carry for s in states[n:]) for n, one in enumerate(states)),
        default=0,
    )


def new_pressor_orders(pending: Iterable[PendingOrder], at: datetime, t: Thresholds) -> frozenset[Drug]:
    """The vasopressors for a vein whose recent order no administration answers yet.

    An active order without a readable time counts as one of today.
    """
    found = [
        order.drug
        for order in pending
        if order.drug is not None
        and order.drug.drug_class in (DrugClass.VASOPRESSOR, DrugClass.VASOPRESSIN)
        and order.route in (Route.INTRAVENOUS, Route.NOT_STATED)
        and (order.authored is None or at - order.authored <= t.pressor_order_age)
    ]
    return frozenset(found)
