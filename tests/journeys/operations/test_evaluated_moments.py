"""The moments of the policy: the calls that an EHR would have made in a course."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from cds_server.evaluation.protocol import Moments, Protocol
from cds_server.evaluation.rows.moments import MomentKind, MomentRow
from example_patients.stories.chart import entries, resources
from tests.support.desk import ZONE
from tests.support.evaluations import evaluated, export
from tests.support.fhir_wire import Resource
from tests.support.tables import name_of, rows

DAY0 = date(2026, 3, 2)
SIGNS = "T {} | SBP 118 | SpO2 97 | device RA"
INFUSION = "D0 10:00  car-t tisagenlecleucel"


def on(day: int, clock: str) -> datetime:
    return datetime.combine(DAY0 + timedelta(days=day), time.fromisoformat(clock), ZONE)


def moments(
    tmp_path: Path, *lines: str, more: tuple[Resource, ...] = (), policy: Moments | None = None
) -> list[MomentRow]:
    """The moments of a patient whose chart has these lines."""
    who = {"resourceType": "Patient", "id": "a", "birthDate": "1980-01-01"}
    made = resources(list(entries("\n".join([INFUSION, *lines]), on)), "a")
    folder = export(tmp_path / "export", [who, *made, *more])
    protocol = replace(Protocol(), moments=policy or Moments())
    return list(evaluated(folder, tmp_path / "work", protocol=protocol).moments)


def clocks(found: list[MomentRow], kind: MomentKind) -> list[str]:
    local = [row.at.astimezone(ZONE) for row in found if row.kind is kind]
    return [f"D{(at.date() - DAY0).days} {at:%H:%M:%S}" for at in local]


WATCHED = rows("""
| signs                        | days    | because                                                     |
| D0 12:00, D1 12:00           | 0 1     | a day with a sign                                           |
| D0 12:00, D1 12:00, D3 11:00 | 0 1 2 3 | 47 h between two signs: the patient was there in between    |
| D0 12:00, D1 12:00, D3 13:00 | 0 1 3   | 49 h: nobody knows                                          |
""")


@pytest.mark.parametrize("row", WATCHED, ids=name_of)
def test_the_chart_is_opened_twice_on_each_day_on_which_the_patient_was_there(
    row: dict[str, str], tmp_path: Path
) -> None:
    found = moments(tmp_path, *(f"{at}  {SIGNS.format(36.8)}" for at in row["signs"].split(", ")))
    wanted = [f"D{day} {clock}:00" for day in row["days"].split() for clock in ("08:00", "20:00")]
    assert clocks(found, MomentKind.CHART) == [at for at in wanted if at != "D0 08:00:00"], (
        "before the infusion is none"
    )


def test_every_hour_stands_in_place_of_the_hours_of_the_chart(tmp_path: Path) -> None:
    found = moments(tmp_path, f"D1 12:00  {SIGNS.format(36.8)}", policy=Moments(every_hours=6))
    wanted = ["D1 04:00:00", "D1 10:00:00", "D1 16:00:00", "D1 22:00:00"]
    assert clocks(found, MomentKind.HOURLY) == wanted, "from the infusion on, on days on which the patient was there"
    assert clocks(found, MomentKind.CHART) == []


RESULTS = rows("""
| result          | moments          | because                                         |
| il6 60          | D3 09:00:00      | two hours after the draw                        |
| crp 90          | D3 09:00:00      | so for CRP                                      |
| il10 40         |                  | a marker that no rule opens the chart for       |
| culture E. coli |                  | nor for a culture                               |
| plt 40          |                  | nor for a count                                 |
""")


@pytest.mark.parametrize("row", RESULTS, ids=name_of)
def test_a_new_il6_or_crp_makes_a_call_when_it_is_known(row: dict[str, str], tmp_path: Path) -> None:
    found = moments(tmp_path, f"D3 06:00  {SIGNS.format(36.8)}", f"D3 07:00  {row['result']}")
    assert clocks(found, MomentKind.RESULT) == ([row["moments"]] if row["moments"] else [])


def test_each_change_of_the_grade_makes_a_call(tmp_path: Path) -> None:
    lines = (f"D3 06:00  {SIGNS.format(36.8)}", f"D3 14:00  {SIGNS.format(39.0)}", f"D3 18:00  {SIGNS.format(39.2)}",
             "D3 22:00  T 39.0 | SBP 118 | SpO2 97 | device HFNC")  # fmt: skip
    found = clocks(moments(tmp_path, *lines), MomentKind.GRADE)
    assert found[:3] == ["D3 06:00:00", "D3 14:00:00", "D3 22:00:00"], "known, fever, high flow; a second fever is none"


def order(number: int, drug: str, at: str, **more: Any) -> Resource:
    return {
        "resourceType": "MedicationRequest", "id": f"order-{number}", "status": "completed", "intent": "order",
        "subject": {"reference": "Patient/a"}, "authoredOn": f"2026-03-06T{at}+08:00",
        "medicationCodeableConcept": {"text": drug},
    } | more  # fmt: skip


ORDERS = rows("""
| orders                                          | calls                     | because                                      |
| tocilizumab 10:00:00                            | D4 09:59:59               | a second before it is signed                 |
| tocilizumab 10:00:00, tocilizumab 10:59:00      | D4 09:59:59               | within an hour it is one                     |
| tocilizumab 10:00:00, tocilizumab 11:01:00      | D4 09:59:59 D4 11:00:59   | later it is another                          |
| tocilizumab 10:00:00, dexamethasone 10:00:50    | D4 09:59:59               | what is signed within a minute is one call   |
| tocilizumab 10:00:00, dexamethasone 10:01:01    | D4 09:59:59 D4 10:01:00   | after it another                             |
| allopurinol 10:00:00                            |                           | no drug of ours                              |
""")


@pytest.mark.parametrize("row", ORDERS, ids=name_of)
def test_each_order_of_a_drug_of_ours_makes_a_call_before_it(row: dict[str, str], tmp_path: Path) -> None:
    made = tuple(order(n, *one.split()) for n, one in enumerate(row["orders"].split(", ")))
    found = clocks(moments(tmp_path, f"D4 06:00  {SIGNS.format(39.0)}", more=made), MomentKind.ORDER)
    assert " ".join(found) == row["calls"]


@pytest.mark.parametrize(
    "more", [{"intent": "proposal"}, {"intent": "plan"}, {"status": "draft"}, {"status": "entered-in-error"}, {"doNotPerform": True}],
    ids=str,
)  # fmt: skip
def test_what_was_never_ordered_makes_no_call(more: dict[str, Any], tmp_path: Path) -> None:
    made = (order(0, "tocilizumab", "10:00:00", **more),)
    assert clocks(moments(tmp_path, f"D4 06:00  {SIGNS.format(39.0)}", more=made), MomentKind.ORDER) == []


POLICY = rows("""
| off           | kind    | because                     |
| results       | RESULT  | no call for results         |
| grade_changes | GRADE   | none for changes of grade   |
| orders        | ORDER   | none for orders             |
""")


@pytest.mark.parametrize("row", POLICY, ids=name_of)
def test_the_protocol_can_leave_out_a_kind_of_call(row: dict[str, str], tmp_path: Path) -> None:
    lines = (f"D4 06:00  {SIGNS.format(36.8)}", f"D4 08:30  {SIGNS.format(39.0)}", "D4 07:00  il6 60")
    made = (order(0, "tocilizumab", "10:00:00"),)
    kind = MomentKind[row["kind"]]
    assert clocks(moments(tmp_path / "on", *lines, more=made), kind)
    off = replace(Moments(), **{row["off"]: False})
    assert clocks(moments(tmp_path / "off", *lines, more=made, policy=off), kind) == []
