"""A card is read in ten seconds: its words are counted over the example patients and the questions of the bedside.

What gives way stands elsewhere.

`python -m tests.support.card_words` prints the counts.
"""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from statistics import median

import pytest

from cards.deciding.card import Card
from cards.deciding.decision_table import CardId
from cards.deciding.when_to_show import Showing
from cards.evidence.card_evidence import CARD_EVIDENCE
from cards.wording.fold_words import fold_text
from cards.wording.wording import NOT_TO_WITHHOLD, NOT_VALIDATED, PROTOCOL
from example_patients.stories.stories import drafted_tocilizumab
from fhir_mappings.facts.time_and_range import Interval
from tests.support.card_words import Counted, counted, words_of
from tests.support.orders import steroid_order
from tests.support.tables import NOW, T, answered, name_of, patient, rows

ANSWERS = tuple(counted())
OF_THE_FOLD = (CardId.TOCI_RECOMMENDED, CardId.STEROID_EARLY_LOW_IL6)
FULL = rows("""
| chart                                                                                                        | drafted | because                                  |
| CROWDED; give anakinra 100 SC @-30h; give anakinra 100 SC @-10h                                              |         | counts, enzymes, blockers and ICANS      |
| grade 3; start norepinephrine 0.1 @-3h; weight 70 @-9h; culture Escherichia coli @-30h; give meropenem 1000 @-20h; anc 0.1 @-9h | | severe CRS beside a blood culture |
| T 39 @-90h; toci 560 @-80h; toci 560 @-60h; toci 560 @-40h; toci 560 @-20h; grade 3; give dexamethasone 10 @-7h | 560  | four doses, a fifth drafted              |
| T 39 @D3 06:00; il6 10 @D0 08:00; il6 50 @D3 07:00; weight 70 @-9h; toci 560 @-5h; grade 2                   | 900     | too early and too much                   |
| T 38.5 @-90h; T 38.5 @-70h; T 38.5 @-48h; T 38.5 @-25h; grade 1; weight 70 @-10h                             | 560     | fever for three days, drafted            |
| rate norepinephrine 0.1 @-9h; rate epinephrine 0.1 @-8h; T 39 @-1h; SBP 100 @-1h; SpO2 97 @-1h; device RA @-1h; weight 70 @-9h | | check the pumps |
""")  # fmt: skip
CROWDED = (
    "T 39 @-8h; T 39 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h; anc 0.1 @-9h; plt 10 @-9h; alt 900 @-9h; "
    "ast 900 @-9h; il6 10 @D0 08:00; il6 60 @-3h; crp 10 @D0 08:00; crp 60 @-3h; ice 5 @-1h; weight 70 @-10h"
)


def most_words(card: Card, cards: int) -> int:
    if card.id is CardId.CRS_GRADE:
        return 60 if cards >= 6 else 110
    return 100 if card.id in OF_THE_FOLD else 80


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.of)
def test_each_card_of_an_example_patient_is_short(answer: Counted) -> None:
    long = {
        c.id.value: words_of(c.detail) for c in answer.cards if words_of(c.detail) > most_words(c, len(answer.cards))
    }
    assert long == {}


@pytest.mark.parametrize("row", FULL, ids=name_of)
def test_the_cards_of_a_crowded_chart_are_short_too(row: dict[str, str]) -> None:
    drafts = [drafted_tocilizumab("p", int(row["drafted"]), NOW)] if row["drafted"] else []
    found = answered(
        patient(row["chart"].replace("CROWDED", CROWDED)),
        drafts=drafts,
        showing=Showing.ORDERS if drafts else Showing.STATE,
    )
    cards = found.cards
    assert {c.id.value: words_of(c.detail) for c in cards if words_of(c.detail) > most_words(c, len(cards))} == {}
    assert sum(words_of(card.summary) + words_of(card.detail) for card in cards) <= 400
    assert [card.summary for card in cards if len(card.summary) >= 140 or "…" in card.summary] == []


def test_in_an_answer_of_six_cards_or_more_crs_grade_has_sixty_words() -> None:
    chart = (
        "T 39 @D3 06:00; il6 10 @D0 08:00; il6 50 @D3 07:00; crp 10 @D0 08:00; crp 60 @D3 07:00; weight 70 @-9h; "
        "toci 560 @-5h; grade 2; ice 5 @-1h; give anakinra 100 SC @-30h; give dexamethasone 4 @-20h"
    )
    drafts = [drafted_tocilizumab("p", 900, NOW), steroid_order("dexamethasone 40 every 6 @-1m", "d", "draft")]
    cards = answered(patient(chart), drafts=drafts, showing=Showing.ORDERS).cards
    assert len(cards) >= 6
    assert words_of(cards[-1].detail) <= 60
    assert "ICANS grade 2" in next(card for card in cards if card.id is CardId.ICANS_STEROID).detail
    assert "here tocilizumab not before 6 Mar 15:00" in "".join(card.detail for card in cards)


