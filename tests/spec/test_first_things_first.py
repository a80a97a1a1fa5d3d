"""What a careful physician wants to read first: another cause, infection, a sign that nobody measured.

Each line is a question at the bedside. "says" stands on the first card, "never" nowhere in the answer, nor in what
`explain` prints of it.
"""

from __future__ import annotations

from typing import Any

import pytest

from cards.choose import Advice
from cards.deciding.card import Card
from cards.deciding.decision_table import CardId, Indicator
from cards.deciding.dismissed import Dismissed, held_back
from cards.deciding.when_to_show import Planned, Showing
from cards.pages.explanation import explanation
from example_patients.stories.chart import Resource
from example_patients.stories.stories import drafted_tocilizumab
from fhir_mappings.facts.coverage import Kind
from tests.support.tables import NOW, T, answered, changed, facts_of, moment_of, name_of, patient, rows, shown_cards

HIGH = "T 39 @D3 20:00; il6 10 @D0 08:00; il6 50 @D4 07:00; weight 70 @-10h"
LOW = "SBP 78 @-1h; SpO2 86 @-1h; device RA @-1h"
LATE = "car-t tisagenlecleucel @D-27 10:00"

QUESTIONS = rows("""
| chart                                                                                   | drafted | cards                                            | says                                                                                                   | never        | because                                               |
| T 36.4 @-1h; LOW; anc 0 @-3h                                                            |         | other-cause-first (w), crs-grade                 | SBP 78, SpO2 86 %, no fever: not CRS. Sepsis, bleeding, heart, embolism now                            | grade 0      | never febrile, in shock and hypoxic                   |
| T 36.4 @-1h; LOW                                                                        | 560     | other-cause-first (w), no-crs (w), crs-grade     | SBP 78, SpO2 86 %, no fever: not CRS                                                                   | grade 0      | the same with tocilizumab drafted                     |
| T 36.4 @-1h; start norepinephrine 0.1 @-2h; SBP 95 @-1h; SpO2 97 @-1h; device RA @-1h   |         | other-cause-first (c), crs-grade                 | norepinephrine, no fever: not CRS                                                                      | grade 0      | on a vasopressor without fever                        |
| T 36.4 @-1h; LOW; coded D89.832 @-20h                                                   |         | other-cause-first (w), crs-grade                 | CRS grade 2 coded 5 Mar: fever charted elsewhere?                                                      | grade 0      | somebody coded CRS                                    |
| T 36.4 @-1h; LOW; culture Escherichia coli @-20h                                        |         | other-cause-first (w), crs-grade                 | Escherichia coli in blood 5 Mar 16:00: SBP 78                                                          | grade 0      | and a blood culture is positive                       |
| LATE; T 39.2 @-6h; SBP 84 @-6h; SpO2 96 @-6h; device RA @-6h                            |         | other-cause-first (w), crs-grade                 | Fever and SBP 84 on day 31: sepsis first; CRS this late is rare                                        | tocilizumab for | day 31, fever and hypotension                      |
| HIGH; grade 2; anc 0.1 @-3h; culture Escherichia coli @-2h                              |         | infection-first (w), crs-grade                   | Escherichia coli in blood 6 Mar 10:00: treat sepsis first; CRS grade 2 only if not explained by it     | recommend    | E. coli in blood, grade 2, IL-6 high                  |
| HIGH; grade 2; anc 0.1 @-3h; culture Escherichia coli @-2h                              | 560     | infection-first (w), crs-grade                   | Escherichia coli in blood 6 Mar 10:00, tocilizumab drafted: treat sepsis first                         | recommend    | the same with tocilizumab drafted                     |
| grade 1; culture Gram-positive cocci in clusters @-2h                                   |         | infection-first (w), crs-grade                   | blood culture Gram-positive cocci in clusters 6 Mar 10:00: treat sepsis first                          | recommend    | a Gram stain, no organism yet                         |
| T 39 @-14h; culture Escherichia coli @-2h                                               |         | infection-first (w), crs-grade                   | Blood pressure and oxygen not charted since the infusion: measure now                                   | recommend    | nothing charted beside: it still says so              |
| T 38.9 @-14h; SBP 112 @-14h; SpO2 96 @-14h; device RA @-14h; give paracetamol 1000 @-13h |        | grade1-supportive (w), crs-grade                 | CRS at least grade 1; blood pressure and oxygen not charted for 14 h: measure now                      | –            | nothing charted for 14 h after a fever                |
| T 38.9 @-14h; SBP 112 @-13h; SpO2 96 @-20h                                              |         | grade1-supportive (w), crs-grade                 | blood pressure not charted for 13 h, oxygen not charted for 20 h: measure now                          | –            | each for how long                                     |
| T 38.5 @-90h; T 38.5 @-70h; T 38.5 @-48h; T 38.5 @-25h; grade 1; weight 70 @-10h        |         | grade1-supportive (w), crs-grade                 | CRS grade 1, fever for 3 days: manage as grade 2 (ASCO)                                                | –            | fever for more than three days                        |
| T 39 @D1 06:00; toci 560 @D1 10:00; T 36.8 @D1 20:00; SBP 118 @D1 20:00; SpO2 98 @D1 20:00; device RA @D1 20:00; T 35.8 @-1h; SBP 82 @-1h; SpO2 97 @-1h; device RA @-1h; anc 0 @-2h; as of D6 | | crs-possible-masked (w), crs-grade | Late after the last fever: infection, bleeding, heart first. | recommend | five days well, then hypothermic, in shock, aplastic |
| grade 1; ice 5 @-1h                                                                     | 560     | icans-steroid (w), grade1-supportive, crs-grade  | ASCO adds tocilizumab with concurrent CRS                                                              | does not treat | ICANS 2 beside CRS 1, tocilizumab drafted           |
| grade 1; ice 5 @-1h                                                                     |         | icans-steroid (w), grade1-supportive, crs-grade  | ASCO adds tocilizumab with concurrent CRS                                                              | does not treat | the same as the chart is opened                     |
| grade 0; ice 5 @-1h                                                                     | 560     | icans-steroid (w), no-crs (w), crs-grade         | it is not for isolated ICANS                                                                           | ASCO adds    | ICANS alone, tocilizumab drafted                      |
| SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h; ice 5 @-1h                                  |         | icans-steroid (w), crs-grade-unknown, crs-grade  | ICANS grade 2 (ICE 5): dexamethasone 10 mg IV, again after 12 h, then reassess                                 | isolated     | without a grade of CRS neither is said                |
| grade 1; coded G92.04 @-1h                                                              |         | icans-steroid (c), grade1-supportive, crs-grade  | ICANS grade 4 (coded G92.04): ICU and airway, methylprednisolone 1,000 mg IV once a day, imaging at once               | –            | ICANS 4                                               |
| grade 1; ice 1 @-1h                                                                     |         | icans-steroid (c), grade1-supportive, crs-grade  | ICANS grade 3 (ICE 1): ICU, dexamethasone 10 mg IV every 6 h, imaging, EEG                                     | –            | ICANS 3                                               |
| grade 1; ice 8 @-1h                                                                     |         | icans-steroid, grade1-supportive, crs-grade      | ICANS grade 1 (ICE 8): supportive care, ICE every 8 h                                                          | Dexamethasone 10 mg | ICANS 1: no order                              |
| HIGH; T 38.9 @-8h; SBP 85 @-1h; T 38.9 @-1h; SpO2 95 @-1h; device RA @-1h; give phenylephrine 0.1 IV @-55m; give phenylephrine 0.1 IV @-45m; give phenylephrine 0.1 IV @-35m; give norepinephrine 0.008 IV @-25m | | toci-recommended (w), crs-grade | CRS grade 2 (SBP 85, pushes of phenylephrine, pushes of norepinephrine) | grade 3 | pushes are no infusion |
""")  # fmt: skip


