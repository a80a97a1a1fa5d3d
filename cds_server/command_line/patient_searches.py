"""The form of `patient` that a FHIR server matches, type by type, asked for one patient who has data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import msgspec
import requests

from cds_server.data_keys import READ_TYPES
from cds_server.outgoing.bounded_http import FetchError, fetch
from cds_server.record.patient_forms import PatientForm

SECONDS = 10.0
MAX_BYTES = 16 * 1024 * 1024
TYPES = tuple(sorted(READ_TYPES - {"Patient", "Medication"}))
_HEADERS = {"Accept": "application/fhir+json", "Cache-Control": "no-cache"}


class _Entry(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw(b"")


class _Page(msgspec.Struct):
    entry: list[_Entry] = []


class _Reference(msgspec.Struct, frozen=True):
    reference: str = ""


class _Result(msgspec.Struct, rename="camel"):
    resource_type: str = ""
    subject: _Reference = _Reference()
    patient: _Reference = _Reference()

    def is_of(self, patient_id: str) -> bool:
        """Tell whether it is of the patient: a server that does not know `patient` answers with everybody's."""
        named = (self.subject.reference or self.patient.reference).partition("/_history/")[0]
        return f"/{named}".endswith(f"/Patient/{patient_id}")


@dataclass(frozen=True)
class FoundTypes:
    """The types of which each form found something. A server that wants one form for one type and another for the next
    is not supported."""

    by_form: Mapping[PatientForm, frozenset[str]]

    @property
    def all(self) -> frozenset[str]:
        return frozenset[str]().union(*self.by_form.values())

    def empty(self, form: PatientForm) -> tuple[str, ...]:
        """The types of which this form finds nothing, and the other one does."""
        return tuple(sorted(self.all - self.by_form[form]))

    @property
    def wanted(self) -> PatientForm | None:
        """The form that finds everything, the id if both do; None if neither does."""
        return next((form for form in PatientForm if not self.empty(form)), None)


def found_types(base: str, patient_id: str, session: requests.Session, token: str | None = None) -> FoundTypes:
    """Search every type for a patient in both forms. A search that fails, or brings results of others, has found
    nothing."""
    headers = {**_HEADERS, **({"Authorization": f"Bearer {token}"} if token else {})}
    by_form = {
        form: frozenset(t for t in TYPES if _finds(f"{base}/{t}", form, patient_id, session, headers))
        for form in PatientForm
    }
    return FoundTypes(by_form)


def _finds(url: str, form: PatientForm, patient_id: str, session: requests.Session, headers: Mapping[str, str]) -> bool:
    address = f"{url}?{urlencode({'patient': form.of(patient_id), '_count': '1'})}"
    try:
        answer = fetch(session, "GET", address, seconds=SECONDS, most_bytes=MAX_BYTES, headers=headers)
        page = msgspec.json.decode(answer.body or b"{}", type=_Page)
        results = [msgspec.json.decode(e.resource, type=_Result) for e in page.entry if bytes(e.resource)]
    except (FetchError, msgspec.MsgspecError, UnicodeDecodeError):
        return False
    wanted = url.rpartition("/")[2]
    return any(result.resource_type == wanted and result.is_of(patient_id) for result in results)
