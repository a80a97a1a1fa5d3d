"""The cohort `paper` through the whole evaluation: the report prints what the study prints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cds_server.evaluation.protocol import Moments, protocol_of
from cds_server.evaluation.report.all_tables import report_of
from cds_server.evaluation.report.write import write_report
from cds_server.evaluation.rows.cohort import Evaluation, Outcomes
from cds_server.evaluation.tables.cohort import highest_grades
from cds_server.evaluation.tables.table import in_words
from example_patients.cohorts.paper import PROTOCOL, paper_cohort
from tests.support.evaluations import evaluated_cohort
from tests.support.tables import name_of, rows


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """What was, under the cohort's own protocol, without the calls of the replay."""
    folder = tmp_path_factory.mktemp("paper")
    (folder / "protocol.toml").write_text(PROTOCOL, encoding="utf-8")
    no_calls = Moments(chart_opened=(), results=False, grade_changes=False, orders=False)
    protocol = protocol_of(folder / "protocol.toml")
    return evaluated_cohort(
        paper_cohort(), folder,
        replace(protocol, moments=no_calls, statistics=replace(protocol.statistics, bootstrap=100)),
    )  # fmt: skip


GRADES = rows("""
| outcomes | 1  | 2  | 3 | 4 | 5 | because                                            |
| FHIR     | 27 | 11 | 4 | 2 | 0 | grade 5 is never computed                          |
| CSV      | 27 | 11 | 4 | 1 | 1 | the file says that one of them died of CRS         |
""")


@pytest.mark.parametrize("row", GRADES, ids=name_of)
def test_the_highest_grades_are_those_of_the_study(paper: Evaluation, row: dict[str, str]) -> None:
    found = highest_grades(paper if row["outcomes"] == "CSV" else replace(paper, outcomes=Outcomes()))
    counts = dict(zip(found.column("grade"), found.column("courses"), strict=True))
    assert [counts[f"grade {grade}"] for grade in range(1, 6)] == [int(row[str(grade)]) for grade in range(1, 6)]
    assert counts["died in a severe course, whatever the cause"] == 1


PRINTED = rows("""
| table       | row                         | p      | because                            |
| comparisons | severe-crs il6-low          | 0.0125 | 3 of 8 against 0 of 23             |
| comparisons | severe-infection crp-high   | 0.0204 | 11 of 23 against 2 of 17           |
| table1      | sex                         | 0.069  | the study prints 0.068             |
| table1      | allogeneic sct              | 0.418  | as printed                         |
| table1      | primary refractory          | 0.361  | as printed                         |
| table1      | high risk                   | 0.124  | as printed                         |
| table1      | humanised                   | 0.177  | as printed                         |
| table1      | corticosteroids             | 0.002  | as printed                         |
""")


def test_the_report_prints_the_p_values_of_the_study(paper: Evaluation, tmp_path: Path) -> None:
    tables = report_of(paper).tables
    found = {
        ("table1", str(r["characteristic"])): in_words(r["p"]) for r in tables.table1.dicts() if r["p"] is not None
    }
    found |= {("comparisons", f"{r['endpoint']} {r['stratum']}"): in_words(r["p"]) for r in tables.comparisons.dicts()}
    assert {(row["table"], row["row"]): found[row["table"], row["row"]] for row in PRINTED} == {
        (row["table"], row["row"]): row["p"] for row in PRINTED
    }
    page = write_report(paper, tmp_path).read_text(encoding="utf-8")
    assert [row["p"] for row in PRINTED if f">{row['p']}<" not in page] == []
    assert "Constructed data: no patient of this cohort exists." in page


CUTS = rows("""
| marker | own cut | J     | AUC   | because                                |
| il6    | 4       | 0.553 | 0.77  | the study's cut is the cohort's own    |
| crp    | 1.83    | 0.578 | 0.787 | so for CRP                             |
""")


@pytest.mark.parametrize("row", CUTS, ids=name_of)
def test_the_cuts_of_the_study_are_found_in_its_window(paper: Evaluation, row: dict[str, str]) -> None:
    wanted = (row["marker"], "fold", "crs", "study")
    (found,) = [
        r for r in report_of(paper).tables.markers.dicts()
        if (r["marker"], r["measure"], r["endpoint"], r["window"]) == wanted
    ]  # fmt: skip
    assert [in_words(found[name]) for name in ("own_cut", "j_apparent", "auc")] == [
        row["own cut"],
        row["J"],
        row["AUC"],
    ]
