"""What a card preceded, and what was ordered after it: the clocks of one small course.

The patient has grade 2 from the fourth day at 06:00 to the fifth at 22:00; `toci-guideline` comes with it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cds_server.evaluation.protocol import Moments, Protocol
from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.rows.moments import EventKind, MomentKind
from tests.support.evaluations import evaluated, export
from tests.support.fhir_wire import Resource
from tests.support.tables import moment_of, name_of, patient, rows

ILL = range(4, 6)
ROUNDS = ("06:00", "14:00", "22:00")


WHOLE = tuple(range(1, 10))


def signs(day: int, clock: str, support: str) -> str:
    temperature, pressure, device = (39, 84, support) if day in ILL else (36.8, 118, "RA")
    at = f"@D{day} {clock}"
    return f"T {temperature} {at}; SBP {pressure} {at}; SpO2 97 {at}; device {device} {at}"


def course(more: str = "", *, days: tuple[int, ...] = WHOLE, support: str = "RA") -> list[Resource]:
    charted = "; ".join(signs(day, clock, support) for day in days for clock in ROUNDS)
    return patient("; ".join(filter(None, (charted, "weight 70 @D0 08:00; il6 10 @D0 08:00", more))))


def order(number: int, at: str, drug: str = "tocilizumab", **more: Any) -> Resource:
    return {
        "resourceType": "MedicationRequest", "id": f"o{number}", "status": "completed", "intent": "order",
        "subject": {"reference": "Patient/p"}, "authoredOn": moment_of(at).isoformat(),
        "medicationCodeableConcept": {"text": drug}, **more,
    }  # fmt: skip


def evaluation(tmp_path: Path, resources: list[Resource], protocol: Protocol | None = None) -> Evaluation:
    return evaluated(export(tmp_path / "export", resources), tmp_path / "work", protocol=protocol or Protocol())


DOSES = rows("""
| ordered  | named | at       | by order | standing | because                                              |
| D5 11:00 | no    | D5 11:00 | yes      | no       | the order of the drug an hour before                 |
| D5 06:00 | no    | D5 06:00 | yes      | no       | six hours before                                     |
| D5 05:59 | no    | D5 12:00 | no       | no       | another order of long before is none of this dose    |
| D5 05:59 | yes   | D5 12:00 | no       | yes      | a standing order: the dose counts from its start     |
| D5 12:30 | no    | D5 12:00 | no       | no       | an order after the dose is not its own               |
""")


@pytest.mark.parametrize("row", DOSES, ids=name_of)
def test_a_dose_counts_from_its_order_of_the_six_hours_before(row: dict[str, str], tmp_path: Path) -> None:
    resources = course("toci 560 @D5 12:00")
    (dose,) = [r for r in resources if "effectivePeriod" in r and "car-t" not in str(r) and "medicationReference" in r]
    if row["named"] == "yes":
        dose["request"] = {"reference": "MedicationRequest/o1"}
    (event,) = evaluation(tmp_path, [*resources, order(1, row["ordered"])]).events
    assert event.at == moment_of(row["at"])
    assert (event.by_order, event.standing_order) == (row["by order"] == "yes", row["standing"] == "yes")


PRECEDED = rows("""
| dose     | preceded         | lead  | would have spoken | because                                                 |
| D4 06:00 | only-at-or-after |       |                   | the card came with the fever, at the moment of the dose |
| D4 06:01 | preceded         | 0.01  |                   | a minute after the card                                 |
| D5 06:00 | preceded         | 24.00 |                   | from the first showing of the episode                   |
| D6 20:00 | preceded         | 62.00 |                   | the last showing was within 24 h, the first before it   |
| D8 20:00 | never            |       | False             | nothing was shown in the 24 h before, nor would be      |
| D3 05:59 | never            |       | False             | more than a day before the card                         |
""")


@pytest.mark.parametrize("row", PRECEDED, ids=name_of)
def test_a_card_precedes_a_dose_from_a_minute_to_a_day_before(row: dict[str, str], tmp_path: Path) -> None:
    (event,) = evaluation(tmp_path, course(f"toci 560 @{row['dose']}")).events
    assert (event.preceded.value, str(event.lead_hours or "")) == (row["preceded"], row["lead"])
    assert str("" if event.would_have_spoken is None else event.would_have_spoken) == row["would have spoken"]


def test_a_rule_that_would_have_spoken_had_the_chart_been_opened_is_found_hour_by_hour(tmp_path: Path) -> None:
    """Nobody opened the chart, and no change of grade made a call: the card was never shown."""
    nobody = Protocol(moments=Moments(chart_opened=(), results=False, grade_changes=False, orders=False))
    (event,) = evaluation(tmp_path, course("toci 560 @D5 12:00"), nobody).events
    assert (event.preceded.value, event.lead_hours, event.would_have_spoken) == ("never", None, True)


def test_a_card_on_an_order_is_no_card_before_it(tmp_path: Path) -> None:
    """The card of an order of a day before the dose is counted apart, and no lead begins with it."""
    on_orders = Protocol(moments=Moments(chart_opened=(), results=False, grade_changes=False))
    resources = [*course("toci 560 @D5 20:00"), order(1, "D4 20:00"), order(2, "D5 19:00")]
    (event,) = evaluation(tmp_path, resources, on_orders).events
    assert (event.preceded.value, event.on_the_order, event.first_card_at) == ("never", True, None)


def test_a_lead_begins_with_the_first_card_that_was_no_answer_to_an_order(tmp_path: Path) -> None:
    """The card came on an order at half past six, and at eight when the chart was opened."""
    opened = Protocol(moments=Moments(results=False, grade_changes=False))
    (event,) = evaluation(tmp_path, [*course("toci 560 @D5 12:00"), order(1, "D4 06:30")], opened).events
    assert (event.first_card_at, str(event.lead_hours)) == (moment_of("D4 08:00"), "28.00")


@pytest.mark.parametrize(
    ("moments", "ordered", "in_hand"),
    [
        (Moments(), "D5 11:00", False),
        (Moments(chart_opened=(), results=False, grade_changes=False), "D5 11:00", True),
        (Moments(), "D4 05:00", True),
    ],
    ids=["the card came a day before", "the card came with the order that was signed", "the order was there before"],
)
def test_an_order_that_was_in_hand_answers_no_card(
    moments: Moments, ordered: str, *, in_hand: bool, tmp_path: Path
) -> None:
    found = evaluation(tmp_path, [*course(), order(1, ordered)], Protocol(moments=moments))
    first = next(e for e in found.episodes if e.card == "toci-guideline")
    assert first.in_hand is in_hand


ORDERS = rows("""
| first                    | second                   | calls | because                                       |
| D5 11:00 tocilizumab     | D5 11:40 tocilizumab     | 1     | of one drug within an hour: one order         |
| D5 11:00 tocilizumab     | D5 12:30 tocilizumab     | 2     | later: another one                            |
| D5 11:00 tocilizumab     | D5 11:00 dexamethasone   | 1     | signed together: one call                     |
| D5 11:00 tocilizumab     | D5 11:30 dexamethasone   | 2     | half an hour later: another call              |
""")


def calls_of(found: Evaluation) -> list[Any]:
    return [one.at for one in found.moments if one.kind is MomentKind.ORDER]


@pytest.mark.parametrize("row", ORDERS, ids=name_of)
def test_an_order_makes_one_call_a_second_before(row: dict[str, str], tmp_path: Path) -> None:
    orders = [order(n, row[name][:8], row[name][9:]) for n, name in enumerate(("first", "second"))]
    calls = calls_of(evaluation(tmp_path, [*course(), *orders]))
    assert len(calls) == int(row["calls"])
    assert (moment_of("D5 11:00") - calls[0]).total_seconds() == 1


@pytest.mark.parametrize(
    ("more", "calls"),
    [({}, 1), ({"intent": "original-order"}, 1), ({"intent": "filler-order"}, 0), ({"intent": "plan"}, 0),
     ({"status": "draft"}, 0), ({"doNotPerform": True}, 0)],
)  # fmt: skip
def test_what_is_filled_or_planned_is_no_order(more: dict[str, Any], calls: int, tmp_path: Path) -> None:
    found = evaluation(tmp_path, [*course(), order(1, "D5 11:00", **more)])
    assert len(calls_of(found)) == calls


def test_a_chart_opened_every_hour_is_opened_on_days_with_signs_alone(tmp_path: Path) -> None:
    """A day between two signs that lie less than 48 h apart keeps its moments; it stands in no denominator."""
    found = evaluation(tmp_path, course(days=(1, 3, 8)), Protocol(moments=Moments(every_hours=1)))
    hourly = [one for one in found.moments if one.kind is MomentKind.HOURLY]
    day0 = moment_of("D0 00:00").date()
    assert sorted({(one.date - day0).days for one in hourly}) == [1, 2, 3, 8]
    assert sorted(one.day for one in found.grade_days if one.at_risk) == [1, 3, 8]


def test_grade_3_is_preceded_by_cards_of_lesser_grades_alone(tmp_path: Path) -> None:
    """`reassess-window` and others at grade 3 itself came too late to have warned of it."""
    found = evaluation(tmp_path, course("device HFNC @D5 14:30; device HFNC @D5 22:00"))
    (event,) = [one for one in found.events if one.event is EventKind.GRADE_3]
    assert (event.preceded.value, event.card, str(event.lead_hours)) == ("preceded", "toci-guideline", "32.50")
    at_once = evaluation(tmp_path / "at-once", course(support="HFNC"))
    (event,) = [one for one in at_once.events if one.event is EventKind.GRADE_3]
    assert (event.preceded.value, event.would_have_spoken) == ("never", False)
