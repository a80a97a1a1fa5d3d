"""The weight that tocilizumab is dosed by: one that cannot be right carries no dose (clinical specification §3.1).

The cards are those of grade 2 with a high IL-6 rise. "born" is the patient's birthDate; "dose" the suggested one.
"""

from __future__ import annotations

import pytest

from cards.choose import Advice
from cards.deciding.decision_table import CardId
from cards.deciding.when_to_show import Showing
from example_patients.stories.stories import drafted_tocilizumab
from tests.support.tables import NOW, answered, changed, name_of, patient, rows

HIGH = "T 39 @D3 20:00; il6 10 @D0 08:00; il6 50 @D4 07:00; T 39 @-1h; SBP 72 @-1h; SpO2 97 @-1h; device RA @-1h"

WEIGHTS = rows("""
| born       | weights                                                          | dose | says                                                  | because                                                   |
| 1980-01-01 | weight 70 @-10h                                                  | 560  | –                                                     | one weight of an adult                                    |
| 1980-01-01 | weight 70 @D0 08:00; weight 80.5 @-10h                           | 644  | –                                                     | 15 % more than the one before                             |
| 1980-01-01 | weight 70 @D0 08:00; weight 80.6 @-10h                           | –    | 80.6 kg on 6 Mar, 70 kg on 2 Mar. Weigh again.        | more than 15 %                                            |
| 1980-01-01 | weight 70 @D0 08:00; weight 59.4 @-10h                           | –    | 59.4 kg on 6 Mar, 70 kg on 2 Mar. Weigh again.        | less by more than 15 %                                    |
| 1980-01-01 | weight 80 @D-20 08:00; weight 70 @D0 08:00; weight 81 @-10h      | 648  | –                                                     | a third weight bears the latest out                       |
| 1980-01-01 | weight 70 @D-20 08:00; weight 81 @-10h                           | 648  | –                                                     | the one before is older than 14 days                      |
| 1980-01-01 | weight 71 @D0 08:00; weight 17.1 @-10h                           | –    | 17.1 kg on 6 Mar, 71 kg on 2 Mar. Weigh again.        | a digit lost                                              |
| 1980-01-01 | weight 69 @D-40 08:00; weight 6.9 @-10h                          | –    | 6.9 kg on 6 Mar, 69 kg on 21 Jan. Weigh again.        | a tenth of one of weeks ago                               |
| 1980-01-01 | weight 70 @D-40 08:00; weight 154 @-10h                          | –    | 154 kg on 6 Mar, 70 kg on 21 Jan. Weigh again.        | pounds for kilograms                                      |
| 1980-01-01 | weight 154 @D-40 08:00; weight 70 @D-20 08:00; weight 154 @-10h  | 800  | –                                                     | the earlier 70 kg was the slip                            |
| 1980-01-01 | weight 70 @D-70 08:00; weight 154 @-10h                          | 800  | –                                                     | more than 60 days ago                                     |
| 1980-01-01 | weight 29.9 @-10h                                                | –    | 29.9 kg on 6 Mar, implausible at 46 years. Weigh again. | no adult weighs less than 30 kg                         |
| 1980-01-01 | weight 30 @-10h                                                  | 240  | –                                                     | 30 kg                                                     |
| 1980-01-01 | weight 250 @-10h                                                 | 800  | –                                                     | 250 kg                                                    |
| 1980-01-01 | weight 251 @-10h                                                 | –    | 251 kg on 6 Mar, implausible at 46 years. Weigh again. | nor more than 250 kg                                     |
| 2023-01-15 | weight 12.4 @-10h                                                | 149  | –                                                     | a child of 3                                              |
| 2023-01-15 | weight 12.4 @D0 08:00; weight 124 @-10h                          | –    | 124 kg on 6 Mar, 12.4 kg on 2 Mar. Weigh again.       | ten times too much                                        |
| 2023-01-15 | weight 35 @-10h                                                  | 280  | –                                                     | 2.5 times the median of 14 kg                             |
| 2023-01-15 | weight 35.1 @-10h                                                | –    | 35.1 kg on 6 Mar, implausible at 3 years. Weigh again. | more than that                                           |
| 2023-01-15 | weight 7 @-10h                                                   | 84   | –                                                     | half the median                                           |
| 2023-01-15 | weight 6.9 @-10h                                                 | –    | 6.9 kg on 6 Mar, implausible at 3 years. Weigh again. | less than that                                            |
| 2018-01-01 | weight 25 @D0 08:00; weight 27.5 @-10h                           | 330  | –                                                     | a child of 8, 10 % more                                   |
| 2018-01-01 | weight 25 @D0 08:00; weight 27.6 @-10h                           | –    | 27.6 kg on 6 Mar, 25 kg on 2 Mar. Weigh again.        | more than 10 %                                            |
""")  # fmt: skip


