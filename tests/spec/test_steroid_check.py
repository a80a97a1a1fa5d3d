"""The check of a drafted corticosteroid: a second one, or more than the most for one dose (clinical specification §2.2).

"–" stands for no `steroid-check`. The draft is `dexamethasone 10 every 6 @-1m`, selected on order-select.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from cards.choose import Advice
from cards.deciding.card import Card
from cards.deciding.decision_table import CardId
from cards.deciding.dismissed import Dismissed, held_back
from cards.deciding.when_to_show import Planned, Showing
from example_patients.stories.chart import Resource
from tests.support.orders import steroid_order
from tests.support.tables import NOW, answered, name_of, patient, rows


def asked(row: dict[str, str]) -> Advice:
    birth_date = row.get("born") or "1980-01-01"
    chart = row["chart"] if "weight" in row["chart"] else f"{row['chart']}; weight 70 @-9h"
    ordered = [steroid_order(row["ordered"])] if row.get("ordered") else []
    texts = [text.strip() for text in row["drafted"].split("+")]
    drafts = [steroid_order(text, f"draft-{n}", "draft") for n, text in enumerate(texts)]
    if row.get("replaces"):
        drafts[0]["priorPrescription"] = {"reference": "MedicationRequest/steroid"}
    return answered([*patient(chart, birth_date=birth_date), *ordered], drafts=drafts, showing=Showing.ORDERS)


def check_of(found: Advice) -> Card | None:
    return next((card for card in found.cards if card.id is CardId.STEROID_CHECK), None)


def check(row: dict[str, str]) -> None:
    card = check_of(asked(row))
    assert (card.summary if card is not None else "–") == row["says"]


SECONDS = rows("""
| chart                                            | ordered                       | drafted                         | says                                                                                          | because                                                   |
| grade 3                                          |                               | dexamethasone 10 every 6 @-1m   | –                                                                                             | the first one                                             |
| grade 3; give dexamethasone 10 @-3h              |                               | dexamethasone 10 every 6 @-1m   | Dexamethasone 10 mg given 09:00, next due 15:00: the drafted dexamethasone is a second         | given 3 h ago, every 6 h                                  |
| grade 3; give dexamethasone 10 @-6h              |                               | dexamethasone 10 every 6 @-1m   | –                                                                                             | the next is due                                           |
| grade 3; give dexamethasone 10 @-6h              |                               | dexamethasone 10 every 12 @-1m  | Dexamethasone 10 mg given 06:00, next due 18:00: the drafted dexamethasone is a second         | by the draft's own interval it is not                     |
| grade 3; give methylprednisolone 60 @-3h         |                               | dexamethasone 10 every 6 @-1m   | Methylprednisolone 60 mg given 09:00, next due 15:00: the drafted dexamethasone is a second    | another drug for the same need                            |
| grade 3; give dexamethasone 9 @-3h               |                               | dexamethasone 10 every 6 @-1m   | –                                                                                             | too little to count as running                            |
| grade 3; give dexamethasone 10 @-3h              |                               | dexamethasone 9 every 6 @-1m    | –                                                                                             | the draft is too little                                   |
| grade 3; infuse methylprednisolone 40 mg/h @-3h  |                               | dexamethasone 10 every 6 @-1m   | Methylprednisolone 40 mg/h infusing since 09:00: the drafted dexamethasone is a second         | it infuses                                                |
| grade 3                                          | dexamethasone 10 every 6 @-1h | dexamethasone 10 every 6 @-1m   | Dexamethasone is ordered 6 Mar 11:00: the drafted dexamethasone is a second                    | it is ordered and active                                  |
| grade 3                                          | dexamethasone 10 every 6 ×4 @-24h | dexamethasone 10 every 6 @-1m | –                                                                                             | the order has ended                                       |
| grade 3                                          |                               | dexamethasone 10 every 6 @-1m + methylprednisolone 60 every 12 @-1m | Dexamethasone is drafted too: the drafted methylprednisolone is a second | two drafts                                                |
| grade 4; give dexamethasone 10 @-3h              |                               | methylprednisolone 500 every 12 @-1m | –                                                                                        | methylprednisolone is asked for: dexamethasone is stopped |
| grade 4; give dexamethasone 10 @-3h              |                               | dexamethasone 10 every 6 @-1m   | Dexamethasone 10 mg given 09:00, next due 15:00: the drafted dexamethasone is a second         | it is not asked for, and was given                        |
| grade 4; give methylprednisolone 500 @-3h        |                               | methylprednisolone 500 every 12 @-1m | Methylprednisolone 500 mg given 09:00, next due 21:00: the drafted methylprednisolone is a second | given 3 h ago                                         |
| grade 0; give dexamethasone 10 @-3h              |                               | dexamethasone 10 every 6 @-1m   | Dexamethasone 10 mg given 09:00, next due 15:00: the drafted dexamethasone is a second         | no card asks for one: it is said all the same             |
""")  # fmt: skip


@pytest.mark.parametrize("row", SECONDS, ids=name_of)
def test_a_second_corticosteroid_is_said(row: dict[str, str]) -> None:
    check(row)


def test_a_draft_that_replaces_the_active_order_is_no_second() -> None:
    row = {"chart": "grade 3", "ordered": "dexamethasone 10 every 6 @-1h", "drafted": "dexamethasone 10 every 6 @-1m"}
    assert check_of(asked(row)) is not None
    assert check_of(asked({**row, "replaces": "yes"})) is None


BOUNDS = rows("""
| born       | chart                 | drafted                              | says                                                                                                  | because                         |
|            | grade 3               | dexamethasone 20 every 6 @-1m        | –                                                                                                     | 20 mg                           |
|            | grade 3               | dexamethasone 21 every 6 @-1m        | Dexamethasone 21 mg drafted: more than 20 mg, the most for one dose                                   | more                            |
|            | grade 4               | methylprednisolone 1000 every 12 @-1m | –                                                                                                    | 1,000 mg                        |
|            | grade 4               | methylprednisolone 1001 every 12 @-1m | Methylprednisolone 1001 mg drafted: more than 1000 mg, the most for one dose                         | more                            |
| 2019-01-10 | grade 3; weight 20 @-9h | dexamethasone 12 every 6 @-1m      | –                                                                                                     | 0.6 mg/kg                       |
| 2019-01-10 | grade 3; weight 20 @-9h | dexamethasone 13 every 6 @-1m      | Dexamethasone 13 mg drafted: more than 0.6 mg/kg at 20 kg, the most for one dose (unconfirmed)        | more                            |
| 2019-01-10 | grade 4; weight 20 @-9h | methylprednisolone 600 every 24 @-1m | –                                                                                                   | 30 mg/kg                        |
| 2019-01-10 | grade 4; weight 20 @-9h | methylprednisolone 601 every 24 @-1m | Methylprednisolone 601 mg drafted: more than 30 mg/kg at 20 kg, the most for one dose (unconfirmed) | more                            |
| 2019-01-10 | grade 3; weight 20 @D0 08:00; weight 200 @-9h | dexamethasone 13 every 6 @-1m | –                                                                                    | no usable weight: not by weight |
""")  # fmt: skip


@pytest.mark.parametrize("row", BOUNDS, ids=name_of)
def test_a_dose_out_of_bounds_is_said(row: dict[str, str]) -> None:
    check(row)


ACCEPTED = rows("""
| chart                                                                                              | because                                  |
| grade 3                                                                                            | nothing given                            |
| grade 3; give dexamethasone 10 @-6h                                                                | due now                                  |
| grade 3; give dexamethasone 10 @-7h; give dexamethasone 2 @-1h                                     | due, with a small dose since             |
| grade 4; give dexamethasone 20 @-1h                                                                | methylprednisolone in its place          |
| grade 4; give methylprednisolone 200 @-1h                                                          | less than the regimen                    |
| grade 4; infuse methylprednisolone 10 mg/h @-1h                                                    | an infusion of less                      |
| grade 4; give prednisone 65 @-1h                                                                   | prednisone was given                     |
| grade 0; coded G92.04 @-1h; give methylprednisolone 500 @-20h                                      | ICANS 4: 500 mg 20 h ago is the regimen  |
| T 39 @D3 20:00; il6 10 @D0 08:00; il6 20 @D4 07:00; grade 2; give dexamethasone 4 @-1h             | a small IL-6 rise, less was given        |
| T 39 @-30h; toci 560 @-20h; toci 560 @-9h; grade 2; give prednisone 20 @-1h                        | after two doses of tocilizumab           |
""")  # fmt: skip


@pytest.mark.parametrize("row", ACCEPTED, ids=name_of)
def test_no_suggestion_of_ours_raises_the_check(row: dict[str, str]) -> None:
    """All that an answer suggests is accepted, and the call is made again."""
    found = patient(f"{row['chart']}; weight 70 @-9h")
    offered = [s.resource for card in answered(found).cards for s in card.suggestions]
    drafts: list[Resource] = [{"id": f"accepted-{n}", **resource} for n, resource in enumerate(offered)]
    again = answered(found, drafts=drafts, showing=Showing.ORDERS)
    assert check_of(again) is None
    assert not any(s.order_key == "corticosteroid" for card in again.cards for s in card.suggestions)


def test_the_check_is_never_held_back() -> None:
    found = asked({"chart": "grade 3; give dexamethasone 10 @-3h", "drafted": "dexamethasone 10 every 6 @-1m"})
    card = check_of(found)
    assert card is not None
    dismissed = Dismissed(card.id, card.indicator, found.state, NOW)
    assert held_back((Planned(card.id, card.indicator, ()),), (dismissed,), found.state) == ()
    other = replace(dismissed, card=CardId.INFECTION_SURVEILLANCE)
    assert held_back((Planned(other.card, card.indicator, ()),), (other,), found.state) == (other,)
