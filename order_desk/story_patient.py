"""The desk's patient of a story on the demo's FHIR server: writing it anew as of a moment, and signing its orders."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

import requests

from example_patients.programs.seed import delete_entry, put_entry, reference_of, searched, transact
from example_patients.stories.chart import Resource

OF_A_PATIENT = (
    "Observation", "MedicationAdministration", "MedicationRequest", "ServiceRequest", "Procedure", "Condition",
    "AllergyIntolerance",
)  # fmt: skip
ORDERS = frozenset({"MedicationRequest", "ServiceRequest"})


def write_anew(fhir_base: str, session: requests.Session, record: list[Resource]) -> None:
    """Make the server hold this record of its patient and nothing else of that patient, in one transaction.

    Raises NoAnswerError.
    """
    # Moving the clock writes the patient anew so that the moment is now; the service's own clock is never touched.
    # Orders signed at the desk go. Each move is another shift with another user, who has not seen what the last one
    # overrode.
    patient_id, wanted = record[0]["id"], {reference_of(r) for r in record}
    there = [
        reference_of(found)
        for resource_type in OF_A_PATIENT
        for found in searched(fhir_base, session, resource_type, f"patient={patient_id}")
    ]
    gone = [delete_entry(reference) for reference in there if reference not in wanted]
    transact("writing the chart", fhir_base, session, [*map(put_entry, record), *gone])


def signed(order: Resource, patient_id: str, now: datetime) -> Resource:
    """The active order that signing makes of a draft, with an id of its own."""
    return {
        **order,
        "id": f"{patient_id}-order-{uuid.uuid4().hex[:12]}",
        "status": "active",
        "subject": {"reference": f"Patient/{patient_id}"},
        "authoredOn": now.isoformat(),
    }


def write_orders(fhir_base: str, session: requests.Session, orders: Iterable[Resource]) -> None:
    """Write signed orders in one transaction. Raises NoAnswerError."""
    transact("writing the orders", fhir_base, session, map(put_entry, orders))
