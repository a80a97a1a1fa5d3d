"""Which cards a patient gets: every row of the decision table, by a patient (clinical specification §2.2, §2.3).

`grade 2` stands for signs of that grade an hour before the call; "drafted" is a tocilizumab draft of so many mg on
order-sign. (c) is critical, (w) a warning. The baselines: IL-6 10 pg/mL on day 0; "high" is 50 and "low" 20 on day 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from cards.choose import Advice
from cards.deciding.card import Card
from cards.deciding.card_modes import CardModes, card_modes
from cards.deciding.decision_table import PARTS, CardId, rows_for
from cards.deciding.when_to_show import Showing
from example_patients.stories.chart import Resource
from example_patients.stories.stories import drafted_tocilizumab
from fhir_mappings.facts.coverage import Kind
from tests.support.orders import steroid_order
from tests.support.tables import NO_MODES, NOW, answered, changed, moment_of, name_of, patient, rows, shown_cards

HIGH = "T 39 @D3 20:00; il6 10 @D0 08:00; il6 50 @D4 07:00"
LOW = "T 39 @D3 20:00; il6 10 @D0 08:00; il6 20 @D4 07:00"
ASK = "il6 10 @D0 08:00"


def asked(
    chart: str,
    drafted: str = "",
    unread: str = "",
    *,
    modes: CardModes = NO_MODES,
    birth_date: str = "1980-01-01",
    drafts: Sequence[Resource] = (),
    as_of: datetime = NOW,
) -> Advice:
    words = chart.replace("IL-6 high", HIGH).replace("IL-6 low", LOW).replace("IL-6 to ask", ASK)
    infused = "car-t" not in words
    found = patient(f"{words}; weight 70 @-10h", infused=infused, birth_date=birth_date)
    if drafted:
        drafts = [*drafts, drafted_tocilizumab("p", int(drafted), NOW)]
    showing = Showing.ORDERS if drafts else Showing.STATE
    kinds = [Kind(kind) for kind in filter(None, unread.split(", "))]
    return answered(found, drafts=drafts, showing=showing, unread=kinds, modes=modes, as_of=as_of)


def row_ids(found: Advice) -> set[str]:
    assert found.cell is not None
    return {rule.id for rule in rows_for(found.cell)}


def check(row: dict[str, str]) -> None:
    found = asked(row["chart"], row.get("drafted", ""), row.get("unread", ""))
    assert row["row"] in row_ids(found)
    assert shown_cards(found) == row["cards"]


MANAGEMENT = rows("""
| row | chart                                                                      | unread      | cards                                                                 | because                                                 |
| M01 | start norepinephrine 0.1 @-3h; SBP 118 @-1h; SpO2 97 @-1h                  |             | crs-grade-unknown (c), crs-grade                                      | a vasopressor, and no temperature                       |
| M02 | SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h                                  |             | crs-grade-unknown (w), crs-grade                                      | hypotension, and no temperature                         |
| M03 | SpO2 97 @-1h; device RA @-1h                                               | vital signs | crs-grade-unknown (w), crs-grade                                      | vital signs could not be read                           |
| M04 | SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h                                 |             | crs-grade-unknown, crs-grade                                          | no temperature, nothing else amiss                      |
| M05 | give paracetamol 1000 @-5h; T 36.8 @-1h; SBP 118 @-1h; device HFNC @-1h    |             | crs-possible-masked (c), crs-grade                                    | high-flow oxygen, fever may be masked                   |
| M06 | give paracetamol 1000 @-5h; T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h | | crs-possible-masked (w), crs-grade                                    | hypotension, fever may be masked                        |
| M07 | grade 0                                                                    |             | crs-grade                                                             | nothing to treat                                        |
| M07 | SBP 84 @D-1 08:00; SBP 86 @D-1 14:00; SBP 84 @D-1 20:00; T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h | | crs-grade                             | low before the infusion too, and no fever               |
| M24 | T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h                     |             | other-cause-first (w), crs-grade                                      | hypotension without fever is not CRS                    |
| M24 | T 36.8 @-1h; SBP 118 @-1h; SpO2 86 @-1h; device RA @-1h                    |             | other-cause-first (w), crs-grade                                      | nor is hypoxia                                          |
| M25 | T 36.8 @-1h; SBP 118 @-1h; start norepinephrine 0.1 @-2h; SpO2 97 @-1h; device RA @-1h | | other-cause-first (c), crs-grade                              | a vasopressor without fever                             |
| M25 | T 36.8 @-1h; SBP 118 @-1h; device HFNC @-1h                                |             | other-cause-first (c), crs-grade                                      | high-flow oxygen without fever                          |
| M26 | IL-6 high; grade 2; culture Escherichia coli @-30h                         |             | infection-first (w), crs-grade                                        | E. coli in blood: sepsis first, whatever IL-6 says      |
| M26 | grade 1; culture Gram-negative rods @-3h                                   |             | infection-first (w), crs-grade                                        | a first report, grade 1                                 |
| M26 | T 39 @-30h; toci 560 @-20h; toci 560 @-9h; grade 2; culture Escherichia coli @-30h | | infection-first (w), crs-grade                                    | in place of the corticosteroid after two doses          |
| M26 | T 39 @-30h; toci 560 @-20h; toci 560 @-3h; grade 1; culture Escherichia coli @-30h | | infection-first (w), crs-grade                                    | in place of reassess-window too                         |
| M26 | car-t tisagenlecleucel @D-31 10:00; grade 2; culture Escherichia coli @-30h |            | infection-first (w), crs-grade                                        | on day 35 too                                           |
| M20 | IL-6 low; grade 3; culture Escherichia coli @-30h                          |             | severe-crs (c), crs-grade                                             | grade 3: both, said on one card                         |
| M06 | give paracetamol 1000 @-5h; T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h; culture Escherichia coli @-30h | | crs-possible-masked (w), crs-grade | without a grade its card begins with the culture        |
| M08 | car-t tisagenlecleucel @D-31 10:00; grade 1                                |             | crs-grade                                                             | day 35: the study's rules are off                       |
| M27 | car-t tisagenlecleucel @D-31 10:00; grade 2                                |             | other-cause-first (w), crs-grade                                      | day 35, grade 2: sepsis first                           |
| M09 | car-t tisagenlecleucel @D-31 10:00; grade 3                                |             | severe-crs (c), crs-grade                                             | day 35: severe CRS is said, without orders              |
| M10 | IL-6 high; grade 1                                                         |             | grade1-supportive, crs-grade                                          | grade 1 is below the study's threshold                  |
| M10 | T 38.5 @-71h; T 38.5 @-48h; T 38.5 @-25h; grade 1                          |             | grade1-supportive, crs-grade                                          | fever for 71 h                                          |
| M10 | T 38.5 @-80h; T 38.5 @-50h; T 38.5 @-26h; grade 1                          |             | grade1-supportive, crs-grade                                          | two fevers 30 h apart are not one                       |
| M29 | T 38.5 @-72h; T 38.5 @-48h; T 38.5 @-25h; grade 1                          |             | grade1-supportive (w), crs-grade                                      | fever for 72 h: as grade 2                              |
| M28 | T 39 @-14h; SBP 118 @-14h; SpO2 97 @-14h; device RA @-14h                  |             | grade1-supportive (w), crs-grade                                      | nothing charted for 14 h after a fever: measure now     |
| M28 | T 38.5 @-72h; T 38.5 @-48h; T 38.5 @-25h; T 38.5 @-1h; SBP 118 @-1h        |             | grade1-supportive (w), crs-grade                                      | long fever, and oxygen was never charted                |
| M11 | T 39 @-30h; SBP 118 @-4h; SpO2 97 @-4h; device RA @-4h; toci 560 @-20h; toci 560 @-3h; grade 1 | | reassess-window, crs-grade                                            | grade 1, three hours after dose 2                       |
| M12 | T 39 @-30h; toci 560 @-20h; toci 560 @-9h; grade 1                         |             | steroid-after-2-toci (w), crs-grade                                   | grade 1, nine hours after dose 2                        |
| M13 | IL-6 high; grade 2                                                         |             | toci-recommended (w), crs-grade                                       | grade 2 and a high rise                                 |
| M13 | T 39 @D3 20:00; il6 10 @D0 08:00; il6 50 @D3 22:00; toci 560 @-9h; grade 2 |             | toci-recommended (w), crs-grade                                       | the same nine hours after dose 1                        |
| M14 | IL-6 low; grade 2                                                          |             | steroid-early-low-il6 (w), crs-grade                                  | grade 2 and a small rise                                |
| M14 | T 39 @D3 06:00; il6 10 @D0 08:00; il6 20 @D4 07:00; toci 560 @-3h; grade 2 |             | steroid-early-low-il6 (w), crs-grade                                  | the same three hours after dose 1                       |
| M15 | IL-6 to ask; grade 2                                                       |             | toci-guideline (w), crs-grade                            | grade 2, the rise not known yet                         |
| M15 | il6 50 @D4 07:00; grade 2                                                  |             | toci-guideline (w), data-quality, crs-grade                           | grade 2, no baseline                                    |
| M16 | IL-6 high; toci 560 @-3h; grade 2                                          |             | reassess-window, crs-grade                                            | three hours after dose 1                                |
| M17 | T 39 @-30h; SBP 84 @-4h; SpO2 97 @-4h; device RA @-4h; toci 560 @-20h; toci 560 @-3h; grade 2 | | reassess-window, crs-grade                                 | grade 2 before and three hours after dose 2             |
| M18 | T 39 @-30h; toci 560 @-20h; toci 560 @-9h; grade 2                         |             | steroid-after-2-toci (w), crs-grade                                   | grade 2 nine hours after dose 2                         |
| M19 | T 39 @-30h; SBP 118 @-4h; SpO2 97 @-4h; device RA @-4h; toci 560 @-20h; toci 560 @-3h; grade 2 | | steroid-after-2-toci (c), crs-grade                       | grade 1 at dose 2, grade 2 three hours later            |
| M03 | give paracetamol 1000 @-5h; T 36.8 @-1h; SBP 118 @-1h; device BiPAP @D-1 22:00; device BiPAP @-1h; SpO2 97 @-1h | | crs-grade-unknown (w), crs-grade              | home BiPAP or respiratory failure, fever may be masked  |
| M15 | T 39 @D3 20:00; il6 10 @D0 08:00; il6 20 @D4 07:00; il6 60 preliminary @D4 09:00; grade 2 | | toci-guideline (w), data-quality, crs-grade | grade 2, a preliminary result would make the rise high |
| M20 | IL-6 low; grade 3                                                          |             | severe-crs (c), crs-grade                                             | grade 3: IL-6 does not delay                            |
| M20 | IL-6 to ask; grade 4                                                       |             | severe-crs (c), crs-grade                                | grade 4, the rise not known yet                         |
| M20 | T 39 @-30h; SBP 118 @-4h; device HFNC @-4h; toci 560 @-20h; toci 560 @-3h; grade 3 | | severe-crs (c), crs-grade                                         | grade 3 before and three hours after dose 2             |
| M20 | T 39 @-30h; SBP 118 @-4h; SpO2 97 @-4h; device RA @-4h; toci 560 @-20h; toci 560 @-3h; grade 3 | | severe-crs (c), crs-grade                                  | grade 1 at dose 2, grade 3 three hours later: one card says it |
| M20 | T 39 @-30h; toci 560 @-20h; toci 560 @-9h; grade 3                         |             | severe-crs (c), crs-grade                                             | grade 3 nine hours after dose 2                         |
| M30 | T 39 @-30h; toci 560 @-22h; T 39 @-10h; SBP 118 @-10h; device NC @-10h; flow 2 @-10h; toci 560 @-9h; grade 1 | | reassess-window, crs-grade | nine hours after dose 2 and better: wait |
| M12 | T 39 @-40h; toci 560 @-36h; T 39 @-25h; SBP 118 @-25h; device NC @-25h; flow 2 @-25h; toci 560 @-24h; grade 1 | | steroid-after-2-toci (w), crs-grade | better, but 24 h after dose 2 |
""")


@pytest.mark.parametrize("row", MANAGEMENT, ids=name_of)
def test_management_by_grade_il6_and_doses(row: dict[str, str]) -> None:
    check(row)


ORDERED = rows("""
| row | chart                                                                | orders                                           | because                                               |
| M09 | car-t tisagenlecleucel @D-31 10:00; grade 3                          |                                                  | day 35: severe CRS is said, without orders            |
| M12 | T 39 @-30h; toci 560 @-20h; toci 560 @-9h; grade 1                   | steroid-after-2-toci: corticosteroid             | two doses did not end it                              |
| M13 | IL-6 high; grade 2                                                   | toci-recommended: tocilizumab                    | the study's recommendation                            |
| M14 | IL-6 low; grade 2                                                    | steroid-early-low-il6: tocilizumab, corticosteroid | guideline care first, and the study's corticosteroid |
| M15 | il6 50 @D4 07:00; grade 2                                            | toci-guideline: tocilizumab                      | guideline care, the rise is not known                 |
| M19 | T 39 @-30h; SBP 118 @-4h; SpO2 97 @-4h; device RA @-4h; toci 560 @-20h; toci 560 @-3h; grade 2 | steroid-after-2-toci: corticosteroid | progress after dose 2       |
| M20 | IL-6 low; grade 3                                                    | severe-crs: tocilizumab, corticosteroid          | both at once                                          |
| M20 | T 39 @-30h; SBP 118 @-4h; device HFNC @-4h; toci 560 @-20h; toci 560 @-3h; grade 3 | severe-crs: corticosteroid         | three hours after a dose there is no other            |
| M13 | T 39 @D3 06:00; SBP 84 @D3 08:00; SpO2 97 @D3 08:00; device RA @D3 08:00; il6 10 @D0 08:00; il6 50 @D3 07:00; toci 560 @-24h; grade 2 | toci-recommended: tocilizumab, corticosteroid | no better 24 h after the first dose |
| M15 | T 39 @D3 06:00; SBP 84 @D3 08:00; SpO2 97 @D3 08:00; device RA @D3 08:00; toci 560 @-24h; grade 2 | toci-guideline: tocilizumab, corticosteroid | the same, the rise is not known |
| M13 | T 39 @D3 06:00; SBP 84 @D3 08:00; SpO2 97 @D3 08:00; device RA @D3 08:00; il6 10 @D0 08:00; il6 50 @D3 07:00; toci 560 @-1439m; grade 2 | toci-recommended: tocilizumab | a minute less than 24 h |
| M13 | T 39 @D3 06:00; SBP 118 @D3 08:00; device HFNC @D3 08:00; il6 10 @D0 08:00; il6 50 @D3 07:00; toci 560 @-24h; grade 2 | toci-recommended: tocilizumab | grade 3 at the dose, grade 2 now: better |
| M15 | IL-6 to ask; grade 2                                                 | toci-guideline: tocilizumab, service:interleukin-6 | the sample that can settle it, before the first dose |
| M20 | IL-6 to ask; grade 4                                                 | severe-crs: tocilizumab, corticosteroid, service:interleukin-6 | the same at grade 4 |
| M10 | IL-6 to ask; grade 1                                                 | grade1-supportive: service:interleukin-6         | the same at grade 1                                   |
| N02 | grade 0; ice 3 @-1h                                                  | icans-steroid: corticosteroid                    | ICANS of grade 2                                      |
| S01 | crp 10 @D0 08:00; crp 19 @D3 07:00; grade 0; toci 560 @-20h          | infection-surveillance: service:blood-culture, service:urine-culture, service:complete-blood-count, service:c-reactive-protein, service:chest-imaging | the whole bundle |
""")


@pytest.mark.parametrize("row", ORDERED, ids=name_of)
def test_which_orders_a_row_offers(row: dict[str, str]) -> None:
    found = asked(row["chart"])
    offered = [f"{c.id.value}: {', '.join(s.order_key for s in c.suggestions)}" for c in found.cards if c.suggestions]
    assert row["row"] in row_ids(found)
    assert "; ".join(offered) == row["orders"]


UNREAD = rows("""
| row | chart                                              | unread      | cards                                                            | because                                         |
| G01 | T 39 @-1h; SpO2 97 @-1h; device RA @-1h            | medication administrations | crs-grade-unknown (w), grade1-supportive (w), data-quality, crs-grade | a vasopressor could run unseen, and no pressure is charted    |
| G01 | T 39 @-1h; SBP 118 @-1h                            | oxygen      | crs-grade-unknown (w), grade1-supportive, crs-grade              | oxygen could not be read                        |
| G01 | grade 0                                            | oxygen      | crs-grade-unknown (w), crs-grade                                 | grade 0 whatever the oxygen, and still said     |
| G01 | T 39 @-1h; SBP 118 @-1h; device BiPAP @D-1 22:00; device BiPAP @-1h; SpO2 97 @-1h | | crs-grade-unknown (w), grade1-supportive, crs-grade | home BiPAP, or respiratory failure        |
| G02 | grade 4                                            | vital signs | severe-crs (c), crs-grade                                        | no pressure could raise grade 4                 |
| G02 | T 39 @-1h; SBP 118 @-1h                            |             | grade1-supportive (w), crs-grade                                 | oxygen was never charted: at least grade 1      |
| G02 | T 39 @-1h; SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h | respiratory support procedures | grade1-supportive, crs-grade                | at least grade 1: oxygen from what was measured |
| G03 | SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h         |             | crs-grade-unknown, crs-grade                                     | no grade at all has a card of its own           |
""")


@pytest.mark.parametrize("row", UNREAD, ids=name_of)
def test_a_grade_that_may_be_higher(row: dict[str, str]) -> None:
    check(row)


SURVEILLANCE = rows("""
| row | chart                                                                        | drafted | cards                                             | because                                              |
| S01 | crp 10 @D0 08:00; crp 19 @D4 07:00; grade 0; toci 560 @-20h                  |         | infection-surveillance (w), crs-grade             | CRP 1.9-fold and tocilizumab given                   |
| S01 | crp 10 @D0 08:00; crp 19 @D4 07:00; grade 1                                  | 560     | infection-surveillance (w), grade1-supportive, crs-grade | the same, tocilizumab drafted    |
| S01 | crp 10 @D0 08:00; crp 11 @D3 07:00; toci 560 @-20h; crp 60 @-1h; grade 0     |         | infection-surveillance (w), crs-grade             | a rise after tocilizumab counts all the same         |
| S01 | crp 10 @D0 08:00; crp 19 @D4 07:00; grade 0; toci 560 @D0 10:00              |         | infection-surveillance (w), crs-grade             | given as the infusion began                          |
| S01 | crp 10 @D0 08:00; crp 19 @D4 07:00; give sarilumab 200 @D2 10:00; grade 0     |         | infection-surveillance (w), crs-grade             | another IL-6 blocker                                 |
| S01 | crp 10 @D0 08:00; crp 19 @D4 07:00; toci 560 @D-1 10:00; grade 0             |         | infection-surveillance (w), crs-grade             | given the day before the infusion                    |
| S02 | crp 10 @D0 08:00; crp 19 @D4 07:00; toci 560 @D-2 10:00; grade 0             |         | crs-grade                                         | two days before it                                   |
| S04 | toci 560 @-20h; pcr Detected @-30h; grade 0                                  |         | infection-surveillance (w), crs-grade             | an infection on record, whatever CRP                 |
| S04 | toci 560 @-20h; coded J18.9 @-30h; grade 0                                   |         | infection-surveillance (w), crs-grade             | coded                                                |
| S05 | toci 560 @-20h; culture Escherichia coli @-30h; grade 0                      |         | infection-surveillance (w), crs-grade             | a positive blood culture at grade 0                  |
| S06 | T 39 @-30h; crp 10 @D0 08:00; crp 19 @D3 07:00; toci 560 @-20h; culture Escherichia coli @-3h; grade 2 | | infection-first (w), crs-grade      | at grade 2 infection-first stands in its place       |
| S02 | crp 10 @D0 08:00; crp 19 @D4 07:00; grade 0                                  |         | crs-grade                                         | no tocilizumab in play                               |
| S03 | crp 10 @D0 08:00; crp 18.3 @D4 07:00; toci 560 @-3h; grade 0                 |         | crs-grade                                         | exactly 1.83-fold is not above it                    |
| S03 | toci 560 @-20h; grade 0                                                      |         | crs-grade                                         | CRP unknown                                          |
""")


@pytest.mark.parametrize("row", SURVEILLANCE, ids=name_of)
def test_infection_surveillance(row: dict[str, str]) -> None:
    row = {**row, "chart": row["chart"].replace("grade 1", "il6 10 @D0 08:00; grade 1")}
    check(row)


SAMPLE = rows("""
| chart                                                  | offered by        | because                                             |
| IL-6 to ask; grade 1                                   | grade1-supportive | a sample can settle the rise before tocilizumab     |
| IL-6 to ask; grade 1; order interleukin-6              | –                 | it is ordered                                       |
| IL-6 low; grade 1                                      | –                 | the rise is known                                   |
| grade 1                                                | –                 | no baseline: no sample can settle it                |
| il6 10 @D0 08:00; give sarilumab 200 @D1 10:00; grade 1 | –                | after another IL-6 blocker no sample is usable      |
| T 39 @D3 06:00; il6 10 @D0 08:00; il6 20 @D2 07:00; give sarilumab 200 @D3 12:00; grade 1 | – | nor can one before it be followed by another |
| IL-6 to ask; toci 560 @-3h; grade 1                    | –                 | after tocilizumab IL-6 is no longer usable          |
| car-t tisagenlecleucel @D-31 10:00; grade 1            | –                 | day 35                                              |
| IL-6 to ask; grade 0                                   | –                 | no CRS                                              |
""")


@pytest.mark.parametrize("row", SAMPLE, ids=name_of)
def test_a_sample_is_asked_for_only_where_it_helps(row: dict[str, str]) -> None:
    """The card that carries the order of IL-6; it says to draw it before the first dose and not to wait for it."""
    chart, _, ordered = row["chart"].partition("; order ")
    order: dict[str, Any] = {
        "resourceType": "ServiceRequest", "id": "s", "status": "active", "intent": "order",
        "subject": {"reference": "Patient/p"}, "authoredOn": "2026-03-06T11:00:00+08:00",
        "code": {"coding": [{"system": "http://loinc.org", "code": "26881-3"}]},
    }  # fmt: skip
    words = chart.replace("IL-6 to ask", ASK).replace("IL-6 low", LOW)
    found = answered([*patient(words, infused="car-t" not in words), *([order] if ordered else [])])
    offering = [c for c in found.cards for s in c.suggestions if s.order_key == "service:interleukin-6"]
    assert (", ".join(card.id for card in offering) or "–") == row["offered by"]
    assert all("Draw IL-6 before the first dose; do not wait for it." in card.detail for card in offering)


ICANS = rows("""
| row | chart                                             | cards                                                   | because                                                   |
| N01 | grade 0; ice 2 @-1h                               | icans-steroid (c), crs-grade                            | ICE 0–2 is ICANS grade 3                                  |
| N04 | grade 0; coded G92.04 @-70h                       | icans-steroid (c), crs-grade                            | coded grade 4, recorded 70 h ago                          |
| N02 | grade 0; ice 3 @-1h                               | icans-steroid (w), crs-grade                            | ICE 3–6 is ICANS grade 2                                  |
| N05 | grade 0; ice 9 @-23h; ice 10 @-1h                 | icans-steroid, crs-grade                                | the highest grade of 24 h counts: ICE 9 is grade 1        |
| N03 | grade 0; ice 10 @-1h                              | crs-grade                                               | ICE 10 is grade 0                                         |
| N03 | grade 0; ice 10 @-1h; coded G92.02 @-20h          | data-quality, crs-grade                                 | a charted score comes before a code, which is named       |
| N03 | grade 0; ice 5 @-25h                              | crs-grade                                               | a score of 25 h ago says nothing of now                   |
| N03 | grade 0; coded G92.02 @-73h                       | crs-grade                                               | a code of 73 h ago neither                                |
| N03 | grade 0; coded G92.00 @-1h                        | crs-grade                                               | a code without a grade                                    |
""")


@pytest.mark.parametrize("row", ICANS, ids=name_of)
def test_neurotoxicity(row: dict[str, str]) -> None:
    check(row)


DRAFTED = rows("""
| row | chart                                                                      | drafted | cards                                                     | because                                           |
| K01 | grade 2; IL-6 high; toci 560 @-7h                                          | 560     | toci-interval (c), reassess-window, crs-grade             | seven hours after the last dose                   |
| K02 | grade 2; IL-6 high                                                         | 560     | toci-recommended (w), crs-grade                           | no dose before                                    |
| K03 | grade 2; IL-6 high                                                         |         | toci-recommended (w), crs-grade                           | nothing drafted: nothing checked                  |
| K11 | T 39 @-90h; toci 560 @-80h; toci 560 @-60h; toci 560 @-40h; toci 560 @-20h; grade 2 | 560 | toci-max-doses (c), steroid-after-2-toci (w), crs-grade | four doses given                                |
| K11 | T 39 @-30h; toci 560 @-1439m; toci 560 @-16h; toci 560 @-8h; grade 3       | 560     | severe-crs (c), toci-max-doses (c), crs-grade | three doses in 24 h                 |
| K12 | T 39 @-30h; toci 560 @-24h; toci 560 @-16h; toci 560 @-8h; grade 3         | 560     | severe-crs (c), crs-grade       | the first of three exactly 24 h ago               |
| K12 | grade 2; IL-6 high                                                         | 560     | toci-recommended (w), crs-grade                           | within the number                                 |
| K13 | grade 0                                                                    |         | crs-grade                                                 | nothing drafted                                   |
| K23 | grade 2; IL-6 high; culture Escherichia coli @-30h                         | 560     | infection-first (w), crs-grade                            | drafted: treat sepsis first, and no other card    |
| K23 | grade 2; IL-6 high; culture Escherichia coli @-30h                         | 700     | infection-first (w), toci-dose-check (w), crs-grade       | the checks stand beside it                        |
| K23 | grade 2; IL-6 high; culture Escherichia coli @-73h                         | 560     | toci-recommended (w), infection-surveillance (w), crs-grade | a culture of 73 h ago is weighed                |
| K23 | grade 2; IL-6 high; pcr Detected, 4200 IU/mL @-100h                        | 560     | toci-recommended (w), infection-surveillance (w), crs-grade | CMV DNA within 7 days                           |
| K23 | grade 2; IL-6 high; coded A41.9 @-200h                                     | 560     | toci-recommended (w), infection-surveillance (w), crs-grade | an active coded infection of 8 days ago         |
| K23 | grade 2; IL-6 high; coded A41.9 @-721h                                     | 560     | toci-recommended (w), crs-grade                           | one of 30 days ago is named, no more              |
| K23 | grade 2; IL-6 high; culture No growth after 2 days @-30h                   | 560     | toci-recommended (w), crs-grade                           | a culture without growth                          |
| K23 | grade 2; IL-6 high; pcr Not detected @-30h                                 | 560     | toci-recommended (w), crs-grade                           | a PCR without a finding                           |
| K23 | grade 2; IL-6 high; anc 0.1 @-10h; plt 20 @-10h; alt 900 @-10h             | 560     | toci-recommended (w), crs-grade                           | cytopenia and enzymes are a line, never a card    |
| K24 | grade 0; culture Escherichia coli @-30h                                    |         | crs-grade                                                 | nothing drafted                                   |
| K31 | grade 0                                                                    | 560     | no-crs (w), crs-grade                                     | no CRS to treat                                   |
| K31 | grade 0; ice 5 @-1h                                                        | 560     | icans-steroid (w), no-crs (w), crs-grade                  | ICANS alone                                       |
| K31 | T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h                     | 560     | other-cause-first (w), no-crs (w), crs-grade              | hypotension without fever                         |
| K35 | grade 1; ice 5 @-1h                                                        | 560     | icans-steroid (w), grade1-supportive, crs-grade           | ICANS with CRS of grade 1: ASCO adds tocilizumab  |
| K35 | grade 1                                                                    | 560     | grade1-supportive, crs-grade                              | CRS grade 1 without ICANS                         |
| K35 | grade 2; IL-6 high; ice 5 @-1h                                             | 560     | icans-steroid (w), toci-recommended (w), crs-grade        | CRS grade 2 beside ICANS                          |
| K36 | grade 0; ice 5 @-1h                                                        |         | icans-steroid (w), crs-grade                              | nothing drafted                                   |
| K41 | grade 2; IL-6 high                                                         | 700     | toci-recommended (w), toci-dose-check (w), crs-grade      | 25 % more than 560 mg                             |
| K42 | grade 2; IL-6 high                                                         | 616     | toci-recommended (w), crs-grade                           | exactly 10 % more is not off                      |
| K43 | grade 0                                                                    |         | crs-grade                                                 | nothing drafted                                   |
""")


@pytest.mark.parametrize("row", DRAFTED, ids=name_of)
def test_what_a_drafted_tocilizumab_is_checked_against(row: dict[str, str]) -> None:
    check(row)


STEROID_DRAFTED = rows("""
| row | chart                               | steroid                       | cards                                            | because                                    |
| K51 | grade 3; give dexamethasone 10 @-3h | dexamethasone 10 every 6 @-1m | severe-crs (c), steroid-check (w), crs-grade     | given three hours ago                      |
| K51 | grade 3                             | dexamethasone 40 every 6 @-1m | severe-crs (c), steroid-check (w), crs-grade     | more than the most for one dose            |
| K52 | grade 3                             | dexamethasone 10 every 6 @-1m | severe-crs (c), crs-grade                        | the first, as the card asks                |
""")


@pytest.mark.parametrize("row", STEROID_DRAFTED, ids=name_of)
def test_a_drafted_corticosteroid_is_checked(row: dict[str, str]) -> None:
    found = asked(row["chart"], drafts=[steroid_order(row["steroid"], "draft", "draft")])
    assert row["row"] in row_ids(found)
    assert shown_cards(found) == row["cards"]


ALLERGY: Resource = {
    "resourceType": "AllergyIntolerance", "id": "a", "patient": {"reference": "Patient/p"},
    "clinicalStatus": {"coding": [{"code": "active"}]}, "code": {"text": "Tocilizumab"},
}  # fmt: skip


def test_k21_hypersensitivity_on_record_is_critical() -> None:
    found = answered(
        [*patient(f"{HIGH}; grade 2; weight 70 @-10h"), ALLERGY],
        drafts=[drafted_tocilizumab("p", 560, NOW)],
        showing=Showing.ORDERS,
    )
    assert "K21" in row_ids(found)
    assert shown_cards(found) == "toci-caution (c), toci-recommended (w), crs-grade"


DOSES = rows("""
| weight | drafted | age  | says                                                                     | because                                          |
| 70     | 504     | 46   | –                                                                        | exactly 10 % less                                |
| 70     | 503     | 46   | 503 mg is more than 10 % off; by weight it is 560 mg for 70 kg           | just more than 10 % less                         |
| 70     | 617     | 46   | 617 mg is more than 10 % off; by weight it is 560 mg for 70 kg           | just more than 10 % more                         |
| 70     | 840     | 46   | 840 mg is more than 800 mg, the most for one dose                    | above the maximum                                |
| 120    | 800     | 46   | –                                                                        | the maximum caps the dose                        |
| 50     | 600     | 46   | 600 mg is the dose of the other weight tier; by weight it is 400 mg for 50 kg | 12 mg/kg at 50 kg                           |
| 29.9   | 359     | 9    | –                                                                        | just below 30 kg: 12 mg/kg                       |
| 29.9   | 239     | 9    | 239 mg is the dose of the other weight tier; by weight it is 359 mg for 29.9 kg | 8 mg/kg just below 30 kg                  |
| 30     | 240     | 9    | –                                                                        | exactly 30 kg: 8 mg/kg                           |
|        | 560     | 46   | no weight of the last 14 days: the dose cannot be checked                | no weight                                        |
| 70     | 840     | 46   | 840 mg is the dose of the other weight tier                              | which is 12 mg/kg at 70 kg                       |
| 10     | 120     | 1    | below 2 years of age, where the label gives no dose                      | one year old                                     |
| 12     | 144     | 2    | –                                                                        | two years old                                    |
""")


def dose_card(found: Advice) -> Card | None:
    return next((c for c in found.cards if c.id is CardId.TOCI_DOSE_CHECK), None)


@pytest.mark.parametrize("row", DOSES, ids=name_of)
def test_the_drafted_dose(row: dict[str, str]) -> None:
    weight = f"; weight {row['weight']} @-10h" if row["weight"] else ""
    found = patient(f"{HIGH}; grade 2{weight}", birth_date=f"{2026 - int(row['age'])}-01-01")
    answer = answered(found, drafts=[drafted_tocilizumab("p", int(row["drafted"]), NOW)], showing=Showing.ORDERS)
    card = dose_card(answer)
    assert (card is None) is (row["says"] == "–")
    if card is not None:
        assert row["says"] in card.detail.replace("Below", "below").replace("No weight", "no weight")


ODD_DOSAGES: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({"doseAndRate": [{"doseQuantity": {"value": mg, "unit": "mg"}} for mg in (560, 700)]},
     "stated in ways that differ: 560 mg, 700 mg", "two doses in one dosage"),
    ({"doseAndRate": [{"doseQuantity": {"value": 560, "unit": "mg", "comparator": ">"}}]}, "could not be read", "more than"),
    ({"doseAndRate": [{"doseQuantity": {"value": 560, "unit": "g", "code": "mg"}}]}, "could not be read", "two units"),
    ({"doseAndRate": [{"doseQuantity": {"value": 560, "unit": "mg"}}],
      "timing": {"repeat": {"frequency": 1, "period": 6, "periodUnit": "h"}}}, "one dose at a time", "every six hours"),
    ({"doseAndRate": [{"doseQuantity": {"value": 560, "unit": "mg"}}], "timing": {"repeat": {"count": 4}}},
     "one dose at a time", "four times"),
    ({"text": "560 mg IV"}, "could not be read", "a dose as text only"),
)  # fmt: skip


@pytest.mark.parametrize(("dosage", "says", "because"), ODD_DOSAGES, ids=[case[2] for case in ODD_DOSAGES])
def test_a_dosage_that_is_not_one_plain_dose(dosage: dict[str, Any], says: str, because: str) -> None:
    draft = changed(drafted_tocilizumab("p", 560, NOW), dosageInstruction=[dosage])
    card = dose_card(asked("IL-6 high; grade 2", drafts=[draft]))
    assert card is not None, because
    assert says in card.detail


DRAFT_DOSES = rows("""
| value | unit   | route        | says                               | because                                     |
| 8     | mg/kg  |              | –                                  | a dose by weight is read                    |
| 12    | mg/kg  |              | the dose of the other weight tier  | the other tier by weight                    |
| 0.56  | g      |              | –                                  | grams are milligrams                        |
| 28    | mL     |              | –                                  | 28 mL of 20 mg/mL are 560 mg                |
| 1     | {vial} |              | its dose could not be read         | a vial is no dose                           |
| 560   | mg     | subcutaneous | the route is not intravenous       | under the skin                              |
""")


@pytest.mark.parametrize("row", DRAFT_DOSES, ids=name_of)
def test_the_drafted_dose_in_other_units_and_routes(row: dict[str, str]) -> None:
    draft = drafted_tocilizumab("p", 560, NOW)
    dosage: dict[str, Any] = {"doseAndRate": [{"doseQuantity": {"value": float(row["value"]), "unit": row["unit"]}}]}
    if row["route"]:
        dosage["route"] = {"text": row["route"]}
    card = dose_card(asked("IL-6 high; grade 2", drafts=[changed(draft, dosageInstruction=[dosage])]))
    assert (card is None) is (row["says"] == "–")
    if card is not None:
        assert row["says"] in card.detail.lower()


PENS = rows("""
| text                                          | because                                                    |
| tocilizumab 162 mg/0.9 mL auto-injector       | an auto-injector is for under the skin, whatever the route |
| Actemra 162 mg prefilled syringe              | so is a syringe                                            |
""")


@pytest.mark.parametrize("row", PENS, ids=name_of)
def test_a_product_for_under_the_skin_is_never_turned_into_an_infusion(row: dict[str, str]) -> None:
    draft = drafted_tocilizumab("p", 162, NOW)
    del draft["dosageInstruction"][0]["route"]
    draft["medicationCodeableConcept"] = {"text": row["text"]}
    card = dose_card(asked("IL-6 high; grade 2", drafts=[draft]))
    assert card is not None
    assert "the route is not intravenous" in card.detail.lower()
    assert not card.suggestions


def test_a_draft_off_the_dose_gets_an_update_of_that_draft_and_no_second_order() -> None:
    found = asked("IL-6 high; grade 2", "700")
    orders = [(c.id, s.action, s.resource["id"]) for c in found.cards for s in c.suggestions]
    assert orders == [(CardId.TOCI_DOSE_CHECK, "update", "draft-tocilizumab")]
    (corrected,) = (s.resource for c in found.cards for s in c.suggestions)
    assert corrected["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] == 560
    assert corrected["medicationCodeableConcept"]["text"] == "tocilizumab 560 mg IV"
    again = asked("IL-6 high; grade 2", drafts=[corrected])
    assert shown_cards(again) == "toci-recommended (w), crs-grade"


def test_a_corrected_draft_states_no_other_dose() -> None:
    draft = drafted_tocilizumab("p", 700, NOW)
    draft |= {"note": [{"text": "700 mg"}], "dispenseRequest": {"quantity": {"value": 700}}, "text": {"div": "700 mg"}}
    draft["dosageInstruction"][0] |= {"patientInstruction": "700 mg", "maxDosePerPeriod": {"numerator": {"value": 700}}}
    draft["_status"] = {"extension": [{"url": "urn:x", "valueString": "700"}]}
    (corrected,) = (s.resource for c in asked("IL-6 high; grade 2", drafts=[draft]).cards for s in c.suggestions)
    assert "700" not in str(corrected)


NOT_CORRECTED = rows("""
| chart                                                              | because                                             |
| grade 2; toci 560 @-7h                                             | before 8 h are over no dose is right                |
| T 39 @-50h; toci 560 @-40h; toci 560 @-20h; grade 2                | after two doses at grade 2 steroids come next       |
| grade 0                                                            | no CRS to treat                                     |
| grade 1; ice 5 @-1h                                                | ICANS with CRS below grade 2                        |
| car-t tisagenlecleucel @D-31 10:00; grade 2                        | day 35                                              |
""")


@pytest.mark.parametrize("row", NOT_CORRECTED, ids=name_of)
def test_a_draft_that_should_not_be_given_is_not_corrected(row: dict[str, str]) -> None:
    card = dose_card(asked(row["chart"], "700"))
    assert card is not None
    assert not card.suggestions


RESULTS = rows("""
| result                                                       | caution | because                                                  |
| Escherichia coli                                             | yes     | an organism                                              |
| Gram-negative rods in 2 of 2 bottles                         | yes     | a first report                                           |
| Preliminary: Gram-negative rods in 2 of 2 bottles            | yes     | "preliminary" says nothing of what follows               |
| No growth aerobic; anaerobic bottle: Escherichia coli        | yes     | one bottle grew                                          |
| Negative for MRSA, Staphylococcus aureus isolated            | yes     | negative for something else                              |
| No organisms seen on Gram stain. Culture: Candida albicans   | yes     | the stain was negative, the culture not                  |
| no growth at 24 hours, then Pseudomonas aeruginosa at 36 h   | yes     | it grew later                                            |
| positive                                                     | yes     | the word itself                                          |
| No growth                                                    | no      | the whole text is a known way to say so                  |
| No growth after 5 days                                       | no      | and may say for how long                                 |
| No growth to date (48 h)                                     | no      | so far                                                   |
| Final: no growth                                             | no      | a final report                                           |
| Culture negative                                             | no      | the word at the end                                      |
| Culture in progress                                          | no      | not finished                                             |
| kein Wachstum                                                | no      | in German                                                |
| 阴性                                                         | no      | in Chinese                                               |
""")


@pytest.mark.parametrize("row", RESULTS, ids=name_of)
def test_which_culture_comes_first(row: dict[str, str]) -> None:
    found = patient(f"{HIGH}; grade 2; weight 70 @-10h; culture x @-30h")
    found[-1] = changed(found[-1], valueCodeableConcept={"text": row["result"]})
    answer = answered(found, drafts=[drafted_tocilizumab("p", 560, NOW)], showing=Showing.ORDERS)
    assert any(c.id is CardId.INFECTION_FIRST for c in answer.cards) is (row["caution"] == "yes")


PCR = rows("""
| value | comparator | text           | caution | because                       |
| 4200  |            |                | yes     | copies                        |
| 0     |            |                | no      | none                          |
| 137   | <          |                | no      | below the limit               |
|       |            | <35            | no      | below the limit, as text      |
|       |            | CMV DNA not detected | no | said in words                |
|       |            | Detected       | yes     | said in words                 |
""")


@pytest.mark.parametrize("row", PCR, ids=name_of)
def test_which_viral_pcr_is_watched(row: dict[str, str]) -> None:
    found = patient(f"{HIGH}; grade 2; weight 70 @-10h; pcr x @-30h")
    result = {k: v for k, v in found[-1].items() if k != "valueCodeableConcept"}
    if row["text"]:
        found[-1] = result | {"valueString": row["text"]}
    else:
        quantity = {"value": int(row["value"]), "unit": "[IU]/mL"} | (
            {"comparator": row["comparator"]} if row["comparator"] else {}
        )
        found[-1] = result | {"valueQuantity": quantity}
    answer = answered(found, drafts=[drafted_tocilizumab("p", 560, NOW)], showing=Showing.ORDERS)
    assert any(c.id is CardId.INFECTION_SURVEILLANCE for c in answer.cards) is (row["caution"] == "yes")


NORMAL = "anc 2 @-9h; plt 200 @-9h; alt 20 @-9h; ast 20 @-9h"
LABS = rows("""
| chart                                                   | says                                                     | because                                  |
| anc 2 @-9h; plt 200 @-9h; alt 20 @-9h; ast 20 @-9h      | ANC, platelets, ALT and AST are within the label's limits | all within                              |
| anc 0.5 @-9h; plt 50 @-9h; alt 200 @-9h; ast 20 @-9h    | ANC, platelets, ALT and AST are within the label's limits | exactly at the limits                   |
| anc 0.4 @-9h; plt 200 @-9h; alt 20 @-9h; ast 20 @-9h    | Caution: ANC 0.4 ×10⁹/L (below 0.5                       | neutropenia                              |
| anc <0.5 @-9h; plt 200 @-9h; alt 20 @-9h; ast 20 @-9h   | Caution: ANC &lt;0.5 ×10⁹/L (below 0.5                   | "below 0.5" is below 0.5                 |
| anc 2 @-9h; plt 49 @-9h; alt 20 @-9h; ast 20 @-9h       | Caution: platelets 49 ×10⁹/L (below 50                   | thrombocytopenia                         |
| anc 2 @-9h; plt 200 @-9h; alt 201 @-9h; ast 20 @-9h     | ALT 201 U/L (above 5 × upper normal 40, unconfirmed      | above five times our own upper normal    |
| anc 2 @-9h; plt 200 @-9h; alt >1000 @-9h; ast 20 @-9h   | ALT &gt;1000 U/L (above 5 × upper normal 40              | more than 1000                           |
| anc 2 @-73h; plt 200 @-9h; alt 20 @-9h; ast 20 @-9h     | Send ANC: no result of 3 days.                           | a count of 73 h ago is not known         |
| anc 2 @-9h; plt 200 @-9h; alt 15 ukat/L @-9h; ast 20 @-9h | ALT 900 U/L (above 5 × upper normal 40                | a katal is 60 units                      |
| anc 2 @-9h; plt 200 @-9h; alt 15 nmol/L @-9h; ast 20 @-9h | ALT 15 nmol/L of 6 Mar 03:00 could not be used        | a unit that is not read                  |
""")


@pytest.mark.parametrize("row", LABS, ids=name_of)
def test_counts_and_liver_enzymes_stand_in_one_line(row: dict[str, str]) -> None:
    found = asked(f"IL-6 high; grade 2; {row['chart']}")
    card = next(c for c in found.cards if c.id is CardId.TOCI_RECOMMENDED)
    assert row["says"] in card.detail


RANGES: tuple[tuple[list[dict[str, Any]], bool, str], ...] = (
    ([{"high": {"value": 200}}], False, "ALT 900 is less than five times the result's own 200"),
    ([{"high": {"value": 100}}], True, "and more than five times 100"),
    ([{"type": {"coding": [{"code": "critical"}]}, "high": {"value": 1000}}, {"high": {"value": 35}}], True, "a critical limit is not normal"),
    ([{"high": {"value": 100000}}], True, "nor is one that no laboratory would call normal"),
)  # fmt: skip


@pytest.mark.parametrize(("ranges", "caution", "because"), RANGES, ids=[case[2] for case in RANGES])
def test_the_upper_limit_of_normal_is_the_result_s_own(ranges: list[Any], because: str, *, caution: bool) -> None:
    found = patient(f"{HIGH}; grade 2; weight 70 @-10h; {NORMAL}; alt 900 @-8h")
    found[-1] = changed(found[-1], referenceRange=ranges)
    card = next(c for c in answered(found).cards if c.id is CardId.TOCI_RECOMMENDED)
    assert ("Caution: ALT 900" in card.detail) is caution, because


def test_a_drafted_dose_at_grade_1_carries_the_same_line() -> None:
    found = asked("IL-6 high; grade 1; anc 0.1 @-9h; plt 10 @-9h", "560")
    assert "platelets 10 ×10⁹/L" in next(c for c in found.cards if c.id is CardId.GRADE1_SUPPORTIVE).detail


BARRED = rows("""
| chart                                                                  | allergy | summary                                                    | because                                     |
| grade 3; weight 70 @-9h                                                | yes     | every 6 h now; hypersensitivity to tocilizumab on record | the contraindication of the label       |
| T 39 @-9h; toci 560 @-5h; grade 3                                      |         | every 6 h now; tocilizumab not before                      | five hours after a dose                     |
| T 39 @-90h; toci 560 @-80h; toci 560 @-60h; toci 560 @-40h; toci 560 @-20h; grade 3 |  | every 6 h now; 4 doses of tocilizumab given | four doses                              |
""")


@pytest.mark.parametrize("drafted", ["", "560"])
@pytest.mark.parametrize("row", BARRED, ids=name_of)
def test_severe_crs_never_speaks_for_a_dose_that_a_check_forbids(row: dict[str, str], drafted: str) -> None:
    drafts = [drafted_tocilizumab("p", int(drafted), NOW)] if drafted else []
    showing = Showing.ORDERS if drafted else Showing.STATE
    allergy = [ALLERGY] if row["allergy"] else []
    found = answered([*patient(f"{row['chart']}; weight 70 @-10h"), *allergy], drafts=drafts, showing=showing)
    card = next(c for c in found.cards if c.id is CardId.SEVERE_CRS)
    assert row["summary"] in card.summary
    assert not any(s.order_key == "tocilizumab" for s in card.suggestions)


ALLERGIC = rows("""
| chart                                                     | card             | says                                                          | because                         |
| T 39 @-9h; IL-6 high; toci 560 @-3h; grade 2              | reassess-window  | no further dose, hypersensitivity to tocilizumab on record    | no second dose is announced     |
| IL-6 high; grade 2                                        | toci-recommended | recommended, but hypersensitivity to tocilizumab on record    | nor the study                   |
| il6 50 @D4 07:00; grade 2                                 | toci-guideline   | by guideline, but hypersensitivity to tocilizumab on record   | nor the guideline               |
""")


@pytest.mark.parametrize("row", ALLERGIC, ids=name_of)
def test_hypersensitivity_is_said_where_tocilizumab_is_named(row: dict[str, str]) -> None:
    chart = row["chart"].replace("IL-6 high", HIGH)
    found = answered([*patient(f"{chart}; weight 70 @-10h", infused="car-t" not in chart), ALLERGY])
    assert row["says"] in next(c for c in found.cards if c.id == row["card"]).summary


UNAROUSABLE = rows("""
| chart                        | text                       | icans             | because                                                        |
| ice 3 @-2h                   | unarousable                | grade 4           | the later entry says more                                      |
|                              | 0 (unarousable)            | grade 4           | with its score                                                 |
| ice 3 @-2h                   | see note                   | grade 2 or more   | an entry that cannot be read may say more                      |
|                              | see note                   | unknown           | alone it leaves ICANS unknown                                  |
|                              | 4 /10                      | grade 2           | a score out of ten                                             |
|                              | ICANS grade: 4 /10         | unknown           | a grade is no score                                            |
""")


@pytest.mark.parametrize("row", UNAROUSABLE, ids=name_of)
def test_ice_as_text(row: dict[str, str]) -> None:
    found = patient(f"grade 0; {row['chart']}; ice 5 @-1h")
    plain = {k: v for k, v in found[-1].items() if k != "valueInteger"}
    found[-1] = plain | {"valueString": row["text"]}
    answer = answered(found)
    steroid = next((c.summary for c in answer.cards if c.id is CardId.ICANS_STEROID), "ICANS unknown")
    assert f"ICANS {row['icans']}" in f"{steroid}:".replace("unknown:", "unknown")


def test_a_diagnosis_of_more_than_was_charted_is_named() -> None:
    found = asked("grade 1; ice 10 @-20h; coded G92.04 @-1h")
    assert (
        "A recent diagnosis says more: coded G92.04" in next(c for c in found.cards if c.id is CardId.CRS_GRADE).detail
    )


REGIMENS = rows("""
| chart                                                              | orders                                   | because                                                   |
| T 39 @-30h; toci 560 @-20h; toci 560 @-9h; grade 2                 | Dexamethasone 10 mg IV every 12 h        | CRS grade 2 alone                                         |
| T 39 @-30h; toci 560 @-20h; toci 560 @-9h; grade 2; ice 5 @-1h     | Dexamethasone 10 mg IV every 12 h        | ICANS grade 2 beside it: one order, enough for both       |
| T 39 @-30h; toci 560 @-20h; toci 560 @-9h; grade 2; ice 2 @-1h     | Dexamethasone 10 mg IV every 6 h         | ICANS grade 3 beside it: one order, the stronger          |
| grade 1; coded G92.04 @-1h                                         | Methylprednisolone 1,000 mg IV once a day | ICANS grade 4                                             |
| rate norepinephrine 0.1 @-13h; rate epinephrine 0.1 @-12h; T 39 @-1h; SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h | Dexamethasone 10 mg IV every 6 h | grade 4 only if both still run: check the pumps |
| T 39 @-30h; toci 560 @-20h; toci 560 @-9h; grade 2; ice 8 @-1h     | Dexamethasone 10 mg IV every 12 h        | ICANS grade 1                                             |
| grade 4; ice 5 @-1h                                                | Methylprednisolone 500 mg IV every 12 h  | grade 4: methylprednisolone counts for both               |
""")


@pytest.mark.parametrize("row", REGIMENS, ids=name_of)
def test_one_corticosteroid_order_for_the_whole_answer(row: dict[str, str]) -> None:
    found = asked(row["chart"])
    labels = [s.label for c in found.cards for s in c.suggestions if s.order_key == "corticosteroid"]
    assert labels == [row["orders"]]
    for card in found.cards:
        if ": see the card above." in card.detail:
            assert f"{row['orders']}: see the card above." in card.detail


def test_a_corticosteroid_order_of_weeks_ago_answers_nothing() -> None:
    order: dict[str, Any] = {
        "resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order",
        "subject": {"reference": "Patient/p"}, "medicationCodeableConcept": {"text": "dexamethasone"},
        "dosageInstruction": [{"doseAndRate": [{"doseQuantity": {"value": 12, "unit": "mg"}}]}],
    }  # fmt: skip
    chart = patient("grade 0; ice 2 @-1h")
    old = answered([*chart, order | {"authoredOn": "2026-02-20T09:00:00+08:00"}])
    today = answered([*chart, order | {"authoredOn": "2026-03-06T09:00:00+08:00"}])
    offered = [[s.label for c in found.cards for s in c.suggestions] for found in (old, today)]
    assert offered == [["Dexamethasone 10 mg IV every 6 h"], []]


def test_after_day_30_the_state_says_that_the_study_s_rules_are_off() -> None:
    found = asked("car-t tisagenlecleucel @D-31 10:00; grade 2")
    assert "the study's rules end 30 days after the infusion" in found.cards[-1].detail


DATA = rows("""
| row | chart                                                        | cards                                                    | because                                      |
| D01 | IL-6 high; grade 2                                           | toci-recommended (w), crs-grade                          | nothing in doubt                             |
| D02 | T 39 @-1h; SBP 118 @-1h; device NC @-1h; IL-6 high           | toci-recommended (w), data-quality, crs-grade            | a cannula without a flow                     |
| D02 | grade 0; ice 11 @-1h                                         | data-quality, crs-grade                                  | an ICE score that cannot be                  |
| D02 | T 39 @D3 20:00; il6 <12 @D0 08:00; il6 45 @D4 07:00; grade 2 | toci-guideline (w), data-quality, crs-grade | a baseline below a limit proves no small rise |
""")


@pytest.mark.parametrize("row", DATA, ids=name_of)
def test_data_that_could_not_be_used(row: dict[str, str]) -> None:
    check(row)


def test_d03_a_vasopressor_ordered_and_not_charted_is_a_warning() -> None:
    order: dict[str, Any] = {
        "resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order",
        "subject": {"reference": "Patient/p"}, "authoredOn": "2026-03-06T11:00:00+08:00",
        "medicationCodeableConcept": {"text": "norepinephrine infusion"},
    }  # fmt: skip
    found = answered([*patient("grade 1"), order])
    assert {"D03", "C01"} <= row_ids(found)
    assert shown_cards(found) == "grade1-supportive, data-quality (w), crs-grade"


TABLES = (MANAGEMENT, UNREAD, SURVEILLANCE, ICANS, DRAFTED, STEROID_DRAFTED, DATA)


def test_every_row_of_the_decision_table_has_a_patient_here() -> None:
    named = {row["row"] for table in TABLES for row in table} | {"K21", "D03", "C01"}
    assert named == {rule.id for part in PARTS.values() for rule in part}


MODES = rows("""
| card                   | mode   | cards                                          | shadowed               | because                                          |
| infection-surveillance | shadow | toci-recommended (w), crs-grade                | infection-surveillance | worked out and reported, not shown               |
| infection-surveillance | off    | toci-recommended (w), crs-grade                |                        | switched off                                     |
| toci-recommended       | shadow | infection-surveillance (w), crs-grade          | toci-recommended       | a card tried unseen carries no order away        |
""")


@pytest.mark.parametrize("row", MODES, ids=name_of)
def test_a_site_tries_a_card_unseen_or_switches_it_off(row: dict[str, str]) -> None:
    chart = "IL-6 high; crp 10 @D0 08:00; crp 19 @D4 07:00; grade 2; toci 560 @-9h"
    chart = chart.replace("IL-6 high", "T 39 @D3 20:00; il6 10 @D0 08:00; il6 50 @D3 22:00")
    found = asked(chart, modes=card_modes({row["card"]: row["mode"]}))
    assert shown_cards(found) == row["cards"]
    assert ", ".join(found.shadowed) == row["shadowed"]
    state = next(c for c in found.cards if c.id is CardId.CRS_GRADE)
    assert ("Switched off at this site" in state.detail) is (row["mode"] == "off")
    assert moment_of("D4 12:00") == NOW
