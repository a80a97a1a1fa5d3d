"""Real processes under gunicorn: one token for two of them, feedback when they are killed, clients that drip."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from sqlalchemy import select
from sqlalchemy.orm import Session

from cds_server.storage.database import FeedbackRow, engine_for
from example_patients.programs.demo import HOST, free_port
from example_patients.stories.stories import hook_body
from tests.support.desk import DAY_0, chart_of, scene_of, whole_prefetch
from tests.support.gunicorn_service import Service, gunicorn
from tests.support.postgres import BACKENDS, postgresql
from tests.support.tokens import ISSUER, KEYS, Token

pytestmark = pytest.mark.live
WITH_FEEDBACK = "/cds-services/crs-patient-view/feedback"


@pytest.fixture(scope="module")
def pg() -> Iterator[str]:
    with postgresql() as url:
        yield url


@pytest.fixture(params=BACKENDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'log.sqlite'}"
        return
    url = request.getfixturevalue("pg")
    engine = engine_for(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    engine.dispose()
    yield url


@pytest.fixture(scope="module")
def plain_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service without settings of its own, for tests that only ask it."""
    with gunicorn(tmp_path_factory.mktemp("plain")) as service:
        yield service


def clients_file(folder: Path) -> str:
    (folder / "keys.json").write_text(json.dumps(KEYS), encoding="utf-8")
    text = f'[[client]]\nissuer = "{ISSUER}"\njwks = "keys.json"\nfhir_servers = ["https://fhir.example"]\n'
    (folder / "clients.toml").write_text(text + 'audiences = ["urn:crs-cds"]\n', encoding="utf-8")
    return str(folder / "clients.toml")


def a_call() -> dict[str, object]:
    _, scene = scene_of("3")
    return {**hook_body(scene, DAY_0, prefetch=whole_prefetch(chart_of("3"))), "hook": "patient-view"}


def test_one_token_counts_once_for_two_processes_asked_at_the_same_moment(database: str, tmp_path: Path) -> None:
    both = {"CRS_CDS_DATABASE_URL": database, "CRS_CDS_CLIENTS": clients_file(tmp_path)}
    with gunicorn(tmp_path, **both) as one, gunicorn(tmp_path, **both) as other, ThreadPoolExecutor(2) as together:
        for _ in range(10):
            bearer = {"Authorization": f"Bearer {Token(claims={'aud': 'urn:crs-cds'}).text()}"}

            def ask(service: Service, bearer: dict[str, str] = bearer) -> int:
                address = f"{service.url}/cds-services/crs-patient-view"
                return requests.post(address, json=a_call(), headers=bearer, timeout=30).status_code

            assert sorted(together.map(ask, (one, other))) == [200, 401]


@dataclass
class Told:
    """What a crowd of clients said, and what of it was acknowledged."""

    sent: list[str]
    acknowledged: list[str]


def tell(url: str, told: Told, stop: threading.Event) -> None:
    with requests.Session() as session:
        while not stop.is_set():
            card = str(uuid.uuid4())
            told.sent.append(card)
            entry = {"feedback": [{"card": card, "outcome": "overridden"}]}
            try:
                if session.post(f"{url}{WITH_FEEDBACK}", json=entry, timeout=10).status_code == 200:
                    told.acknowledged.append(card)
            except requests.RequestException:
                continue


def kill_all(service: Service) -> None:
    """kill -9 of gunicorn and its workers at once."""
    found = re.findall(r"Listening at: \S+ \((\d+)\)|Booting worker with pid: (\d+)", service.log.read_text())
    for pid in {int(text) for pair in found for text in pair if text}:
        os.kill(pid, signal.SIGKILL)


