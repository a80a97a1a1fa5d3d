"""A client that is busy, and a FHIR server that hangs, leave room for the others."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from cds_server.operations.metrics import Metrics
from cds_server.outgoing.circuit import Circuit
from cds_server.outgoing.fhir_client import FhirServer
from cds_server.outgoing.search_methods import SearchMethods
from cds_server.outgoing.search_requests import Search
from cds_server.problems import Problem
from cds_server.running import Running
from cds_server.shares import Places
from example_patients.stories.stories import hook_body
from tests.support.by_search import body_for, wire
from tests.support.desk import DAY_0, Desk, chart_of, moment_of, scene_of, whole_prefetch
from tests.support.fhir_wire import BASE, Answer, outcome
from tests.support.gunicorn_service import gunicorn
from tests.support.tables import rows
from tests.support.tokens import ISSUER, KEYS, Token

OTHER = "https://other.example.org"
OTHER_BASE = "https://fhir.other.example/r4"
AUDIENCE = "urn:crs-cds"


def two_clients(folder: Path, *bases: str) -> str:
    (folder / "keys.json").write_text(json.dumps(KEYS), encoding="utf-8")
    clients = "".join(
        f'[[client]]\nissuer = "{issuer}"\njwks = "keys.json"\nfhir_servers = {json.dumps(bases)}\n'
        f'audiences = ["{AUDIENCE}"]\n'
        for issuer in (ISSUER, OTHER)
    )  # fmt: skip
    (folder / "clients.toml").write_text(clients, encoding="utf-8")
    return str(folder / "clients.toml")


def bearer(issuer: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {Token(claims={'iss': issuer, 'aud': AUDIENCE}).text()}"}


def prefetched() -> dict[str, Any]:
    _, scene = scene_of("3")
    return {**hook_body(scene, DAY_0, prefetch=whole_prefetch(chart_of("3"))), "hook": "patient-view"}


def running(desk: Desk) -> Running:
    found: Running = desk.client.application.extensions["crs-cds"]
    return found


def call(desk: Desk, issuer: str, **more: Any) -> Any:
    body = {**prefetched(), **more}
    return desk.client.post("/cds-services/crs-patient-view", json=body, headers=bearer(issuer))


def test_one_of_several_clients_has_half_of_the_places_while_another_calls(tmp_path: Path) -> None:
    desk = Desk(environ={"CRS_CDS_MAX_CALLS": "4", "CRS_CDS_CLIENTS": two_clients(tmp_path, BASE)})
    assert call(desk, OTHER).status_code == 200
    with ExitStack() as under_way:
        for _ in range(2):
            under_way.enter_context(running(desk).places.of_client(ISSUER))
        busy = call(desk, ISSUER)
        assert (busy.status_code, busy.headers["Retry-After"]) == (503, "1")
        assert call(desk, OTHER).status_code == 200
    assert call(desk, ISSUER).status_code == 200
    page = desk.client.get("/metrics").get_data(as_text=True)
    assert f'crs_cds_busy_total{{client="{ISSUER}",share="client"}} 1.0' in page
    assert 'crs_cds_refusals_total{problem="busy",reason="share of one client"} 1.0' in page


def test_one_of_several_fhir_servers_has_half_of_the_places(tmp_path: Path) -> None:
    settings = {"CRS_CDS_MAX_CALLS": "4", "CRS_CDS_FHIR_SERVERS": f"{BASE},{OTHER_BASE}"}
    desk = Desk(environ=settings | {"CRS_CDS_CLIENTS": two_clients(tmp_path, BASE, OTHER_BASE)})
    with ExitStack() as under_way:
        with running(desk).places.of_server(OTHER_BASE, OTHER):
            pass
        for _ in range(2):
            under_way.enter_context(running(desk).places.of_server(BASE, OTHER))
        assert call(desk, ISSUER, fhirServer=BASE).status_code == 503
        assert call(desk, ISSUER, fhirServer="https://not-ours.example").status_code == 200
        assert call(desk, ISSUER).status_code == 200, "it asks no server"
    assert f'crs_cds_busy_total{{client="{ISSUER}",share="server"}} 1.0' in desk.client.get("/metrics").text


LENT = rows("""
| places | others call    | at most | because                                                    |
| 16     | never          | 12      | the last quarter is for whoever comes                      |
| 16     | 59 seconds ago | 8       | another calls, so each has a half                          |
| 16     | 61 seconds ago | 12      | no other has called for a minute                           |
| 1      | 59 seconds ago | 1       | one place at least                                         |
""")


@pytest.mark.parametrize("row", LENT, ids=lambda row: f"{row['places']} places, {row['because']}")
@pytest.mark.parametrize("kind", ["client", "server"])
def test_places_that_nobody_else_wants_are_lent(kind: str, row: dict[str, str]) -> None:
    now = 1000.0
    places = Places(int(row["places"]), Metrics("0", "0"), clients=2, servers=2, clock=lambda: now)
    place = {"client": places.of_client, "server": lambda name: places.of_server(name, "a client")}[kind]
    if row["others call"] != "never":
        with place("the other"):
            pass
        now += float(row["others call"].split()[0])
    with ExitStack() as under_way:
        for _ in range(int(row["at most"])):
            under_way.enter_context(place("one"))
        with pytest.raises(Problem, match=r"busy"):
            under_way.enter_context(place("one"))
        if int(row["places"]) > 1:
            for _ in range(int(row["places"]) // 4):
                under_way.enter_context(place("the other"))


def test_a_client_alone_has_every_place() -> None:
    desk = Desk(environ={"CRS_CDS_MAX_CALLS": "4"})
    with ExitStack() as under_way:
        for _ in range(3):
            under_way.enter_context(running(desk).places.of_client(""))
        assert desk.post(prefetched()).status_code == 200


FAULTS = [("a status of 500", 500, 412, True), ("a status of 403", 403, 412, False)]


@pytest.mark.parametrize(("because", "status", "answer", "opens"), FAULTS, ids=[row[0] for row in FAULTS])
def test_a_server_that_fails_five_calls_is_left_alone(because: str, status: int, answer: int, opens: bool) -> None:
    _, scene = scene_of("3")
    desk = Desk(now=moment_of(scene))
    fails: list[bool] = [True]
    now = time.monotonic()
    circuit = running(desk).sources.circuits[BASE]
    circuit._clock = lambda: now

    def fault(_: str) -> Answer | None:
        return outcome(status, "no") if fails[0] else None

    with wire(chart_of("3"), fault) as server:
        for _ in range(5):
            assert desk.post(body_for(scene.patient_id, "patient-view", None)).status_code == answer
        asked = len(server.asked)
        refused = desk.post(body_for(scene.patient_id, "patient-view", None))
        assert refused.status_code == answer
        assert (len(server.asked) == asked) == opens
        if not opens:
            return
        assert "did not answer the calls before this one" in refused.get_data(as_text=True)
        assert f'crs_cds_circuit_open{{base="{BASE}"}} 1.0' in desk.client.get("/metrics").text
        fails[0] = False
        now += 10
        assert desk.post(body_for(scene.patient_id, "patient-view", None)).status_code == 200
    assert f'crs_cds_circuit_open{{base="{BASE}"}} 0.0' in desk.client.get("/metrics").text


def test_while_a_server_is_left_alone_what_came_as_prefetch_still_has_its_cards() -> None:
    _, scene = scene_of("3")
    desk = Desk(now=moment_of(scene))
    prefetch = whole_prefetch(chart_of("3"))
    del prefetch["allergies"]
    circuit = running(desk).sources.circuits[BASE]
    for _ in range(5):
        circuit.end(answered=False)
    with wire(chart_of("3")) as server:
        answer = desk.post(hook_body(scene, desk.now, prefetch=prefetch, fhirServer=BASE))
    assert answer.status_code == 200
    assert server.asked == []
    assert "llerg" in answer.get_data(as_text=True), "a card says what was not read"


def test_calls_without_time_do_not_close_a_server_to_the_others() -> None:
    """Whoever sends a body slowly leaves the server a moment to answer."""
    circuit = Circuit()
    for _ in range(10):
        server = FhirServer(requests.Session(), BASE, None, time.monotonic() + 0.2)
        server.through(circuit, SearchMethods())
        with wire([], lambda _: late()):
            server.search(Search("Condition", (("patient", "p"),)))
        server.end()
    assert not circuit.is_open


def late() -> Answer:
    raise requests.Timeout


def test_a_call_that_asks_nothing_leaves_the_trial_to_the_next() -> None:
    _, scene = scene_of("3")
    desk = Desk(now=moment_of(scene))
    now = time.monotonic()
    circuit = running(desk).sources.circuits[BASE]
    circuit._clock = lambda: now
    for _ in range(5):
        circuit.end(answered=False)
    now += 10
    none = {"access_token": "t", "token_type": "Bearer", "scope": "patient/Binary.rs", "subject": "s"}
    with wire(chart_of("3")):
        desk.post({**body_for(scene.patient_id, "patient-view", None), "fhirAuthorization": none})
        assert circuit.is_open
        assert desk.post(body_for(scene.patient_id, "patient-view", None)).status_code == 200
    assert not circuit.is_open


@contextmanager
def hanging_server() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=200) as listener:
        held: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    held.append(listener.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/r4"
        listener.close()
        for connection in held:
            connection.close()


@pytest.mark.live
def test_beside_a_server_that_hangs_every_call_of_another_client_is_answered(tmp_path: Path) -> None:
    with hanging_server() as base, ThreadPoolExecutor(40) as clients:
        settings = {
            "CRS_CDS_CLIENTS": two_clients(tmp_path, base, BASE), "CRS_CDS_FHIR_SERVERS": f"{base},{BASE}",
            "CRS_CDS_MAX_CALLS": "16", "CRS_CDS_BUDGET_SECONDS": "5", "CRS_CDS_LOG_MILLISECONDS": "300",
        }  # fmt: skip
        with gunicorn(tmp_path, **settings) as service:
            address = f"{service.url}/cds-services/crs-patient-view"

            def ask(issuer: str, body: dict[str, Any]) -> int:
                return requests.post(address, json=body, headers=bearer(issuer), timeout=30).status_code

            _, scene = scene_of("3")
            needs_server = {**body_for(scene.patient_id, "patient-view", None), "fhirServer": base}
            hanging, others = [], []
            for number in range(28):
                hanging.append(clients.submit(ask, ISSUER, needs_server))
                if number % 2:
                    others.append(clients.submit(ask, OTHER, prefetched()))
                time.sleep(0.1)
            said = [future.result() for future in others]
            of_the_first = {future.result() for future in hanging}
    assert said == [200] * 14
    assert of_the_first <= {412, 503}
