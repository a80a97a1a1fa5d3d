"""Calls that bring no prefetch: the service reads a chart from a faked wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import responses

from tests.support.desk import Desk, chart_of, moment_of, scene_of
from tests.support.fhir_wire import BASE, Answer, FhirWire, Resource, outcome


@contextmanager
def wire(chart: list[Resource], fault: Callable[[str], Answer | None] = lambda _: None) -> Iterator[FhirWire]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        found = FhirWire(chart).on(mock)
        found.fault = fault
        yield found


def failing(resource_type: str, status: int = 403, also: str = "") -> Callable[[str], Answer | None]:
    """A server that fails every search of a type (whose query holds `also`)."""
    return lambda url: outcome(status, "no") if f"/{resource_type}?" in url and also in url else None


def ask(scene_id: str, fault: Callable[[str], Answer | None], hook: str = "patient-view", draft: Resource | None = None,
        chart: list[Resource] | None = None, **environ: str) -> Any:  # fmt: skip
    _, scene = scene_of(scene_id)
    desk = Desk(now=moment_of(scene), environ=environ)
    with wire(chart_of(scene_id) if chart is None else chart, fault):
        return desk.post(body_for(scene.patient_id, hook, draft))


def body_for(patient_id: str, hook: str, draft: Resource | None, **more: Any) -> dict[str, Any]:
    context: dict[str, Any] = {"patientId": patient_id, "userId": "Practitioner/1"}
    if draft is not None:
        context["draftOrders"] = {"resourceType": "Bundle", "entry": [{"resource": draft}]}
    return {
        "hook": hook, "hookInstance": "8c2e5c4e-4f7e-4a53-9df1-2f3c6a5a1b10", "context": context,
        "fhirServer": BASE, **more,
    }  # fmt: skip