def asked(row: dict[str, str]) -> Advice:
    chart, _, as_of = row["chart"].partition("; as of ")
    chart = chart.replace("HIGH", HIGH).replace("LOW", LOW).replace("LATE", LATE)
    now = moment_of(f"{as_of} 09:00") if as_of else NOW
    if as_of:
        for hours in ("-1h", "-2h"):
            chart = chart.replace(f"@{hours}", f"@{as_of} 0{9 - int(hours[1])}:00")
    drafts = [drafted_tocilizumab("p", int(row["drafted"]), now)] if row["drafted"] else []
    found = patient(f"{chart}; weight 70 @D0 08:00" if row["drafted"] else chart, infused="car-t" not in chart)
    return answered(found, drafts=drafts, showing=Showing.ORDERS if drafts else Showing.STATE, as_of=now)


def words_of(card: Card) -> str:
    return f"{card.summary} {card.detail} {' '.join(s.label for s in card.suggestions)}"


@pytest.mark.parametrize("row", QUESTIONS, ids=name_of)
def test_what_comes_first(row: dict[str, str]) -> None:
    found = asked(row)
    assert shown_cards(found) == row["cards"]
    assert row["says"] in words_of(found.cards[0])
    if row["never"] != "–":
        assert not any(row["never"] in words_of(card) for card in found.cards)


