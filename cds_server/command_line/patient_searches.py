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


class _Typed(msgspec.Struct, rename="camel"):
    resource_type: str = ""


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
    """Search every type for a patient in both forms. A search that fails has found nothing."""
    headers = {**_HEADERS, **({"Authorization": f"Bearer {token}"} if token else {})}
    by_form = {
        form: frozenset(t for t in TYPES if _finds(f"{base}/{t}", form.of(patient_id), t, session, headers))
        for form in PatientForm
    }
    return FoundTypes(by_form)


def _finds(url: str, patient: str, wanted: str, session: requests.Session, headers: Mapping[str, str]) -> bool:
    address = f"{url}?{urlencode({'patient': patient, '_count': '1'})}"
    try:
        answer = fetch(session, "GET", address, seconds=SECONDS, most_bytes=MAX_BYTES, headers=headers)
        page = msgspec.json.decode(answer.body or b"{}", type=_Page)
        types = [msgspec.json.decode(e.resource, type=_Typed).resource_type for e in page.entry if bytes(e.resource)]
    except (FetchError, msgspec.MsgspecError, UnicodeDecodeError):
        return False
    return wanted in types
