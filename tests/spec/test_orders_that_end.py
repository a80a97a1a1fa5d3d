"""An active order whose own time has passed counts no more: nobody closed it, and it answers nothing now.

The call is on 6 March at 12:00 in Shanghai. Every chart has a CRP above the limit and a dose of tocilizumab, so that
cultures are suggested unless they are ordered.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from cards.deciding.decision_table import CardId
from tests.support.tables import answered, facts_of, name_of, patient, rows

CHART = "T 39 @D3 20:00; crp 10 @D0 08:00; crp 60 @D3 20:00; toci 560 @-20h; grade 1; weight 70 @-10h"
SUBJECT = {"reference": "Patient/p"}

CULTURES = rows("""
| field              | value                                                                       | counts | because                                  |
| –                  | –                                                                           | yes    | no time is stated                        |
| occurrenceDateTime | "2026-03-06T14:00:00+08:00"                                                 | yes    | planned in two hours                     |
| occurrenceDateTime | "2026-03-06T12:00:00+08:00"                                                 | no     | planned for now                          |
| occurrenceDateTime | "2026-03-06T06:00:00+08:00"                                                 | no     | planned six hours ago                    |
| occurrenceDateTime | "2026-03-06"                                                                | yes    | today lasts until midnight               |
| occurrenceDateTime | "2026-03-05"                                                                | no     | yesterday                                |
| occurrenceDateTime | "soon"                                                                      | yes    | a time that cannot be read ends nothing  |
| occurrencePeriod   | {"start": "2026-03-04T12:00:00+08:00", "end": "2026-03-07T12:00:00+08:00"}  | yes    | until tomorrow                           |
| occurrencePeriod   | {"start": "2026-03-04T12:00:00+08:00", "end": "2026-03-06T09:00:00+08:00"}  | no     | until nine                               |
| occurrencePeriod   | {"start": "2026-03-04T12:00:00+08:00"}                                      | yes    | without an end                           |
| occurrencePeriod   | "for three days"                                                            | yes    | not a period                             |
| occurrenceTiming   | {"event": ["2026-03-05T06:00:00+08:00", "2026-03-06T06:00:00+08:00"]}       | no     | the last of its times was at six         |
| occurrenceTiming   | {"event": ["2026-03-05T06:00:00+08:00", "2026-03-07T06:00:00+08:00"]}       | yes    | once more tomorrow                       |
| occurrenceTiming   | {"event": ["2026-03-05T06:00:00+08:00", "later"]}                           | yes    | one of its times cannot be read          |
| occurrenceTiming   | {"repeat": {"count": 3, "frequency": 1, "period": 12, "periodUnit": "h"}}   | no     | three times from the evening of 4 March  |
| occurrenceTiming   | {"repeat": {"count": 4, "frequency": 1, "period": 12, "periodUnit": "h"}}   | yes    | the fourth is still due                  |
| occurrenceTiming   | {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}                | yes    | every day, without an end                |
| occurrenceTiming   | {"repeat": {"boundsPeriod": {"end": "2026-03-05T12:00:00+08:00"}}}          | no     | bounds that ended yesterday              |
""")


def ordered(resource_type: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": resource_type, "id": "o", "status": "active", "intent": "order", "subject": SUBJECT,
        "authoredOn": "2026-03-04T20:00:00+08:00", **more,
    }  # fmt: skip


@pytest.mark.parametrize("row", CULTURES, ids=name_of)
def test_a_culture_counts_as_ordered_until_its_own_time_has_passed(row: dict[str, str]) -> None:
    when = {row["field"]: json.loads(row["value"])} if row["field"] != "–" else {}
    code = {"coding": [{"system": "http://loinc.org", "code": "600-7"}]}
    cards = answered([*patient(CHART), ordered("ServiceRequest", code=code, **when)]).cards
    card = next(card for card in cards if card.id is CardId.INFECTION_SURVEILLANCE)
    suggested = any(s.order_key == "service:blood-culture" for s in card.suggestions)
    assert (suggested, "Blood culture: ordered." in card.detail) == (row["counts"] == "no", row["counts"] == "yes")


DRUGS = rows("""
| timing                                                                                                    | counts | because                               |
| {"repeat": {"frequency": 1, "period": 8, "periodUnit": "h"}}                                              | yes    | without an end                        |
| {"repeat": {"count": 6, "frequency": 1, "period": 8, "periodUnit": "h"}}                                  | yes    | six doses from the evening of 4 March |
| {"repeat": {"count": 4, "frequency": 1, "period": 8, "periodUnit": "h"}}                                  | no     | four doses: over at four in the morning |
| {"repeat": {"boundsPeriod": {"end": "2026-03-06T10:00:00+08:00"}}}                                        | no     | bounds that ended at ten              |
| {"repeat": {"boundsDuration": {"value": 1, "code": "d"}, "frequency": 1, "period": 8, "periodUnit": "h"}} | no     | for one day                           |
| {"repeat": {"boundsDuration": {"value": 5, "code": "d"}, "frequency": 1, "period": 8, "periodUnit": "h"}} | yes    | for five days                         |
| {"event": ["2026-03-05T06:00:00+08:00"]}                                                                  | no     | once, yesterday                       |
""")


@pytest.mark.parametrize("row", DRUGS, ids=name_of)
def test_an_anti_infective_counts_as_ordered_until_its_own_end(row: dict[str, str]) -> None:
    order = ordered(
        "MedicationRequest",
        medicationCodeableConcept={"text": "meropenem"},
        dosageInstruction=[{"timing": json.loads(row["timing"])}],
    )
    found = facts_of([*patient("grade 1"), order]).infection.anti_infectives
    assert [one.name for one in found] == (["meropenem"] if row["counts"] == "yes" else [])
