"""`crs-cds record`: the patients of a list, read by our own searches, as an export that `crs-cds evaluate` reads."""

from __future__ import annotations

import csv
import errno
import json
import os
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from example_patients.client.bulk_export import exported
from example_patients.programs.demo import sekmet
from example_patients.programs.evaluate_demo import BEFORE
from example_patients.programs.seed import seed
from example_patients.stories.stories import SCENES
from tests.support.by_search import failing, wire
from tests.support.evaluations import chart, evaluated
from tests.support.fhir_wire import BASE, Answer, Resource, outcome
from tests.support.program import crs_cds
from tests.support.tables import name_of, rows

ON_FHIR = ("record", "--fhir", BASE, "--patients")


# an export cannot say that there is none of a type; a record that asked for it can
KNOWN_BY_ASKING = ("max_grade_is_minimum", "flags", "grade_known_share")


def courses_in(report: Path) -> list[dict[str, str]]:
    """The rows of courses, without the hash, whose salt is another for each report."""
    with (report / "courses.csv").open(encoding="utf-8") as file:
        found = [{name: value for name, value in row.items() if name != "patient"} for row in csv.DictReader(file)]
    return sorted(found, key=lambda row: [value for name, value in row.items() if name not in KNOWN_BY_ASKING])


def plain(courses: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{name: value for name, value in row.items() if name not in KNOWN_BY_ASKING} for row in courses]


def test_what_is_recorded_gives_the_same_courses_as_the_export_of_the_server(tmp_path: Path) -> None:
    listed = tmp_path / "ids.txt"
    listed.write_text("\n".join(sorted({scene.patient_id for _, scene in SCENES})), encoding="utf-8")
    with sekmet(tmp_path) as base, requests.Session() as session:
        seed(base, session, datetime.now(UTC) - BEFORE, UTC)
        exported(base, session, tmp_path / "export")
        found = crs_cds("record", "--fhir", base, "--patients", str(listed), str(tmp_path / "recorded"))
    assert (found.exit_code, found.output.splitlines()[0][:23]) == (0, f"{len(SCENES)} patients recorded no")
    for name in ("export", "recorded"):
        made = crs_cds("evaluate", str(tmp_path / name), "--out", str(tmp_path / f"report-{name}"), "--workers", "1")
        assert made.exit_code == 0, made.output
    of_record, of_export = (courses_in(tmp_path / f"report-{name}") for name in ("recorded", "export"))
    assert plain(of_record) == plain(of_export)
    assert len(of_record) == len(SCENES) - 1
    minimum = [
        (one["max_grade_is_minimum"], other["max_grade_is_minimum"])
        for one, other in zip(of_record, of_export, strict=True)
    ]
    assert ("no", "yes") in minimum, "the export holds no orders of service, so no grade of it is certain"
    assert ("yes", "no") not in minimum


def record(tmp_path: Path, ids: str, found: list[Resource], fault: Callable[[str], Answer | None] = lambda _: None,
           **environ: str) -> Any:  # fmt: skip
    """The command on a faked server, with the list that it is given."""
    listed = tmp_path / "ids.txt"
    listed.write_text(ids, encoding="utf-8")
    with wire(found, fault):
        return crs_cds(*ON_FHIR, str(listed), str(tmp_path / "out"), **environ)


