"""The values behind the ⟨names⟩ of the sentences are worked out by groups, when a sentence asks for one of them.

So a group must give the same names for every patient, and no two groups may give the same one.
"""

from __future__ import annotations

from collections import Counter

import pytest

from cards.deciding.when_to_show import Planned
from cards.wording import compose
from cards.wording.context import WordingContext
from cards.wording.placeholders import GROUPS, CardValues
from cards.wording.placeholders_of_treatment import of_offers
from example_patients.stories.stories import SCENES
from tests.support.bedside_questions import QUESTIONS, answer_to
from tests.support.card_words import advice_of


@pytest.fixture(scope="module")
def worded() -> list[tuple[WordingContext, Planned]]:
    """What each card of the example patients and of the bedside questions was worded from."""
    found: list[tuple[WordingContext, Planned]] = []

    class Noted(CardValues):
        def __init__(self, x: WordingContext, planned: Planned, notes: tuple[str, ...]) -> None:
            found.append((x, planned))
            super().__init__(x, planned, notes)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compose, "CardValues", Noted)
        for _, scene in SCENES:
            advice_of(scene)
        for question in QUESTIONS:
            answer_to(question)
    return found


def test_a_group_gives_the_same_names_for_every_patient(worded: list[tuple[WordingContext, Planned]]) -> None:
    assert len(worded) > 60
    for group in GROUPS:
        assert len({frozenset(group(x)) for x, _ in worded}) == 1, group.__name__
    assert len({frozenset(of_offers(x, planned)) for x, planned in worded}) == 1


def test_no_two_groups_give_the_same_name(worded: list[tuple[WordingContext, Planned]]) -> None:
    x, planned = worded[0]
    given = Counter(name for names in (*(group(x) for group in GROUPS), of_offers(x, planned)) for name in names)
    assert not [name for name, times in given.items() if times > 1]
    assert not given.keys() & {"t", "state"}
