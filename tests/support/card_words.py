"""The words of each answer, counted: `python -m tests.support.card_words` prints them.

They are counted over the example patients and the questions of the bedside. Words are split at white space. An answer's
words are those of the summaries and the details of its cards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from cards.choose import Advice
from cards.deciding.card import Card
from cards.deciding.when_to_show import Showing
from example_patients.stories.stories import SCENES, Scene, drafted_tocilizumab
from tests.support.bedside_questions import QUESTIONS, answer_to
from tests.support.desk import chart_of, moment_of
from tests.support.tables import answered


@dataclass(frozen=True)
class Counted:
    """One answer: its scene or question, and its cards with their words."""

    of: str
    cards: tuple[Card, ...]

    @property
    def words(self) -> int:
        return sum(words_of(card.summary) + words_of(card.detail) for card in self.cards)


def words_of(text: str) -> int:
    return len(text.split())


def advice_of(scene: Scene) -> Advice:
    """The cards of a scene: with what is drafted in it, or as the chart is opened."""
    now = moment_of(scene)
    chart = [{**r, "id": "p"} if r["resourceType"] == "Patient" else _of_p(r) for r in chart_of(scene.id)]
    drafts = [drafted_tocilizumab("p", scene.toci_mg, now)] if scene.toci_mg else []
    return answered(chart, drafts=drafts, showing=Showing.ORDERS if drafts else Showing.STATE, as_of=now)


def _of_p(resource: dict[str, object]) -> dict[str, object]:
    return {**resource, "subject": {"reference": "Patient/p"}} if "subject" in resource else resource


def counted() -> Iterator[Counted]:
    """Every scene of the example patients that has cards, and every question."""
    for _, scene in SCENES:
        cards = advice_of(scene).cards
        if cards:
            yield Counted(f"story {scene.id}", cards)
    for row in QUESTIONS:
        yield Counted(f"question {row['id']}", answer_to(row).cards)


def main() -> None:
    answers = list(counted())
    for answer in answers:
        each = ", ".join(f"{c.id} {words_of(c.detail)}" for c in answer.cards)
        print(f"{answer.of:>12}: {answer.words:>4} words, {len(answer.cards)} cards: {each}")
    for kind in ("story", "question", ""):
        some = [answer for answer in answers if answer.of.startswith(kind)]
        words, cards = [a.words for a in some], [len(a.cards) for a in some]
        print(f"{len(some)} answers{f' to a {kind}' if kind else ''}; words: median {median(words):g}, most {max(words)};"
              f" cards: median {median(cards):g}, most {max(cards)}")  # fmt: skip


if __name__ == "__main__":
    main()