def asked(row: dict[str, str], drafted: str = "") -> Advice:
    found = patient(f"{HIGH}; {row['weights']}", birth_date=row["born"])
    if not drafted:
        return answered(found)
    draft = drafted_tocilizumab("p", int(drafted.removesuffix(" mg/kg")), NOW)
    if "mg/kg" in drafted:
        quantity = {
            "value": int(drafted.split(maxsplit=1)[0]),
            "unit": "mg/kg",
            "system": "http://unitsofmeasure.org",
            "code": "mg/kg",
        }
        dosage = changed(draft["dosageInstruction"][0], doseAndRate=[{"doseQuantity": quantity}])
        draft = changed(draft, dosageInstruction=[dosage])
    return answered(found, drafts=[draft], showing=Showing.ORDERS)


@pytest.mark.parametrize("row", WEIGHTS, ids=name_of)
def test_an_implausible_weight_carries_no_dose(row: dict[str, str]) -> None:
    first = asked(row).cards[0]
    assert first.id is CardId.TOCI_RECOMMENDED
    offered = [str(s.mg) for s in first.suggestions if s.order_key == "tocilizumab"]
    assert offered == ([] if row["dose"] == "–" else [row["dose"]])
    assert row["says"] == "–" or f"No tocilizumab order: {row['says']}" in first.detail


DRAFTS = rows("""
| born       | weights                                  | drafted  | says                                                                                    | because                              |
| 1980-01-01 | weight 71 @D0 08:00; weight 17.1 @-10h   | 568      | Not checked: 17.1 kg on 6 Mar, 71 kg on 2 Mar; weigh again.                              | the right draft is not "corrected"   |
| 2023-01-15 | weight 12.4 @D0 08:00; weight 124 @-10h  | 149      | Not checked: 124 kg on 6 Mar, 12.4 kg on 2 Mar; weigh again.                             | nor is the child's made 800 mg       |
| 2023-01-15 | weight 12.4 @D0 08:00; weight 124 @-10h  | 12 mg/kg | Not checked: 124 kg on 6 Mar, 12.4 kg on 2 Mar; weigh again.                             | a dose by weight is not checked either |
| 2023-01-15 | weight 12.4 @D0 08:00; weight 124 @-10h  | 13 mg/kg | It is more than 12 mg/kg, the most by weight (the label: 12 mg/kg).                      | more than 12 mg/kg needs no weight   |
| 1980-01-01 | weight 71 @D0 08:00; weight 17.1 @-10h   | 900      | 900 mg is more than 800 mg, the most for one dose (the label: 800 mg).                   | nor does more than 800 mg            |
""")  # fmt: skip


@pytest.mark.parametrize("row", DRAFTS, ids=name_of)
def test_a_draft_is_not_corrected_by_an_implausible_weight(row: dict[str, str]) -> None:
    found = asked(row, row["drafted"])
    check = next(card for card in found.cards if card.id is CardId.TOCI_DOSE_CHECK)
    assert row["says"] in check.detail
    assert "Not checked: " in check.detail
    assert not any(s.order_key == "tocilizumab" for card in found.cards for s in card.suggestions)