def test_the_explanation_and_the_rows_say_no_grade_0_where_something_is_low() -> None:
    found = patient(f"T 36.4 @-1h; {LOW}")
    page = explanation(facts_of(found), answered(found), T, "hash")
    assert "grade 0" not in page
    assert "together: no fever: not CRS – SBP 78 mmHg" in page


SECOND_LINES = rows("""
| chart                                                             | card                  | because                     |
| grade 3                                                           | severe-crs            | severe CRS                  |
| HIGH; grade 2                                                     | toci-recommended      | the study's recommendation  |
| T 39 @D3 20:00; il6 10 @D0 08:00; il6 20 @D4 07:00; grade 2       | steroid-early-low-il6 | a small rise                |
| grade 2                                                           | toci-guideline        | the guideline               |
| T 39 @-30h; toci 560 @-20h; toci 560 @-9h; grade 2                | steroid-after-2-toci  | after two doses             |
| T 38.5 @-90h; T 38.5 @-70h; T 38.5 @-48h; T 38.5 @-25h; grade 1   | grade1-supportive     | fever for three days        |
""")


@pytest.mark.parametrize("row", SECOND_LINES, ids=name_of)
def test_each_card_that_gives_treatment_says_in_its_second_line_what_is_known_of_infection(row: dict[str, str]) -> None:
    chart = f"{row['chart'].replace('HIGH', HIGH)}; anc 0.1 @-3h; pcr Detected @-60h; coded B18.1 @-900h"
    second = next(c for c in answered(patient(chart)).cards if c.id == row["card"]).detail.split("\n\n")[1]
    assert second == (
        "Only if not attributable to another cause. Infection to weigh: Viral PCR: Detected 4 Mar 00:00. "
        "On record, not counted: coded B18.1 since 28 Jan 2026. ANC 0.1."
    )


READ = rows("""
| chart                                                             | unread                   | says                                                                                        | because                        |
| grade 2                                                           |                          | No infection coded; no culture or PCR in 7 days.                                           | nothing was tested             |
| grade 2; culture No growth @-60h; culture No growth @-30h; pcr Not detected @-50h | | No infection found in: blood culture ×2, viral pcr ×1, diagnoses (latest 5 Mar 06:00).      | three tests, nothing found     |
| grade 2; culture No growth @-30h                                  | conditions               | No infection found in: blood culture ×1 (latest 5 Mar 06:00). Could not be read: conditions. | diagnoses could not be read    |
| grade 2                                                           | microbiology             | Could not be read: microbiology.                                                            | cultures could not be read     |
| grade 2; culture Escherichia coli @-100h                          | conditions               | Infection to weigh: Escherichia coli in blood 2 Mar 08:00. Could not be read: conditions.   | one found, the rest not read   |
""")


@pytest.mark.parametrize("row", READ, ids=name_of)
def test_no_infection_found_lists_what_was_read(row: dict[str, str]) -> None:
    kinds = [Kind(row["unread"])] if row["unread"] else []
    card = next(c for c in answered(patient(row["chart"]), unread=kinds).cards if c.id is CardId.TOCI_GUIDELINE)
    assert f"Only if not attributable to another cause. {row['says']} ANC not known." in card.detail


