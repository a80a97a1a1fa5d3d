"""Calls and feedback whose rows in the decision log a test reads back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cds_server.storage.database import engine_for
from cds_server.storage.store import Store
from tests.support.desk import Desk, whole_prefetch
from tests.support.tables import NOW, patient

GRADE2 = "il6 10 @D0 08:00; T 39 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h; weight 70 @-9h"
UUID = "8c2e5c4e-4f7e-4a53-9df1-2f3c6a5a1b10"
_desks: list[Desk] = []


@contextmanager
def desks_let_go() -> Iterator[None]:
    """Close the stores of the desks that were made within."""
    yield
    while _desks:
        store_of(_desks.pop()).close()


def desk_of(database: str, **environ: str) -> Desk:
    _desks.append(Desk(now=NOW, environ={"CRS_CDS_DATABASE_URL": database} | environ))
    return _desks[-1]


def store_of(desk: Desk) -> Store:
    store: Store = desk.client.application.extensions["crs-cds"].store
    return store


def asked(desk: Desk, chart: str = GRADE2, user: str = "Practitioner/1", **more: Any) -> Any:
    body = {
        "hook": "patient-view", "hookInstance": UUID, "context": {"patientId": "p", "userId": user},
        "prefetch": whole_prefetch(patient(chart)),
    } | more  # fmt: skip
    return desk.post(body)


def logged(database: str, table: Any) -> list[Any]:
    engine = engine_for(database)
    with Session(engine, expire_on_commit=False) as session:
        found = list(session.scalars(select(table)))
    engine.dispose()
    return found


def said(desk: Desk, *entries: dict[str, Any], service: str = "crs-patient-view") -> Any:
    return desk.client.post(f"/cds-services/{service}/feedback", json={"feedback": list(entries)})


def uuid_of(answer: Any, card_id: str) -> str:
    found = next(c for c in answer.get_json()["cards"] if c["source"]["topic"]["code"] == card_id)
    return str(found["uuid"])


def ready(desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] = desk.client.get("/health/ready").get_json()
    return found
