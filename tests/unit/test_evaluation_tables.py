"""The tables of a report on the study's own counts, and what is left of them when small groups may not be shown."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from html import unescape
from pathlib import Path

import pytest

from cds_server.evaluation.protocol import Protocol, PValues, protocol_of
from cds_server.evaluation.report.all_tables import Report, report_of
from cds_server.evaluation.report.write import write_report
from cds_server.evaluation.rows.cohort import ChangedRule, Evaluation, InventoryRow, OutcomeRow, Outcomes
from cds_server.evaluation.rows.courses import ChartedGradeRow, CourseFlag, GradeSource, Group, Known
from cds_server.evaluation.rows.moments import Preceded
from cds_server.evaluation.tables.cards import false_alarms, told
from cds_server.evaluation.tables.cohort import highest_grades, subgroups, table_1
from cds_server.evaluation.tables.comparisons import comparisons
from cds_server.evaluation.tables.markers import displayed, value_of
from cds_server.evaluation.tables.onset import icans_and_doses, onset
from cds_server.evaluation.tables.outcomes import Supplied, icans_of
from cds_server.evaluation.tables.preceded import orders_after
from cds_server.evaluation.tables.protocol_file import as_toml
from cds_server.evaluation.tables.reading_list import worth_reading
from cds_server.evaluation.tables.run import inventory_by_type
from cds_server.evaluation.tables.table import Cell, Table, in_words, shown_cell, shown_columns
from cds_server.evaluation.tables.time_to_severe import AfterOnset, after_onset, hazards, landmark, spells
from tests.support.evaluation_rows import PAPER, paper_evaluation
from tests.support.tables import name_of, rows


@cache
def paper() -> Report:
    return report_of(paper_evaluation())


def row_of(table: Table, **wanted: Cell) -> dict[str, Cell]:
    found = [row for row in table.dicts() if all(row[name] == value for name, value in wanted.items())]
    assert len(found) == 1, f"{wanted} names {len(found)} rows"
    return found[0]


COUNTS = rows("""
| endpoint         | stratum  | treated | untreated | p      | because                                    |
| severe-crs       | il6-low  | 3/8     | 0/23      | 0.0125 | the study's first test                     |
| severe-crs       | il6-high | 2/24    | 1/12      | –      | the protocol lists no p here               |
| severe-infection | crp-high | 11/23   | 2/17      | 0.0204 | the study's second test                    |
| severe-crs       | all      | 5/32    | 1/35      | –      | all patients                               |
| severe-crs       | crs      | 5/31    | 1/13      | –      | patients with CRS only                     |
""")


@pytest.mark.parametrize("row", COUNTS, ids=name_of)
def test_comparisons_give_the_counts_and_the_tests_of_the_study(row: dict[str, str]) -> None:
    found = row_of(paper().tables.comparisons, endpoint=row["endpoint"], stratum=row["stratum"])
    assert f"{found['treated_events']}/{found['treated_n']}" == row["treated"]
    assert f"{found['untreated_events']}/{found['untreated_n']}" == row["untreated"]
    assert in_words(found["p"]) == row["p"]


def test_a_test_with_few_events_says_what_one_more_would_make_of_it() -> None:
    found = paper().tables.comparisons
    fragile = row_of(found, stratum="il6-low", endpoint="severe-crs")["note"]
    assert fragile == "fragile: one event more gives p = 0.0432"
    assert row_of(found, stratum="crp-high")["note"] == ""


def test_each_share_of_a_comparison_has_its_exact_limits() -> None:
    found = row_of(paper().tables.comparisons, stratum="il6-low", endpoint="severe-crs")
    treated, untreated = (
        [found[f"{who}_share{end}"] for end in ("", "_low", "_high")] for who in ("treated", "untreated")
    )
    assert treated == pytest.approx([0.375, 0.0852, 0.7551], abs=5e-5)
    assert untreated == pytest.approx([0.0, 0.0, 0.1482], abs=5e-5)


def test_a_p_stands_only_where_the_protocol_lists_it() -> None:
    """The list says which; `p = "none"` says none of them."""
    asked = PAPER.comparisons
    silent = replace(PAPER, comparisons=replace(asked, p=PValues.NONE, table1_p=False))
    assert [report_of(paper_evaluation(protocol=one)).tests for one in (PAPER, silent)] == [3 + 9, 0]


DURATIONS = rows("""
| stratum  | group            | courses | not ended | p     | because                               |
| crs      | with tocilizumab | 31      | 1         | 0.558 | the protocol lists it                 |
| crs      | without          | 13      | 0         | –     | one p stands beside two rows          |
| il6-low  | with tocilizumab | 8       | 1         | –     | not listed                            |
| il6-low  | without          | 4       | 0         | –     | those with CRS alone have a duration  |
| il6-high | with tocilizumab | 23      | 0         | –     | not listed                            |
| il6-high | without          | 9       | 0         | –     | of the same courses                   |
""")


@pytest.mark.parametrize("row", DURATIONS, ids=name_of)
def test_durations_of_all_and_by_the_rise_of_il6(row: dict[str, str]) -> None:
    found = row_of(paper().tables.durations, stratum=row["stratum"], group=row["group"])
    assert (found["courses"], found["not_ended"]) == (int(row["courses"]), int(row["not ended"]))
    assert in_words(found["p"]) == row["p"]


def test_the_interaction_is_stated() -> None:
    found = row_of(paper().tables.comparisons, stratum="interaction: il6-low minus il6-high")
    assert found["difference"] == pytest.approx(0.375)


def test_an_unknown_outcome_brings_a_best_and_a_worst_case_beside_the_headline() -> None:
    evaluation = paper_evaluation()
    courses = [replace(c, severe=Known.UNKNOWN) if c.patient == "z37" else c for c in evaluation.courses]
    table = comparisons(replace(evaluation, courses=tuple(courses)))
    found = [row for row in table.dicts() if (row["endpoint"], row["stratum"]) == ("severe-crs", "il6-low")]
    assert [(r["unknown_counted"], r["untreated_events"], r["untreated_n"], r["unknown"]) for r in found] == [
        ("left-out", 0, 22, 1), ("as-none", 0, 23, 1), ("as-event", 1, 23, 1),
    ]  # fmt: skip
    assert [row["p"] is None for row in found] == [False, True, True]


TABLE_1 = rows("""
| characteristic     | p     | because                                |
| sex                | 0.069 | the study prints 0.068                 |
| allogeneic sct     | 0.418 | as printed                             |
| primary refractory | 0.361 | as printed                             |
| high risk          | 0.124 | as printed                             |
| humanised          | 0.177 | as printed                             |
| corticosteroids    | 0.002 | as printed                             |
""")


@pytest.mark.parametrize("row", TABLE_1, ids=name_of)
def test_table_1_gives_the_p_of_the_study(row: dict[str, str]) -> None:
    of_one = [r for r in paper().tables.table1.dicts() if r["characteristic"] == row["characteristic"]]
    assert in_words(of_one[0]["p"]) == row["p"]
    assert {r["treated_n"] for r in of_one} == {32}
    assert {r["untreated_n"] for r in of_one} == {35}


def test_table_1_has_no_p_unless_the_protocol_asks() -> None:
    found = report_of(paper_evaluation(protocol=Protocol())).tables.table1
    assert set(found.column("p")) == {None}


def test_grade_5_is_never_computed() -> None:
    with_outcomes, without = paper_evaluation(), paper_evaluation(outcomes=Outcomes())
    counts = [highest_grades(one).column("courses")[1:6] for one in (with_outcomes, without)]
    assert counts == [[27, 11, 4, 1, 1], [27, 11, 4, 2, 0]]
    assert highest_grades(without).column("courses")[-1] == 1, "died in a severe course"


@pytest.mark.parametrize("source", [GradeSource.DIAGNOSIS, GradeSource.CHARTED])
def test_grade_5_of_the_chart_counts_without_a_file_of_outcomes(source: GradeSource) -> None:
    evaluation = paper_evaluation(outcomes=Outcomes())
    (worst,) = [c for c in evaluation.courses if c.died_in_severe]
    act = ChartedGradeRow(worst.patient, 1, "crs", worst.last_seen, 5, 4, False, source)
    assert highest_grades(replace(evaluation, charted_grades=(act,))).column("courses")[1:6] == [27, 11, 4, 1, 1]
    icans = replace(act, scale="icans")
    assert highest_grades(replace(evaluation, charted_grades=(icans,))).column("courses")[1:6] == [27, 11, 4, 2, 0]


OWN_CUTS = rows("""
| marker | cut  | j     | auc   | because |
| il6    | 4    | 0.553 | 0.770 | IL-6    |
| crp    | 1.83 | 0.578 | 0.787 | CRP     |
""")


@pytest.mark.parametrize("row", OWN_CUTS, ids=name_of)
def test_the_cuts_of_the_study_are_the_best_ones_in_its_own_counts(row: dict[str, str]) -> None:
    found = row_of(paper().tables.markers, marker=row["marker"], measure="fold", endpoint="crs", window="study")
    assert (found["own_cut"], found["study_cut"]) == (float(row["cut"]), float(row["cut"]))
    assert [f"{found[name]:.3f}" for name in ("j_apparent", "auc")] == [row["j"], row["auc"]]
    assert found["j_corrected"] < found["j_apparent"]  # type: ignore[operator]


def test_six_severe_courses_are_too_few_for_a_cut_of_ones_own() -> None:
    found = row_of(paper().tables.markers, marker="il6", measure="fold", endpoint="severe", window="severe")
    assert (found["auc"], found["own_cut"], found["n"]) == (None, None, 44)
    assert found["note"] == "not fitted: 6 events, 38 without; at least 10 of each are needed"
    assert found["study_sensitivity"] == 0.5, "the study's cut was not chosen here"


@pytest.mark.parametrize(
    ("low", "high", "value"), [("4", "4", 4.0), ("3", None, 3.0), ("0", "2", 2.0), ("2", "3", None), (None, None, None)]
)
def test_a_censored_value_stands_at_its_limit(low: str | None, high: str | None, value: float | None) -> None:
    assert value_of(*(None if x is None else Decimal(x) for x in (low, high))) == value


def test_an_outcome_that_was_not_supplied_has_no_row() -> None:
    endpoints = set(comparisons(paper_evaluation(outcomes=Outcomes())).column("endpoint"))
    assert endpoints == {"severe-crs", "icans"}


def test_not_known_is_a_column_of_the_grade_by_day() -> None:
    day = row_of(paper().tables.grade_by_day, day=13)
    assert sum(v for name, v in day.items() if name != "day" and isinstance(v, int)) == 67
    assert day["not_known"]


def test_the_three_shares_of_preceded_events_add_up() -> None:
    found = row_of(paper().tables.preceded, event="tocilizumab")
    assert (found["preceded"], found["only_at_or_after"], found["never"], found["n"]) == (16, 8, 8, 32)


def test_orders_after_a_card_and_severe_courses_without_one() -> None:
    found = row_of(paper().tables.orders_after, card="toci-recommended", drug="tocilizumab")
    treated = found["ordered_within_4_h"]
    assert (found["episodes"], treated, found["not_treated_within_8_h"]) == (17, 14, 3)
    alarms = false_alarms(paper_evaluation(), told(paper_evaluation()))
    assert [(row["count"], row["n"]) for row in alarms.dicts()] == [(27, 50), (0, 6), (0, 67 * 15)]


def test_the_page_says_how_many_days_stand_in_no_denominator() -> None:
    evaluation = paper_evaluation()
    days = [replace(day, at_risk=day.day < 10) for day in evaluation.grade_days]
    note = report_of(replace(evaluation, grade_days=tuple(days))).days_note
    assert note == "670 days at risk. 335 days without a charted sign stand in no denominator."


def test_courses_worth_reading_come_once_and_in_order() -> None:
    evaluation = paper_evaluation()
    found = worth_reading(evaluation, evaluation.charted_grades)
    assert len({strip.patient for strip in found}) == len(found) <= 10
    assert {strip.reason for strip in found[:8]} == {"a dose with no card before it"}
    assert len(found[0].days) == 15


def test_hazards_are_not_fitted_with_six_events() -> None:
    after = after_onset(paper_evaluation())
    assert "not fitted: 6 events" in str(hazards(after, Protocol()).column("note")[0])
    assert landmark(after, Protocol()).rows == ()


def test_a_drug_that_does_nothing_looks_as_if_it_helped_where_ever_is_compared_with_never() -> None:
    ever, by_time = paper().tables.no_effect.column("hazard_ratio")
    assert isinstance(ever, float)
    assert isinstance(by_time, float)
    assert ever < 0.5
    assert 0.85 < by_time < 1.18


def test_the_landmark_counts_only_who_is_still_at_risk() -> None:
    courses = [AfterOnset(0.5, 1, None)] * 5  # severe before 24 h
    courses += [AfterOnset(2.0 + n / 10, 1, 0.5) for n in range(12)]
    courses += [AfterOnset(3.0 + n / 10, 2, None) for n in range(12)]
    found = landmark(courses, Protocol()).dicts()
    assert {row["at_risk"] for row in found if row["day_after_onset"] == 1.0} == {12}
    assert max(row["severe"] for row in found if row["group"] == "tocilizumab by 24 h") == pytest.approx(1.0)  # type: ignore[type-var]


def test_no_words_name_a_count_that_is_hidden() -> None:
    """Six severe courses are "<7" in the tables, and so in the notes beside them."""
    report = report_of(paper_evaluation(), aggregate_only=True)
    of_markers = row_of(report.tables.markers, marker="il6", measure="fold", endpoint="severe", window="severe")
    assert (of_markers["events"], of_markers["note"]) == ("<7", "suppressed")
    assert set(report.tables.hazards.column("note")) == {"suppressed"}
    assert "6" not in report.landmark_note
    assert "6 events" in paper().landmark_note


def test_a_figure_and_its_limits_stand_in_one_cell_of_the_page() -> None:
    table = Table(
        "t",
        ("x", "rate", "rate_low", "rate_high"),
        (("a", 0.25, 0.1, 0.5), ("b", 0.25, None, None), ("c", *["hidden"] * 3)),
    )
    assert [name for name, _ in shown_columns(table)] == ["x", "rate"]
    cells = [shown_cell(row, shown_columns(table)[1][1]) for row in table.rows]
    assert cells == [("0.25", "(0.1 to 0.5)"), ("0.25", ""), ("hidden", "")]


def test_events_and_the_courses_among_which_they_were_stand_in_one_cell_of_the_page() -> None:
    table = Table("t", ("x", "treated_events", "treated_n"), (("a", 3, 8), ("b", None, None)))
    assert [name for name, _ in shown_columns(table)] == ["x", "treated"]
    assert [shown_cell(row, shown_columns(table)[1][1])[0] for row in table.rows] == ["3 of 8", "–"]


def test_headings_of_the_page_write_abbreviations_as_the_field_does() -> None:
    table = Table("t", ("auc", "share_crs", "j_corrected"), ())
    assert [name for name, _ in shown_columns(table)] == ["AUC", "share CRS", "J corrected"]


@pytest.mark.parametrize(
    ("cell", "words"),
    [(None, "–"), (0.00004, "4e−05"), (0.01246, "0.0125"), (-0.5, "−0.5"), (1234.5, "1234"), (0.0, "0"), (True, "yes")],
)
def test_numbers_of_the_page(cell: Cell, words: str) -> None:
    assert in_words(cell) == words


def test_the_protocol_file_gives_the_same_protocol_again(tmp_path: Path) -> None:
    file = tmp_path / "protocol.toml"
    file.write_text(as_toml(PAPER), encoding="utf-8")
    assert protocol_of(file) == PAPER


def test_a_report_is_a_page_with_its_tables_beside_it(tmp_path: Path) -> None:
    page = write_report(paper_evaluation(), tmp_path).read_text(encoding="utf-8")
    for text in (
        "Constructed data: no patient of this cohort exists.",
        "This report holds patient data",
        "0.0125",
        "0.0204",
    ):
        assert text in page
    with (tmp_path / "courses.csv").open(encoding="utf-8", newline="") as file:
        courses = list(csv.DictReader(file))
    assert (len(courses), courses[0]["il6_group"], courses[1]["died_in_severe"]) == (67, "low", "yes")
    with (tmp_path / "comparisons.csv").open(encoding="utf-8", newline="") as file:
        assert [float(row["p"]) for row in csv.DictReader(file) if row["p"]] == pytest.approx([0.0124583, 0.020421])
    assert protocol_of(tmp_path / "protocol.toml") == PAPER


def test_the_page_loads_nothing_and_runs_nothing_of_a_record(tmp_path: Path) -> None:
    hostile = '</script><img src=x onerror="alert(1)">'
    evaluation = paper_evaluation()
    courses = (replace(evaluation.courses[0], product=hostile, patient=hostile), *evaluation.courses[1:])
    page = write_report(replace(evaluation, courses=courses), tmp_path).read_text(encoding="utf-8")
    assert hostile not in page
    assert 'onerror="alert' not in page
    assert "default-src 'none'" in unescape(page)
    assert "http://" not in page.partition("<script>")[0]


def test_an_aggregate_report_holds_no_patient(tmp_path: Path) -> None:
    page = write_report(paper_evaluation(), tmp_path, aggregate_only=True).read_text(encoding="utf-8")
    written = {file.name: file.read_text(encoding="utf-8") for file in tmp_path.iterdir()}
    assert not {"courses.csv", "cards.csv", "moments.csv", "rises.csv", "worth_reading.csv"} & set(written)
    assert all("z37" not in text for name, text in written.items() if name != "index.html")
    assert "z37" not in page
    assert "&lt;7" in page


def test_an_evaluation_of_nobody_is_a_page_all_the_same(tmp_path: Path) -> None:
    nobody = paper_evaluation(
        courses=(), markers=(), grade_days=(), charted_grades=(), cards=(), episodes=(), events=(), outcomes=Outcomes()
    )
    assert "Nothing to show." in write_report(nobody, tmp_path).read_text(encoding="utf-8")


def test_a_course_that_has_not_ended_is_censored() -> None:
    course = next(c for c in paper_evaluation().courses if c.patient == "z02")
    assert course.end_is_censored
    found = after_onset(paper_evaluation(courses=(replace(course, severe=Known.NO, first_grade_3=None),)))
    assert [one.cause for one in found] == [0]
    assert course.followed_until < datetime(2022, 1, 1, tzinfo=UTC) + timedelta(days=1)


# a course with CRS from day 0 to day 4: the day of its first grade 3, and what is known of it
FIRST_END = rows("""
| grade 3 | ended | severe  | known | end | cause | because                                                     |
| 2       | yes   | yes     | 1     | 2   | 1     | severe before it resolved                                   |
| 4       | yes   | yes     | 1     | 4   | 1     | severe at its last sign                                     |
| 30      | yes   | yes     | 1     | 4   | 2     | it had resolved, and a grade of 3 came a month later        |
| 30      | no    | yes     | 1     | 30  | 1     | it had not ended yet                                        |
| –       | no    | unknown | 1     | 4   | 0     | the export ends first: censored, and not left out           |
| –       | no    | unknown | 0.5   |     |       | the grade is not known for long enough                      |
| 0       | yes   | yes     | 1     |     |       | severe from the first fever on: never at risk               |
""")


@pytest.mark.parametrize("row", FIRST_END, ids=name_of)
def test_what_comes_first_after_onset_counts(row: dict[str, str]) -> None:
    start = datetime(2024, 5, 1, tzinfo=UTC)
    (made,) = [c for c in paper_evaluation().courses if c.patient == "z02"]
    course = replace(
        made, onset=start, crs_end=start + timedelta(days=4), end_is_censored=row["ended"] == "no",
        first_grade_3=None if row["grade 3"] == "–" else start + timedelta(days=int(row["grade 3"])),
        severe=Known(row["severe"]), grade_known_share=Decimal(row["known"]),
    )  # fmt: skip
    found = [(one.end, one.cause) for one in after_onset(paper_evaluation(courses=(course,)))]
    assert found == ([(int(row["end"]), int(row["cause"]))] if row["end"] else [])


SPELLS = rows("""
| dose | grade 2          | end | spells                            | because                                           |
|      |                  | 3   | 0-3 00                            | neither                                           |
| 1    |                  | 3   | 0-1 00, 1-3 10                    | with the drug from the dose on                    |
|      | 1-2              | 3   | 0-1.25 00, 1.25-2.25 01, 2.25-3 00 | grade 2 for a day, seen 6 h later, and gone again |
|      | -1-0.5, 2-2.5    | 3   | 0-0.75 01, 0.75-2.25 00, 2.25-2.75 01, 2.75-3 00 | twice, once from before the onset |
| 1    | 0.75-9           | 3   | 0-1 00, 1-3 11                    | both at once                                      |
| 4    | 3-9              | 3   | 0-3 00                            | after the end                                     |
""")  # fmt: skip


@pytest.mark.parametrize("row", SPELLS, ids=name_of)
def test_the_model_knows_the_grade_of_6_h_before(row: dict[str, str]) -> None:
    spans = [span.rpartition("-") for span in row["grade 2"].split(", ") if span]
    one = AfterOnset(
        float(row["end"]), 1, float(row["dose"]) if row["dose"] else None,
        tuple((float(since), float(until)) for since, _, until in spans),
    )  # fmt: skip
    found = [f"{s.start:g}-{s.stop:g} {s.covariates[0]:g}{s.covariates[1]:g}" for s in spells(one, 2, 0.25)]
    assert ", ".join(found) == row["spells"]
    assert [s.event for s in spells(one, 2, 0.25)] == [*([False] * (len(found) - 1)), True]


def ended(events: int, others: int, unknown: int) -> list[AfterOnset]:
    """Courses with a dose on the first day of every second; the burden of the first `unknown` is not known."""
    causes = [1] * events + [2] * others
    return [
        AfterOnset(
            2 + n / 100, cause, 0.5 if n % 2 else None, ((1.0, 9.0),) if n % 3 else (), n % 7 if n >= unknown else None
        )
        for n, cause in enumerate(causes)
    ]


TERMS_FITTED = rows("""
| events | others | no burden | terms | courses | note                             | because                                     |
| 9      | 40     | 0         | 1     | 49      | not fitted: 9 events, 40 without | ten events are needed                       |
| 40     | 9      | 0         | 1     | 49      | not fitted: 40 events, 9 without | and ten courses without, not spells of them |
| 19     | 30     | 0         | 1     | 49      | not adjusted for: grade 2        | ten events a term                           |
| 20     | 30     | 0         | 2     | 50      | not adjusted for: burden         | enough for the grade                        |
| 30     | 30     | 0         | 3     | 60      |                                  | and for the burden                          |
| 40     | 30     | 5         | 3     | 65      |                                  | whose burden is not known is left out       |
| 40     | 30     | 70        | 2     | 70      | not adjusted for: burden         | no burden was supplied                      |
""")


@pytest.mark.parametrize("row", TERMS_FITTED, ids=name_of)
def test_the_model_has_as_many_terms_as_there_are_tens_of_events(row: dict[str, str]) -> None:
    found = ended(int(row["events"]), int(row["others"]), int(row["no burden"]))
    *adjusted, _ever = hazards(found, Protocol()).dicts()
    assert [one["courses"] for one in adjusted] == [int(row["courses"])] * int(row["terms"])
    assert str(adjusted[0]["note"]).startswith(row["note"])
    assert (adjusted[0]["hazard_ratio"] is None) == row["note"].startswith("not fitted")


def test_each_quarter_has_its_courses_and_their_shares() -> None:
    found = paper().tables.quarters
    assert sum(found.column("courses")) == 67  # type: ignore[arg-type]
    assert sum(found.column("severe")) == 6  # type: ignore[arg-type]
    first = row_of(found, quarter="2016 Q1")
    assert first["courses"] == 4, "day 0 on 11 January, then every 23 days"


def test_what_is_measured_for_display_has_peaks_and_no_cut() -> None:
    evaluation = paper_evaluation()
    peaks = [replace(evaluation.markers[0], patient=f"{c.patient}", marker="il10", unit="pg/mL", window="study",
                     peak_low=Decimal(n), peak_high=Decimal(n)) for n, c in enumerate(evaluation.courses[:5], 1)]  # fmt: skip
    again = replace(peaks[0], course=2, peak_low=Decimal(90), peak_high=Decimal(90))
    plain = [replace(c, severe=Known.NO) for c in (*evaluation.courses, replace(evaluation.courses[0], course=2))]
    found = displayed(replace(evaluation, courses=tuple(plain), markers=(*evaluation.markers, *peaks, again)))
    assert found.dicts() == [
        {"marker": "il10", "unit": "pg/mL", "severe_crs": "no", "courses": 5, "not_known": 62, "lowest": 1.0,
         "peak": 3.0, "peak_low": 2.0, "peak_high": 4.0, "highest": 5.0},
    ]  # fmt: skip


def test_days_with_many_cards_count_different_cards_apart_from_the_grade() -> None:
    evaluation = paper_evaluation()
    card = next(iter(evaluation.cards))
    many = [replace(card, card=f"card-{n}") for n in range(4)]
    found = replace(evaluation, cards=(replace(card, card="crs-grade"), *many, many[0]))
    row = row_of(false_alarms(found, told(found)), of="days at risk, with more than 3 different cards")
    assert (row["count"], row["n"]) == (1, 67 * 15)


def test_days_with_many_cards_are_days_at_risk_and_their_limits_draw_patients() -> None:
    """Five such days of one patient are no five draws: none of them, or all, are in a sample."""
    evaluation = paper_evaluation()
    card = next(iter(evaluation.cards))
    many = [
        replace(card, card=f"card-{n}", date=card.date + timedelta(days=day), at_risk=day < 5)
        for n in range(4)
        for day in range(7)
    ]
    found = replace(evaluation, cards=tuple(many))
    row = row_of(false_alarms(found, told(found)), of="days at risk, with more than 3 different cards")
    assert (row["count"], row["share"]) == (5, pytest.approx(5 / (67 * 15)))
    assert row["share_low"] == 0
    assert row["share_high"] >= 15 / (67 * 15)  # type: ignore[operator]


def test_a_course_that_was_severe_at_the_card_cannot_become_so_after_it() -> None:
    evaluation = paper_evaluation()
    (episode, *_) = (e for e in evaluation.episodes if e.order_within_hours is None)
    before = replace(episode, severe_within_hours=None, severe_already=True)
    later = [replace(episode, patient=f"p{n}", severe_within_hours=Decimal(9 + n)) for n in range(3)]
    (row,) = orders_after(replace(evaluation, episodes=(before, *later))).dicts()
    assert (row["episodes"], row["not_treated_within_8_h"], row["severe_within_24_h"]) == (4, 3, 3)


def test_the_share_of_a_card_that_was_followed_has_limits_by_patient() -> None:
    """Nine episodes of one patient, all answered, and one of another that was not."""
    evaluation = paper_evaluation()
    (episode, *_) = (e for e in evaluation.episodes if e.order_within_hours == 3)
    answered = [replace(episode, patient="a", episode=n) for n in range(9)]
    silent = replace(episode, patient="b", order_within_hours=None)
    (row,) = orders_after(replace(evaluation, episodes=(*answered, silent))).dicts()
    shares = [row[f"share_ordered_within_4_h{end}"] for end in ("", "_low", "_high")]
    assert shares == [0.9, 0.0, 1.0]


READ = rows("""
| order | severe | worth | because                                    |
| –     | 40     | yes   | no order, and severe                       |
| 20    | 40     | no    | ordered before it was severe               |
| 41    | 40     | yes   | the order came when it was severe          |
| –     | 49     | no    | severe later than in 48 h                  |
""")


@pytest.mark.parametrize("row", READ, ids=name_of)
def test_a_card_that_nobody_followed_in_time_is_worth_reading(row: dict[str, str]) -> None:
    evaluation = paper_evaluation(events=(), charted_grades=(), grade_days=())
    (episode, *_) = evaluation.episodes
    order = None if row["order"] == "–" else Decimal(row["order"])
    one = replace(episode, order_within_hours=order, severe_within_hours=Decimal(row["severe"]))
    found = worth_reading(replace(evaluation, episodes=(one,)), ())
    assert [strip.reason for strip in found] == ["a card without an order, and severe within 48 h"] * (
        row["worth"] == "yes"
    )


def test_a_course_whose_grade_is_mostly_unknown_is_worth_reading_by_its_hours() -> None:
    """A grade that is known for an hour of each day is known on every day."""
    evaluation = paper_evaluation(events=(), charted_grades=(), episodes=())
    days = [replace(day, hours_known=Decimal(1)) if day.patient == "z01" else day for day in evaluation.grade_days]
    found = worth_reading(replace(evaluation, grade_days=tuple(days)), ())
    assert [(strip.patient, strip.reason) for strip in found] == [("z01", "the grade is not known for most hours")]


def test_the_onset_has_a_line_without_courses_with_a_positive_culture_near_it() -> None:
    evaluation = paper_evaluation()
    flagged = [
        replace(c, flags=(CourseFlag.CULTURE_NEAR_ONSET,)) if c.severe is Known.YES
        else replace(c, flags=(CourseFlag.NO_CULTURE_NEAR_ONSET,)) if c.crs is Known.YES else c
        for c in evaluation.courses
    ]  # fmt: skip
    table = onset(replace(evaluation, courses=tuple(flagged)))
    every, without, _ = table.dicts()
    assert [every[name] for name in ("courses", "crs", "severe", "no_culture")] == [67, 44, 6, 38]
    assert [without[name] for name in ("courses", "crs", "severe", "no_culture")] == [61, 38, 0, 38]


BURDENS = rows("""
| blasts | class   | because                     |
| 0      | <5 %    | none                        |
| 4.9    | <5 %    | below the first limit       |
| 5      | 5–25 %  | five itself is not below it |
| 25     | 5–25 %  | an upper limit belongs      |
| 25.5   | 25–50 % | above it                    |
| 51     | >50 %   | more than half              |
""")


@pytest.mark.parametrize("row", BURDENS, ids=name_of)
def test_the_class_of_a_burden(row: dict[str, str]) -> None:
    evaluation = paper_evaluation()
    (first, *_) = evaluation.courses
    burden = OutcomeRow(first.patient, 1, "x-burden", None, row["blasts"], 2)
    found = subgroups(replace(evaluation, courses=(first,), outcomes=Outcomes(frozenset({"x-burden"}), (burden,))))
    assert [r["level"] for r in found.dicts() if r["subgroup"] == "burden (blasts)"] == [row["class"]]


def test_severe_crs_by_burden_adds_up_and_stands_in_the_order_of_its_classes() -> None:
    found = [r for r in paper().tables.subgroups.dicts() if r["subgroup"] == "burden (blasts)"]
    assert [r["level"] for r in found] == ["<5 %", "5–25 %", "25–50 %", ">50 %"]
    assert (sum(r["severe"] for r in found), sum(r["courses"] for r in found)) == (6, 67)  # type: ignore[misc]


def test_without_a_burden_that_was_supplied_no_subgroup_has_it() -> None:
    assert set(subgroups(paper_evaluation(outcomes=Outcomes())).column("subgroup")) == {"sex", "age", "product"}


def test_the_inventory_of_the_page_has_each_type_once_with_all_its_months() -> None:
    months = (InventoryRow("Observation", "2026-03", 4, 0), InventoryRow("Observation", "2026-01", 2, 0),
              InventoryRow("Observation", "", 1, 3), InventoryRow("Patient", "", 1, 0))  # fmt: skip
    assert inventory_by_type(replace(paper_evaluation(), inventory=months)).rows == (
        ("Observation", 7, "2026-01", "2026-03", 1, 3), ("Patient", 1, None, None, 1, 0),
    )  # fmt: skip


ICANS = rows("""
| values | icans | because                                            |
|        | no    | a course without a line had none                   |
| 0      | no    | somebody wrote that there was none                 |
| 2      | yes   | a grade                                            |
| 2 0    | yes   | a later line of grade 0 does not take it back      |
""")


@pytest.mark.parametrize("row", ICANS, ids=name_of)
def test_a_supplied_grade_of_icans_counts_from_1_on(row: dict[str, str]) -> None:
    (first, other, *_) = paper_evaluation().courses
    lines = [OutcomeRow(first.patient, 1, "icans", None, value, 2) for value in row["values"].split()]
    lines.append(OutcomeRow(other.patient, 1, "icans", None, "1", 3))
    assert icans_of(first, Supplied(Outcomes(frozenset({"icans"}), tuple(lines)))) is Known(row["icans"])


def test_table_1_says_who_was_infused_again() -> None:
    evaluation = paper_evaluation()
    later = replace(next(c for c in evaluation.courses if c.tocilizumab), course=2)
    found = table_1(replace(evaluation, courses=(*evaluation.courses, later)))
    again = row_of(found, characteristic="infused again later", level="yes")
    assert (again["treated"], again["treated_n"], again["untreated"]) == (1, 32, 0)


def test_table_1_has_columns_of_later_courses_and_of_courses_without_a_baseline() -> None:
    evaluation = paper_evaluation()
    first, *rest = evaluation.courses
    courses = (replace(first, il6_group=Group.UNKNOWN, il6_reason="no_baseline"), *rest, replace(first, course=2))
    found = [row for row in table_1(replace(evaluation, courses=courses)).dicts() if row["characteristic"] == "sex"]
    assert {row["level"]: (row["later_courses"], row["no_il6_baseline"]) for row in found} == {
        level: (int(level == first.sex), int(level == first.sex)) for level in ("female", "male")
    }
    assert sum(row["treated"] + row["untreated"] for row in found) == 67  # type: ignore[operator, misc]


PROMISED = {
    "markers": "marker measure endpoint n events auc auc_low auc_high study_cut study_sensitivity study_specificity "
               "own_cut own_cut_low own_cut_high j_apparent j_corrected",
    "comparisons": "endpoint stratum treated_events treated_n untreated_events untreated_n difference low high test p",
}  # fmt: skip


@pytest.mark.parametrize("name", PROMISED)
def test_a_csv_begins_with_the_columns_that_were_promised(name: str) -> None:
    promised = PROMISED[name].split()
    assert list(getattr(paper().tables, name).columns[: len(promised)]) == promised


def test_cards_are_counted_per_ten_days_at_risk_and_per_course() -> None:
    found = row_of(paper().tables.card_rates, card="infection-surveillance")
    assert found["per_10_days"] == pytest.approx(found["shown"] * 10 / (67 * 15))  # type: ignore[operator]
    assert found["per_course"] == pytest.approx(found["shown"] / 67)  # type: ignore[operator]
    by_hour = paper().tables.cards_by_hour
    assert sum(by_hour.column("per_10_days")) == pytest.approx(found["per_10_days"])  # type: ignore[arg-type]


def under_other_rules() -> Evaluation:
    """The paper's cohort beside rules that are silent about infections from day 7 on, and that precede one dose more."""
    evaluation = paper_evaluation()
    day0 = {course.patient: course.day0 for course in evaluation.courses}
    cards = [
        replace(card, rules=2)
        for card in evaluation.cards
        if card.card == "crs-grade" or (card.date - day0[card.patient]).days < 7
    ]
    events = [replace(event, rules=2) for event in evaluation.events]
    never = next(n for n, event in enumerate(events) if event.preceded is Preceded.NEVER)
    events[never] = replace(events[never], preceded=Preceded.BEFORE)
    return replace(
        evaluation,
        run=replace(evaluation.run, compare_hash="d4e5f6"),
        cards=(*evaluation.cards, *cards),
        events=(*evaluation.events, *events),
        changed=(ChangedRule("spo2_cut (%)", "90", "94"),),
    )


