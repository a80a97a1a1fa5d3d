"""A cohort of 67 that gives every count and p-value that the study published.

`paper.csv` was constructed: its rows satisfy Table 1, the grades, both Fisher tests and both cuts at once. The
patients of the study are not known, and none is shown here.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files

from example_patients.cohorts.course_chart import (
    CRP_BASELINE,
    IL6_BASELINE,
    LAST_VISIT,
    PRODUCT,
    Level,
    Person,
    resources_of,
    signs,
)
from example_patients.cohorts.export import Cohort, Outcome

Row = dict[str, str]
FIRST, APART = date(2016, 1, 11), timedelta(days=23)
BLASTS = {"<5": "2", "5-25": "15", "25-50": "40", ">50": "70"}
SEX = {"m": "male", "f": "female"}
OF_TABLE_1 = {
    "allosct": "x-allogeneic-sct", "refractory": "x-primary-refractory", "high_risk": "x-high-risk",
    "humanised": "x-humanised",
}  # fmt: skip
PROTOCOL = """\
title = "The study's own counts (a constructed cohort)"
note = "Constructed data: no patient of this cohort exists. It gives the published counts of Zhang et al. 2022."
constructed = true

[comparisons]
p = "listed"
listed = ["severe-crs:il6-low", "severe-infection:crp-high"]
table1_p = true
"""


def paper_cohort() -> Cohort:
    """The export, the outcomes that FHIR seldom holds, and the protocol of the study."""
    rows = table()
    people = {row["id"]: _person(row, number) for number, row in enumerate(rows)}
    return Cohort(
        resources=tuple(r for row in rows for r in resources_of(people[row["id"]], list(_lines(row)))),
        outcomes=tuple(outcome for row in rows for outcome in _outcomes(row, people[row["id"]].day0)),
        protocol=PROTOCOL,
    )


def table() -> list[Row]:
    """The rows of the constructed table."""
    text = (files(__package__) / "paper.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _person(row: Row, number: int) -> Person:
    day0 = FIRST + number * APART
    died = datetime(day0.year, day0.month, day0.day, 5, tzinfo=UTC) + timedelta(days=int(row["died_day"] or 0))
    return Person(row["id"], SEX[row["sex"]], int(row["age"]), day0, died if row["died_day"] else None)


def _lines(row: Row) -> Iterator[str]:
    onset, duration, grade = int(row["crs_onset"] or 0), int(row["crs_duration"] or 0), min(4, int(row["grade"]))
    died = int(row["died_day"]) * 24 + 5 if row["died_day"] else None
    yield f"D0 08:00  il6 {IL6_BASELINE} | crp {CRP_BASELINE} | weight 70"
    yield f"D0 10:00  car-t {PRODUCT}"
    yield from signs(_levels(onset, duration, grade, lasts=died is not None), max(16, onset + duration + 3), died)
    yield from _samples(row, onset or 5)
    if row["toci"] == "1":
        yield f"D{(onset or 5) + 1} 10:00  toci 560"
    if row["steroids"] == "1":
        yield f"D{(onset or 5) + 1} 18:00  give dexamethasone 10 IV"
    if died is None:
        yield f"D{LAST_VISIT} 10:00  weight 68"


def _levels(onset: int, duration: int, grade: int, *, lasts: bool) -> tuple[Level, ...]:
    """Fever from the first round of the onset to the last of the last day; the highest grade on the day after."""
    if not onset:
        return ()
    peak = 24 * (onset + 1)
    levels = (Level(24 * onset, 1), Level(peak, min(2, grade)), Level(peak + 14, grade))
    return levels if lasts else (*levels, Level(peak + 24, 1), Level(24 * (onset + duration), 0))


def _samples(row: Row, onset: int) -> Iterator[str]:
    """Four fifths of the peak, the peak before any tocilizumab, and afterwards what the drug does."""
    il6, crp = IL6_BASELINE * float(row["il6_fold"]), CRP_BASELINE * float(row["crp_fold"])
    yield f"D{onset} 07:00  il6 {il6 * 0.8:.1f} | crp {crp * 0.8:.1f}"
    yield f"D{onset + 1} 07:00  il6 {il6:.1f} | crp {crp:.1f}"
    if row["toci"] == "1":
        yield f"D{onset + 3} 07:00  il6 {il6 * 3:.1f} | crp 8"


def _outcomes(row: Row, day0: date) -> Iterator[Outcome]:
    def on(day: int) -> date:
        return day0 + timedelta(days=day)

    patient, onset = row["id"], int(row["crs_onset"] or 5)
    for column, event in OF_TABLE_1.items():
        if row[column] == "1":
            yield Outcome(patient, event)
    yield Outcome(patient, "x-burden", value=BLASTS[row["blasts"]])
    if row["severe_infection"] == "1":
        yield Outcome(patient, "severe-infection", on(12))
    if row["icans"] == "1":
        yield Outcome(patient, "icans", on(onset if row["icans_before_toci"] == "1" else onset + 3), "2")
    if row["died_day"]:
        yield Outcome(patient, "death", on(int(row["died_day"])))
        yield Outcome(patient, "death-of-crs", on(int(row["died_day"])))
    yield Outcome(patient, "last-seen", on(int(row["died_day"] or LAST_VISIT)))