ANTIBIOTICS = rows("""
| chart                                                                  | says                                                          | because                                     |
| grade 2; anc 0.1 @-3h                                                  | Neutropenic fever: cultures and empirical antibiotics now     | none given                                  |
| grade 2; anc 0.1 @-3h; give meropenem 1000 @-6h                        | Neutropenic fever: cultures; meropenem since 06:00. | it is given since 06:00              |
| grade 2; anc 0.1 @-3h; give meropenem 1000 @-31h; give meropenem 1000 @-6h | meropenem since 06:00.                                    | an earlier one ended                        |
| grade 2; anc 0.1 @-3h; give meropenem 1000 @-22h; give meropenem 1000 @-6h | meropenem since 5 Mar 14:00                               | since yesterday                             |
| grade 2; anc 0.1 @-3h; give aciclovir 400 @-6h                         | Neutropenic fever: cultures and empirical antibiotics now     | aciclovir treats no neutropenic fever       |
| grade 2; anc 0.1 @-3h; give levofloxacin 500 PO @-6h                   | Neutropenic fever: cultures and empirical antibiotics now     | nor does a prophylaxis                      |
| grade 2; anc 0.1 @-3h; give caspofungin 50 IV @-6h                     | Neutropenic fever: cultures and empirical antibiotics now     | nor an antifungal                           |
| grade 2; give meropenem 1000 @-6h                                      | neutropenic fever, cultures; meropenem since 06:00.           | counts not known                            |
| grade 2; culture Escherichia coli @-3h; give meropenem 1000 @-6h       | Treat sepsis first: meropenem since 06:00                     | on infection-first too                      |
| grade 2; culture Escherichia coli @-3h                                 | Treat sepsis first: antibiotics now                           | and without                                 |
""")


@pytest.mark.parametrize("row", ANTIBIOTICS, ids=name_of)
def test_antibiotics_now_gives_way_to_what_is_given(row: dict[str, str]) -> None:
    card = answered(patient(row["chart"])).cards[0]
    assert row["says"] in card.detail
    assert ("antibiotics now" in card.detail) is ("antibiotics now" in row["says"])


def test_an_anti_infective_that_does_not_count_is_named_all_the_same() -> None:
    card = answered(patient("grade 2; give levofloxacin 500 PO @-6h")).cards[0]
    assert "Levofloxacin since 06:00." in card.detail


SEVERE = rows("""
| chart                                                                        | summary                                                                                  | because                      |
| T 39 @-1h; SBP 95 @-1h; start norepinephrine 0.1 @-2h; SpO2 97 @-1h; device RA @-1h; culture Escherichia coli @-3h | Escherichia coli in blood 6 Mar 09:00, on norepinephrine: septic shock first; CRS grade 3 possible | on a vasopressor |
| grade 3; culture Escherichia coli @-3h                                       | Escherichia coli in blood 6 Mar 09:00: sepsis first; CRS grade 3 possible                | on high-flow oxygen          |
""")


@pytest.mark.parametrize("row", SEVERE, ids=name_of)
def test_severe_crs_begins_with_the_culture_and_keeps_its_orders(row: dict[str, str]) -> None:
    card = answered(patient(f"{row['chart']}; weight 70 @-10h")).cards[0]
    assert card.id is CardId.SEVERE_CRS
    assert card.summary == row["summary"]
    assert [s.order_key for s in card.suggestions] == ["tocilizumab", "corticosteroid"]


def test_infection_first_carries_the_work_up_and_no_other_card_a_treatment_but_icans() -> None:
    found = answered(patient(f"{HIGH}; grade 2; culture Escherichia coli @-30h; ice 5 @-1h"))
    assert shown_cards(found) == "infection-first (w), icans-steroid (w), crs-grade"
    keys = {card.id.value: [s.order_key for s in card.suggestions] for card in found.cards if card.suggestions}
    assert keys == {
        "infection-first": [
            "service:blood-culture", "service:urine-culture", "service:complete-blood-count",
            "service:c-reactive-protein", "service:chest-imaging",
        ],
        "icans-steroid": ["corticosteroid"],
    }  # fmt: skip
    assert "Escherichia coli in blood 5 Mar 06:00: weigh it first." in found.cards[1].detail


