"""The other blockers of IL-6 and IL-1 are named wherever tocilizumab is given or barred (clinical specification §2.1)."""

from __future__ import annotations

import pytest

from cards.choose import Advice
from cards.deciding.decision_table import CardId
from cards.deciding.when_to_show import Showing
from cards.pages.explanation import explanation
from example_patients.stories.stories import drafted_tocilizumab
from tests.support.tables import NOW, T, answered, facts_of, name_of, patient, rows

HIGH = "T 39 @D3 20:00; il6 10 @D0 08:00; il6 50 @D4 07:00; grade 2"
ANAKINRA = "give anakinra 100 SC @-22h; give anakinra 100 SC @-16h; give anakinra 100 SC @-10h"

NAMED = rows("""
| chart                                         | says                                                       | because                                            |
| ANAKINRA                                      | anakinra 100 mg SC, 3 doses, last 02:00                    | anakinra, once, with its last dose                 |
| give anakinra 100 IV @-10h                    | anakinra 100 mg IV, 02:00                                  | one dose                                           |
| toci 560 @D0 09:00                            | tocilizumab 560 mg IV, 2 Mar 09:00                         | a dose before the infusion, to prevent CRS         |
| give tocilizumab 162 SC @-10h                 | tocilizumab 162 mg SC, 02:00                               | subcutaneous: no dose for CRS                      |
| give siltuximab 770 IV @D-20 09:00            | siltuximab 770 mg IV, 10 Feb 09:00                         | siltuximab 20 days before                          |
| give sarilumab 200 SC @D-30 11:00             | sarilumab 200 mg SC, 31 Jan 11:00                          | sarilumab less than 30 days before                 |
| give sarilumab 200 SC @D-30 09:00             | –                                                          | more                                               |
| ANAKINRA; give siltuximab 770 IV @-20h        | siltuximab 770 mg IV, 5 Mar 16:00                          | each of two drugs                                  |
| toci 560 @-30h                                | –                                                          | a dose for CRS is none of them                     |
""")  # fmt: skip


def asked(chart: str, drafted: int = 0) -> Advice:
    drafts = [drafted_tocilizumab("p", drafted, NOW)] if drafted else []
    found = patient(f"{HIGH}; {chart}; weight 70 @-9h".replace("ANAKINRA", ANAKINRA))
    return answered(found, drafts=drafts, showing=Showing.ORDERS if drafts else Showing.STATE)


@pytest.mark.parametrize("row", NAMED, ids=name_of)
def test_a_blocker_is_named_once_with_route_amount_and_last_time(row: dict[str, str]) -> None:
    found = asked(row["chart"])
    details = [card.detail for card in found.cards if card.id in (CardId.TOCI_RECOMMENDED, CardId.TOCI_GUIDELINE)]
    state = next(card.detail for card in found.cards if card.id is CardId.CRS_GRADE)
    page = explanation(facts_of(patient(row["chart"].replace("ANAKINRA", ANAKINRA))), found, T, "hash")
    for text in (*details, state, " ".join(page.split())):
        assert row["says"] in text if row["says"] != "–" else "ther IL-6 and IL-1 blockers" not in text
    assert details


CARDS = rows("""
| card                   | chart                                                                  | drafted | because                        |
| severe-crs             | T 39 @-1h; SBP 118 @-1h; device HFNC @-30m                             |         | severe CRS                     |
| grade1-supportive      | T 38.5 @-80h; T 38.5 @-60h; T 38.5 @-40h; T 38.5 @-20h; SBP 118 @-30m   |         | fever that lasts               |
| toci-interval          | toci 560 @-3h                                                          | 560     | too soon                       |
| toci-dose-check        | weight 70 @-8h                                                         | 300     | off the dose by weight         |
| infection-first        | culture Escherichia coli @-20h                                         |         | no card suggests tocilizumab   |
| reassess-window        | toci 560 @-3h                                                          |         | no dose before the interval    |
""")  # fmt: skip


@pytest.mark.parametrize("row", CARDS, ids=name_of)
def test_every_card_that_gives_or_bars_tocilizumab_names_them(row: dict[str, str]) -> None:
    signs = "grade 1" if row["card"] == "grade1-supportive" else HIGH
    drafts = [drafted_tocilizumab("p", int(row["drafted"]), NOW)] if row["drafted"] else []
    found = answered(
        patient(f"{signs}; {ANAKINRA}; {row['chart']}; weight 70 @-9h"),
        drafts=drafts,
        showing=Showing.ORDERS if drafts else Showing.STATE,
    )
    card = next(card for card in found.cards if card.id == row["card"])
    assert "Also given: anakinra 100 mg SC, 3 doses, last 02:00." in card.detail


def test_prophylactic_tocilizumab_counts_for_infection_surveillance() -> None:
    found = answered(patient("crp 10 @D0 08:00; crp 30 @-5h; toci 560 @D-1 11:00; grade 0; weight 70 @-9h"))
    assert CardId.INFECTION_SURVEILLANCE in {card.id for card in found.cards}
