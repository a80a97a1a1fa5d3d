"""Every situation meets exactly one row of each part of the decision table, unknowns included."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace
from itertools import product
from typing import get_type_hints

import pytest

from cards.deciding.card import shortened
from cards.deciding.conditions import Situation
from cards.deciding.decision_table import CARD_ORDER, PARTS, CardId, Indicator, Rule
from cards.deciding.when_to_show import Planned, in_order
from cards.wording.wording import WORDING
from fhir_mappings.facts.thresholds import Thresholds, in_unit, numbers

TYPES = get_type_hints(Situation)


def situations(part: tuple[Rule, ...]) -> list[Situation]:
    """Every combination of the conditions that a part asks for; the others change nothing in it."""
    asked = {name for rule in part for name in rule.when}
    names = [f.name for f in fields(Situation)]
    return [
        Situation(**dict(zip(names, values, strict=True)))
        for values in product(*(list(TYPES[n]) if n in asked else [next(iter(TYPES[n]))] for n in names))
    ]


@pytest.mark.parametrize("part", PARTS)
def test_each_combination_meets_exactly_one_row(part: str) -> None:
    met: Counter[str] = Counter()
    walked = situations(PARTS[part])
    for cell in walked:
        rows = [rule.id for rule in PARTS[part] if rule.meets(cell)]
        assert len(rows) == 1, (cell, rows)
        met[rows[0]] += 1
    assert set(met) == {rule.id for rule in PARTS[part]}, "every row is met by some combination"
    print(f"{part}: {len(walked)} combinations, {len(met)} rows")


def test_rows_have_ids_of_their_own_and_cards_have_words_and_a_place() -> None:
    ids = [rule.id for part in PARTS.values() for rule in part]
    assert len(ids) == len(set(ids))
    given = {card for part in PARTS.values() for rule in part for card, _ in rule.gives}
    assert given == set(CardId) == set(WORDING) == set(CARD_ORDER)


def test_every_number_has_unit_source_meaning_and_a_plausible_range_around_it() -> None:
    for number in numbers():
        assert number.unit
        assert number.source
        assert number.meaning
        assert number.low <= in_unit(getattr(Thresholds(), number.name), number.unit) <= number.high


def test_a_summary_is_cut_at_a_word_below_140_characters() -> None:
    long = shortened("word " * 60)
    assert len(long) < 140
    assert long.endswith("word…")
    assert shortened("short") == "short"


def test_the_cards_that_version_2_took_away_are_gone() -> None:
    assert {"il6-request", "product-guidance", "toci-icans-caution"} & {card.value for card in CardId} == set()


# the order in which a user reads them; two of them come second where they are critical
READ = (
    "severe-crs", "infection-first", "other-cause-first", "steroid-after-2-toci", "icans-steroid", "toci-interval",
    "toci-max-doses", "toci-caution", "steroid-check", "toci-recommended", "steroid-early-low-il6", "toci-guideline",
    "infection-surveillance", "crs-possible-masked", "crs-grade-unknown", "no-crs", "toci-dose-check",
    "reassess-window", "grade1-supportive", "data-quality", "crs-grade",
)  # fmt: skip


def test_critical_cards_come_first_and_then_the_order_of_the_catalogue() -> None:
    warnings = tuple(Planned(CardId(card), Indicator.WARNING, ()) for card in sorted(READ))
    critical = tuple(replace(card, indicator=Indicator.CRITICAL) for card in warnings)
    second = ("crs-grade-unknown", "crs-possible-masked")
    urgent = ("severe-crs", *second, *(card for card in READ[1:] if card not in second))
    assert [card.id for card in in_order((*warnings, *critical))] == [*urgent, *READ]