def test_an_answer_has_at_most_250_words_in_the_median_and_400_in_all() -> None:
    words = [answer.words for answer in ANSWERS]
    assert (median(words) <= 250, max(words) <= 400) == (True, True)
    assert median(len(answer.cards) for answer in ANSWERS) == 2


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.of)
def test_the_protocol_of_the_institution_is_named_once_on_the_last_card(answer: Counted) -> None:
    assert [card.detail.count(PROTOCOL) for card in answer.cards] == [*[0] * (len(answer.cards) - 1), 1]


def test_the_caveat_of_the_study_stays_in_sight() -> None:
    said = {card.id: card.detail for answer in ANSWERS for card in answer.cards}
    assert [NOT_TO_WITHHOLD in said[card] for card in OF_THE_FOLD] == [True, True]
    assert NOT_VALIDATED in said[CardId.INFECTION_SURVEILLANCE]
    assert max(words_of(NOT_TO_WITHHOLD), words_of(NOT_VALIDATED)) <= 20


FOLDS = rows("""
| fold           | limit | written    | because                                        |
| 6              | 4     | 6×         | a whole number                                 |
| 6.2            | 4     | 6.2×       | one decimal below ten                          |
| 2.649          | 4     | 2.6×       | rounded                                        |
| 19.6           | 4     | 20×        | none from ten on                               |
| 3000.4         | 4     | 3,000×     | thousands have a comma                         |
| 3.96           | 4     | 3.96×      | two near the limit                             |
| 3.9996         | 4     | 3.999×     | as many as it takes not to look like the limit |
| 4              | 4     | 4.00×      | at it                                          |
| 1.83           | 1.83  | 1.83×      | at the other                                   |
| 0.4            | 1.83  | 0.4×       | a fall                                         |
| 20000000000    | 4     | >1,000,000,000× | as large as no plasma holds               |
""")


@pytest.mark.parametrize("row", FOLDS, ids=name_of)
def test_a_fold_is_written_with_a_times_sign(row: dict[str, str]) -> None:
    fold = Decimal(row["fold"])
    assert fold_text(Interval(fold, fold), Decimal(row["limit"])) == row["written"]


def test_a_fold_beyond_a_limit_of_the_assay_is_more_than() -> None:
    assert fold_text(Interval(Decimal(3000), None, low_open=True), Decimal(4)) == ">3,000×"
    assert fold_text(Interval(Decimal("33.3"), None), Decimal(4)) == "≥33×"
    assert fold_text(Interval(Decimal("1.2"), Decimal(6)), Decimal(4)) == "1.2–6×"


OLD_WORDS = re.compile(
    r"-fold|\((?:high|low)\)|: (?:high|low)[ .;(]+limit|(?:IL-6|CRP) (?:high|low)\b|Observation/|n=\d"
)


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.of)
def test_a_rise_is_above_or_below_the_limit_and_never_high_or_low(answer: Counted) -> None:
    assert [found for card in answer.cards for found in OLD_WORDS.findall(f"{card.summary} {card.detail}")] == []


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.of)
def test_the_line_of_the_grade_stands_on_crs_grade_alone(answer: Counted) -> None:
    """Its summary and those of the treatment name the grade; no other text repeats it with what makes it."""
    assert [card.id for card in answer.cards if "**" in card.detail] == [CardId.CRS_GRADE]
    others = [card.detail for card in answer.cards if card.id is not CardId.CRS_GRADE]
    assert [text for text in others if re.search(r"[Gg]rade [1-4] \((?!coded|ICE|charted|ASCO)", text)] == []


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.of)
def test_a_summary_holds_the_dose_of_each_order_of_a_drug(answer: Counted) -> None:
    for card in answer.cards:
        for order in card.suggestions:
            if order.mg is not None and order.action == "create":
                assert f"{order.mg:,} mg IV" in card.summary, card.summary


def test_the_dose_stays_in_the_summary_when_something_is_drafted() -> None:
    said = {answer.of: answer.cards[0].summary for answer in ANSWERS}
    assert said["story 3"] == "CRS grade 2 (nasal cannula 2 L/min), IL-6 up 6.2×: tocilizumab 496 mg IV"
    assert said["story 11"] == "CRS grade 2 (nasal cannula 6 L/min), IL-6 up 4.00×: tocilizumab 496 mg IV"


def test_a_summary_that_is_too_long_loses_what_makes_the_grade_and_not_the_action() -> None:
    summary = next(answer.cards[0].summary for answer in ANSWERS if answer.of == "story 1d")
    assert summary == (
        "CRS grade 4 (CPAP or BiPAP), progressed after 2 doses: methylprednisolone 500 mg IV every 12 h now; "
        "tocilizumab not before 11 Mar 18:00"
    )


