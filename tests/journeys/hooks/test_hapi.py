"""Recordings of a real HAPI JPA server: its pages, its errors, and what its searches miss."""

from __future__ import annotations

import json
import time
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import requests
import responses

from cds_server.limits import Limits
from cds_server.outgoing.fhir_client import FhirServer
from cds_server.outgoing.fhir_connection import FhirConnection, Request
from cds_server.outgoing.fhir_errors import FhirError
from cds_server.outgoing.read_outcome import InPart, Whole
from cds_server.outgoing.search_requests import Search
from tests.support.desk import Desk, assessment, card_ids, whole_prefetch
from tests.support.hapi import recorded

BASE = "https://hapi.example.org/fhir"


def play(mock: responses.RequestsMock, *names: str) -> None:
    for name in names:
        for item in recorded(name):
            body = item["response"]["body"]
            text = body if isinstance(body, str) else json.dumps(body)
            headers = {"Content-Type": item["response"]["headers"]["Content-Type"]}
            mock.add(responses.GET, item["request"]["url"], text, status=item["response"]["status"], headers=headers)


def server() -> FhirServer:
    return FhirServer(requests.Session(), BASE, None, time.monotonic() + 5)


def params_of(url: str) -> tuple[tuple[str, str], ...]:
    pairs = (pair.partition("=") for pair in url.partition("?")[2].split("&"))
    return tuple((name, requests.utils.unquote(value)) for name, _, value in pairs)


def test_three_pages_by_getpages_on_the_base_are_read_to_the_last() -> None:
    first = recorded("observations-paged")[0]["request"]["url"]
    with responses.RequestsMock() as mock:
        play(mock, "observations-paged")
        found = server().search(Search("Observation", params_of(first)))
    assert isinstance(found, Whole)
    assert len(found.everything) == 134


def test_an_expired_page_starts_the_search_again_once() -> None:
    pages = recorded("observations-paged")
    expired = next(i for i in recorded("errors") if i["response"]["status"] == 410)["response"]
    first = pages[0]["request"]["url"]
    with responses.RequestsMock() as mock:
        mock.add(responses.GET, pages[1]["request"]["url"], json.dumps(expired["body"]), status=410)
        play(mock, "observations-paged")
        mock.add(responses.GET, first, json.dumps(pages[0]["response"]["body"]))
        found = server().search(Search("Observation", params_of(first)))
    assert isinstance(found, Whole)
    assert len(found.everything) == 134


def test_a_strict_400_is_tried_once_without_what_is_optional() -> None:
    refused = next(i for i in recorded("errors") if "_sort=no-such" in i["request"]["url"])
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        play(mock, "errors")
        mock.add(responses.GET, f"{BASE}/Observation?patient=patient-a", '{"resourceType": "Bundle"}')
        found = server().search(Search("Observation", (("patient", "patient-a"),), (("_sort", "no-such"),)))
    assert isinstance(found, Whole)
    assert refused["response"]["status"] == 400


@pytest.mark.parametrize("status", [400, 404, 410])
def test_errors_say_that_trying_again_does_not_help(status: int) -> None:
    items = [i for i in recorded("errors") + recorded("deleted") if i["response"]["status"] == status]
    for item in items:
        with responses.RequestsMock() as mock:
            mock.add(responses.GET, item["request"]["url"], json.dumps(item["response"]["body"]), status=status)
            with pytest.raises(FhirError) as caught:
                FhirConnection(requests.Session(), None, time.monotonic() + 5, Limits()).ask(
                    Request(item["request"]["url"]), bytes
                )
        assert type(caught.value) is FhirError


def test_what_was_deleted_is_a_read_that_says_so() -> None:
    with responses.RequestsMock() as mock:
        play(mock, "deleted")
        found = server().read("Observation", "gone")
    assert isinstance(found, InPart)
    assert found.error.status == 410


def test_html_is_not_a_bundle() -> None:
    html = recorded("not-json")[0]
    with responses.RequestsMock() as mock:
        mock.add(responses.GET, html["request"]["url"], html["response"]["body"])
        found = server().search(Search("Observation", params_of(html["request"]["url"])))
    assert isinstance(found, InPart)
    assert found.error.why == "the answer is not a FHIR Bundle"


def test_a_search_by_code_finds_none_of_the_doses_and_the_history_finds_both() -> None:
    assert recorded("administrations-by-code")[0]["response"]["body"]["total"] == 0
    entries = recorded("administrations-with-medication")[0]["response"]["body"]["entry"]
    chart = [e["resource"] for e in recorded("patient-a")["entry"]]
    prefetch = whole_prefetch([r for r in chart if r["resourceType"] not in ("MedicationAdministration", "Medication")])
    prefetch["recentAdministrations"] = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
    desk = Desk(now=datetime(2026, 3, 11, 15, 0, tzinfo=ZoneInfo("Asia/Shanghai")))
    body = {
        "hook": "patient-view", "hookInstance": "8c2e5c4e-4f7e-4a53-9df1-2f3c6a5a1b10", "prefetch": prefetch,
        "context": {"patientId": "patient-a", "userId": "Practitioner/1"},
    }  # fmt: skip
    answer = desk.post(body)
    assert assessment(answer)["tocilizumabDoses"] == 2
    assert card_ids(answer)[-1] == "crs-grade"
