"""The inventory by code in the report: codes in use, what was set aside and why, what is not known, what is not there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from cds_server.evaluation.bucket_task import RulesFrom
from cds_server.evaluation.charting import Charted, charting_beside
from cds_server.evaluation.report.all_tables import report_of
from cds_server.evaluation.report.write import write_report
from cds_server.evaluation.rows.charting import Charting, ConceptCount, NamedCount
from cds_server.evaluation.rows.cohort import Evaluation
from tests.support.evaluation_rows import paper_evaluation
from tests.support.evaluations import chart, evaluated, export

AT = datetime(2026, 7, 1, tzinfo=UTC)


def strange(number: int, code: dict[str, Any], **value: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": f"strange-{number}", "status": "final", "code": code,
        "subject": {"reference": "Patient/a"}, "effectiveDateTime": "2026-03-08T08:00:00+08:00", **value,
    }  # fmt: skip


STRANGE = (
    strange(1, {"coding": [{"system": "http://loinc.org", "code": "26881-3"}]}, valueString="see report"),
    strange(2, {"coding": [{"system": "urn:lab", "code": "IL6-X", "display": "Interleukin 6 (new assay)"}]},
            valueQuantity={"value": 40, "unit": "pg/mL"}),
    strange(3, {"coding": [{"system": "urn:lab", "code": "NA", "display": "Sodium"}]},
            valueQuantity={"value": 140, "unit": "mmol/L"}),
)  # fmt: skip


@pytest.fixture(scope="module")
def inventoried(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    folder = tmp_path_factory.mktemp("inventory")
    return evaluated(export(folder / "export", [*chart("1a", "a"), *STRANGE]), folder / "work", by_code=True)


def test_what_is_read_has_its_names_and_days(inventoried: Evaluation) -> None:
    (fever,) = [one for one in inventoried.charting.concepts if one.value_set == "body-temperature"]
    assert (fever.type, fever.patients, fever.first_day[:7]) == ("Observation", 1, "2026-03")
    assert "8310-5" in fever.names


def test_what_is_not_read_is_named_with_its_reason(inventoried: Evaluation) -> None:
    found = inventoried.charting
    assert [one.resources for one in found.set_aside if "see report" in one.why] == [1]
    assert [one.resources for one in found.not_known if "IL6-X" in one.what] == [1]
    assert [one.resources for one in found.other_codes if "Sodium" in one.what] == [1]
    assert "car-t-product" not in {one.value_set for one in found.absent}
    assert "vasopressin" in {one.value_set for one in found.absent}


def test_the_page_shows_it_and_a_csv_holds_it(inventoried: Evaluation, tmp_path: Path) -> None:
    page = write_report(inventoried, tmp_path).read_text(encoding="utf-8")
    assert all(part in page for part in ("Codes in use", "Not in the export", "Set aside, and why", "IL6-X"))
    assert "8310-5" in (tmp_path / "concepts.csv").read_text(encoding="utf-8")


def test_an_aggregate_report_has_no_text_of_a_chart(tmp_path: Path) -> None:
    count = NamedCount("a name in the chart", "why", 3, "1")
    charting = Charting(
        (ConceptCount("s", "t", "Observation", 3, 1, "", "", "a name in the chart"),), (), *[(count,)] * 3
    )
    evaluation = replace(paper_evaluation(), charting=charting)
    assert report_of(evaluation).tables.concepts.rows
    page = write_report(evaluation, tmp_path, aggregate_only=True).read_text(encoding="utf-8")
    assert "a name in the chart" not in page
    assert not any("a name in the chart" in file.read_text(encoding="utf-8") for file in tmp_path.glob("*.csv"))


def test_a_run_that_goes_on_takes_the_inventory_that_it_made(tmp_path: Path) -> None:
    what = Charted((export(tmp_path / "export", chart("1a", "a")),), RulesFrom(None, None), None, AT)
    with charting_beside(what, tmp_path / "charting.json") as charting:
        made = charting()
    assert made.concepts
    nowhere = replace(what, named=(tmp_path / "moved",))
    with charting_beside(nowhere, tmp_path / "charting.json") as charting:
        assert charting() == made


def test_without_an_inventory_the_patients_are_evaluated_and_the_page_says_why(tmp_path: Path) -> None:
    what = Charted((export(tmp_path / "export", chart("1a", "a")),), RulesFrom(tmp_path / "gone.toml", None), None, AT)
    with charting_beside(what, tmp_path / "charting.json") as charting:
        failed = charting().failed
    assert "SettingsError" in failed
    page = write_report(replace(paper_evaluation(), charting=Charting(failed=failed)), tmp_path / "report")
    assert f"could not be made ({failed})" in unescape(page.read_text(encoding="utf-8"))
