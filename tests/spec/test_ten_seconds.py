"""A card is read in ten seconds: its words are counted over all example patients, and what gives way stands elsewhere.

`python -m tests.support.card_words` prints the counts.
"""

from __future__ import annotations

from statistics import median

import pytest

from cards.deciding.card import Card
from cards.deciding.decision_table import CardId
from cards.wording.wording import NOT_TO_WITHHOLD, NOT_VALIDATED, PROTOCOL
from tests.support.card_words import Counted, counted, words_of
from tests.support.tables import answered, patient

ANSWERS = tuple(counted())
OF_THE_FOLD = (CardId.TOCI_RECOMMENDED, CardId.STEROID_EARLY_LOW_IL6)
CROWDED = (
    "T 39 @-8h; T 39 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h; anc 0.1 @-9h; plt 10 @-9h; alt 900 @-9h; "
    "ast 900 @-9h; il6 10 @D0 08:00; il6 60 @-3h; crp 10 @D0 08:00; crp 60 @-3h; ice 5 @-1h; weight 70 @-10h"
)


def most_words(card: Card, cards: int) -> int:
    if card.id is CardId.CRS_GRADE:
        return 60 if cards >= 6 else 110
    return 100 if card.id in OF_THE_FOLD else 80


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.scene)
def test_each_card_of_an_example_patient_is_short(answer: Counted) -> None:
    long = {
        c.id.value: words_of(c.detail) for c in answer.cards if words_of(c.detail) > most_words(c, len(answer.cards))
    }
    assert long == {}


def test_an_answer_has_at_most_250_words_in_the_median_and_400_in_all() -> None:
    words = [answer.words for answer in ANSWERS]
    assert (median(words) <= 250, max(words) <= 400) == (True, True)
    assert median(len(answer.cards) for answer in ANSWERS) == 2


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.scene)
def test_the_protocol_of_the_institution_is_named_once_on_the_last_card(answer: Counted) -> None:
    assert [card.detail.count(PROTOCOL) for card in answer.cards] == [*[0] * (len(answer.cards) - 1), 1]


def test_the_caveat_of_the_study_stays_in_sight() -> None:
    said = {card.id: card.detail for answer in ANSWERS for card in answer.cards}
    assert [NOT_TO_WITHHOLD in said[card] for card in OF_THE_FOLD] == [True, True]
    assert NOT_VALIDATED in said[CardId.INFECTION_SURVEILLANCE]
    assert max(words_of(NOT_TO_WITHHOLD), words_of(NOT_VALIDATED)) <= 20


def test_where_a_card_is_full_the_infection_the_caution_and_the_caveat_stay() -> None:
    card = next(c for c in answered(patient(CROWDED)).cards if c.id is CardId.TOCI_RECOMMENDED)
    for kept in ("Only if not attributable to another cause", "antibiotics now", "Caution: ANC 0.1", NOT_TO_WITHHOLD):
        assert kept in card.detail
    assert "ICANS grade 2" in card.background, "what gives way stands in the background"


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