def test_two_rule_sets_differ_by_card_by_course_and_by_day() -> None:
    tables = report_of(under_other_rules()).tables
    found = row_of(tables.compare, card="all-but-the-grade")
    assert (found["days_only_here"], found["days_only_other"]) == (44 * 8, 0), "days 7 to 14 of 44 courses with CRS"
    assert found["difference"] == pytest.approx(-44 * 8 * 10 / (67 * 15))
    assert found["difference"] == pytest.approx(found["per_10_days_other"] - found["per_10_days"])  # type: ignore[operator]
    same = row_of(tables.compare, card="crs-grade")
    assert [same[name] for name in ("days_only_here", "difference", "difference_low")] == [0, 0, 0]
    courses = tables.compare_courses.dicts()
    assert len(courses) == 44
    assert {(row["card"], row["days_only_here"], row["days_only_other"]) for row in courses} == {
        ("infection-surveillance", "d7 d8 d9 d10 d11 d12 d13 d14", "")
    }
    event = row_of(tables.compare_events, event="tocilizumab")
    assert (event["preceded_other"], event["never_other"]) == (event["preceded"] + 1, event["never"] - 1)  # type: ignore[operator]


def test_page_one_says_how_often_cards_came_and_what_the_other_rules_change(tmp_path: Path) -> None:
    page = unescape(write_report(under_other_rules(), tmp_path).read_text(encoding="utf-8"))
    one = page.partition('<h2 id="inventory"')[0]
    for text in (
        "How often cards came",
        "per course",
        "The other rules: spo2_cut (%) 94 in place of 90.",
        "Preceded by a card with the site's rules and with the other ones: tocilizumab 16 and 17 of 32.",
    ):
        assert text in one
    with (tmp_path / "compare.csv").open(encoding="utf-8", newline="") as file:
        rates = next(row for row in csv.DictReader(file) if row["card"] == "all-but-the-grade")
    here, other = (in_words(float(rates[name])) for name in ("per_10_days", "per_10_days_other"))
    assert f"{here} with the site's rules, {other} with the other ones" in one