def test_feedback_that_was_acknowledged_is_there_after_kill_9(database: str, tmp_path: Path) -> None:
    told, stop = Told([], []), threading.Event()
    with gunicorn(tmp_path, workers=2, CRS_CDS_DATABASE_URL=database) as service:
        crowd = [threading.Thread(target=tell, args=(service.url, told, stop)) for _ in range(8)]
        for client in crowd:
            client.start()
        end = time.monotonic() + 20
        while len(told.acknowledged) < 100 and time.monotonic() < end:
            time.sleep(0.05)
        kill_all(service)
        stop.set()
        for client in crowd:
            client.join()
    engine = engine_for(database)
    with Session(engine) as session:
        found = set(session.scalars(select(FeedbackRow.card_uuid)))
    engine.dispose()
    print(f"sent {len(told.sent)}, acknowledged {len(told.acknowledged)}, found {len(found)}")
    assert len(told.acknowledged) >= 100
    assert set(told.acknowledged) <= found <= set(told.sent)


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ("SCRIPT_NAME: /elsewhere", "/"),
        ("SCRIPT_NAME: /static", "/static/crs-cds.css"),
        ("PATH_INFO: /metrics", "/"),
        ("X-Forwarded-Proto: https", "/"),
        ("X-Forwarded-Prefix: /elsewhere", "/"),
    ],
)
def test_no_header_says_where_the_service_is(header: str, address: str, plain_service: Service) -> None:
    plain = requests.get(f"{plain_service.url}{address}", timeout=10)
    name, _, value = header.partition(": ")
    answer = requests.get(f"{plain_service.url}{address}", headers={name: value}, timeout=10)
    assert (answer.status_code, answer.text) == (plain.status_code, plain.text) == (200, plain.text)


def counting(folder: Path) -> set[Path]:
    return set(folder.glob("crs-cds-counts-*"))


def test_the_folder_of_a_gunicorn_that_was_killed_goes_with_the_next_start(tmp_path: Path) -> None:
    mine = tmp_path / "crs-cds-counts-of-someone-else"
    with gunicorn(tmp_path) as alive:
        held = counting(tmp_path)
        with gunicorn(tmp_path) as service:
            left = counting(tmp_path) - held
            kill_all(service)
        mine.symlink_to("/etc")
        with gunicorn(tmp_path):
            assert not left & counting(tmp_path), "of the one that was killed"
            assert held <= counting(tmp_path), "of the one that is alive"
            assert requests.get(f"{alive.url}/metrics", timeout=10).status_code == 200
        assert counting(tmp_path) == held | {mine}, "the last one took its own with it, and no link was followed"
    assert (len(held), len(left)) == (1, 1)
    assert counting(tmp_path) == {mine}


def test_what_the_workers_count_is_added_up(tmp_path: Path) -> None:
    with gunicorn(tmp_path, workers=2) as service:
        for _ in range(20):
            assert requests.get(f"{service.url}/cds-services", timeout=10).status_code == 200
        pages = [requests.get(f"{service.url}/metrics", timeout=10).text for _ in range(4)]
    assert all('crs_cds_calls_total{address="discover",status="200"} 20.0' in page for page in pages)
    assert all(len(re.findall(r"^crs_cds_in_force\{", page, re.MULTILINE)) == 1 for page in pages)


@pytest.mark.parametrize("drip", [b"", b" "], ids=["sends no more", "drips"])
def test_a_client_that_does_not_send_its_body_is_told_so_in_time_and_holds_no_thread(
    tmp_path: Path, drip: bytes
) -> None:
    budget = {"CRS_CDS_BUDGET_SECONDS": "1", "CRS_CDS_LOG_MILLISECONDS": "100"}
    with (
        gunicorn(tmp_path, **budget) as service,
        socket.create_connection((HOST, int(service.url.rpartition(":")[2]))) as client,
    ):
        head = "POST /cds-services/crs-patient-view HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{"
        client.sendall(head.encode())
        client.settimeout(0.2)
        began, answer = time.monotonic(), b""
        while not answer and time.monotonic() - began < 10:
            try:
                client.sendall(drip)
                answer = client.recv(4096)
            except TimeoutError:
                continue
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert 0.9 < time.monotonic() - began < 8


def sent(service: Service, text: bytes) -> bytes:
    """The first bytes that come back to some raw text."""
    with socket.create_connection((HOST, int(service.url.rpartition(":")[2])), timeout=10) as client:
        client.sendall(text)
        return client.recv(4096)


