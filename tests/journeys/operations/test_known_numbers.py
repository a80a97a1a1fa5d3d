"""The cohort `known`: every number of its courses, of its cards and of what somebody charted is written down here.

Times are days and hours of the course, as the cohort is made: signs are charted at 06:00, 14:00 and 22:00 up to day 24.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import Enum
from typing import Any

import pytest

from cds_server.evaluation.protocol import Protocol, Statistics
from cds_server.evaluation.report.all_tables import Tables, report_of
from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.rows.courses import CourseRow
from cds_server.evaluation.tables.table import Table, in_words
from example_patients.cohorts.known import COURSES, known_cohort
from tests.support.evaluations import evaluated_cohort
from tests.support.tables import rows

NAMES = [course.patient for course in COURSES]

ONSET = rows("""
| course | crs     | onset    | onset_day | onset_hours | late_fever | crs_end  | end_is_censored | duration_days | duration_local_days | recrudescences | because                                       |
| k01    | yes     | D3 06:00 | 3         | 68.0        |            | D5 22:00 | no              | 2.7           | 3                   | 0              | 64 h from the first to the last fever         |
| k02    | yes     | D4 06:00 | 4         | 92.0        |            | D7 22:00 | no              | 3.7           | 4                   | 0              | 88 h                                          |
| k03    | yes     | D3 06:00 | 3         | 68.0        |            | D6 22:00 | no              | 3.7           | 4                   | 0              | 88 h                                          |
| k04    | yes     | D3 06:00 | 3         | 68.0        |            | D7 22:00 | yes             | 4.7           | 5                   | 0              | death comes before the end                    |
| k05    | yes     | D2 06:00 | 2         | 44.0        |            | D6 22:00 | no              | 4.7           | 5                   | 0              | 112 h                                         |
| k06    | no      |          |           |             |            |          | no              |               |                     | 0              | no fever                                      |
| k07    | no      |          |           |             | D20 06:00  |          | no              |               |                     | 0              | a fever after day 14 is no onset              |
| k08    | yes     | D3 06:00 | 3         | 68.0        |            | D4 22:00 | no              | 1.7           | 2                   | 1              | five days without a sign end the episode      |
| k09    | yes     | D3 06:00 | 3         | 68.0        |            | D6 22:00 | no              | 3.7           | 4                   | 0              | 56 h without a sign do not                    |
| k10    | yes     | D3 06:00 | 3         | 68.0        |            | D4 22:00 | no              | 1.7           | 2                   | 0              | 40 h                                          |
| k10 2  | unknown |          |           |             |            |          | no              |               |                     | 0              | no temperature after the second infusion      |
""")
GRADES = rows("""
| course | max_grade | max_grade_at | first_grade_2 | first_grade_3 | first_grade_4 | severe  | grade_known_share | icans   | max_icans | max_icans_at | icans_before_first_dose | because                                     |
| k01    | 1         | D3 06:00     |               |               |               | no      | 1.00              | unknown |           |              |                         | nobody looked for ICANS                     |
| k02    | 2         | D5 06:00     | D5 06:00      |               |               | no      | 1.00              | unknown |           |              |                         | oxygen by nasal cannula                     |
| k03    | 3         | D4 14:00     | D4 14:00      | D4 14:00      |               | yes     | 1.00              | yes     | 1         | D4 04:00     | yes                     | ICE 8 four hours before the dose            |
| k04    | 4         | D4 06:00     | D4 06:00      | D4 06:00      | D4 06:00      | yes     | 1.00              | yes     | 4         | D4 16:00     | no                      | positive pressure from grade 1 on           |
| k05    | 3         | D3 14:00     | D3 14:00      | D3 14:00      |               | yes     | 1.00              | yes     | 2         | D4 04:00     | no                      | ICANS 12 h after the dose                   |
| k06    | 0         | D0 14:00     |               |               |               | no      |                   | unknown |           |              |                         | no sign at any round                        |
| k07    | 1         | D20 06:00    |               |               |               | no      |                   | no      | 0         | D4 02:00     |                         | ICE 10 and a grade of 0                     |
| k08    | 1         | D3 06:00     |               |               |               | no      | 1.00              | unknown |           |              |                         |                                             |
| k09    | 1         | D3 06:00     |               |               |               | no      | 1.00              | unknown |           |              |                         | ICANS "0-1" is no single grade              |
| k10    | 1         | D3 06:00     |               |               |               | no      | 1.00              | unknown |           |              |                         |                                             |
| k10 2  |           |              |               |               |               | unknown |                   | unknown |           |              |                         |                                             |
""")
ILL = rows("""
| course | grade_2_times     | because                             |
| k01    |                   |                                     |
| k02    | D5 06:00 D6 06:00 | a day of oxygen                     |
| k03    | D4 14:00 D5 14:00 | a day of high flow                  |
| k04    | D4 06:00 D8 04:59 | until the second before the death   |
| k05    | D3 14:00 D5 14:00 | two days                            |
| k06    |                   |                                     |
| k07    |                   |                                     |
| k08    |                   |                                     |
| k09    |                   |                                     |
| k10    |                   |                                     |
| k10 2  |                   |                                     |
""")
TREATED = rows("""
| course | tocilizumab | first_tocilizumab | tocilizumab_doses | il6_verdict_at_first_dose | il6_group | il6_reason  | il6_baseline | il6_peak | il6_fold_low | il6_fold_high | because                                  |
| k01    | no          |                   | 0                 |                           | high      |             | 10           | 60       | 6            | 6             | from 10 to 60                            |
| k02    | yes         | D5 10:00          | 1                 | high                      | high      |             | 10           | 60       | 6            | 6             | the result of D3 07:00 came on D4 09:00  |
| k03    | yes         | D4 08:00          | 2                 | high                      | high      |             | 10           | 60       | 6            | 6             | corrected later: known 2 h after the draw |
| k04    | yes         | D4 08:00          | 1                 | unknown                   | high      |             | 10           | 60       | 6            | 6             | an hour before the result came           |
| k05    | yes         | D3 16:00          | 1                 | unknown                   | high      |             | 10           | 60       | 6            | 6             | a day before the result came             |
| k06    | no          |                   | 0                 |                           | high      |             | 10           | 60       | 6            | 6             |                                          |
| k07    | no          |                   | 0                 |                           | high      |             | 10           | 60       | 6            | 6             |                                          |
| k08    | no          |                   | 0                 |                           | high      |             | 10           | 60       | 6            | 6             |                                          |
| k09    | no          |                   | 0                 |                           | high      |             | 10           | 60       | 6            | 6             |                                          |
| k10    | no          |                   | 0                 |                           | high      |             | 10           | 60       | 6            | 6             |                                          |
| k10 2  | no          |                   | 0                 |                           | unknown   | no_baseline |              |          |              |               | no sample in the second course           |
""")
FOLLOWED = rows("""
| course | day0       | followed_until | days_followed | last_seen | death    | died_in_severe | flags                               | because                            |
| k01    | 2024-02-05 | D60 23:59      | 61            | D24 22:00 |          | no             |                                     | a culture in which nothing grew    |
| k02    | 2024-02-14 | D60 23:59      | 61            | D24 22:00 |          | no             | positive-culture-near-onset         | 2 h after the onset                |
| k03    | 2024-02-23 | D60 23:59      | 61            | D24 22:00 |          | no             | no-culture-near-onset               |                                    |
| k04    | 2024-03-03 | D8 04:59       | 9             | D7 22:00  | D8 05:00 | yes            | end-censored no-culture-near-onset  | up to the second before death      |
| k05    | 2024-03-12 | D60 23:59      | 61            | D24 22:00 |          | no             | no-culture-near-onset               |                                    |
| k06    | 2024-03-21 | D60 23:59      | 61            | D24 22:00 |          | no             |                                     | without an onset none is near it   |
| k07    | 2024-03-30 | D60 23:59      | 61            | D24 22:00 |          | no             | late-fever                          |                                    |
| k08    | 2024-04-08 | D60 23:59      | 61            | D24 22:00 |          | no             | recrudescence no-culture-near-onset |                                    |
| k09    | 2024-04-17 | D60 23:59      | 61            | D24 22:00 |          | no             | no-culture-near-onset               |                                    |
| k10    | 2024-04-26 | D45 09:59      | 46            | D24 22:00 |          | no             | no-culture-near-onset               | up to the second infusion          |
| k10 2  | 2024-06-10 | D35 10:00      | 36            | D0 10:00  |          | no             |                                     | no sign: seen at the infusion only |
""")
# the same of every course, but for CRP of the second course, in which no sample was drawn
ALIKE = {
    "infused_at": "D0 10:00", "infusions": "1", "product": "tisagenlecleucel", "sex": "female", "age_years": "50",
    "max_grade_is_minimum": "no", "steroids": "no", "first_steroid": "", "steroid_doses": "0", "treatment_reached": "yes",
}  # fmt: skip
CRP = {
    "crp_group": "high", "crp_reason": "", "crp_baseline": "20", "crp_peak": "90", "crp_fold_low": "4.5",
    "crp_fold_high": "4.5",
}  # fmt: skip
NO_CRP = dict.fromkeys(CRP, "") | {"crp_group": "unknown", "crp_reason": "no_baseline"}


@dataclass(frozen=True)
class Known:
    """The evaluation of the cohort, its tables, and its courses by name: `k10 2` is the second of k10."""

    evaluation: Evaluation
    tables: Tables
    courses: dict[str, CourseRow]

    def name(self, patient: str) -> str:
        return next(name for name, course in self.courses.items() if course.patient == patient)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    protocol = Protocol(statistics=Statistics(bootstrap=100))
    found = evaluated_cohort(known_cohort(), tmp_path_factory.mktemp("known"), protocol)
    by_time = sorted(found.courses, key=lambda course: course.infused_at)
    courses = dict(zip([*NAMES, "k10 2"], by_time, strict=True))
    return Known(found, report_of(found).tables, courses)


def clock(at: datetime, day0: date) -> str:
    return f"D{(at.date() - day0).days} {at:%H:%M}"


def in_text(value: Any, day0: date) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return clock(value, day0)
    if isinstance(value, tuple):
        return " ".join(in_text(one, day0) for one in value)
    return "" if value is None else str(value.value if isinstance(value, Enum) else value)


TABLES = {"onset": ONSET, "grades": GRADES, "ill": ILL, "treated": TREATED, "followed": FOLLOWED}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("number", range(len(ONSET)), ids=[row["course"] for row in ONSET])
def test_a_course_has_the_numbers_that_it_was_made_with(known: Known, table: str, number: int) -> None:
    wanted = {name: value for name, value in TABLES[table][number].items() if name not in ("course", "because")}
    course = known.courses[TABLES[table][number]["course"]]
    assert {name: in_text(getattr(course, name), course.day0) for name in wanted} == wanted


@pytest.mark.parametrize("name", [row["course"] for row in ONSET])
def test_the_courses_are_alike_in_what_no_table_tells_apart(known: Known, name: str) -> None:
    course, wanted = known.courses[name], ALIKE | (CRP if name in NAMES else NO_CRP)
    assert {field: in_text(getattr(course, field), course.day0) for field in wanted} == wanted


def test_every_column_of_the_courses_is_written_down_here() -> None:
    here = {name for table in TABLES.values() for name in table[0]} | ALIKE.keys() | CRP.keys()
    assert {field.name for field in fields(CourseRow)} - {"patient", "course"} == here - {"course", "because"}


def shown(table: Table, *columns: str) -> list[str]:
    """The rows of a table in the words of the page."""
    return [" ".join(in_words(row[name]) for name in columns or table.columns) for row in table.dicts()]


AGREEMENT = """
CRS 0 1 0 0 0 0 1
CRS 1 0 4 0 0 0 0
CRS 2 0 0 1 1 1 0
CRS 3 0 0 0 1 0 0
CRS 4 0 0 0 0 1 0
CRS not one grade 0 0 1 0 0 0
ICANS 0 2 0 0 0 0 0
ICANS 1 0 1 0 0 0 0
ICANS 2 0 0 0 0 0 1
ICANS 4 0 0 0 1 0 0
ICANS not one grade 0 0 0 0 0 1
"""


def test_every_act_of_charting_stands_beside_the_computed_grade(known: Known) -> None:
    """k06 has a grade four days after its last sign, k05 one a day after its ICE score, and an ICE of 0 is 3 at least."""
    assert shown(known.tables.agreement) == AGREEMENT.split("\n")[1:-1]


FIGURES = rows("""
| scale | figure                          | n  | not_known | not_one_grade | value  | because                                         |
| CRS   | charting acts: same grade       | 10 | 1         | 1             | 0.8    | 8 of 10                                         |
| CRS   | charting acts: weighted kappa   | 10 | 1         | 1             | 0.783  | 3 grades apart in all, 13.8 by chance           |
| CRS   | highest grade of a course: same | 6  | 0         | 0             | 1      | k01, k02, k03, k04, k06 and k07                 |
| ICANS | charting acts: same grade       | 4  | 1         | 1             | 0.75   | k04: 4 against 3                                |
| ICANS | charting acts: weighted kappa   | 4  | 1         | 1             | 0.833  | 1 grade apart in all, 6 by chance               |
| ICANS | highest grade of a course: same | 4  | 0         | 1             | 0.5    | k03 and k07; k05 has 2 against 0, k09 no grade  |
""")


def test_the_figures_of_agreement_follow_from_the_acts(known: Known) -> None:
    found = known.tables.agreement_in_figures
    columns = ("scale", "figure", "n", "not_known", "not_one_grade", "value")
    assert shown(found, *columns) == [" ".join(row[name] for name in columns) for row in FIGURES]
    for row in found.dicts():
        assert row["value_low"] <= row["value"] <= row["value_high"]  # type: ignore[operator]
    exact = [(row["value_low"], row["value_high"]) for row in found.dicts() if str(row["figure"]).startswith("highest")]
    assert exact == [
        (pytest.approx(0.025 ** (1 / 6)), 1.0),
        (pytest.approx(0.067586, abs=1e-6), pytest.approx(0.932414, abs=1e-6)),
    ]


FERRITIN = """
ferritin ug/L yes 2 1 5200 8600 6900 10300 12000
ferritin ug/L no 2 5 900 1200 1050 1350 1500
"""


def test_the_peaks_of_ferritin_are_those_before_the_first_dose(known: Known) -> None:
    """k01 600 and 900; k02 1500, and 4000 after its dose; k03 5200; k04 12000. A second course is not among them."""
    assert shown(known.tables.displayed_markers) == FERRITIN.split("\n")[1:-1]


CULTURED = rows("""
| courses_counted                                 | courses | crs | crs_known | share_crs | share_crs_low | share_crs_high | onset_day | onset_day_low | onset_day_high | severe | severe_known | share_severe | share_severe_low | share_severe_high | late_fever | no_culture |
| all first courses                               | 10      | 8   | 10        | 0.8       | 0.444         | 0.975          | 3         | 3             | 3              | 3      | 10           | 0.3          | 0.0667           | 0.652             | 1          | 6          |
| without a positive culture within 48 h of onset | 9       | 7   | 9         | 0.778     | 0.4           | 0.972          | 3         | 3             | 3              | 3      | 9            | 0.333        | 0.0749           | 0.701             | 1          | 6          |
| with a positive culture within 48 h of onset    | 1       | 1   | 1         | 1         | 0.025         | 1              | 4         | 4             | 4              | 0      | 1            | 0            | 0                | 0.975             | 0          | 0          |
""")


def test_the_onset_has_its_lines_by_cultures(known: Known) -> None:
    found = [{name: in_words(cell) for name, cell in row.items()} for row in known.tables.onset.dicts()]
    assert found == CULTURED


EVENTS = rows("""
| course | event       | at       | preceded         | card             | first card | lead  | by order | on it | grade | because                                                 |
| k02    | tocilizumab | D5 09:00 | preceded         | toci-recommended | D5 06:00   | 3.00  | yes      | no    | 2     | grade 2 at 06:00, ordered at 09:00                      |
| k03    | tocilizumab | D4 07:00 | only-at-or-after | severe-crs       | D4 14:00   |       | yes      | no    | 1     | given in grade 1; the card comes with grade 3           |
| k03    | grade-3     | D4 14:00 | only-at-or-after | reassess-window  | D5 14:00   |       | no       | no    | 1     | straight from grade 1                                   |
| k03    | tocilizumab | D5 07:00 | preceded         | severe-crs       | D4 14:00   | 17.00 | yes      | yes   | 3     | from grade 3 to the second order                        |
| k04    | grade-3     | D4 06:00 | never            |                  |            |       | no       | no    | 1     | straight from grade 1, and never below 3 again          |
| k04    | tocilizumab | D4 07:00 | preceded         | severe-crs       | D4 06:00   | 1.00  | yes      | yes   | 4     | ordered an hour after grade 4                           |
| k05    | grade-3     | D3 14:00 | only-at-or-after | toci-recommended | D4 14:00   |       | no       | no    | 1     | straight from grade 1                                   |
| k05    | tocilizumab | D3 15:00 | preceded         | severe-crs       | D3 14:00   | 1.00  | yes      | yes   | 3     | ordered an hour after grade 3                           |
| k05    | icu         | D3 18:00 | preceded         | severe-crs       | D3 14:00   | 4.00  | no       | no    | 3     | moved four hours after grade 3                          |
""")


def test_each_dose_severe_grade_and_transfer_has_its_lead(known: Known) -> None:
    events = sorted(known.evaluation.events, key=lambda event: (known.name(event.patient), event.at))
    found = []
    for event in events:
        day0 = known.courses[known.name(event.patient)].day0
        values = (event.event, event.at, event.preceded, event.card, event.first_card_at, event.lead_hours,
                  event.by_order, event.on_the_order, event.grade)  # fmt: skip
        found.append([known.name(event.patient), *(in_text(value, day0) for value in values)])
    assert found == [[value for name, value in row.items() if name != "because"] for row in EVENTS]
    assert [event.would_have_spoken for event in events] == [None] * 4 + [False] + [None] * 4


PRECEDED = """
tocilizumab 5 4 1 0 0.8 0.284 0.995 2 1 6.5 0 3
grade-3 3 0 2 1 0 0 0.708 – – – 0 0
icu 1 1 0 0 1 0.025 1 4 4 4 0 0
"""
RATES = rows("""
| card                   | shown | new | courses | share | low     | high  | per 10 days | because                                              |
| all-but-the-grade      | 240   | 35  | 9       | 0.818 | 0.482   | 0.977 | 10.3        | 240 on 233 days at risk: nine times 25 and k04's 8   |
| crs-grade              | 529   | 19  | 10      | 0.909 | 0.587   | 0.998 | 22.32       | 520 of them on days at risk                          |
| infection-surveillance | 104   | 4   | 4       | 0.364 | 0.109   | 0.692 | 4.464       | after each of the four treatments                    |
| grade1-supportive      | 80    | 14  | 9       | 0.818 | 0.482   | 0.977 | 3.433       | every course with a fever                            |
| severe-crs             | 20    | 3   | 3       | 0.273 | 0.0602  | 0.61  | 0.858       | k03, k04 and k05                                     |
| icans-steroid          | 10    | 3   | 3       | 0.273 | 0.0602  | 0.61  | 0.429       | ICANS of k03, k04 and k05                            |
| crs-grade-unknown      | 9     | 9   | 9       | 0.818 | 0.482   | 0.977 | 0           | once, on the day after the last sign                 |
| infection-first        | 7     | 1   | 1       | 0.0909 | 0.0023 | 0.413 | 0.3         | the culture of k02                                   |
| toci-dose-check        | 5     | 5   | 4       | 0.364 | 0.109   | 0.692 | 0.215       | on each order                                        |
| data-quality           | 4     | 1   | 1       | 0.0909 | 0.0023 | 0.413 | 0.172       | the ICANS grade "0-1" of k09                         |
| steroid-after-2-toci   | 4     | 1   | 1       | 0.0909 | 0.0023 | 0.413 | 0.172       | k03, a day after its second dose                     |
| toci-recommended       | 4     | 2   | 2       | 0.182 | 0.0228  | 0.518 | 0.172       | k02 and k05 in grade 2                               |
| reassess-window        | 2     | 1   | 1       | 0.0909 | 0.0023 | 0.413 | 0.0858      | k03, in the day after its second dose                |
""")
# two of the three with ICANS, and all others who were not treated, were severe at the card
ORDERS = """
icans-steroid steroid 3 0 0 0 1 1 1
severe-crs steroid 3 0 0 0 0 0 0
severe-crs tocilizumab 3 2 2 3 0 0 0
steroid-after-2-toci steroid 1 0 0 0 0 0 0
toci-recommended tocilizumab 2 1 1 1 0 0 0
"""
SHARES = [(0, 0, 0), (0, 0, 0), (2 / 3, 2 / 3, 1), (0, 0, 0), (0.5, 0.5, 0.5)]
ALARMS = """
courses never above grade 1, with a card 5 6 0.833 0.359 0.996
severe courses, without any card 0 3 0 0 0.708
"""
BY_HOUR = {6: (24, 19), 8: (98, 6), 9: (12, 0), 14: (14, 7), 20: (88, 3), 22: (4, 0)}


def test_the_shares_that_a_card_preceded_add_up(known: Known) -> None:
    assert shown(known.tables.preceded) == PRECEDED.split("\n")[1:-1]


def test_each_card_has_its_rate(known: Known) -> None:
    columns = ("card", "shown", "new", "courses", "share_of_courses", "share_of_courses_low", "share_of_courses_high",
               "per_10_days")  # fmt: skip
    wanted = [" ".join(value for name, value in row.items() if name != "because") for row in RATES]
    assert shown(known.tables.card_rates, *columns) == wanted
    for row in known.tables.card_rates.dicts():
        assert row["per_10_days_low"] <= row["per_10_days"] <= row["per_10_days_high"]  # type: ignore[operator]


def test_every_card_is_active_without_modes_of_a_site(known: Known) -> None:
    counts = {row["card"]: row["shown"] for row in RATES if row["card"] != "all-but-the-grade"}
    assert shown(known.tables.card_states) == [f"{card} {counts[card]} 0 0 0" for card in sorted(counts)]


def test_the_orders_after_a_card(known: Known) -> None:
    table = known.tables.orders_after
    assert shown(table, *(name for name in table.columns if "share" not in name)) == ORDERS.split("\n")[1:-1]
    shares = [tuple(row[f"share_ordered_within_{hours}_h"] for hours in (4, 8, 24)) for row in table.dicts()]
    assert shares == SHARES


def test_alarms_and_silences(known: Known) -> None:
    *of_courses, of_days = shown(known.tables.false_alarms)
    assert of_courses == ALARMS.split("\n")[1:-1]
    assert of_days.startswith("days at risk, with more than 3 different cards 5 233 0.0215 ")


def test_the_cards_by_the_hour_of_the_day(known: Known) -> None:
    found = known.tables.cards_by_hour.rows
    assert [row[:3] for row in found] == [(hour, *BY_HOUR.get(hour, (0, 0))) for hour in range(24)]
    assert sum(count for count, _ in BY_HOUR.values()) == 240
