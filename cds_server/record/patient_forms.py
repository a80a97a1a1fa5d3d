"""The form in which a FHIR server matches the parameter `patient`: the id, or the reference `Patient/{id}`.

Some servers find nothing for the id, and say so with an empty searchset (HAPI with `advanced_lucene_indexing`,
Medplum's in-memory router). So a form is known only once a search in it brought a match.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from enum import StrEnum
from threading import Lock

from cds_server.limits import PatientSearch
from cds_server.operations.metrics import Metrics

KNOWN_SECONDS = 3600
log = logging.getLogger("cds_server")


class PatientForm(StrEnum):
    ID = "id"
    REFERENCE = "reference"

    def of(self, patient_id: str) -> str:
        return patient_id if self is PatientForm.ID else f"Patient/{patient_id}"

    @property
    def other(self) -> PatientForm:
        return PatientForm.REFERENCE if self is PatientForm.ID else PatientForm.ID


class PatientForms:
    """The form of each FHIR base: the one that is set for all, or the one that brought a match in the last hour."""

    def __init__(self, setting: PatientSearch, metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._set = None if setting is PatientSearch.AUTO else PatientForm(setting.value)
        self._metrics = metrics
        self._clock = clock
        self._lock = Lock()
        self._known: dict[str, tuple[float, PatientForm]] = {}

    def known(self, base: str) -> PatientForm | None:
        """The form that a base is known to match; None if no search has shown it."""
        if self._set is not None:
            return self._set
        with self._lock:
            at, form = self._known.get(base, (0.0, None))
            return form if form is not None and self._clock() - at < KNOWN_SECONDS else None

    def settle(self, base: str, form: PatientForm) -> None:
        """Remember that a search in this form brought a match."""
        if self.known(base) is not None:
            return
        with self._lock:
            self._known[base] = (self._clock(), form)
        self._metrics.patient_forms.labels(form.value).inc()
        log.info("a FHIR server matches patients", extra={"form": form.value, "base": base})
