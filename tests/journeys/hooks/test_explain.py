"""`crs-cds explain`: the answer for a recorded bundle as a page of text, or what is wrong with the input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from example_patients.stories.stories import drafted_tocilizumab
from tests.support.desk import SCENES, Desk, bundle, card_ids, chart_of, moment_of, scene_of
from tests.support.desk import whole_prefetch as everything
from tests.support.fhir_wire import Resource
from tests.support.program import crs_cds, written
from tests.support.tables import NOW, patient, rows


def explained(folder: Path, scene_id: str, *more: str) -> Result:
    _, scene = scene_of(scene_id)
    arguments = [written(folder, "chart.json", bundle(chart_of(scene_id))), "--at", moment_of(scene).isoformat(), *more]
    if scene.toci_mg:
        draft = drafted_tocilizumab(scene.patient_id, scene.toci_mg, moment_of(scene))
        arguments += ["--draft", written(folder, "draft.json", draft)]
    return crs_cds("explain", *arguments)


def test_patient_a_at_day_7_is_explained_from_the_samples_to_the_cards(tmp_path: Path) -> None:
    page = explained(tmp_path, "1b").stdout
    for line in (
        "day 7 (day 0 is 02 Mar 2026",
        "tisagenlecleucel, 2 Mar 10:00",
        "2 Mar 08:00   18.0 pg/mL       baseline",
        "9 Mar 06:00   47.7 pg/mL       peak",
        "rise: 47.7 ÷ 18 = 2.7× (limit 4)",
        "verdict: below the study's limit (4)",
        "rise: 61 ÷ 22 = 2.8× (limit 1.83)",
        "oxygen: grade 2 – nasal cannula 3 L/min",
        "together: grade 2",
        "M14  grade: 2; day: 0 to 30 days;",
        "S01  CRP: >1.83-fold;",
        "[WARNING] CRS grade 2 (nasal cannula 3 L/min), IL-6 up only 2.7×",
        "( ) Dexamethasone 10 mg IV every 12 h",
    ):
        assert line in page, page


def test_what_was_set_aside_and_not_counted_says_why(tmp_path: Path) -> None:
    page = explained(tmp_path, "1c").stdout
    assert "5200 pg/mL       at or after the first IL-6 blocker: not counted" in page
    chart = patient("T 39 @D3 06:00; il6 12 @D0 08:00; il6 20 @D4 07:00; il6 9 @D4 08:00; T 39 @-1h")
    chart[-2]["valueQuantity"] = {"value": 9, "unit": "furlong"}
    name = written(tmp_path, "aside.json", bundle(chart))
    page = crs_cds("explain", name, "--at", NOW.isoformat()).stdout
    assert (
        'set aside: Observation/p-4: IL-6 9 furlong of 6 Mar 08:00: unit "furlong" cannot be converted to pg/mL' in page
    )


@pytest.mark.parametrize("scene_id", [scene.id for _, scene in SCENES])
def test_the_json_is_the_answer_of_the_service(tmp_path: Path, scene_id: str) -> None:
    _, scene = scene_of(scene_id)
    found = json.loads(explained(tmp_path, scene_id, "--hook", scene.hook, "--json").stdout)
    served = Desk(now=moment_of(scene)).call(scene_id, prefetch=everything(chart_of(scene_id)))
    assert tuple(card["source"]["topic"]["code"] for card in found["cards"]) == card_ids(served) == scene.wanted
    assert [card["detail"] for card in found["cards"]] == [card["detail"] for card in served.get_json()["cards"]]


def test_standard_input_is_read_for_a_dash() -> None:
    content = json.dumps(bundle(patient("grade 2"))).encode()
    assert "together: grade 2" in crs_cds("explain", "-", "--at", NOW.isoformat(), given=content).stdout


def test_a_first_page_is_no_whole_record(tmp_path: Path) -> None:
    page = bundle(patient("grade 2"), link=[{"relation": "next", "url": "http://x/next"}])
    found = crs_cds("explain", written(tmp_path, "page.json", page), "--at", NOW.isoformat()).stdout
    assert "the Bundle is a first page: more follows at its next link" in found
    assert "earlier doses may be missing" in found


def test_a_site_s_numbers_are_named(tmp_path: Path) -> None:
    rules = written(tmp_path, "site.toml", '[thresholds]\nil6_fold = 5\n[cards]\ntoci-guideline = "shadow"')
    name = written(tmp_path, "chart.json", bundle(patient("il6 10 @D0 08:00; grade 2")))
    page = crs_cds("explain", name, "--at", NOW.isoformat(), CRS_CDS_THRESHOLDS=rules).stdout
    assert "IL-6 rise is high from (fold) 5 (package 4)" in page
    assert "in trial at this site, not shown: toci-guideline" in page


def other(of: str) -> Resource:
    return {"resourceType": "Observation", "id": "o", "status": "final", "code": {}, "subject": {"reference": of}}


BAD = rows("""
| content                                                       | says                                                        |
| {"resourceType": "Bundle",                                    | chart.json: the JSON is cut off at its end.                 |
| []                                                            | chart.json: must be one FHIR resource, a Bundle.            |
| {"resourceType": "Patient", "id": "p"}                        | chart.json: resourceType must be Bundle.                    |
| {"resourceType": "Bundle", "entry": [{"resource": 1, "x": 2}, 3]} | chart.json: entry[1] is of the wrong type.              |
| {"resourceType": "Bundle", "entry": [{"fullUrl": "urn:x"}]}   | chart.json: entry[0].resource is missing.                   |
| {"resourceType": "Bundle", "x": tru}                          | chart.json: not JSON at byte                                |
| {"resourceType": "Bundle", "entry": [{"resource": null}]}     | chart.json: entry[0].resource is missing.                   |
| {"resourceType": "Bundle", "type": "history"}                 | chart.json: type history is not read                        |
| {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient"}}]} | chart.json: entry[0].resource.id is missing. |
| {"resourceType": "Bundle"}                                    | chart.json: holds no Patient; name the patient with --patient. |
""")


@pytest.mark.parametrize("row", BAD, ids=lambda row: row["says"])
def test_bad_input_names_file_entry_and_field(tmp_path: Path, row: dict[str, str]) -> None:
    name = written(tmp_path, "chart.json", row["content"])
    found = crs_cds("explain", name)
    assert found.exit_code == 2
    assert row["says"] in found.stderr
    assert "Traceback" not in found.output


def test_two_patients_or_another_s_resource_are_refused(tmp_path: Path) -> None:
    two = [*patient("grade 2"), {"resourceType": "Patient", "id": "q"}]
    found = crs_cds("explain", written(tmp_path, "two.json", bundle(two)))
    assert (found.exit_code, "holds 2 Patients; name the patient with --patient" in found.stderr) == (2, True)
    mixed = [*patient("grade 2"), other("Patient/q")]
    found = crs_cds("explain", written(tmp_path, "mixed.json", bundle(mixed)))
    assert (found.exit_code, f"entry[{len(mixed) - 1}].resource is of another patient" in found.stderr) == (2, True)


@pytest.mark.parametrize(
    ("draft", "says"),
    [
        ("{", "draft.json: the JSON is cut off at its end."),
        ({"id": "x"}, "draft.json: resourceType is missing"),
        ({"resourceType": "Bundle", "entry": [{}]}, "draft.json: entry[0].resource must be an object."),
        ({"resourceType": "MedicationRequest", "subject": {"reference": "Patient/q"}}, "draft.json: entry[0].resource.subject is of another patient"),
    ],
)  # fmt: skip
def test_a_bad_draft_is_refused(tmp_path: Path, draft: Any, says: str) -> None:
    chart = written(tmp_path, "chart.json", bundle(patient("grade 2")))
    found = crs_cds("explain", chart, "--draft", written(tmp_path, "draft.json", draft))
    assert found.exit_code == 2
    assert says in found.stderr


@pytest.mark.parametrize(
    ("arguments", "environ", "says"),
    [
        (("--at", "yesterday"), {}, "--at must be a time such as"),
        (("--at", "0001-01-01T00:00:00+14:00"), {}, "--at must lie between the years 1901 and 2199"),
        (("--at", "9999-12-31T23:59:59Z"), {}, "--at must lie between the years 1901 and 2199"),
        (("--at", "2026-03-06T12:00"), {"CRS_CDS_TIMEZONE": ""}, "--at needs an offset"),
        (("--hook", "order-dispatch"), {}, "'order-dispatch' is not one of"),
        ((), {"CRS_CDS_THRESHOLDS": "/nowhere.toml"}, "CRS_CDS_THRESHOLDS must name a file that can be read"),
        ((), {"CRS_CDS_TIMEZON": "x"}, "CRS_CDS_TIMEZON is no setting"),
    ],
)
def test_options_and_settings_that_cannot_be_used(
    tmp_path: Path, arguments: tuple[str, ...], environ: dict[str, str], says: str
) -> None:
    chart = written(tmp_path, "chart.json", bundle(patient("grade 2")))
    found = crs_cds("explain", chart, *arguments, **environ)
    assert found.exit_code == 2
    assert says in found.stderr


def test_bundles_as_servers_and_generators_write_them(tmp_path: Path) -> None:
    """References with a base, or by urn:uuid; entries that delete; a byte order mark."""
    chart = patient("grade 2")
    text = json.dumps(chart).replace('"Patient/p"', '"urn:uuid:0-p"')
    entries = [{"fullUrl": f"urn:uuid:0-{r['id']}", "resource": r} for r in json.loads(text)]
    deleted = {"request": {"method": "DELETE", "url": "Observation/x"}}
    by_uuid = {"resourceType": "Bundle", "type": "transaction", "entry": [deleted, *entries]}
    name = written(tmp_path, "uuid.json", "\ufeff" + json.dumps(by_uuid))
    assert "together: grade 2" in crs_cds("explain", name, "--at", NOW.isoformat()).stdout
    text = json.dumps(chart).replace('"Patient/p"', '"http://ehr/fhir/Patient/p"')
    entries = [{"fullUrl": f"http://ehr/fhir/{r['resourceType']}/{r['id']}", "resource": r} for r in json.loads(text)]
    name = written(tmp_path, "base.json", {"resourceType": "Bundle", "type": "collection", "entry": entries})
    assert "together: grade 2" in crs_cds("explain", name, "--at", NOW.isoformat()).stdout


@pytest.mark.parametrize("odd", ['"\\ud800"', "NaN", "1e400", "9" * 5000, "[" * 2000])
def test_json_that_no_server_takes_is_refused_in_drafts_too(tmp_path: Path, odd: str) -> None:
    chart = written(tmp_path, "chart.json", bundle(patient("grade 2")))
    draft = written(tmp_path, "draft.json", f'{{"resourceType": "MedicationRequest", "note": {odd}}}')
    found = crs_cds("explain", chart, "--draft", draft, "--json")
    assert found.exit_code == 2, found.output
    assert "draft.json: " in found.stderr


def test_control_signs_of_a_record_never_reach_the_terminal(tmp_path: Path) -> None:
    chart = patient("grade 2; culture x @-3h")
    chart[-1]["valueCodeableConcept"]["text"] = "E. coli \u009b31m\u202e\u2028"
    name = written(tmp_path, "chart.json", bundle(chart))
    for more in ((), ("--json",)):
        shown = crs_cds("explain", name, "--at", NOW.isoformat(), *more).stdout
        assert "E. coli" in shown
        assert not set(shown) & {"\u009b", "\u202e", "\u2028", "\x1b"}


def test_a_course_that_is_over_says_so(tmp_path: Path) -> None:
    chart = written(tmp_path, "chart.json", bundle(patient("grade 2")))
    assert "The course has ended: no cards." in crs_cds("explain", chart, "--at", "2026-09-01T12:00:00Z").stdout
    nobody = written(tmp_path, "nobody.json", bundle(patient("grade 2", infused=False)))
    assert "No CAR-T infusion found (no_course)." in crs_cds("explain", nobody, "--at", NOW.isoformat()).stdout


def test_the_page_to_sign_is_printed() -> None:
    assert crs_cds("decision-table").stdout.startswith("# The decision table")