def lines(tmp_path: Path) -> list[Resource]:
    files = sorted((tmp_path / "out").glob("*.ndjson"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def test_each_resource_stands_in_one_line_of_a_file_whose_name_shows_no_id(tmp_path: Path) -> None:
    found = record(tmp_path, "secret-id\n", chart("1a", "secret-id"))
    assert (found.exit_code, found.output) == (0, "1 patients recorded now.\n")
    read = Counter(one["resourceType"] for one in lines(tmp_path))
    assert read == Counter(one["resourceType"] for one in chart("1a", "secret-id"))
    assert not [file for file in (tmp_path / "out").iterdir() if "secret" in file.name]
    assert not (tmp_path / "out.part").exists()


def test_orders_of_any_status_are_asked_for_and_observations_to_day_60(tmp_path: Path) -> None:
    late = {**next(r for r in chart("2", "a") if r["resourceType"] == "Observation"), "id": "late"}
    days = {"59": "2026-04-30T10:00:00+08:00", "61": "2026-05-03T10:00:00+08:00"}
    observations = [{**late, "id": f"day-{day}", "effectiveDateTime": at} for day, at in days.items()]
    order = {"resourceType": "MedicationRequest", "id": "stopped", "status": "stopped", "intent": "order",
             "subject": {"reference": "Patient/a"}, "medicationCodeableConcept": {"text": "tocilizumab"}}  # fmt: skip
    assert record(tmp_path, "a", [*chart("2", "a"), *observations, order]).exit_code == 0
    ids = {one["id"] for one in lines(tmp_path)}
    assert ids >= {"stopped", "day-59"}
    assert "day-61" not in ids


def test_what_an_evaluation_alone_reads_is_asked_for_too(tmp_path: Path) -> None:
    ferritin = {"resourceType": "Observation", "id": "ferritin", "status": "final", "subject": {"reference": "Patient/a"},
                "code": {"coding": [{"system": "http://loinc.org", "code": "2276-4"}]},
                "effectiveDateTime": "2026-03-08T07:00:00+08:00", "valueQuantity": {"value": 900, "unit": "ug/L"}}  # fmt: skip
    record(tmp_path, "a", [*chart("2", "a"), ferritin])
    assert "ferritin" in {one["id"] for one in lines(tmp_path)}


def test_a_server_that_matches_the_reference_alone_is_read_too(tmp_path: Path) -> None:
    def by_id(url: str) -> Answer | None:
        empty = {"resourceType": "Bundle", "type": "searchset", "total": 0}
        return (200, {}, json.dumps(empty)) if "patient=" in url and "Patient%2F" not in url else None

    record(tmp_path, "a\nb\n", [*chart("2", "a"), *chart("3", "b")], by_id)
    assert Counter(r["resourceType"] for r in lines(tmp_path))["Patient"] == 2
    assert {"MedicationAdministration", "Observation"} <= {r["resourceType"] for r in lines(tmp_path)}


GAPS = rows("""
| type                     | status | exit | kept | says                                                                                                          | because                               |
| MedicationAdministration | 403    | 2    | yes  | Line 1 was not read whole: MedicationAdministration (not permitted by the FHIR server (403)). It is kept, and marked in part. | refused for good: asking again is no use |
| Observation              | 503    | 2    | no   | It is left out, the same command reads it again.                                                              | it may be whole the next time         |
| AllergyIntolerance       | 404    | 2    | yes  | AllergyIntolerance (not found on the FHIR server (404))                                                       | a type that the server has not        |
""")  # fmt: skip


@pytest.mark.parametrize("row", GAPS, ids=name_of)
def test_a_search_that_fails_is_named_and_costs_no_other(row: dict[str, str], tmp_path: Path) -> None:
    found = record(tmp_path, "a\n", chart("2", "a"), failing(row["type"], int(row["status"])))
    assert (found.exit_code, bool(lines(tmp_path))) == (int(row["exit"]), row["kept"] == "yes")
    assert row["says"] in found.output


def test_a_gap_that_is_kept_is_a_gap_in_the_evaluation(tmp_path: Path) -> None:
    record(tmp_path, "a\nb\n", [*chart("2", "a"), *chart("3", "b")], failing("Condition"))
    found = evaluated(tmp_path / "out", tmp_path / "work")
    assert "the export says that not every Condition could be written" in {row.why for row in found.unread}


def test_a_patient_whom_the_server_does_not_know_is_named_by_the_line(tmp_path: Path) -> None:
    found = record(tmp_path, "# of March\n\nPatient/a\nnobody\n", chart("2", "a"))
    assert found.exit_code == 2
    assert "1 patients recorded now." in found.output
    assert "Not known to the FHIR server: line 4." in found.output


MISSING = rows("""
| ids          | fault | missing | because                                             |
| a            |       | 0       | everybody is there                                  |
| a\\nnobody    |       | 1       | one whom the server does not know                   |
| a\\nb\\nnobody | b     | 2       | a server that stops answering before the list ends  |
""")


@pytest.mark.parametrize("row", MISSING, ids=name_of)
def test_a_cohort_that_lacks_patients_of_the_list_says_so(row: dict[str, str], tmp_path: Path) -> None:
    def gone(url: str) -> Answer | None:
        return outcome(503, "gone") if row["fault"] and url.endswith("/Patient/b") else None

    record(tmp_path, row["ids"].replace("\\n", "\n"), [*chart("2", "a"), *chart("3", "b")], gone)
    found = evaluated(tmp_path / "out", tmp_path / "work")
    said = [one.count for one in found.unread if one.why == "of the recorded list are not in it"]
    assert sum(said) == int(row["missing"])


SHORTER = rows("""
| first       | then | missing | earlier | because                                                        |
| a\\nnobody   | a    | 1       | 1       | a shorter list does not make the cohort whole                  |
| a\\nnobody   | b    | 1       | 1       | nor does another list                                          |
| nobody      | a\\nnobody | 1  | 0       | who is listed again counts once                                |
| b           | a    | 0       | 0       | who is there is not missing                                    |
""")


@pytest.mark.parametrize("row", SHORTER, ids=name_of)
def test_a_rerun_with_another_list_counts_the_missing_of_both(row: dict[str, str], tmp_path: Path) -> None:
    both = [*chart("2", "a"), *chart("3", "b")]
    for name in ("first", "then"):
        found = record(tmp_path, row[name].replace("\\n", "\n"), both)
    said = f"Patients of earlier lists who are not in the folder: {row['earlier']}."
    assert (said in found.output) is (row["earlier"] != "0")
    missing = [one.count for one in evaluated(tmp_path / "out", tmp_path / "work").unread if "recorded list" in one.why]
    assert sum(missing) == int(row["missing"])


def test_a_patient_who_is_missing_is_so_no_more_once_recorded(tmp_path: Path) -> None:
    record(tmp_path, "a\nb\n", chart("2", "a"))
    found = record(tmp_path, "b\n", chart("3", "b"))
    assert (found.exit_code, found.output) == (0, "1 patients recorded now.\n")
    assert not [one for one in evaluated(tmp_path / "out", tmp_path / "work").unread if "recorded list" in one.why]


def test_ids_that_stand_there_twice_are_counted_and_read_once(tmp_path: Path) -> None:
    found = record(tmp_path, "a\nPatient/a\n\na\nb\n", [*chart("2", "a"), *chart("3", "b")])
    assert found.exit_code == 0
    assert found.output == "2 patients recorded now.\nLines that name a patient again: 2. Each patient counts once.\n"


def test_no_id_stands_in_the_notes_of_a_recording(tmp_path: Path) -> None:
    record(tmp_path, "secret-id\na\n", chart("2", "a"))
    notes = [file.read_bytes() for file in (tmp_path / "out").iterdir() if file.suffix != ".ndjson"]
    assert len(notes) == 2
    assert not any(b"secret-id" in text for text in notes)


def test_a_recording_goes_on_with_those_who_are_not_there_yet(tmp_path: Path) -> None:
    both = [*chart("2", "a"), *chart("3", "b")]
    record(tmp_path, "a\n", both)
    first = min((tmp_path / "out").glob("*.ndjson")).stat().st_mtime_ns
    found = record(tmp_path, "a\nb\n", both)
    assert (found.exit_code, found.output) == (0, "1 patients recorded now, 1 before.\n")
    assert first in {file.stat().st_mtime_ns for file in (tmp_path / "out").glob("*.ndjson")}


def test_a_server_that_stops_answering_ends_the_run_and_keeps_what_came(tmp_path: Path) -> None:
    def gone(url: str) -> Answer | None:
        return outcome(503, "gone") if "/Patient/b" in url else None

    found = record(tmp_path, "a\nb\nc\n", [*chart("2", "a"), *chart("3", "b"), *chart("3", "c")], gone)
    assert found.exit_code == 2
    assert "What was recorded is kept; run the same command again." in found.output
    assert Counter(r["resourceType"] for r in lines(tmp_path))["Patient"] == 1


def test_a_full_disk_leaves_no_patient_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    record(tmp_path, "a\n", chart("2", "a"))
    monkeypatch.setattr(os, "fsync", full)
    found = record(tmp_path, "a\nb\n", [*chart("2", "a"), *chart("3", "b")])
    assert found.exit_code == 2
    assert "No space left on device. What was recorded is kept" in found.output
    assert len(list((tmp_path / "out").glob("*.ndjson"))) == 1
    assert not (tmp_path / "out.part").exists()


BAD = rows("""
| ids           | fhir                       | out      | token | says                                                                   | because                         |
|               |                            |          |       | names no patient                                                       | an empty file                   |
| a\\nb/c\\nd e | | | | no FHIR id in line 2, 3. Nothing was read. | ids that are none |
| ..            |                            |          |       | no FHIR id in line 1                                                   | dots that climb in an address   |
| a             | ftp://fhir.example.org     |          |       | --fhir must be an http or https URL with a host                        | no address of a FHIR server     |
| a             | http://fhir.example.org/r4 |          | T     | --fhir is plain http, by which no token is sent                        | a token in the clear            |
| a             |                            |          | t k   | --token-env must name an environment variable                          | a token that is none            |
| a             |                            | old      |       | is not empty: name a new folder                                        | a folder with other files in it |
| a             |                            | another  |       | was recorded from another server                                       | another server's recording      |
""")  # fmt: skip


LISTS = {
    # the file, or None for none             what is said
    "a list that is not there": (None, "ids.txt cannot be read (No such file or directory)."),
    "a list in Latin-1": (b"a\nM\xfcller\n", "ids.txt is no UTF-8 text."),
    "a list in UTF-16": ("a\nb\n".encode("utf-16"), "ids.txt is no UTF-8 text."),
    "an empty list": (b"", "ids.txt names no patient."),
    "a list of remarks": (b"# of March\n\n", "ids.txt names no patient."),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_that_cannot_be_used_is_one_sentence(name: str, tmp_path: Path) -> None:
    content, says = LISTS[name]
    listed = tmp_path / "ids.txt"
    if content is not None:
        listed.write_bytes(content)
    with wire([]) as asked:
        found = crs_cds(*ON_FHIR, str(listed), str(tmp_path / "out"))
    assert (found.exit_code, asked.asked, (tmp_path / "out").exists()) == (2, [], False)
    assert found.output == f"Error: {tmp_path}/{says}\n"


@pytest.mark.parametrize("row", BAD, ids=name_of)
def test_bad_input_is_one_sentence_and_nothing_is_read(row: dict[str, str], tmp_path: Path) -> None:
    listed, out = tmp_path / "ids.txt", tmp_path / "out"
    listed.write_text(row["ids"].replace("\\n", "\n"), encoding="utf-8")
    if row["out"]:
        out.mkdir()
        manifest = {"transactionTime": "2026-03-09T00:00:00Z", "request": "crs-cds record from https://other.example"}
        name = "manifest.json" if row["out"] == "another" else "notes.txt"
        (out / name).write_bytes(msgspec.json.encode(manifest))
    token = {"TOKEN": row["token"]} if row["token"] else {}
    more = ("--token-env", "TOKEN") if row["token"] else ()
    with wire([]) as asked:
        found = crs_cds("record", "--fhir", row["fhir"] or BASE, "--patients", str(listed), *more, str(out), **token)
    assert (found.exit_code, asked.asked) == (2, [])
    assert row["says"] in found.output
    assert "Traceback" not in found.output


def test_the_token_goes_with_every_request_and_into_no_output(tmp_path: Path) -> None:
    listed = tmp_path / "ids.txt"
    listed.write_text("a", encoding="utf-8")
    with wire(chart("2", "a")) as asked:
        found = crs_cds(*ON_FHIR, str(listed), "--token-env", "TOKEN", str(tmp_path / "out"), TOKEN="very-secret")
    assert {headers.get("Authorization") for headers in asked.headers} == {"Bearer very-secret"}
    assert "very-secret" not in found.output
