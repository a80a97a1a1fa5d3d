"""The constructed cohorts: the paper's counts are in its charts, and each says that its patients do not exist."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from cds_server.evaluation.protocol import protocol_of
from cds_server.evaluation.statistics.proportions import Share, fisher_p, pearson_p
from example_patients.cohorts.course_chart import TAG
from example_patients.cohorts.export import Cohort
from example_patients.cohorts.known import COURSES, known_cohort, truths
from example_patients.cohorts.no_effect import no_effect_cohort
from example_patients.cohorts.paper import paper_cohort, table
from example_patients.programs.cohort import cohort
from example_patients.stories.chart import Resource
from fhir_mappings.facts.patient import PatientFacts
from tests.support.tables import facts_of

HIGH_IL6, HIGH_CRP = Decimal(4), Decimal("1.83")
ROWS = {row["id"]: row for row in table()}


@cache
def charts() -> dict[str, list[Resource]]:
    found: dict[str, list[Resource]] = {id_: [] for id_ in ROWS}
    for resource in paper_cohort().resources:
        owner = resource.get("subject", {"reference": f"Patient/{resource['id']}"})["reference"].partition("/")[2]
        found[owner.removesuffix("-med") if owner in found else owner.rsplit("-", 2)[0]].append(resource)
    return found


def facts_at(patient: str, day: int, clock: str) -> PatientFacts:
    """The facts of what was charted up to a moment of the course, while the patient was alive."""
    chart = charts()[patient]
    infusion = next(r for r in chart if "Period" in str(r) and "tisagenlecleucel" in str(r))
    day0 = datetime.fromisoformat(infusion["effectivePeriod"]["start"]).date()
    at = datetime.combine(day0, time.fromisoformat(clock), UTC) + timedelta(days=day)
    known = [
        {k: v for k, v in r.items() if k != "deceasedDateTime"}
        | ({"id": "p"} if r["resourceType"] == "Patient" else {})
        for r in chart
        if time_of(r) <= at
    ]
    renamed = json.loads(json.dumps(known).replace(f'"Patient/{patient}"', '"Patient/p"'))
    return facts_of(renamed, as_of=at, zone=ZoneInfo("UTC"))


def time_of(resource: Resource) -> datetime:
    found = resource.get("effectiveDateTime") or resource.get("effectivePeriod", {}).get("start")
    return datetime.fromisoformat(found) if found else datetime.min.replace(tzinfo=UTC)


def test_the_highest_grades_are_those_of_the_study() -> None:
    """Grade 5 is never computed: the patient who died of CRS had reached 4."""
    highest = Counter(
        grade.grade
        for id_, row in ROWS.items()
        if (grade := facts_at(id_, int(row["crs_onset"] or 5) + 1, "14:00").grade)
    )
    assert highest == {0: 23, 1: 27, 2: 11, 3: 4, 4: 2}


def test_the_rises_before_the_first_dose_make_the_groups_of_the_study() -> None:
    groups: Counter[tuple[str, bool]] = Counter()
    for id_, row in ROWS.items():
        facts = facts_at(id_, int(row["crs_onset"] or 5) + 1, "09:59")
        assert facts.il6.fold is not None
        assert facts.crp.fold is not None
        il6, crp = facts.il6.fold.low, facts.crp.fold.low
        assert (il6, crp) == (Decimal(row["il6_fold"]), Decimal(row["crp_fold"]))
        groups[row["toci"], il6 >= HIGH_IL6] += 1
        groups["crp", crp > HIGH_CRP] += 1
    assert groups == {("1", False): 8, ("0", False): 23, ("1", True): 24, ("0", True): 12, ("crp", True): 40, ("crp", False): 27}  # fmt: skip


def share(rows: Iterable[dict[str, str]], column: str, least: int = 1) -> Share:
    values = [int(row[column]) >= least for row in rows]
    return Share(sum(values), len(values))


def test_both_tests_of_the_study_come_out_of_the_table() -> None:
    low = [row for row in ROWS.values() if row["il6"] == "low"]
    treated, untreated = ([row for row in low if row["toci"] == t] for t in "10")
    assert fisher_p(share(treated, "grade", 3), share(untreated, "grade", 3)) == pytest.approx(0.0125, abs=5e-5)
    high = [row for row in ROWS.values() if row["crp"] == "high"]
    treated, untreated = ([row for row in high if row["toci"] == t] for t in "10")
    p = fisher_p(share(treated, "severe_infection"), share(untreated, "severe_infection"))
    assert p == pytest.approx(0.0204, abs=5e-5)


@pytest.mark.parametrize(
    ("event", "p"),
    [
        ("x-allogeneic-sct", 0.418),
        ("x-primary-refractory", 0.361),
        ("x-high-risk", 0.124),
        ("x-humanised", 0.177),
    ],
)
def test_table_1_comes_out_of_the_outcomes(event: str, p: float) -> None:
    having = {o.patient for o in paper_cohort().outcomes if o.event == event}
    counts = [[len(having & group), len(group - having)] for group in (of_treatment("1"), of_treatment("0"))]
    assert pearson_p(counts) == pytest.approx(p, abs=5e-4)


def of_treatment(given: str) -> set[str]:
    return {id_ for id_, row in ROWS.items() if row["toci"] == given}


@pytest.mark.parametrize("made", [paper_cohort, known_cohort, no_effect_cohort])
def test_every_resource_and_the_protocol_say_that_the_patients_are_constructed(made: Callable[[], Cohort]) -> None:
    found = made()
    assert all(resource["meta"]["tag"] == [TAG] for resource in found.resources)
    assert "Constructed data: no patient of this cohort exists" in found.protocol


def test_a_cohort_is_the_same_each_time() -> None:
    assert no_effect_cohort(5) == no_effect_cohort(5)
    assert len({r["id"] for r in no_effect_cohort(5).resources if r["resourceType"] == "Patient"}) == 5


def test_the_truth_has_a_row_for_each_known_course() -> None:
    assert [row.patient for row in truths()] == [course.patient for course in COURSES]
    assert {row.max_grade for row in truths()} == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("name", ["paper", "no-effect", "known", "broken"])
def test_the_command_writes_an_export_that_an_evaluation_can_read(name: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = CliRunner().invoke(cohort, [name, str(out)])
    assert result.exit_code == 0, result.output
    assert "Constructed data" in protocol_of(out / "protocol.toml").note
    whole = (out / "Patient.ndjson").read_text(encoding="utf-8").splitlines()
    assert result.output.startswith(f"{len(whole)} constructed patients")
    if (out / "outcomes.csv").exists():
        rows = list(csv.DictReader((out / "outcomes.csv").read_text(encoding="utf-8").splitlines()))
        assert {row["patient"] for row in rows} <= {json.loads(line)["id"] for line in whole}


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Patient.ndjson").write_text("{}", encoding="utf-8")
    result = CliRunner().invoke(cohort, ["paper", str(tmp_path)])
    assert (result.exit_code, "is not empty" in result.output) == (2, True)


def test_a_person_who_died_has_the_time_of_death() -> None:
    died = [r for r in paper_cohort().resources if r.get("deceasedDateTime")]
    assert [r["id"] for r in died] == ["z02"]
