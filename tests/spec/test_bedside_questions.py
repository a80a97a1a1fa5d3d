"""The questions of the bedside that were answered wrongly at first, each with the answer that is wanted."""

from __future__ import annotations

import pytest

from tests.support.bedside_questions import QUESTIONS, answer_to
from tests.support.tables import shown_cards


def name_of(row: dict[str, str]) -> str:
    return f"{row['id']}: {row['because']}"


@pytest.mark.parametrize("row", QUESTIONS, ids=name_of)
def test_a_question_of_the_bedside(row: dict[str, str]) -> None:
    found = answer_to(row)
    words = "\n".join(f"{card.summary}\n{card.detail}" for card in found.cards)
    offered = [s for card in found.cards for s in card.suggestions]
    assert shown_cards(found) == row["cards"]
    assert ", ".join(s.order_key for s in offered) == row["orders"].replace("–", "")
    assert row["says"].lower() in words.lower()
    assert row["never"] == "–" or row["never"].lower() not in words.lower()


def test_all_questions_are_asked() -> None:
    assert len({row["id"] for row in QUESTIONS}) == len(QUESTIONS) == 21
