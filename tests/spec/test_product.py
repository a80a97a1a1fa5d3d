"""What is said of the patient's product beside the card of the grade, without an order (clinical specification §2.2c).

The first rows hold at grade 1 before the first dose; a late first fever and fever with the infusion at every grade.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from cards.choose import advice
from cards.deciding.card import Card
from cards.deciding.decision_table import CardId
from cards.deciding.protocol import PACKAGE_PROTOCOL, ProductLine, ProductSituation
from cards.deciding.when_to_show import Call, Showing
from fhir_mappings.facts.thresholds import Status
from tests.support.tables import NO_MODES, TERMS, T, answered, facts_of, name_of, patient, rows

EARLY = "tocilizumab at once when CRS begins within 72 h (unconfirmed)"
LASTING = "grade 1 not better after 24 h: tocilizumab (unconfirmed)"
CONSIDER = "consider tocilizumab, with or without dexamethasone 10 mg a day (unconfirmed)"
LATE = "No new CRS was seen after day 14 in 475 such patients; infection first."
REACTION = "Infusion reaction or allergy first (unconfirmed)."
SAID = {"early": EARLY, "lasting": LASTING, "consider": CONSIDER, "late": LATE, "reaction": REACTION}


def card_of(chart: str) -> Card:
    found = answered(patient(f"{chart}; weight 70 @-10h", infused=False))
    return found.cards[0]


def said_on(card: Card) -> str:
    return ", ".join(name for name, text in SAID.items() if text in card.detail) or "–"


LINES = rows("""
| chart                                                                                        | card              | says            | because                                                   |
| car-t brexucabtagene autoleucel @D1 13:00; T 38.5 @-23h; grade 1                             | grade1-supportive | early           | brexu-cel, fever 48 h after the infusion                  |
| car-t axicabtagene ciloleucel @D1 13:00; T 38.5 @-23h; grade 1                               | grade1-supportive | early           | axi-cel                                                   |
| car-t brexucabtagene autoleucel @D1 11:01; grade 1                                           | grade1-supportive | early           | a minute less than 72 h after the infusion                |
| car-t brexucabtagene autoleucel @D1 11:00; grade 1                                           | grade1-supportive | –               | exactly 72 h after it                                     |
| car-t brexucabtagene autoleucel @D0; T 38.5 @D3 23:59; grade 1                               | grade1-supportive | early           | may be less than 72 h: the infusion is known by date only |
| car-t brexucabtagene autoleucel @D0; T 38.5 @D4 00:00; grade 1                               | grade1-supportive | –               | 72 h after the end of that date                           |
| car-t brexucabtagene autoleucel @D-5 10:00; T 38.5 @-130h; T 36.8 @-50h; grade 1             | grade1-supportive | –               | a new fever on day 9, an hour old                         |
| car-t brexucabtagene autoleucel @D2 10:00; T 38.5 @-40h; T 36.8 @-30h; grade 1               | grade1-supportive | early           | a new fever, also within 72 h of the infusion             |
| car-t brexucabtagene autoleucel @D-1 10:00; T 38.5 @-24h; T 38.5 @-10h; grade 1              | grade1-supportive | lasting         | fever of grade 1 for exactly 24 h, however late           |
| car-t brexucabtagene autoleucel @D-1 10:00; T 38.5 @-1439m; T 38.5 @-10h; grade 1            | grade1-supportive | –               | a minute less                                             |
| car-t brexucabtagene autoleucel @D1 13:00; T 38.5 @-25h; T 38.5 @-10h; grade 1               | grade1-supportive | early, lasting  | both                                                      |
| car-t tisagenlecleucel @D2 10:00; grade 1                                                    | grade1-supportive | –               | another product                                           |
| car-t tisagenlecleucel @D0 10:00; car-t brexucabtagene autoleucel @D2 10:00; grade 1         | grade1-supportive | early           | after the second of two infusions                         |
| car-t brexucabtagene autoleucel @D2 10:00; T 39 @-20h; toci 560 @-9h; grade 1                | grade1-supportive | –               | a dose was given                                          |
| car-t axicabtagene ciloleucel @D2 10:00; grade 2                                             | toci-guideline    | –               | grade 2                                                   |
| car-t tisagenlecleucel @D-12 10:00; grade 1                                                  | grade1-supportive | late            | first fever on day 16                                     |
| car-t tisagenlecleucel @D-12 10:00; grade 2                                                  | toci-guideline    | late            | at every grade                                            |
| car-t tisagenlecleucel @D-12 10:00; grade 3                                                  | severe-crs        | late            | at grade 3 too                                            |
| car-t tisagenlecleucel @D-10 10:00; grade 1                                                  | grade1-supportive | –               | first fever on day 14                                     |
| car-t brexucabtagene autoleucel @D-12 10:00; grade 1                                         | grade1-supportive | –               | a product that the cohort did not hold                    |
| car-t tisagenlecleucel @D-12 10:00; T 39 @D-8 10:00; grade 1                                 | grade1-supportive | –               | the first fever was early                                 |
| car-t tisagenlecleucel @D4 05:00; grade 1                                                    | grade1-supportive | reaction        | fever 6 h after the start of the infusion                 |
| car-t tisagenlecleucel @D4 05:00; grade 2                                                    | toci-guideline    | reaction        | at every grade                                            |
| car-t tisagenlecleucel @D4 04:59; grade 1                                                    | grade1-supportive | –               | a minute more than 6 h                                    |
""")  # fmt: skip


@pytest.mark.parametrize("row", LINES, ids=name_of)
def test_the_rows_of_the_product_stand_beside_the_card_of_the_grade(row: dict[str, str]) -> None:
    card = card_of(row["chart"])
    assert card.id == row["card"]
    assert said_on(card) == row["says"]


def test_a_late_first_fever_stands_in_the_second_line() -> None:
    card = card_of("car-t tisagenlecleucel @D-12 10:00; grade 2")
    assert card.detail.split("\n\n")[1].startswith(LATE)


def test_a_row_that_names_tocilizumab_says_that_hypersensitivity_is_on_record() -> None:
    allergy = {
        "resourceType": "AllergyIntolerance", "id": "a", "patient": {"reference": "Patient/p"},
        "clinicalStatus": {"coding": [{"code": "active"}]}, "code": {"text": "Tocilizumab"},
    }  # fmt: skip
    chart = patient("car-t brexucabtagene autoleucel @D1 13:00; T 38.5 @-23h; grade 1", infused=False)
    card = answered([*chart, allergy]).cards[0]
    assert f"{EARLY}. Hypersensitivity to tocilizumab is on record." in card.detail


def test_a_site_replaces_the_rows_of_a_product() -> None:
    own = ProductLine(
        "brexucabtagene autoleucel", ProductSituation.EARLY_ONSET, "call the CAR-T consultant", "label",
        date(2026, 3, 1), Status.VERIFIED,
    )  # fmt: skip
    protocol = replace(PACKAGE_PROTOCOL, lines=(own,), third_line=("anakinra 100 mg every 6 h",))
    chart = patient("car-t brexucabtagene autoleucel @D1 13:00; T 38.5 @-23h; grade 1", infused=False)
    found = advice(facts_of(chart), Call(Showing.STATE, "p"), TERMS, T, NO_MODES, protocol=protocol)
    assert "Brexucabtagene autoleucel: call the CAR-T consultant." in found.cards[0].detail
    assert EARLY not in found.cards[0].detail


def test_the_third_line_is_named_where_tocilizumab_is_used_up() -> None:
    protocol = replace(PACKAGE_PROTOCOL, third_line=("anakinra 100 mg every 6 h", "siltuximab 11 mg/kg"))
    doses = "; ".join(f"toci 560 @-{hours}h" for hours in (80, 60, 40, 20))
    chart = patient(f"T 39 @-90h; {doses}; grade 3; weight 70 @-10h")
    found = advice(facts_of(chart), Call(Showing.STATE, "p"), TERMS, T, NO_MODES, protocol=protocol)
    severe = next(card for card in found.cards if card.id is CardId.SEVERE_CRS)
    assert "Third line by this site's protocol: anakinra 100 mg every 6 h; siltuximab 11 mg/kg." in severe.detail
    plain = next(card for card in answered(chart).cards if card.id is CardId.SEVERE_CRS)
    assert "Third line by institutional protocol." in plain.detail


ROUNDED = rows("""
| weight | rounding | dose | because                                    |
| 71     | 1        | 568  | to a milligram                             |
| 71     | 20       | 560  | to multiples of 20 mg                      |
| 71     | 80       | 560  | to a vial of 80 mg, within 10 %            |
| 34     | 80       | 272  | 240 mg would be more than 10 % off         |
| 100    | 80       | 800  | at most 800 mg                             |
""")


@pytest.mark.parametrize("row", ROUNDED, ids=name_of)
def test_a_dose_is_rounded_to_the_site_s_band_where_it_stays_near(row: dict[str, str]) -> None:
    t = replace(T, toci_rounding=type(T.toci_rounding)(row["rounding"]))
    found = answered(patient(f"grade 2; weight {row['weight']} @-10h"), thresholds=t)
    offered = next(s for card in found.cards for s in card.suggestions if s.order_key == "tocilizumab")
    assert str(offered.mg) == row["dose"]