IN_CHUNKS = b"POST /cds-services/crs-patient-view HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_a_body_in_chunks_is_bounded_and_a_broken_one_is_the_client_s_fault(tmp_path: Path) -> None:
    with gunicorn(tmp_path, CRS_CDS_MAX_BODY_MIB="0.01") as service:
        assert b" 413 " in sent(service, IN_CHUNKS + b"5000\r\n{" + b" " * (0x5000 - 1) + b"\r\n0\r\n\r\n")
        assert b" 400 " in sent(service, IN_CHUNKS + b"zz\r\n{}\r\n0\r\n\r\n")
        assert b" 400 " in sent(service, IN_CHUNKS + b"2\r\n{}\r\n0\r\n\r\n"), "an empty call"


def test_clients_that_are_refused_and_drip_their_body_on_hold_no_thread(tmp_path: Path) -> None:
    head = b"POST /cds-services/none HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"
    with gunicorn(tmp_path, CRS_CDS_MAX_CALLS="1") as service:  # eighteen threads
        port = int(service.url.rpartition(":")[2])
        crowd = [socket.create_connection((HOST, port), timeout=10) for _ in range(20)]
        for client in crowd:
            client.sendall(head)
        for client in crowd:
            assert b" 404 " in client.recv(4096)
        stop = time.monotonic() + 3
        while time.monotonic() < stop:
            for client in crowd:
                with suppress(OSError):
                    client.sendall(b" ")
            time.sleep(0.2)
        assert requests.get(f"{service.url}/health/live", timeout=3).status_code == 200
        for client in crowd:
            client.close()


def test_feedback_that_a_slow_database_keeps_waiting_is_to_be_sent_again(tmp_path: Path) -> None:
    file = tmp_path / "slow.sqlite"
    settings = {"CRS_CDS_DATABASE_URL": f"sqlite:///{file}", "CRS_CDS_CLIENTS": clients_file(tmp_path),
                "CRS_CDS_BUDGET_SECONDS": "2", "CRS_CDS_LOG_MILLISECONDS": "200"}  # fmt: skip
    with gunicorn(tmp_path, **settings) as service:
        requests.get(f"{service.url}/health/ready", timeout=10)
        with sqlite3.connect(file, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            answer = requests.post(
                f"{service.url}{WITH_FEEDBACK}", json={"feedback": [{"card": "x", "outcome": "overridden"}]}, timeout=20,
                headers={"Authorization": f"Bearer {Token(claims={'aud': 'urn:crs-cds'}).text()}"},
            )  # fmt: skip
            other.execute("ROLLBACK")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


def test_what_is_not_http_leaves_nothing_of_itself_in_the_log(plain_service: Service) -> None:
    broken = (
        b"GET /PLANTED HTTP/9.9\r\n\r\n", b"PLANTED\r\n\r\n", b"GET / HTTP/1.1\r\nPLANTED\r\n\r\n",
        b"GET / HTTP/1.1\r\nX PLANTED: 1\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: PLANTED\r\n\r\n",
        b"POST /PLANTED HTTP/1.1\r\nTransfer-Encoding: PLANTED\r\n\r\n",
    )  # fmt: skip
    for text in broken:
        with socket.create_connection((HOST, int(plain_service.url.rpartition(":")[2])), timeout=5) as client:
            client.sendall(text)
            assert client.recv(4096).split()[1] in (b"400", b"404", b"405", b"501", b"505")
    log = plain_service.log.read_text()
    assert "Invalid request" in log
    assert "PLANTED" not in log


def test_a_setting_that_cannot_be_used_stops_the_start_with_its_sentence(tmp_path: Path) -> None:
    settings = {k: v for k, v in os.environ.items() if not k.startswith(("CRS_CDS_", "PROMETHEUS_"))}
    command = [sys.executable, "-m", "gunicorn", "--bind", f"{HOST}:{free_port(0)}", "wsgi:app"]
    ended = subprocess.run(  # noqa: S603
        command, env=settings, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode != 0
    assert "crs-cds cannot start: CRS_CDS_CLIENTS must name the file of trusted clients" in ended.stderr
    assert "Traceback" not in ended.stderr