def test_one_rule_set_is_no_comparison(tmp_path: Path) -> None:
    page = write_report(paper_evaluation(), tmp_path).read_text(encoding="utf-8")
    assert "Only one rule set was asked" in page
    assert paper().tables.compare.rows == paper().tables.compare_courses.rows == ()


def test_a_strip_ends_with_the_last_day_on_which_something_was_charted_and_marks_the_doses() -> None:
    evaluation = paper_evaluation()
    days = [replace(day, at_risk=day.day < 12) for day in evaluation.grade_days]
    strip = worth_reading(replace(evaluation, grade_days=tuple(days)), ())[0]
    assert [day.day for day in strip.days] == list(range(12))
    dose = next(e.at for e in evaluation.events if e.patient == strip.patient)
    day0 = next(c.day0 for c in evaluation.courses if c.patient == strip.patient)
    assert [day.day for day in strip.days if day.events == "T"] == [(dose.date() - day0).days]


def test_a_row_of_a_course_ends_with_the_peaks_of_what_is_measured_for_display(tmp_path: Path) -> None:
    evaluation = paper_evaluation()
    (first, *_) = evaluation.courses
    peak = replace(evaluation.markers[0], patient=first.patient, marker="ferritin", window="study", unit="ug/L",
                   peak_low=Decimal(900), peak_high=Decimal(900))  # fmt: skip
    write_report(replace(evaluation, markers=(*evaluation.markers, peak)), tmp_path)
    with (tmp_path / "courses.csv").open(encoding="utf-8", newline="") as file:
        found = {row["patient"]: (row["il10_peak"], row["ferritin_peak"]) for row in csv.DictReader(file)}
    assert found[first.patient] == ("", "900")
    assert len(found) == 67
    assert sum(any(peaks) for peaks in found.values()) == 1