def test_a_draft_off_its_dose_is_not_corrected_beside_a_positive_culture() -> None:
    draft = drafted_tocilizumab("p", 700, NOW)
    found = answered(
        patient(f"{HIGH}; grade 2; culture Escherichia coli @-30h"), drafts=[draft], showing=Showing.ORDERS
    )
    check = next(c for c in found.cards if c.id is CardId.TOCI_DOSE_CHECK)
    assert not check.suggestions
    assert "a blood culture is positive, treat sepsis first" in check.detail


LONG = "T 38.5 @-90h; T 38.5 @-70h; T 38.5 @-48h; T 38.5 @-25h; grade 1; weight 70 @-10h"
LASTING = rows("""
| chart                        | orders      | because                                             |
| LONG                         | tocilizumab | as at grade 2, and not marked as recommended        |
| LONG; pcr Detected @-30h     |             | an infection is on record                           |
| LONG; toci 560 @-5h          |             | five hours after a dose                             |
""")


@pytest.mark.parametrize("row", LASTING, ids=name_of)
def test_fever_of_three_days_is_managed_as_grade_2(row: dict[str, str]) -> None:
    found = answered(patient(row["chart"].replace("LONG", LONG)))
    card = next(c for c in found.cards if c.id is CardId.GRADE1_SUPPORTIVE)
    assert card.indicator is Indicator.WARNING
    assert ", ".join(s.order_key for s in card.suggestions) == row["orders"]
    assert not any(s.recommended for s in card.suggestions)


BEFORE_FEVER = rows("""
| chart                                                | says | because                              |
| grade 0                                              | yes  | no fever in this course              |
| T 38.5 @-50h; grade 0                                | no   | a fever earlier in the course        |
""")


@pytest.mark.parametrize("row", BEFORE_FEVER, ids=name_of)
def test_a_dose_before_any_fever_is_told_both_sides(row: dict[str, str]) -> None:
    found = answered(patient(row["chart"]), drafts=[drafted_tocilizumab("p", 560, NOW)], showing=Showing.ORDERS)
    card = next(c for c in found.cards if c.id is CardId.NO_CRS)
    both = "ICANS of grade 3 or more in 41 % against 28 % without, severe CRS in 3 % against 13 % (PMC10329191)"
    assert (both in card.detail) is (row["says"] == "yes")


def medication_order(text: str, **more: Any) -> Resource:
    return {
        "resourceType": "MedicationRequest", "id": "d", "status": "draft", "intent": "order",
        "subject": {"reference": "Patient/p"}, "medicationCodeableConcept": {"text": text}, **more,
    }  # fmt: skip


