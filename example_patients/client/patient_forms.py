"""The form in which a FHIR server matches the parameter `patient` of a search, type by type: some want the id, some the
reference, and none says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import requests

from example_patients.client.http_calls import FHIR_JSON, NoAnswerError, json_of, sent

BY_ID, BY_REFERENCE = "patient=ID", "patient=Patient/ID"
TYPES = (
    "AllergyIntolerance", "Condition", "MedicationAdministration", "MedicationRequest", "Observation", "Procedure",
    "ServiceRequest",
)  # fmt: skip


@dataclass(frozen=True)
class FoundTypes:
    """The types of which a search found something, by the form of the patient."""

    by_form: Mapping[str, frozenset[str]]

    @property
    def all(self) -> frozenset[str]:
        return frozenset[str]().union(*self.by_form.values())

    @property
    def wanted(self) -> str | None:
        """The form that finds everything, the id if both do; None if neither does."""
        return next((form for form, found in self.by_form.items() if found == self.all), None)


def found_types(fhir_base: str, patient_id: str, session: requests.Session) -> FoundTypes:
    """Search every type for a patient in both forms. A search that fails has found nothing."""
    forms = {BY_ID: patient_id, BY_REFERENCE: f"Patient/{patient_id}"}
    return FoundTypes(
        {form: frozenset(t for t in TYPES if _finds(fhir_base, t, named, session)) for form, named in forms.items()}
    )


def _finds(fhir_base: str, resource_type: str, patient: str, session: requests.Session) -> bool:
    step, query = f"searching {resource_type}", urlencode({"patient": patient, "_count": "1"})
    try:
        found = json_of(step, sent(step, session, "GET", f"{fhir_base}/{resource_type}?{query}", headers=FHIR_JSON))
        return any(entry["resource"]["resourceType"] == resource_type for entry in found.get("entry", ()))
    except (NoAnswerError, KeyError, TypeError):
        return False