def test_crs_grade_gives_the_last_level_and_says_when_a_blocker_spoiled_it() -> None:
    said = {answer.of: answer.cards[-1].detail for answer in ANSWERS}
    assert "**CRP** 140 mg/L" in said["question 20a"]
    assert "**IL-6** 8100 pg/mL (not used: after a blocker), up 5.5×" in said["story 7"]


NOT_KNOWN = rows("""
| chart                                                                 | says                                                         | because               |
| grade 2; il6 10 @D0 08:00                                             | **IL-6** 10 pg/mL: no sample since the infusion that counts: draw one. | no peak     |
| grade 2; il6 10 @D0 08:00                                             | ANC not known.                                               | no count              |
| grade 3; weight 70 @-9h; il6 10 @D0 08:00 | Send ANC, platelets, ALT, AST: no result of 3 days.          | nor any other         |
| grade 2; il6 10 @D0 08:00                                             | ICANS is unknown: chart ICE                                  | no score              |
| T 39 @-1h                                                             | Blood pressure and oxygen not charted since the infusion: measure now. | no signs   |
| SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h                            | Measure and chart it, or judge at the bedside                | no temperature        |
| il6 50 @D4 07:00; grade 2                                             | no baseline, and none can be had now                         | nothing helps         |
""")


@pytest.mark.parametrize("row", NOT_KNOWN, ids=name_of)
def test_what_is_not_known_says_what_to_do(row: dict[str, str]) -> None:
    assert row["says"] in "\n".join(card.detail for card in answered(patient(row["chart"])).cards)


def test_a_site_s_own_limit_is_called_its_own() -> None:
    found = answered(
        patient("T 39 @D3 06:00; il6 10 @D0 08:00; il6 60 @D4 07:00; grade 2"),
        thresholds=replace(T, il6_fold=Decimal(5)),
    )
    assert "above this site's limit (5; the study's 4)" in found.cards[-1].detail


def test_the_study_s_own_figures_stand_beside_its_recommendation() -> None:
    said = {answer.of: answer.cards[0] for answer in ANSWERS}
    recommended, early = said["story 3"], said["story 1a"]
    assert "severe CRS was 2 of 24 with tocilizumab and 1 of 12 without (reconstructed)" in recommended.detail
    assert "CRS lasted 5 against 8 days (p=0.06)" in recommended.detail
    assert "severe CRS was 3 of 8 with tocilizumab, 0 of 23 without" in early.detail
    assert all("n=8" not in f"{card.detail}{card.background}" for card in (recommended, early))
    assert [s.order_key for s in early.suggestions] == ["tocilizumab", "corticosteroid"]
    assert not any(s.recommended for s in early.suggestions)


def test_where_a_card_is_full_the_infection_the_caution_and_the_caveat_stay() -> None:
    card = next(c for c in answered(patient(CROWDED)).cards if c.id is CardId.TOCI_RECOMMENDED)
    for kept in ("Only if not attributable to another cause", "antibiotics now", "Caution: ANC 0.1", NOT_TO_WITHHOLD):
        assert kept in card.detail
    assert words_of(card.detail) <= 100
    gave_way = "severe CRS was 2 of 24 with tocilizumab"
    assert gave_way not in card.detail
    assert gave_way in card.background, "what gives way stands in the background"


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.of)
def test_behind_each_card_stands_all_that_it_rests_on_and_its_limits(answer: Counted) -> None:
    """`explain` and the course page show what stands behind a card; `/evidence` is made from the same table."""
    for card in answer.cards:
        found = CARD_EVIDENCE[card.id]
        assert [said for said in (*found.rests_on, *found.limits) if f"- {said}" not in card.background] == []


def test_references_and_the_limits_of_the_study_are_not_on_the_card_but_with_it() -> None:
    card = next(c for c in answered(patient(CROWDED)).cards if c.id is CardId.TOCI_RECOMMENDED)
    assert "Observation/" not in card.detail
    limit = "the limit was found in the same patients"
    assert limit not in card.detail
    assert limit in card.background
    rests = {item.what: (item.value, item.unit) for item in card.evidence if item.value is not None}
    assert {name: f"{value} {unit}" for name, (value, unit) in rests.items()} == {
        "IL-6 baseline": "10 pg/mL", "IL-6 peak": "60 pg/mL", "IL-6 latest": "60 pg/mL", "weight": "70 kg",
        "ANC": "0.1 10*3/uL", "platelets": "10 10*3/uL", "ALT": "900 U/L", "AST": "900 U/L",
    }  # fmt: skip
