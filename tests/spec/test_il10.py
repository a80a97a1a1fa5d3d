"""IL-10 is shown and decides nothing: clinical specification §2.3.

Nothing is concluded from its rise, and its samples count whatever was given.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from cards.choose import Advice
from cards.deciding.card import Card
from cards.pages.explanation import explanation
from fhir_mappings.facts.analytes import IL10
from tests.support.tables import T, answered, facts_of, name_of, patient, rows

STORY = "T 38.5 @D3 06:00; il6 10 @D0 08:00; il6 60 @D4 07:00; crp 10 @D0 08:00; crp 30 @D4 07:00"


def grade_card(found: Advice) -> Card:
    return next(card for card in found.cards if card.id == "crs-grade")


def line_of(found: Advice) -> str:
    """The line of IL-10 on crs-grade, without its references."""
    lines = [line for line in grade_card(found).background.splitlines() if line.startswith(f"- **{IL10.name}**")]
    return re.sub(r", Observation/[\w-]+", "", "; ".join(lines)).removeprefix("- **IL-10**, ") or "–"


LINE = rows("""
| chart                                                                       | crs-grade says                                                                                                                 | because                                    |
| il10 12 @D0 08:00; il10 96 @D3 07:00; il10 20 @D4 07:00                     | baseline 12 pg/mL (2 Mar 08:00), peak 96 pg/mL (5 Mar 07:00), latest 20 pg/mL (6 Mar 07:00), up 8×: no limit is known. | baseline, peak, latest and how far it rose |
| il10 12 @D0 08:00; il10 96 @D4 07:00                                        | baseline 12 pg/mL (2 Mar 08:00), peak 96 pg/mL (6 Mar 07:00), up 8×: no limit is known.                               | the latest is the peak: said once          |
| il10 12 @D0 08:00; il10 20 @D2 07:00; toci 560 @D3 12:00; il10 96 @D4 07:00 | baseline 12 pg/mL (2 Mar 08:00), peak 96 pg/mL (6 Mar 07:00), up 8×: no limit is known.                               | after tocilizumab too                      |
| il10 0.012 ng/mL @D0 08:00; il10 96 ng/L @D4 07:00                          | baseline 0.012 ng/mL (2 Mar 08:00), peak 96 ng/L (6 Mar 07:00), up 8×: no limit is known.                             | in the units of IL-6                       |
| il10 <5 @D0 08:00; il10 50 @D4 07:00                                        | baseline &lt;5 pg/mL (2 Mar 08:00), peak 50 pg/mL (6 Mar 07:00), up &gt;10×: no limit is known.                 | a baseline below a limit                   |
| il10 50 @D3 07:00; il10 30 @D4 07:00                                        | peak 50 pg/mL (5 Mar 07:00), latest 30 pg/mL (6 Mar 07:00): no limit is known.                                                 | without a baseline                         |
| il10 0 @D0 08:00; il10 50 @D4 07:00                                         | baseline 0 pg/mL (2 Mar 08:00), peak 50 pg/mL (6 Mar 07:00): no limit is known.                                                | nothing can be divided by zero             |
| il10 12 @D0 08:00                                                           | baseline 12 pg/mL (2 Mar 08:00): no limit is known.                                                                            | none since the infusion                    |
| il10 12 @D0 08:00; il10 50 preliminary @D4 07:00                            | baseline 12 pg/mL (2 Mar 08:00), latest preliminary 50 pg/mL (6 Mar 07:00): no limit is known.                                 | a preliminary result is said to be so      |
| il10 50 nmol/L @D2 07:00; il10 30 @D4 07:00                                 | latest 30 pg/mL (6 Mar 07:00): no limit is known.                                                                              | of two units none is the higher            |
| il10 12 furlong @D0 08:00; il10 30 @D4 07:00                                | peak 30 pg/mL (6 Mar 07:00): no limit is known.                                                                                | a unit that nobody knows is set aside      |
| SBP 118 @-1h                                                                | –                                                                                                                              | never measured: not a word                 |
""")


@pytest.mark.parametrize("row", LINE, ids=name_of)
def test_what_is_said_of_il10(row: dict[str, str]) -> None:
    assert line_of(answered(patient(f"{STORY}; {row['chart']}; grade 2"))) == row["crs-grade says"]


STATES = rows("""
| state                                    | because               |
| grade 0                                  | grade 0               |
| grade 1                                  | grade 1               |
| grade 2                                  | grade 2               |
| grade 3                                  | grade 3               |
| toci 560 @-5h; grade 2                   | after a dose          |
| toci 560 @-30h; toci 560 @-20h; grade 2  | after two             |
""")


@pytest.mark.parametrize("row", STATES, ids=name_of)
def test_il10_changes_no_card_but_the_line_on_crs_grade(row: dict[str, str]) -> None:
    chart = f"{STORY}; {row['state']}"
    found, plain = (answered(patient(f"{chart}{more}")) for more in ("; il10 12 @D0 08:00; il10 960 @D4 07:00", ""))
    assert IL10.name in grade_card(found).detail
    without = tuple(map(without_il10, found.cards))
    assert (without, found.rows, found.cell, found.state) == (
        tuple(map(without_il10, plain.cards)), plain.rows, plain.cell, plain.state,
    )  # fmt: skip


def without_il10(card: Card) -> Card:
    """The card without the line; crs-grade, in which a line makes others give way, by its background."""
    background = "\n".join(line for line in card.background.splitlines() if IL10.name not in line)
    evidence = tuple(item for item in card.evidence if not item.what.startswith(IL10.name))
    detail = "" if card.id == "crs-grade" else card.detail
    return replace(card, detail=detail, background=background, evidence=evidence)


def test_explain_lists_every_sample_and_the_rise_without_a_verdict() -> None:
    chart = patient(f"{STORY}; il10 12 @D0 08:00; il10 96 @D3 07:00; il10 20 @D4 07:00; grade 2")
    page = explanation(facts_of(chart), answered(chart), T, "hash")
    section = page.partition("IL-10\n")[2].partition("\n\n")[0]
    assert re.sub(r" +Observation/[\w-]+", "", section).splitlines() == [
        "  2 Mar 08:00   12 pg/mL         baseline",
        "  5 Mar 07:00   96 pg/mL         peak",
        "  6 Mar 07:00   20 pg/mL         counted",
        "  rise: 96 ÷ 12 = 8× (no limit is known)",
    ]
