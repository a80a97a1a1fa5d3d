"""What the engineer who runs it sees: health, metrics, a line for each call, limits, and services in shadow."""

from __future__ import annotations

import io
import json
import logging
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from cds_server.limits import SettingsError
from cds_server.operations.call_time import CallTime
from cds_server.operations.log_lines import REQUEST_ID, configure_logging
from example_patients.client.ehr import SERVICE_OF_HOOK
from example_patients.stories.stories import hook_body
from tests.support.by_search import body_for, wire
from tests.support.desk import Desk, assessment, bundle, card_ids, chart_of, moment_of, scene_of, whole_prefetch
from tests.support.fhir_wire import BASE, Answer, outcome
from tests.support.tables import rows

TOKEN = "a token for the metrics"


def counted(desk: Desk, name: str, **labels: str) -> float:
    """The value of a counter on the page for Prometheus; 0 where it is not there."""
    page = desk.client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).get_data(as_text=True)
    for line in page.splitlines():
        found = re.match(rf"crs_cds_{name}(?:\{{(.*)\}})? (\S+)$", line)
        if found and {f'{k}="{v}"' for k, v in labels.items()} <= set((found[1] or "").split(",")):
            return float(found[2])
    return 0.0


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What the process logged, line by line."""
    stream = io.StringIO()
    names = ("cds_server", "gunicorn.error")
    before = {name: (logging.getLogger(name).handlers, logging.getLogger(name).propagate) for name in names}
    configure_logging(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    for name in names:
        logging.getLogger(name).handlers, logging.getLogger(name).propagate = before[name]


def called(desk: Desk, scene_id: str = "3", **headers: str) -> Any:
    _, scene = scene_of(scene_id)
    desk.now = moment_of(scene)
    body = {**hook_body(scene, desk.now, prefetch=whole_prefetch(chart_of(scene_id)))}
    return desk.client.post(f"/cds-services/{SERVICE_OF_HOOK[body['hook']]}", json=body, headers=headers)


def test_calls_cards_silences_and_refusals_are_counted() -> None:
    desk = Desk()
    assert card_ids(called(desk)) == ("toci-recommended", "crs-grade")
    called(desk, "16")
    desk.post({"hook": "patient-view"})
    view, select = "crs-patient-view", "crs-order-select"
    assert counted(desk, "calls_total", address=f"call {view}", status="200") == 1
    assert counted(desk, "calls_total", address=f"call {select}", status="200") == 1
    assert counted(desk, "calls_total", address=f"call {view}", status="400") == 1
    assert counted(desk, "call_seconds_count", address=f"call {view}") == 2
    assert counted(desk, "cards_total", service=view, card="toci-recommended", indicator="warning", shown="yes") == 1
    assert counted(desk, "silences_total", service=select, reason="no_course") == 1
    assert counted(desk, "refusals_total", problem="invalid-request") == 1
    assert counted(desk, "log_losses_total", what="decision") == 0


FAULTS = rows("""
| fault   | kind        | because                              |
| 403     | 403         | not permitted                        |
| 500     | 500         | the server fails                     |
| text    | answer      | it answers something else than FHIR  |
| error   | outcome     | an error among the results           |
| more    | incomplete  | it counts more than it sends         |
| away    | elsewhere   | its next page is on another server   |
""")


@pytest.mark.parametrize("row", FAULTS, ids=lambda row: row["because"])
def test_what_fails_at_a_fhir_server_is_counted_by_its_kind(row: dict[str, str]) -> None:
    said: dict[str, Answer] = {
        "text": (200, {}, "<html>"),
        "error": (200, {}, json.dumps(bundle([json.loads(outcome(200, "x")[2])]))),
        "more": (200, {}, json.dumps(bundle([], total=4))),
        "away": (200, {}, json.dumps(bundle([], link=[{"relation": "next", "url": "https://evil.example/x"}]))),
    }

    def fault(url: str) -> Answer | None:
        if "/AllergyIntolerance?" not in url:
            return None
        return said.get(row["fault"]) or outcome(int(row["fault"]), "no")

    _, scene = scene_of("3")
    desk = Desk(now=moment_of(scene))
    with wire(chart_of("3"), fault):
        desk.post(body_for(scene.patient_id, "patient-view", None))
    assert counted(desk, "fhir_errors_total", type="AllergyIntolerance", kind=row["kind"]) == 1
    assert counted(desk, "fhir_requests_total", type="AllergyIntolerance") == 1


def test_metrics_need_their_own_token_where_there_is_one() -> None:
    desk = Desk(environ={"CRS_CDS_METRICS_TOKEN": TOKEN})
    assert desk.client.get("/metrics").status_code == 401
    assert desk.client.get("/metrics", headers={"Authorization": "Bearer another"}).status_code == 401
    assert counted(desk, "refusals_total", problem="untrusted", reason="metrics") == 2


def test_in_production_there_are_no_metrics_without_a_token(tmp_path: Path) -> None:
    clients = tmp_path / "clients.toml"
    clients.write_text(
        f'[[client]]\nissuer = "https://ehr"\njwks_url = "https://ehr/jwks"\nfhir_servers = ["{BASE}"]\n',
        encoding="utf-8",
    )
    production = {
        "CRS_CDS_ENV": "production", "CRS_CDS_CLIENTS": str(clients), "CRS_CDS_PUBLIC_URL": "https://cds",
        "CRS_CDS_PSEUDONYM_KEY": "x" * 32, "CRS_CDS_DATABASE_URL": f"sqlite:///{tmp_path / 'log.sqlite'}",
    }  # fmt: skip
    assert Desk(environ=production).client.get("/metrics").status_code == 401
    desk = Desk(environ=production | {"CRS_CDS_METRICS_TOKEN": TOKEN})
    assert counted(desk, "in_force") == 1


def test_every_call_has_a_line_with_the_id_that_its_answer_and_our_searches_carry(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    _, scene = scene_of("3")
    desk, ours = Desk(now=moment_of(scene)), str(uuid.uuid4())
    body = body_for(scene.patient_id, "patient-view", None)
    with wire(chart_of("3")) as server:
        answer = desk.client.post("/cds-services/crs-patient-view", json=body, headers={REQUEST_ID: ours})
    (line,) = [line for line in lines() if line["event"] == "answered"]
    assert answer.headers[REQUEST_ID] == line["requestId"] == ours
    assert {headers[REQUEST_ID] for headers in server.headers} == {ours}
    assert (line["address"], line["status"], line["silence"]) == ("call crs-patient-view", 200, None)
    assert line["rules"] == assessment(answer)["rules"]
    assert line["hookInstance"] == body["hookInstance"]


TRACES = rows("""
| traceparent                                                | joined | because                          |
| 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01    | yes    | the trace of the caller, sampled |
| 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00    | yes    | the same, not sampled            |
| 00-00000000000000000000000000000000-b7ad6b7169203331-01    | no     | an id of zeros                   |
| 00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01    | no     | a span of zeros                  |
| 00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01    | no     | capitals                         |
| Jane Doe                                                   | no     | a name                           |
|                                                            | no     | the caller sent none             |
""")


@pytest.mark.parametrize("row", TRACES, ids=lambda row: row["because"])
def test_the_trace_of_a_caller_goes_on_to_the_fhir_server_and_the_log(
    lines: Callable[[], list[dict[str, Any]]], row: dict[str, str]
) -> None:
    _, scene = scene_of("3")
    desk, theirs = Desk(now=moment_of(scene)), row["traceparent"]
    body = body_for(scene.patient_id, "patient-view", None)
    with wire(chart_of("3")) as server:
        desk.client.post("/cds-services/crs-patient-view", json=body, headers={"traceparent": theirs} if theirs else {})
    (ours,) = {headers["traceparent"] for headers in server.headers}
    version, trace, span, flags = ours.split("-")
    assert (version, len(trace), len(span)) == ("00", 32, 16)
    assert lines()[-1]["traceId"] == trace
    assert (trace == theirs[3:35]) == (row["joined"] == "yes")
    assert flags == (theirs[-2:] if row["joined"] == "yes" else "00")
    assert span not in theirs, "the span is ours"


def test_the_calls_of_one_encounter_have_one_word_in_their_lines_and_never_its_id(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    desk, (_, scene) = Desk(), scene_of("3")
    for encounter in ("stay-1", "stay-1", "stay-2", None, ""):
        body = hook_body(scene, moment_of(scene), prefetch={})
        body["context"]["encounterId"] = encounter
        desk.post(body)
    words = [line.get("encounter") for line in lines() if line["event"] == "answered"]
    assert words[0] == words[1] != words[2]
    assert words[3:] == [None, None]
    assert "stay" not in json.dumps(lines())


@pytest.mark.parametrize("theirs", ["", "Jane Doe", "x" * 5000, "12345"])
def test_an_id_that_is_no_uuid_is_not_taken_over(lines: Callable[[], list[dict[str, Any]]], theirs: str) -> None:
    answer = called(Desk(), **{REQUEST_ID: theirs})
    assert answer.headers[REQUEST_ID] not in ("", theirs)
    assert lines()[-1]["requestId"] == str(uuid.UUID(answer.headers[REQUEST_ID]))


def test_ready_says_which_part_is_not(tmp_path: Path) -> None:
    assert Desk().client.get("/health/ready").get_json() == {"status": "ready", "decisionsLost": 0}
    down = Desk(environ={"CRS_CDS_DATABASE_URL": "sqlite:////nowhere/log.sqlite"})
    said = down.client.get("/health/ready").get_json()
    assert (said["status"], said["log"]) == ("degraded", "does not answer")
    assert counted(down, "log_degraded") == 1


def test_a_database_that_hangs_costs_a_call_its_allowance_once_and_is_said() -> None:
    desk = Desk(environ={"CRS_CDS_LOG_MILLISECONDS": "300"})
    store = desk.client.application.extensions["crs-cds"].store

    released = threading.Event()

    def hang(session: Session) -> None:
        released.wait(30)

    store.submit(hang)  # the threads of the log are all taken: what comes later waits
    began = time.monotonic()
    assert "toci-recommended" in card_ids(called(desk))
    assert time.monotonic() - began < 20, "less than the database hangs"
    said = desk.client.get("/health/ready").get_json()
    assert (said["status"], said["log"]) == ("degraded", "does not answer in time")
    assert counted(desk, "log_late_total", what="decision") == 1
    assert counted(desk, "log_losses_total", what="dismissals") == 1
    released.set()


def test_the_waits_for_the_log_share_one_allowance_and_reading_leaves_it_alone() -> None:
    now = 100.0
    call_time = CallTime(now, 5.0, 0.25, clock=lambda: now)
    assert call_time.reading_ends == 104.25, "a tenth is for working it out"
    with call_time.waiting_for_the_log() as seconds:
        assert seconds == 0.25
        now += 0.2
    with call_time.waiting_for_the_log() as seconds:
        assert seconds == pytest.approx(0.05)
    now = 104.99
    with call_time.waiting_for_the_log() as seconds:
        assert seconds == pytest.approx(0.01)
    assert call_time.milliseconds() == pytest.approx(4990, abs=1)


LIMITS = rows("""
| setting                   | status | says                                                | because                         |
| CRS_CDS_MAX_DEPTH=16      | 400    | context: must not nest deeper than 16               | a context nested 17 deep        |
| CRS_CDS_MAX_ENTRIES=100   | 413    | prefetch: holds more than 100 resources             | 101 entries in the prefetch     |
| CRS_CDS_MAX_BODY_MIB=0.01 | 413    | The body is larger than this service takes          | a body of more than 10 KiB      |
""")


@pytest.mark.parametrize("row", LIMITS, ids=lambda row: row["because"])
def test_a_request_beyond_a_limit_is_refused_and_says_which(row: dict[str, str]) -> None:
    _, scene = scene_of("3")
    name, _, value = row["setting"].partition("=")
    desk = Desk(now=moment_of(scene), environ={name: value})
    body = hook_body(scene, desk.now, prefetch=whole_prefetch(chart_of("3")))
    body["context"]["x"] = json.loads("[" * 16 + "]" * 16)
    body["prefetch"]["vitals"]["entry"] += [{"resource": body["prefetch"]["patient"]}] * 101
    answer = desk.post(body)
    assert (answer.status_code, answer.get_json()["issue"][0]["diagnostics"]) == (int(row["status"]), row["says"])


@pytest.mark.parametrize("limit", [{"CRS_CDS_MAX_PAGES": "16"}, {"CRS_CDS_MAX_ENTRIES": "100"}])
def test_a_chart_beyond_a_limit_is_never_read_as_whole(limit: dict[str, str]) -> None:
    _, scene = scene_of("3")
    desk = Desk(now=moment_of(scene), environ=limit)
    chart = chart_of("3")
    sign = next(r for r in chart if r["resourceType"] == "Observation")
    chart += [{**sign, "id": f"more-{n}"} for n in range(120)]
    with wire(chart) as server:
        server.page = 10
        answer = desk.post(body_for(scene.patient_id, "patient-view", None))
    said = answer.get_data(as_text=True)
    assert answer.status_code == 412 or re.search("could not be read|not read|no_course_in_part_read", said)


def test_one_service_may_be_in_shadow() -> None:
    desk = Desk(environ={"CRS_CDS_SHADOW_SERVICES": "crs-patient-view"})
    assert called(desk, "3").get_json() == {"cards": []}
    assert counted(desk, "cards_total", service="crs-patient-view", card="toci-recommended", shown="no") == 1
    assert "toci-interval" in card_ids(called(desk, "8"))


def test_a_service_in_shadow_must_be_one_of_ours() -> None:
    with pytest.raises(SettingsError, match="crs-order-singn is not a service; the services are crs-patient-view"):
        Desk(environ={"CRS_CDS_SHADOW_SERVICES": "crs-order-singn"})
