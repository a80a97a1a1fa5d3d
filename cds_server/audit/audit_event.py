"""One AuditEvent (FHIR R4): a user read a patient's record through this service.

It has the elements that PatientRead of IHE's Basic Audit Log Patterns (BALP) asks for, and names that profile. Nothing
here validated it against the profile.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

PATIENT_READ = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientRead"
SUCCESS, FAILURE = "0", "4"
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
_REFERENCE = re.compile(r"[A-Za-z]{1,40}/[A-Za-z0-9.\-]{1,64}")
_URI = "5"  # of http://hl7.org/fhir/network-type


@dataclass(frozen=True)
class RecordRead:
    """One reading of a record: `user` as the client names them, None if nobody said; `client` and `server` are
    addresses; `succeeded` says whether the call was answered."""

    at: datetime
    patient_id: str
    fhir_base: str | None
    user: str | None
    client: str
    server: str
    request_id: str
    succeeded: bool


def audit_event(read: RecordRead) -> dict[str, Any]:
    """The AuditEvent as FHIR JSON."""
    patient = {"reference": "/".join(filter(None, (read.fhir_base, "Patient", read.patient_id)))}
    return {
        "resourceType": "AuditEvent",
        "meta": {"profile": [PATIENT_READ]},
        "type": _coding("http://terminology.hl7.org/CodeSystem/audit-event-type", "rest"),
        "subtype": [_coding("http://hl7.org/fhir/restful-interaction", "read")],
        "action": "R",
        "recorded": read.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "outcome": SUCCESS if read.succeeded else FAILURE,
        "agent": [
            _machine("110153", "Source Role ID", read.client),
            _machine("110152", "Destination Role ID", read.server),
            {
                "type": _concept("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP"),
                "who": _user(read.user),
                "requestor": True,
            },
        ],
        "source": {
            "observer": {"display": "crs-cds", "identifier": {"value": read.server}},
            "type": [_coding("http://terminology.hl7.org/CodeSystem/security-source-type", "4")],
        },
        "entity": [
            {"what": patient, "type": _coding(_ENTITY_TYPE, "2"), "role": _coding(_ROLE, "4")},
            {"what": patient, "type": _coding(_ENTITY_TYPE, "1"), "role": _coding(_ROLE, "1")},
            {
                "what": {"identifier": {"value": read.request_id}},
                "type": _coding("https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "XrequestId"),
            },
        ],
    }


def _machine(role: str, display: str, address: str) -> dict[str, Any]:
    return {
        "type": {"coding": [{**_coding(_DICOM, role), "display": display}]},
        "who": {"identifier": {"value": address}},
        "requestor": False,
        "network": {"address": address, "type": _URI},
    }


def _user(user: str | None) -> dict[str, Any]:
    if user is None:
        return {"display": "the user of the launch"}
    return {"reference": user} if _REFERENCE.fullmatch(user) else {"identifier": {"value": user}}


def _coding(system: str, code: str) -> dict[str, Any]:
    return {"system": system, "code": code}


def _concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [_coding(system, code)]}
