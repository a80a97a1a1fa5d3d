"""`make evaluate-demo`: from a FHIR server's own export to the page; and an export that does not come."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import requests
import responses

from example_patients.client.bulk_export import exported
from example_patients.client.http_calls import NoAnswerError
from example_patients.programs.evaluate_demo import evaluate_demo
from example_patients.stories.stories import SCENES
from tests.support.tables import name_of, rows

BASE = "https://fhir.example.org/r4"
STATUS, FILE = f"{BASE}/bulk/1", f"{BASE}/bulk/1/Patient.ndjson"
MANIFEST = {"transactionTime": "2026-03-09T00:00:00Z", "output": [{"type": "Patient", "url": FILE}], "error": []}


def test_the_export_of_a_server_becomes_a_report(tmp_path: Path) -> None:
    page = evaluate_demo(tmp_path / "demo")
    assert "Page one" in page.read_text(encoding="utf-8")
    with (page.parent / "courses.csv").open(encoding="utf-8") as file:
        courses = list(csv.DictReader(file))
    assert len(courses) == len(SCENES) - 1, "one example has no infusion"
    assert {row["max_grade"] for row in courses} >= {"1", "2", "3", "4"}
    manifest = json.loads((tmp_path / "demo" / "export" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["transactionTime"]


@responses.activate
def test_an_export_is_waited_for_and_written_as_it_came(tmp_path: Path) -> None:
    responses.get(f"{BASE}/$export", status=202, headers={"Content-Location": STATUS})
    responses.get(STATUS, status=202, headers={"Retry-After": "0"})
    responses.get(STATUS, json=MANIFEST)
    responses.get(FILE, body=b'{"resourceType":"Patient","id":"a"}\n')
    with requests.Session() as session:
        assert exported(BASE, session, tmp_path) == {"Patient": 1}
    assert responses.calls[0].request.headers["Prefer"] == "respond-async"
    assert (tmp_path / "000.Patient.ndjson").read_bytes() == b'{"resourceType":"Patient","id":"a"}\n'
    assert json.loads((tmp_path / "manifest.json").read_bytes()) == MANIFEST


REFUSALS = rows("""
| begun | status | file | says                             | because                    |
| 403   | 200    | 200  | 403                              | no export is allowed       |
| 200   | 200    | 200  | not 202 with a Content-Location  | an answer at once is none  |
| 202   | 500    | 200  | 500                              | the export failed          |
| 202   | 200    | 404  | 404                              | a file that is not there   |
""")


@pytest.mark.parametrize("row", REFUSALS, ids=name_of)
@responses.activate
def test_an_export_that_does_not_come_is_one_sentence(row: dict[str, str], tmp_path: Path) -> None:
    headers = {"Content-Location": STATUS} if row["begun"] == "202" else {}
    responses.get(f"{BASE}/$export", status=int(row["begun"]), headers=headers)
    responses.get(STATUS, json=MANIFEST, status=int(row["status"]))
    responses.get(FILE, body=b"", status=int(row["file"]))
    with requests.Session() as session, pytest.raises(NoAnswerError, match="the export: ") as raised:
        exported(BASE, session, tmp_path)
    assert row["says"] in str(raised.value)
