"""The recording of a list of patients from one FHIR server, one after the other, into a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import requests

from cds_server.evaluation.courses import Look
from cds_server.limits import PatientSearch
from cds_server.outgoing.backend_tokens import OwnToken
from cds_server.outgoing.fhir_client import FhirServer
from cds_server.record.patient_forms import PatientForm
from cds_server.recording.patient_list import Listed
from cds_server.recording.recorded_folder import RecordedFolder
from cds_server.recording.whole_record import LIMITS, WholeRecord, whole_record


@dataclass(frozen=True)
class Source:
    """The FHIR server that a recording asks, and the form in which it is set to match patients."""

    session: requests.Session
    base: str
    token: str | OwnToken | None
    search: PatientSearch = PatientSearch.AUTO

    def open(self, deadline: float) -> FhirServer:
        return FhirServer(self.session, self.base, self.token, deadline, limits=LIMITS)


@dataclass
class Recorded:
    """The outcome for a list: how many patients were recorded, now and before; and those who were not, or not whole.

    `of_earlier_lists` are the patients of other lists who are not in the folder.
    """

    now: int = 0
    before: int = 0
    of_earlier_lists: int = 0
    without_course: int = 0
    unknown: list[Listed] = field(default_factory=list)
    in_part: list[tuple[Listed, WholeRecord]] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return not self.unknown and not self.in_part


def record_patients(
    source: Source, listed: Sequence[Listed], look: Look, folder: RecordedFolder, say: Callable[[int], None]
) -> Recorded:
    """Read each patient who is not in the folder yet, and write the record. `say` is told how many are done.

    A patient of whom something could not be read now is left out, so that the next run reads it again. Where asking
    again cannot help, because the server refuses, the gap is written down with the record. Raises OSError, and
    FhirError if the server does not answer at all.
    """
    found = Recorded()
    forms = _Forms(source)
    ids = [one.id for one in listed]
    folder.note_missing(ids)
    try:
        for number, one in enumerate(listed, 1):
            if folder.has(one.id):
                found.before += 1
            else:
                _record_one(one, forms, look, folder, found)
            say(number)
    finally:
        found.of_earlier_lists = folder.note_missing(ids) - sum(not folder.has(id_) for id_ in ids)
    return found


def _record_one(one: Listed, forms: _Forms, look: Look, folder: RecordedFolder, found: Recorded) -> None:
    record = forms.read(one.id, look)
    if not record.is_known:
        found.unknown.append(one)
        return
    if record.gaps:
        found.in_part.append((one, record))
    if record.may_be_whole_later:
        return
    folder.add(one.id, record)
    found.now += 1
    found.without_course += not record.courses


class _Forms:
    """Reads patients in the form that the server matches, which is known once one of them has data."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._known = None if source.search is PatientSearch.AUTO else PatientForm(source.search.value)

    def read(self, patient: str, look: Look) -> WholeRecord:
        form = self._known or PatientForm.ID
        record = whole_record(self._source.open, patient, form, look)
        if self._known is None and record.is_known and not record.has_data:
            other = whole_record(self._source.open, patient, form.other, look)
            if other.has_data:
                form, record = form.other, other
        if record.has_data:
            self._known = form
        return record
