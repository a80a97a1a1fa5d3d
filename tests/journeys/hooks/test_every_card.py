"""Every card of the catalogue, from a patient who gets it, with its words in place."""

from __future__ import annotations

from typing import Any

import pytest

from cards.deciding.decision_table import CardId
from cards.deciding.when_to_show import DRAFT_CHECKS
from tests.support.by_prefetch import asked
from tests.support.desk import Desk, card, card_ids, whole_prefetch
from tests.support.tables import NOW, moment_of, name_of, patient, rows

CASES = rows("""
| card                   | says                                     | chart                                                                                  | because                       |
| severe-crs             | tocilizumab 560 mg IV and dexamethasone 10 mg IV every 6 h now | T 39 @-1h; SBP 118 @-1h; device HFNC @-1h; weight 70 @-9h                              | high-flow oxygen              |
| severe-crs             | every 6 h now; tocilizumab not before    | T 39 @-1h; SBP 118 @-1h; device HFNC @-1h; toci 560 @-3h                            | a dose three hours ago        |
| steroid-after-2-toci   | persists 9 h after the second dose       | T 39 @-30h; toci 560 @-20h; toci 560 @-9h; T 38.5 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h | two doses          |
| toci-recommended       | above the study's limit (4)              | T 39 @D3 06:00; il6 10 @D0 08:00; il6 50 @D4 07:00; T 39 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h | a high rise |
| steroid-early-low-il6  | below the study's limit (4)              | T 39 @D3 06:00; il6 10 @D0 08:00; il6 20 @D4 07:00; T 39 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h; weight 70 @-9h | a small rise |
| toci-guideline         | no sample since the infusion             | il6 10 @D0 08:00; T 39 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h                 | no rise known                 |
| infection-surveillance | not the paper's definition of a rise   | crp 10 @D0 08:00; crp 11 @D3 07:00; toci 560 @D3 12:00; crp 60 @D4 07:00; T 36.8 @-1h; SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h | CRP rose after the dose |
| crs-possible-masked    | would be grade 2                         | give paracetamol 1000 @-5h; T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h     | an antipyretic may hide fever |
| crs-grade-unknown      | missing temperature of the last 24 h     | SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h                                             | no temperature                |
| reassess-window        | then a second dose                       | T 39 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h; toci 560 @-3h                    | three hours after dose 1      |
| reassess-window        | then corticosteroids                     | T 39 @-30h; SBP 84 @-4h; SpO2 97 @-4h; device RA @-4h; toci 560 @-20h; toci 560 @-3h; T 39 @-1h; SBP 84 @-1h | three hours after dose 2 |
| grade1-supportive      | measure now                              | T 39 @-1h                                                                              | nothing else charted          |
| data-quality           | a nasal cannula has no flow charted      | T 39 @-1h; SBP 118 @-1h; device NC @-1h                                                | a cannula without flow        |
| icans-steroid          | Dexamethasone 10 mg IV, again after 12 h | ice 5 @-1h; T 36.8 @-1h; SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h                    | ICANS grade 2                 |
| infection-first        | treat sepsis first                       | T 39 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h; culture Escherichia coli @-30h   | E. coli in blood              |
| other-cause-first      | not CRS                                  | T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h                                 | hypotension without fever     |
| crs-grade              | Day                                    | T 36.8 @-1h; SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h                                | always                        |
""")


def words(answer: Any, card_id: str) -> str:
    found = card(answer, card_id)
    return f"{found['summary']} {found['detail']}"


@pytest.mark.parametrize("row", CASES, ids=lambda row: f"{row['card']}: {row['because']}")
def test_a_card_and_its_words(row: dict[str, str]) -> None:
    answer = asked(patient(row["chart"], infused="car-t" not in row["chart"]), [], "patient-view")
    assert row["card"] in card_ids(answer)
    text = words(answer, row["card"])
    assert row["says"] in text
    assert "{" not in text
    assert "None" not in text


def test_the_table_above_and_the_draft_checks_cover_the_catalogue() -> None:
    checked = {c.value for c in DRAFT_CHECKS}
    assert {row["card"] for row in CASES} | checked == {card_id.value for card_id in CardId}
    assert name_of(CASES[0])


def test_severe_crs_after_day_30_has_words_and_no_orders() -> None:
    chart = patient("T 39 @D35 11:00; SBP 118 @D35 11:00; device HFNC @D35 11:00; weight 70 @D35 08:00")
    body = {
        "hook": "patient-view", "hookInstance": "8c2e5c4e-4f7e-4a53-9df1-2f3c6a5a1b10",
        "context": {"patientId": "p", "userId": "Practitioner/1"}, "prefetch": whole_prefetch(chart),
    }  # fmt: skip
    answer = Desk(now=moment_of("D35 12:00")).post(body)
    assert card_ids(answer) == ("severe-crs", "crs-grade")
    assert "outside the study window, look for infection first" in card(answer, "severe-crs")["summary"]
    assert "suggestions" not in card(answer, "severe-crs")
    assert moment_of("D35 12:00") > NOW
