"""Corticosteroids: what was given is seen and said, and one regimen is asked for (clinical specification §2.2b, §3.2).

`infuse` is an infusion by its rate. "ordered" is an active order; "offer" the corticosteroid that the answer suggests.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from cards.choose import Advice
from cards.deciding.card import Card
from cards.deciding.when_to_show import Showing
from tests.support.orders import steroid_order
from tests.support.tables import answered, name_of, patient, rows

TWO_DOSES = "T 39 @-30h; SBP 118 @-4h; SpO2 97 @-4h; device RA @-4h; toci 560 @-20h; toci 560 @-3h"
LOW = "T 39 @D3 20:00; il6 10 @D0 08:00; il6 20 @D4 07:00"
DEXA_12, DEXA_6 = "Dexamethasone 10 mg IV every 12 h", "Dexamethasone 10 mg IV every 6 h"
METHYL_12, METHYL_24 = "Methylprednisolone 500 mg IV every 12 h", "Methylprednisolone 1,000 mg IV once a day"
LABELS = {"D12": DEXA_12, "D6": DEXA_6, "M12": METHYL_12, "M24": METHYL_24, "–": ""}


def asked(row: dict[str, str], birth_date: str = "1980-01-01") -> Advice:
    chart = row["chart"].replace("TWO DOSES", TWO_DOSES).replace("LOW", LOW)
    weight = "" if "weight" in chart else "; weight 70 @-9h"
    ordered = [steroid_order(row["ordered"])] if row.get("ordered") else []
    drafted = [steroid_order(row["drafted"], "draft", "draft")] if row.get("drafted") else []
    found = [*patient(f"{chart}{weight}", birth_date=birth_date), *ordered]
    return answered(found, drafts=drafted, showing=Showing.ORDERS if drafted else Showing.STATE)


def words_of(card: Card) -> str:
    return f"{card.summary} {card.detail}"


def offer_of(found: Advice) -> str:
    labels = [s.label for card in found.cards for s in card.suggestions if s.order_key == "corticosteroid"]
    assert len(labels) < 2, "one order of all systemic corticosteroids"
    return labels[0] if labels else ""


REGIMENS = rows("""
| chart                                                                | offer | because                                                              |
| LOW; grade 2                                                         | D12   | a small IL-6 rise                                                    |
| T 39 @-30h; toci 560 @-20h; toci 560 @-9h; grade 2                   | D12   | after two doses of tocilizumab                                       |
| TWO DOSES; grade 2                                                   | D12   | progress to grade 2                                                  |
| grade 3                                                              | D6    | grade 3                                                              |
| TWO DOSES; grade 3                                                   | D6    | progress to grade 3, no dexamethasone before                         |
| TWO DOSES; give dexamethasone 10 @-8h; grade 3                       | M12   | progress to grade 3 although dexamethasone was given                 |
| TWO DOSES; give dexamethasone 4 @-26h; give dexamethasone 6 @-8h; grade 3 | M12 | doses are added up                                                |
| TWO DOSES; give dexamethasone 10 @-40h; grade 3                      | D6    | given before the first fever: not counted                            |
| TWO DOSES; give dexamethasone 8 @-8h; grade 3                        | D6    | too little to count                                                  |
| grade 4                                                              | M12   | grade 4                                                              |
| grade 0; ice 5 @-1h                                                  | D12   | ICANS 2                                                              |
| grade 0; ice 1 @-1h                                                  | D6    | ICANS 3                                                              |
| grade 0; coded G92.04 @-1h                                           | M24   | ICANS 4                                                              |
| LOW; grade 2; ice 1 @-1h                                             | D6    | the strongest that any card asks for: ICANS 3 beside grade 2         |
| grade 3; coded G92.04 @-1h                                           | M24   | ICANS 4 beside grade 3                                               |
| grade 4; ice 5 @-1h                                                  | M12   | grade 4 beside ICANS 2                                               |
""")  # fmt: skip


@pytest.mark.parametrize("row", REGIMENS, ids=name_of)
def test_the_regimen_that_is_asked_for(row: dict[str, str]) -> None:
    assert offer_of(asked(row)) == LABELS[row["offer"]]


GIVEN = rows("""
| chart                                                                            | offer | says                                                                                  | because                                                    |
| grade 4; infuse methylprednisolone 40 mg/h @-3h                                  | –     | methylprednisolone 40 mg/h infusing since 09:00                                       | 960 mg a day: it is the regimen of grade 4                 |
| grade 4; infuse methylprednisolone 20 mg/h @-3h                                  | M12   | Not counted as this regimen: methylprednisolone 20 mg/h infusing since 09:00          | 240 mg in 12 h                                             |
| grade 4; infuse methylprednisolone 1000 mg/(24.h) @-3h                           | –     | methylprednisolone 41.67 mg/h infusing since 09:00                                    | stated for a day                                           |
| grade 4; infuse methylprednisolone 0.5 mg/kg/h @-3h                              | –     | methylprednisolone 0.5 mg/kg/h infusing since 09:00                                   | stated by weight                                           |
| grade 4; infuse methylprednisolone 50 mg/h for 5 h @-7h                          | –     | methylprednisolone 50 mg/h infused until 10:00, next due 22:00                        | ended: what it gave, 250 mg                                |
| grade 4; infuse methylprednisolone 50 mg/h for 4 h @-7h                          | M12   | Not counted as this regimen: methylprednisolone 50 mg/h infused until 09:00           | ended: 200 mg                                              |
| grade 4; infuse methylprednisolone 40 mg/h @-3h; rate methylprednisolone 0 @-1h  | M12   | Not counted as this regimen: methylprednisolone 40 mg/h infused until 11:00           | stopped                                                    |
| grade 4; give methylprednisolone 250 @-3h                                        | –     | methylprednisolone 250 mg given 09:00, next due 21:00                                 | 250 mg                                                     |
| grade 4; give methylprednisolone 125 @-5h; give methylprednisolone 125 @-3h      | –     | methylprednisolone 125 mg given 07:00 and methylprednisolone 125 mg given 09:00, next due 19:00 | added up                                         |
| grade 4; give methylprednisolone 249 @-3h                                        | M12   | Not counted as this regimen: methylprednisolone 249 mg given 09:00                    | less                                                       |
| grade 4; give methylprednisolone 4 mg/kg @-3h                                    | –     | methylprednisolone 4 mg/kg given 09:00, next due 21:00                                | 280 mg for 70 kg                                           |
| grade 4; give dexamethasone 20 @-3h                                              | M12   | Methylprednisolone takes the place of dexamethasone: stop dexamethasone.              | dexamethasone is no regimen of grade 4                     |
| grade 0; coded G92.04 @-1h; give methylprednisolone 1000 @-20h                   | –     | methylprednisolone 1,000 mg given 5 Mar 16:00, next due 16:00                          | once a day: it counts for 24 h                             |
| grade 3; give dexamethasone 10 @-3h                                              | –     | dexamethasone 10 mg given 09:00, next due 15:00                                       | the next is not due                                        |
| grade 3; give dexamethasone 10 @-6h                                              | D6    | dexamethasone 10 mg given 06:00, due since 12:00                                      | the next is due, and nothing is ordered                    |
| grade 3; give dexamethasone 10 @-7h; give dexamethasone 2 @-1h                   | D6    | due since 11:00                                                                       | a small dose puts nothing off                              |
| grade 3; infuse hydrocortisone 22.1 mg/h @-3h                                    | –     | hydrocortisone 22.1 mg/h infusing since 09:00                                         | 265 mg in 12 h                                             |
| grade 3; infuse hydrocortisone 22 mg/h @-3h                                      | D6    | Not counted as this regimen: hydrocortisone 22 mg/h infusing since 09:00              | 264 mg                                                     |
| grade 3; give dexamethasone 8 @-20h                                              | D6    | Not counted as this regimen: dexamethasone 8 mg given 5 Mar 16:00                     | named for 24 h                                             |
""")  # fmt: skip


@pytest.mark.parametrize("row", GIVEN, ids=name_of)
def test_what_was_given_is_seen_and_said(row: dict[str, str]) -> None:
    found = asked(row)
    assert offer_of(found) == LABELS[row["offer"]]
    assert row["says"].lower() in words_of(found.cards[0]).lower()


def test_severe_crs_does_not_ask_for_corticosteroids_now_where_one_was_given() -> None:
    found = asked({"chart": "grade 3; give dexamethasone 10 @-3h", "drafted": "dexamethasone 10 every 6 @-1m"})
    card = next(card for card in found.cards if card.id == "severe-crs")
    assert "now; dexamethasone 10 mg given 09:00, next due 15:00" in card.summary
    assert "corticosteroids now" not in words_of(card)
    assert card.detail.index("given 09:00") < card.detail.index("A systemic corticosteroid is drafted.")


ORDERED = rows("""
| chart                               | ordered                         | offer | says                                           | because                                            |
| grade 3                             | dexamethasone 10 every 6 @-1h   | –     | A corticosteroid is ordered 6 Mar 11:00        | ordered, and not charted                           |
| grade 3; give dexamethasone 10 @-7h | dexamethasone 10 every 6 @-8h   | –     | dexamethasone 10 mg given 05:00, due since 11:00 | ordered and charted: it runs, the next dose is due |
| grade 3; give dexamethasone 10 @-7h | dexamethasone 10 every 6 ×1 @-8h | D6   | due since 11:00                                | one dose was ordered, and is over                  |
| grade 3; give dexamethasone 10 @-7h | dexamethasone 10 every 6 ×4 @-30h | D6  | due since 11:00                                | four doses of 6 h ended 6 h ago                    |
| grade 3; give dexamethasone 10 @-7h | dexamethasone 10 every 6 ×5 @-30h | D6  | due since 11:00                                | its end is now                                     |
| grade 3; give dexamethasone 10 @-7h | dexamethasone 10 every 6 ×6 @-30h | –   | A corticosteroid is ordered 5 Mar 06:00        | a sixth dose is still to come                      |
| grade 3                             | dexamethasone 4 every 6 @-1h    | D6    | Not counted as this regimen: dexamethasone ordered or drafted | less than the regimen               |
| grade 3; give prednisone 65 @-20h   | prednisone 65 every 24 @-44h    | –     | prednisone 65 mg given 5 Mar 16:00             | ordered once a day: it counts for 24 h             |
""")  # fmt: skip


@pytest.mark.parametrize("row", ORDERED, ids=name_of)
def test_an_order_counts_until_it_ends(row: dict[str, str]) -> None:
    found = asked(row)
    assert offer_of(found) == LABELS[row["offer"]]
    assert row["says"].lower() in words_of(found.cards[0]).lower()


CHILDREN = rows("""
| chart                                                              | running | because                                        |
| weight 24 @-9h; give methylprednisolone 48 @-2h                    | yes     | 2 mg/kg                                        |
| weight 24 @-9h; give methylprednisolone 24 @-2h                    | yes     | 1 mg/kg                                        |
| weight 24 @-9h; give methylprednisolone 23.9 @-2h                  | no      | less                                           |
| weight 24 @-9h; give methylprednisolone 1 mg/kg @-2h               | yes     | stated by weight                               |
| weight 24 @-9h; give dexamethasone 6 @-2h                          | yes     | 0.25 mg/kg                                     |
| weight 24 @-9h; give dexamethasone 5.9 @-2h                        | no      | less                                           |
| weight 24 @-9h; give prednisolone 31.2 @-2h                        | yes     | the equivalent of 1 mg/kg                      |
| weight 24 @D0 08:00; weight 240 @-9h; give methylprednisolone 48 @-2h | no   | no usable weight: as an adult                  |
| weight 24 @D0 08:00; weight 240 @-9h; give methylprednisolone 50 @-2h | yes  | the amount of an adult                         |
""")  # fmt: skip


@pytest.mark.parametrize("row", CHILDREN, ids=name_of)
@pytest.mark.parametrize("grade", ["grade 3", "grade 4"])
def test_below_adult_age_a_corticosteroid_counts_by_weight_at_every_grade(row: dict[str, str], grade: str) -> None:
    found = asked({"chart": f"{grade}; {row['chart']}"}, birth_date="2019-01-10")
    assert ("next due" in words_of(found.cards[0])) is (row["running"] == "yes")
    assert offer_of(found) == ""


ENDS = rows("""
| chart                      | count | hours | because                     |
| LOW; grade 2               | 2     | 12    | every 12 h: two doses       |
| grade 3                    | 4     | 6     | every 6 h: four doses       |
| grade 4                    | 6     | 12    | 500 mg: six doses           |
| grade 0; coded G92.04 @-1h | 3     | 24    | 1,000 mg a day: three doses |
""")


@pytest.mark.parametrize("row", ENDS, ids=name_of)
def test_every_suggested_corticosteroid_ends(row: dict[str, str]) -> None:
    offers = (s for card in asked(row).cards for s in card.suggestions if s.order_key == "corticosteroid")
    instruction = next(offers).resource["dosageInstruction"][0]
    repeat = instruction["timing"]["repeat"]
    assert (repeat["count"], repeat["period"]) == (int(row["count"]), int(row["hours"]))
    assert "then reassess" in instruction["text"]
    assert timedelta(hours=repeat["count"] * repeat["period"]) <= timedelta(days=3)
