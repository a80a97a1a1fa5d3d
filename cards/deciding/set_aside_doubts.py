"""The records that could not be used and that, read otherwise, would change the cards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from cards.deciding.conditions import BloodCulture, Grade, Hypersensitivity, Infected, Situation, TociDraft
from cards.deciding.decision_table import ORDERS, CardId, Order, rows_for
from fhir_mappings.facts.coverage import SetAside
from fhir_mappings.facts.grade import CrsGrade, GradeRow
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.sought import (
    ALLERGIES,
    BIRTH_DATE,
    BLOOD_CULTURES,
    infections_set_aside,
    oxygen_set_aside,
    pressures_set_aside,
    scores_set_aside,
    set_aside_since,
    temperatures_set_aside,
    weights_set_aside,
)
from fhir_mappings.facts.thresholds import Thresholds

_BY_AGE = frozenset(
    {
        Order.TOCILIZUMAB,
        Order.TOCILIZUMAB_FOR_LONG_FEVER,
        Order.CORRECTED_DRAFT,
        Order.STEROID,
        Order.STEROID_WHERE_NO_BETTER,
        Order.ICANS_STEROID,
    }
)


def deciding_set_aside(facts: PatientFacts, s: Situation, t: Thresholds) -> tuple[SetAside, ...]:
    """Those set aside in the windows that the cards ask about, each once; laboratory results and drugs are weighed with
    their verdicts."""
    return tuple(dict.fromkeys((*_of_signs(facts, s, t), *_of_infection(facts, s, t), *_of_orders(facts, s, t))))


def _of_signs(facts: PatientFacts, s: Situation, t: Thresholds) -> Iterator[SetAside]:
    grade = facts.grade
    if facts.icans.grade is None or facts.icans.minimum:
        yield from scores_set_aside(facts, t)
    if grade is None or s.grade is Grade.G0:
        return
    if grade.grade is None:
        yield from temperatures_set_aside(facts, t)
    yield from _that_may_lead(grade.pressure, grade, pressures_set_aside(facts, t), highest=2)
    yield from _that_may_lead(grade.oxygen, grade, oxygen_set_aside(facts, t), highest=4)


def _that_may_lead(
    row: GradeRow, grade: CrsGrade, set_aside: Iterable[SetAside], *, highest: int
) -> Iterator[SetAside]:
    """Yield those that may make the grade.

    A reading ahead of the clock leaves no hole in its row, but if it is of now it may raise the grade up to `highest`.
    """
    if _may_lead(row, grade):
        yield from set_aside
    elif max(grade.pressure.value, grade.oxygen.value) < highest:
        yield from (one for one in set_aside if one.is_ahead)


def _may_lead(row: GradeRow, grade: CrsGrade) -> bool:
    """Tell whether a row is not known and may be the one that makes the grade: the lesser one changes nothing."""
    return not row.exact and row.most >= max(grade.pressure.value, grade.oxygen.value)


def _of_infection(facts: PatientFacts, s: Situation, t: Thresholds) -> Iterator[SetAside]:
    if _changes(s, replace(s, culture=BloodCulture.POSITIVE)):
        yield from set_aside_since(facts, BLOOD_CULTURES, facts.as_of - t.blood_culture_age)
    if _changes(s, replace(s, infected=Infected.YES)):
        yield from infections_set_aside(facts, t)


def _of_orders(facts: PatientFacts, s: Situation, t: Thresholds) -> Iterator[SetAside]:
    """The birth date, weights and allergies on which an order, or the check of a drafted one, depends."""
    orders = {order for card in _cards(s) for order in ORDERS.get(card, ())}
    offered = Order.TOCILIZUMAB in orders
    if (orders & _BY_AGE or s.toci_draft is TociDraft.YES) and facts.age is None:
        yield from BIRTH_DATE.of(facts.set_aside)
    if (offered or s.toci_draft is TociDraft.YES) and facts.weight is None:
        yield from weights_set_aside(facts, t)
    if offered or _changes(s, replace(s, hypersensitivity=Hypersensitivity.KNOWN)):
        yield from ALLERGIES.of(facts.set_aside)


def _changes(s: Situation, *others: Situation) -> bool:
    return any(_cards(other) != _cards(s) for other in others)


def _cards(s: Situation) -> frozenset[CardId]:
    return frozenset(_given(s))


def _given(s: Situation) -> Iterable[CardId]:
    return (card for rule in rows_for(s) for card, _ in rule.gives)
