"""Calls that bring everything as prefetch."""

from __future__ import annotations

from typing import Any

from tests.support.desk import Desk, bundle, whole_prefetch
from tests.support.fhir_wire import Resource
from tests.support.tables import NOW


def asked(chart: list[Resource], drafts: list[Resource], hook: str = "order-sign", **more: Any) -> Any:
    body = {
        "hook": hook, "hookInstance": "8c2e5c4e-4f7e-4a53-9df1-2f3c6a5a1b10",
        "context": {
            "patientId": "p", "userId": "Practitioner/1", "draftOrders": bundle(drafts), "selections": [],
        } | more,
        "prefetch": whole_prefetch(chart),
    }  # fmt: skip
    return Desk(now=NOW).post(body)
