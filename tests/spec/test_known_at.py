"""The record as it was at the time: a final chart, taken back to a moment, reads as the chart of that moment did."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest

from cards.choose import advice
from cards.deciding.when_to_show import Call, Showing
from example_patients.stories.chart import Resource
from example_patients.stories.stories import SCENES, Scene, Story, hook_body, record, whole_record
from fhir_mappings.course_search import MappingContext
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.known_at.delays import Delays, KnownBy
from fhir_mappings.known_at.rules import Rule
from fhir_mappings.known_at.timeline import EVERY_RULE, Timeline
from fhir_mappings.medications.draft_fields import Draft
from fhir_mappings.medications.draft_orders import draft_orders
from fhir_mappings.reading.resource_pool import PatientRecord, ResourcePool
from fhir_mappings.settled_facts import settled_facts
from tests.support.aftermath import AFTERMATHS, DEATHS, aftermaths
from tests.support.tables import (
    ALL_READ,
    NO_MODES,
    NOW,
    TERMS,
    ZONE,
    T,
    changed,
    facts_of,
    moment_of,
    name_of,
    patient,
    rows,
)

SCENE = datetime(2026, 3, 11, 10, 0, tzinfo=ZONE)
ALIVE = [(story, scene) for story, scene in SCENES if not scene.deceased]


def record_of(found: Iterable[Resource]) -> PatientRecord:
    pool = ResourcePool()
    for number, resource in enumerate(found):
        pool.add(json.dumps(resource).encode(), f"entry {number}")
    return PatientRecord(pool, ALL_READ)


def timeline_of(found: Iterable[Resource], rules: Iterable[Rule] = EVERY_RULE) -> Timeline:
    return Timeline(record_of(found), TERMS, ZONE, None, Delays(), rules)


def context_of(who: str, at: datetime) -> MappingContext:
    return MappingContext(TERMS, T, ZONE, who, None, at)


def facts_then(found: Iterable[Resource], who: str, at: datetime, rules: Iterable[Rule] = EVERY_RULE) -> PatientFacts:
    return settled_facts(timeline_of(found, rules).at(at), context_of(who, at))


def facts_now(found: Iterable[Resource], who: str) -> PatientFacts:
    return settled_facts(record_of(found), context_of(who, SCENE))


def cards_of(facts: PatientFacts, scene: Scene) -> tuple[str, ...]:
    """The cards of the hook that a scene shows."""
    orders = hook_body(scene, facts.as_of)["context"].get("draftOrders", {"entry": []})["entry"]
    drafts = draft_orders(
        tuple(Draft(n, None, entry["resource"]) for n, entry in enumerate(orders)), frozenset(),
        ResourcePool(), TERMS, None, T,
    )  # fmt: skip
    showing = Showing.ORDERS if drafts else Showing.STATE
    found_cards = advice(facts, Call(showing, scene.patient_id, drafts), TERMS, T, NO_MODES).cards
    return tuple(card.id.value for card in found_cards)


def after_all(story: Story, scene: Scene, death: str) -> list[Resource]:
    """The story to its end, and with it everything that can happen to a chart and leave no trace of before."""
    who, *chart = whole_record(story, scene, SCENE, ZONE)
    later = [one for found in aftermaths(scene.patient_id, SCENE).values() if not found.then for one in found.now]
    return [{**who, **DEATHS[death](SCENE)}, *chart, *later]


@pytest.mark.parametrize("death", DEATHS)
@pytest.mark.parametrize(("story", "scene"), ALIVE, ids=[scene.id for _, scene in ALIVE])
def test_a_story_and_its_aftermath_read_at_a_scene_as_the_scene(story: Story, scene: Scene, death: str) -> None:
    final = after_all(story, scene, death)
    then = facts_then(final, scene.patient_id, SCENE)
    assert then == facts_now(record(story, scene, SCENE, ZONE), scene.patient_id)
    assert cards_of(then, scene) == scene.wanted


def after_one(what: str, story: Story, scene: Scene) -> tuple[list[Resource], list[Resource]]:
    """The chart of a scene with one thing of `AFTERMATHS` or `DEATHS`: as it was, and as it stands when all is over."""
    who, *chart = record(story, scene, SCENE, ZONE)
    if what in DEATHS:
        return [who, *chart], [{**who, **DEATHS[what](SCENE)}, *chart]
    found = aftermaths(scene.patient_id, SCENE)[what]
    return [who, *chart, *found.then], [who, *chart, *found.now]


@pytest.mark.parametrize("what", AFTERMATHS)
def test_what_happens_to_a_resource_later_leaves_every_scene_as_it_was(what: str) -> None:
    for story, scene in ALIVE:
        then, final = after_one(what, story, scene)
        assert facts_then(final, scene.patient_id, SCENE) == facts_now(then, scene.patient_id), scene.id


# rule of the filter → a scene that reads otherwise without it
NEEDED = rows("""
| rule          | scene | because                                    | cards                                         | cards without the rule                   |
| RESULT        | 1a    | IL-6 drawn before, issued after            | steroid-early-low-il6 crs-grade               | toci-recommended crs-grade               |
| RESULT        | 1a    | IL-6 drawn just before                     | steroid-early-low-il6 crs-grade               | toci-recommended crs-grade               |
| RESULT        | 1a    | IL-6 updated after                         | steroid-early-low-il6 crs-grade               | toci-recommended crs-grade               |
| RESULT        | 3     | a culture that grows                       | toci-recommended crs-grade                    | infection-first crs-grade                |
| SIGN          | 12    | a temperature of before, charted after     | infection-surveillance crs-grade              | infection-surveillance grade1-supportive crs-grade |
| GIVEN         | 3     | tocilizumab given after                    | toci-recommended crs-grade                    | toci-guideline data-quality crs-grade    |
| GIVEN         | 16    | a second infusion of cells                 |                                               | data-quality                             |
| STOPPED       | 3     | tocilizumab stopped half-way since         | reassess-window crs-grade                     | toci-recommended crs-grade               |
| BEGUN         | 16    | a second infusion of cells, as a procedure |                                               | data-quality                             |
| ENDED         | 3     | ventilated, and no longer                  | severe-crs crs-grade                          | toci-recommended crs-grade               |
| DIAGNOSED     | 7     | sepsis coded after                         | toci-recommended crs-grade                    | toci-recommended infection-surveillance crs-grade |
| RESOLVED      | 7     | sepsis that is over                        | toci-recommended infection-surveillance crs-grade | toci-recommended crs-grade           |
| ALLERGY       | 8     | an allergy recorded after                  | toci-interval reassess-window crs-grade       | toci-interval toci-caution reassess-window crs-grade |
| ORDERED       | 3     | a vasopressor ordered after                | toci-recommended crs-grade                    | toci-recommended data-quality crs-grade  |
| ORDER_ENDS    | 3     | an order completed since                   | toci-recommended data-quality crs-grade       | toci-recommended crs-grade               |
| ORDER_ENDS    | 3     | an order replaced since                    | toci-recommended data-quality crs-grade       | toci-recommended crs-grade               |
| DEATH_DATED   | 3     | death in the evening                       | toci-recommended crs-grade                    |                                          |
| DEATH_DATED   | 3     | death in a month that is named             | toci-recommended crs-grade                    |                                          |
| DEATH_UNDATED | 3     | death that nobody dated                    | toci-recommended crs-grade                    |                                          |
""")


@pytest.mark.parametrize("row", NEEDED, ids=name_of)
def test_no_rule_of_the_filter_can_be_left_out(row: dict[str, str]) -> None:
    story, scene = next((story, scene) for story, scene in ALIVE if scene.id == row["scene"])
    then, final = after_one(row["because"], story, scene)
    assert cards_of(facts_now(then, scene.patient_id), scene) == tuple(row["cards"].split())
    assert cards_of(facts_then(final, scene.patient_id, SCENE), scene) == tuple(row["cards"].split())
    without = facts_then(final, scene.patient_id, SCENE, EVERY_RULE - {Rule[row["rule"]]})
    assert cards_of(without, scene) == tuple(row["cards without the rule"].split())


def test_every_rule_of_the_filter_is_in_the_table() -> None:
    assert {row["rule"] for row in NEEDED} == {rule.name for rule in Rule}


KNOWN = rows("""
| resource                                                                     | from   | by                                                      | because                                                        |
| il6 40 @-20h                                                                 | -18h   | a delay after the sample                                | no time but that of the sample                                 |
| crp 40 @-20h                                                                 | -18h   | a delay after the sample                                | CRP as IL-6                                                    |
| anc 0.4 @-20h                                                                | -19h   | a delay after the sample                                | another result takes an hour                                   |
| culture Escherichia coli @-40h                                               | -16h   | a delay after the sample                                | a culture takes a day                                          |
| il6 40 @-20h issued=-15h                                                     | -15h   | issued                                                  | the result says when it was issued                             |
| il6 40 @-20h issued=-20h                                                     | -18h   | a delay after the sample                                | issued when it was drawn is the time of the order              |
| il6 40 @-300h issued=-20h                                                    | -298h  | a delay after the sample                                | issued eleven days later is a copy                             |
| il6 40 @-300h issued=-20h lastUpdated=-290h                                  | -290h  | last updated                                            | the last update stands in for it                               |
| il6 40 @-40h issued=-10h status=corrected                                    | -38h   | a delay after the sample, the value as corrected later  | corrected a day later: known before, as it stands now          |
| il6 40 @-40h issued=-30h status=corrected                                    | -30h   | issued                                                  | corrected within the day                                       |
| il6 40 @D2                                                                   | D3 02:00 | a delay after the sample                              | drawn on a day: two hours after its end                        |
| T 39 @-20h                                                                   | -20h   | its own time                                            | a sign is known when it is charted                             |
| T 39 @-20h issued=-10h                                                       | -10h   | issued                                                  | charted within 12 h                                            |
| T 39 @-20h issued=-5h                                                        | -20h   | its own time                                            | issued later than that is a copy                               |
| T 39 @D2                                                                     | D3     | the end of the day it is of                             | a sign of a day                                                |
| give dexamethasone 10 @-20h                                                  | -20h   | its own time                                            | a dose is known when it begins                                 |
| coded A41.9 @-20h                                                            | -20h   | the day it was recorded                                 | a diagnosis                                                    |
| coded A41.9 @D2                                                              | D3     | the day it was recorded                                 | a diagnosis of a day                                           |
""")


@pytest.mark.parametrize("row", KNOWN, ids=name_of)
def test_a_resource_is_known_from_a_time_on(row: dict[str, str]) -> None:
    words, _, more = row["resource"].partition(" @")
    at, *fields = more.split(" ") if not more.startswith("D2 ") else [more]
    (made,) = patient(f"{words} @{at}", infused=False)[1:]
    for name, value in (one.split("=") for one in fields):
        stated = value if name == "status" else moment_of(value).isoformat()
        made = changed(made, meta={"lastUpdated": stated}) if name == "lastUpdated" else changed(made, **{name: stated})
    timeline = timeline_of([made])
    since = moment_of(row["from"])
    assert [len(list(timeline.at(since + step).pool)) for step in (-timedelta(seconds=1), timedelta(0))] == [0, 1]
    assert [known_by.value for _, known_by in timeline.known_by] == [row["by"]]


def test_a_resource_that_cannot_be_read_leaves_no_hole_before_its_time() -> None:
    broken = {"resourceType": "Observation", "id": "x", "status": 3, "effectiveDateTime": moment_of("-5h").isoformat()}
    timeline = timeline_of([broken])
    assert [len(timeline.at(moment_of(at)).pool.broken) for at in ("-6h", "-5h", "-4h")] == [0, 1, 1]


def test_a_resource_without_any_time_is_there_at_every_moment() -> None:
    (made,) = patient("T 39 @-5h", infused=False)[1:]
    del made["effectiveDateTime"]
    timeline = timeline_of([made])
    assert len(list(timeline.at(moment_of("D-30")).pool)) == 1
    assert timeline.known_by == {("Observation", KnownBy.ALWAYS): 1}


@pytest.mark.parametrize("resource_type", ["Condition", "AllergyIntolerance"])
def test_a_diagnosis_or_allergy_without_a_date_is_counted_as_known_always(resource_type: str) -> None:
    made = {"resourceType": resource_type, "id": "x", "code": {"text": "hay fever"},
            "subject": {"reference": "Patient/p"}, "patient": {"reference": "Patient/p"}}  # fmt: skip
    timeline = timeline_of([made])
    assert len(list(timeline.at(moment_of("D-30")).pool)) == 1
    assert timeline.known_by == {(resource_type, KnownBy.ALWAYS): 1}


def test_an_order_without_a_time_is_there_at_none() -> None:
    order = {"resourceType": "MedicationRequest", "id": "o", "status": "active", "subject": {"reference": "Patient/p"},
             "medicationCodeableConcept": {"text": "tocilizumab"}}  # fmt: skip
    timeline = timeline_of([order])
    assert not list(timeline.at(NOW).pool)
    assert timeline.known_by == {("MedicationRequest", KnownBy.NEVER): 1}


DEAD = rows("""
| deceased                  | dead | because                                                       |
| 2026-03-05T10:00:00+08:00 | yes  | yesterday                                                     |
| 2026-03-06T12:04:00+08:00 | yes  | a clock a little ahead of ours                                |
| 2026-03-06T13:00:00+08:00 | no   | an hour ahead is a mistake, and the patient is treated        |
| 2026-03-06                | yes  | today                                                         |
| 2026-09-06                | no   | half a year ahead                                             |
| 2026-03                   | yes  | this month, and somebody knows it by now                      |
| 2026                      | yes  | this year                                                     |
| 2027                      | no   | next year                                                     |
| 2026-12                   | no   | a later month, the last of the year                           |
| in spring                 | yes  | dead, at a time that cannot be read                           |
""")


@pytest.mark.parametrize("row", DEAD, ids=name_of)
def test_a_death_ahead_of_the_clock_silences_no_call(row: dict[str, str]) -> None:
    who, *chart = patient("grade 2")
    facts = facts_of([changed(who, deceasedDateTime=row["deceased"]), *chart])
    assert facts.deceased is (row["dead"] == "yes")
    assert (facts.grade is None) is facts.deceased
