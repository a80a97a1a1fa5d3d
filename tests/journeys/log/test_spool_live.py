"""PostgreSQL goes and comes back under load, and a worker is killed meanwhile: no decision of an answered call is lost."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from cds_server.storage.database import DecisionRow
from tests.support.decision_log import GRADE2, logged
from tests.support.desk import whole_prefetch
from tests.support.gunicorn_service import Service, gunicorn
from tests.support.postgres import INITDB, cluster
from tests.support.tables import patient

pytestmark = pytest.mark.live
CALLS_PER_SECOND = 60
GONE_SECONDS = float(os.environ.get("GONE_SECONDS", "2"))


@dataclass
class Crowd:
    """Clients that call at a steady rate, each call with an instance of its own, and what was answered."""

    url: str
    ends: threading.Event = field(default_factory=threading.Event)
    answered: list[str] = field(default_factory=list)

    def call(self) -> None:
        with requests.Session() as session:
            while not self.ends.is_set():
                began, instance = time.monotonic(), str(uuid.uuid4())
                body = {"hook": "patient-view", "hookInstance": instance, "prefetch": whole_prefetch(patient(GRADE2)),
                        "context": {"patientId": "p", "userId": "Practitioner/1"}}  # fmt: skip
                try:
                    if session.post(f"{self.url}/cds-services/crs-patient-view", json=body, timeout=30).ok:
                        self.answered.append(instance)
                except requests.RequestException:  # its worker was killed
                    pass
                time.sleep(max(0.0, 16 / CALLS_PER_SECOND - (time.monotonic() - began)))


def workers_of(service: Service) -> list[int]:
    return [int(pid) for pid in re.findall(r"Booting worker with pid: (\d+)", service.log.read_text())]


def spools(folder: Path) -> list[Path]:
    return list(folder.glob("crs-cds-spool-*.sqlite"))


def ready(service: Service) -> bool:
    return bool(requests.get(f"{service.url}/health/ready", timeout=10).json()["status"] == "ready")


@pytest.mark.skipif(INITDB is None, reason="PostgreSQL is not installed: `make test` does where it may")
def test_no_decision_of_an_answered_call_is_lost_or_there_twice(tmp_path: Path) -> None:
    with cluster() as database:
        settings = {
            "CRS_CDS_DATABASE_URL": database.url, "CRS_CDS_SPOOL_DIR": str(tmp_path), "CRS_CDS_SPOOL_KEY": "k" * 32,
            "CRS_CDS_LOG_MILLISECONDS": "250",
        }  # fmt: skip
        with gunicorn(tmp_path, workers=2, **settings) as service, ThreadPoolExecutor(16) as clients:
            crowd = Crowd(service.url)
            for _ in range(16):
                clients.submit(crowd.call)
            time.sleep(1)
            database.stop()
            before = len(crowd.answered)
            time.sleep(GONE_SECONDS / 2)
            os.kill(workers_of(service)[0], signal.SIGKILL)
            time.sleep(GONE_SECONDS / 2)
            while_gone = len(crowd.answered) - before
            waiting = len(spools(tmp_path))
            database.start()
            time.sleep(1)
            crowd.ends.set()
            clients.shutdown()
            end = time.monotonic() + 60
            while not (ready(service) and not spools(tmp_path)) and time.monotonic() < end:
                time.sleep(0.2)
            found = Counter(row.hook_instance for row in logged(database.url, DecisionRow))
    print(f"answered {len(crowd.answered)}, {while_gone} of them while it was gone, in the log {len(found)}")
    assert while_gone > 0
    assert waiting > 0
    assert [instance for instance in crowd.answered if found[instance] != 1] == []
    assert max(found.values()) == 1
    assert spools(tmp_path) == []
