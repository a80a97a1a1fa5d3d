"""The page `/evidence`: public, without patient data, a section for each card, and a link to it on each card."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from cards.deciding.decision_table import CardId
from cards.evidence.attributes import ATTRIBUTES, COMPARED, REVISED
from cards.evidence.card_evidence import CARD_EVIDENCE
from cards.evidence.sources import SOURCES, Reading, SourceId
from example_patients.stories.stories import SCENES, Scene, Story
from tests.support.desk import Desk, chart_of, whole_prefetch
from tests.support.signed import in_production
from tests.support.tables import NOW, rows

PAGE = Desk(now=NOW).client.get("/evidence").get_data(as_text=True)


def section(card: str) -> str:
    return PAGE.partition(f'<section id="{card}">')[2].partition("</section>")[0]


@pytest.mark.parametrize("card", CardId)
def test_each_card_has_a_section_with_basis_limits_and_sources(card: CardId) -> None:
    found, text = CARD_EVIDENCE[card], section(card)
    assert found.rests_on
    assert found.limits
    assert found.sources
    assert all(word in text for word in ("Rests on", "Limits", "Sources", "Funding", "Read 2026"))


def test_every_source_is_used_by_a_card() -> None:
    assert {s for found in CARD_EVIDENCE.values() for s in found.sources} == set(SOURCES) == set(SourceId)


# the thirteen attributes of 45 CFR 170.315(b)(11)(iv)(A)
ASKED = (
    "Bibliographic citation", "Developer", "Funding", "Release and revision dates", "race", "ethnicity", "language",
    "sexual orientation", "gender identity", "Use of sex", "date of birth", "social determinants", "health status",
)  # fmt: skip


@pytest.mark.parametrize("asked", ASKED)
def test_each_attribute_that_certification_asks_for_is_answered(asked: str) -> None:
    (found,) = [a for a in ATTRIBUTES if asked.lower() in a.asked.lower()][:1]
    assert found.answer in PAGE.replace("&#39;", "'")


SAID = rows("""
| card                   | says                                                     | because                                        |
| toci-recommended       | 2 of 24 with tocilizumab and 1 of 12 without             | the study beside its recommendation            |
| steroid-early-low-il6  | does not support withholding tocilizumab                 | no guideline gates it on IL-6                  |
| steroid-early-low-il6  | 3 of 8 against 0 of 12 (p=0.049)                         | most of the 23 had no CRS                      |
| infection-surveillance | 11 of 23 with a CRP rise above 1.83-fold against 2 of 17 | the only counts that give the paper's p-value  |
| toci-recommended       | severe or life-threatening CRS                           | the FDA's indication                           |
| severe-crs             | no result is waited for                                  | IL-6 never delays treatment                    |
| crs-grade              | norepinephrine with vasopressin is grade 3               | the paper's wording differs from ASTCT         |
| grade1-supportive      | both versions stand here until a clinician has read      | the 72-hour rule may be of the wrong products  |
| icans-steroid          | Tocilizumab is not for isolated ICANS                    | ASCO gives it with concurrent CRS              |
""")


@pytest.mark.parametrize("row", SAID, ids=lambda row: f"{row['card']}: {row['because']}")
def test_what_a_careful_reader_looks_for(row: dict[str, str]) -> None:
    assert row["says"].lower() in section(row["card"]).replace("&#39;", "'").lower()


def test_the_page_says_when_the_attributes_were_compared_and_what_could_not_be_had() -> None:
    said = PAGE.replace("&#39;", "'")
    assert len(ATTRIBUTES) == len(ASKED) == 13
    assert f"compared on {COMPARED.isoformat()}" in said
    assert "its own text could not be reached" in said
    assert date.today() - COMPARED <= timedelta(days=366), "compare the attributes with the regulation again"  # noqa: DTZ011


def test_only_age_and_weight_of_a_person_are_used() -> None:
    assert "only age and body weight are used" in PAGE
    used = {a.asked for a in ATTRIBUTES if a.asked.startswith("Use of") and a.answer != "Not used."}
    assert used == {"Use of date of birth", "Use of health status assessments data"}


def test_a_source_that_nobody_read_says_so() -> None:
    unread = [s for s in SOURCES.values() if s.reading is Reading.NOT_YET]
    assert unread
    assert all(source.citation in PAGE for source in unread)
    assert Reading.NOT_YET.value in PAGE


def test_the_page_is_open_in_production_and_holds_nothing_of_the_site(tmp_path: Path) -> None:
    answer = Desk(now=NOW, environ=in_production(tmp_path)).client.get("/evidence")
    assert (answer.status_code, answer.get_data(as_text=True)) == (200, PAGE)
    assert not re.search(r"fhir\.example|ehr\.example|CRS_CDS_|<script", PAGE)


@pytest.mark.parametrize(("story", "scene"), SCENES, ids=[scene.id for _, scene in SCENES])
def test_every_card_links_to_its_section(story: Story, scene: Scene) -> None:
    desk = Desk()
    body: Any = desk.call(scene.id, prefetch=whole_prefetch(chart_of(scene.id))).get_json()
    for card in body["cards"]:
        (link,) = [one for one in card["links"] if one["type"] == "absolute"]
        base, _, anchor = link["url"].partition("/evidence#")
        assert (link["label"], base) == ("Evidence and limits", "http://127.0.0.1:8000")
        assert anchor == card["source"]["topic"]["code"]
        assert f'id="{anchor}"' in PAGE


@pytest.mark.parametrize("source", SOURCES, ids=lambda s: s.value)
def test_a_source_was_read_within_twelve_months(source: SourceId) -> None:
    """When this fails, read the source again, compare the rules with it, and set its date in `cards/evidence/sources.py`."""
    assert date.today() - SOURCES[source].read <= timedelta(days=366), SOURCES[source].citation  # noqa: DTZ011
    assert SOURCES[source].read <= REVISED