RXNORM = {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1722933"}
SPOKEN = rows("""
| drafted         | chart                                                         | cards                                             | because                                               |
| meropenem       | T 36.4 @-1h; LOW                                              | other-cause-first (w), crs-grade                  | an antimicrobial concerns what CRS resembles          |
| meropenem, code | T 36.4 @-1h; LOW                                              | other-cause-first (w), crs-grade                  | by its code alone too                                 |
| meropenem       | grade 1                                                       | –                                                 | and gets warnings only                                |
| ondansetron     | T 36.4 @-1h; LOW                                              | –                                                 | another order gets critical cards only                |
| ondansetron     | T 36.4 @-1h; start norepinephrine 0.1 @-2h                    | other-cause-first (c), crs-grade                  | shock without fever is said on any order              |
""")


@pytest.mark.parametrize("row", SPOKEN, ids=name_of)
def test_which_drafts_bring_these_cards(row: dict[str, str]) -> None:
    draft = medication_order(row["drafted"])
    if row["drafted"].endswith("code"):
        draft = changed(draft, medicationCodeableConcept={"coding": [RXNORM]})
    found = answered(patient(row["chart"].replace("LOW", LOW)), drafts=[draft], showing=Showing.ORDERS)
    assert shown_cards(found) == row["cards"]


def test_a_critical_other_cause_is_never_answered_by_its_orders() -> None:
    shocked = "T 36.4 @-1h; start norepinephrine 0.1 @-2h; culture No growth @-3h; SpO2 97 @-1h; device RA @-1h"
    found = answered(patient(shocked), drafts=[medication_order("ondansetron")], showing=Showing.ORDERS)
    assert shown_cards(found) == "other-cause-first (c), crs-grade"


HELD = rows("""
| card              | indicator | held | because                                            |
| infection-first   | warning   | no   | never                                              |
| other-cause-first | warning   | no   | never                                              |
| crs-grade-unknown | warning   | no   | a warning that may hide a grade                    |
| crs-grade-unknown | info      | yes  | at info it may wait                                |
| icans-steroid     | warning   | yes  | a warning that the user has read                   |
| icans-steroid     | critical  | no   | a critical card                                    |
""")


@pytest.mark.parametrize("row", HELD, ids=name_of)
def test_which_dismissed_card_may_wait(row: dict[str, str]) -> None:
    card, indicator = CardId(row["card"]), Indicator(row["indicator"])
    held = held_back((Planned(card, indicator, ()),), (Dismissed(card, indicator, "the same", NOW),), "the same")
    assert bool(held) is (row["held"] == "yes")


SEVERE = "T 39 @-1h; start norepinephrine 0.1 @-3h; SBP 95 @-1h; SpO2 97 @-1h; device RA @-1h; weight 70 @-9h"
STALE = "T 39 @-1h; rate norepinephrine 0.1 @-9h; rate epinephrine 0.1 @-8h; SBP 100 @-1h; SpO2 97 @-1h; device RA @-1h"

FIRST_LINES = rows("""
| chart                                                          | card                | says                                                                         | because                             |
| SEVERE; culture Escherichia coli @-30h                         | severe-crs          | Sepsis first: antibiotics now; repeat cultures, source.                      | severe CRS beside a blood culture   |
| SEVERE; culture Escherichia coli @-30h; give meropenem 1000 @-6h | severe-crs        | Sepsis first: meropenem since 06:00; repeat cultures, source.                | with antibiotics                    |
| car-t tisagenlecleucel @D-31 10:00; SEVERE                     | severe-crs          | look for infection first. No order for CRS is suggested. No infection coded  | severe after day 30                 |
| T 36.4 @-1h; LOW; anc 0.1 @-3h                                 | other-cause-first   | Neutropenic: cultures and empirical antibiotics now, without fever too.      | no fever, and no neutrophils        |
| T 36.4 @-1h; LOW; anc 2 @-3h                                   | other-cause-first   | heart failure and embolism now.                                              | enough neutrophils: nothing of them |
| give paracetamol 1000 @-5h; T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h; anc 0.1 @-3h | crs-possible-masked | Neutropenic: cultures and empirical antibiotics now | fever may be masked   |
| T 38.5 @-72h; T 38.5 @-48h; T 38.5 @-25h; grade 1; weight 70 @-10h | grade1-supportive | Fever for 3 days: manage as grade 2 (ASCO), tocilizumab 560 mg IV.          | long fever: before supportive care  |
""")


@pytest.mark.parametrize("row", FIRST_LINES, ids=name_of)
def test_the_first_line_of_a_card_is_what_to_do_first(row: dict[str, str]) -> None:
    chart = row["chart"].replace("SEVERE", SEVERE).replace("LOW", LOW)
    found = answered(patient(chart, infused="car-t" not in chart))
    first = next(c for c in found.cards if c.id == row["card"]).detail.split("\n\n")[0]
    assert row["says"] in first
    assert ("Neutropenic" in first) is ("Neutropenic" in row["says"])


def test_a_grade_4_that_hangs_on_the_pumps_says_so_in_its_summary() -> None:
    card = next(c for c in answered(patient(f"{STALE}; weight 70 @-9h")).cards if c.id is CardId.SEVERE_CRS)
    assert card.summary.startswith("CRS grade 4 (4 if both still run: check the pumps): tocilizumab 560 mg IV and ")