def test_courses_are_counted_by_icans_and_by_doses() -> None:
    evaluation = paper_evaluation(outcomes=Outcomes())
    a, b, c, *rest = evaluation.courses
    a = replace(a, icans=Known.YES, max_icans=2, icans_before_first_dose=True, tocilizumab=True, tocilizumab_doses=4)
    b = replace(b, icans=Known.YES, max_icans=None, tocilizumab=None)
    c = replace(c, icans=Known.NO, tocilizumab=True, tocilizumab_doses=2)
    found = icans_and_doses(
        replace(evaluation, courses=(a, b, c, *(replace(one, tocilizumab_doses=0) for one in rest)))
    )
    counts = {(row["of"], row["level"]): row["courses"] for row in found.dicts()}
    assert {level: n for (of, level), n in counts.items() if of == "ICANS"} == {
        "grade 2": 1, "none": 1, "some, without a grade on record": 1, "unknown": 64,
    }  # fmt: skip
    assert {level: n for (of, level), n in counts.items() if of == "ICANS before the first dose"} == {
        "unknown": 1, "yes": 1,
    }  # fmt: skip
    assert {level: n for (of, level), n in counts.items() if of == "doses of tocilizumab"} == {
        "0": 64, "2": 1, "3 or more": 1, "unknown": 1,
    }  # fmt: skip
