"""Questions of the bedside about treatment: what was given, what a dose rests on, what comes next.

Each line is a question. "says" stands somewhere in the answer, "never" nowhere in it; "orders" are those it suggests.
"""

from __future__ import annotations

import pytest

from cards.choose import Advice
from cards.deciding.when_to_show import Showing
from example_patients.stories.stories import drafted_tocilizumab
from tests.support.orders import steroid_order
from tests.support.tables import NOW, answered, name_of, patient, rows, shown_cards

HIGH = "T 39 @D3 06:00; il6 10 @D0 08:00; il6 50 @D3 07:00"

QUESTIONS = rows("""
| chart                                                                                                                | drafted | steroid | born | cards | orders | says | never | because |
| T 39 @-40h; toci 640 @-30h; toci 640 @-20h; infuse methylprednisolone 40 mg/h @-3h; grade 4; weight 80 @-9h          |         |         |      | severe-crs (c), crs-grade | tocilizumab | methylprednisolone 40 mg/h infusing since 09:00 | corticosteroids now | 40 mg/h is the regimen of grade 4 |
| T 39 @-8h; toci 560 @-4h; give dexamethasone 10 @-3h; grade 3; weight 70 @-9h                                        |         | dexamethasone 10 every 6 @-1m | | severe-crs (c), steroid-check (w), crs-grade | – | dexamethasone 10 mg given 09:00, next due 15:00 | corticosteroids now | one more is drafted |
| HIGH; grade 2; weight 71 @D0 08:00; weight 17.1 @-7h                                                                 |         |         |      | toci-recommended (w), crs-grade | – | 17.1 kg on 6 Mar, 71 kg on 2 Mar. Weigh again. | 205 mg | a digit was lost |
| HIGH; grade 2; weight 71 @D0 08:00; weight 17.1 @-7h                                                                 | 568     |         |      | toci-recommended (w), toci-dose-check (w), crs-grade | – | Not checked: 17.1 kg on 6 Mar, 71 kg on 2 Mar; weigh again. | 205 mg | the right draft stays |
| HIGH; T 39 @-1h; SBP 70 @-1h; SpO2 97 @-1h; device RA @-1h; weight 12.4 @D0 08:00; weight 124 @-7h                   | 149     |         | 2023-01-15 | toci-recommended (w), toci-dose-check (w), crs-grade | – | Not checked: 124 kg on 6 Mar, 12.4 kg on 2 Mar; weigh again. | by weight it is 800 mg | a child of "124 kg" |
| grade 4; give methylprednisolone 48 @-2h; weight 24 @-9h                                                             |         |         | 2019-01-10 | severe-crs (c), crs-grade | tocilizumab | methylprednisolone 48 mg given 10:00 | corticosteroids now | 2 mg/kg of a child are running |
| HIGH; SBP 84 @D3 10:00; SpO2 97 @D3 10:00; device RA @D3 10:00; toci 560 @-25h; grade 2; weight 70 @-9h              |         |         |      | toci-recommended (w), crs-grade | tocilizumab, corticosteroid | No better 24 h after the first dose: dexamethasone beside, as at grade 3 (ASCO). | – | 25 h after dose 1 and no better |
| T 39 @-30h; toci 560 @-22h; T 39 @-10h; SBP 118 @-10h; device NC @-10h; flow 2 @-10h; toci 560 @-9h; grade 1         |         |         |      | reassess-window, crs-grade | – | better since dose 2, reassess at 7 Mar 03:00 | consider corticosteroids | 9 h after dose 2 and better |
| toci 560 @D0 09:00; grade 2; weight 70 @-9h                                                                          |         |         |      | toci-guideline (w), crs-grade | tocilizumab | Also given: tocilizumab 560 mg IV, 2 Mar 09:00. | – | tocilizumab before the infusion |
| grade 1; coded G92.04 @-1h; weight 70 @-9h                                                                           |         |         |      | icans-steroid (c), grade1-supportive, crs-grade | corticosteroid | methylprednisolone 1,000 mg IV once a day | every 6 h | ICANS 4 |
""")  # fmt: skip


def asked(row: dict[str, str]) -> Advice:
    drafts = [drafted_tocilizumab("p", int(row["drafted"]), NOW)] if row["drafted"] else []
    drafts += [steroid_order(row["steroid"], "draft", "draft")] if row["steroid"] else []
    found = patient(row["chart"].replace("HIGH", HIGH), birth_date=row["born"] or "1980-01-01")
    return answered(found, drafts=drafts, showing=Showing.ORDERS if drafts else Showing.STATE)


@pytest.mark.parametrize("row", QUESTIONS, ids=name_of)
def test_a_question_about_treatment(row: dict[str, str]) -> None:
    found = asked(row)
    words = "\n".join(f"{card.summary}\n{card.detail}" for card in found.cards)
    assert shown_cards(found) == row["cards"]
    assert ", ".join(s.order_key for c in found.cards for s in c.suggestions) == row["orders"].replace("–", "")
    assert row["says"] in words
    assert row["never"] == "–" or row["never"] not in words
