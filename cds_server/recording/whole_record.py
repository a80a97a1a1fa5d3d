"""The record of one patient as an evaluation needs it: every administration, procedure, condition, allergy and order of
any status, and the Observations from before each course to its day 60."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cds_server.data_keys import asked_keys, code_list
from cds_server.evaluation.courses import Look, followed_courses
from cds_server.evaluation.reading.charts import Chart
from cds_server.limits import Limits
from cds_server.outgoing.fhir_client import FhirServer
from cds_server.outgoing.fhir_errors import Fault, FhirError, PassingError
from cds_server.outgoing.read_outcome import InPart, ReadOutcome
from cds_server.outgoing.search_requests import Search
from cds_server.record.patient_forms import PatientForm
from cds_server.record.search_plan import DAYS_BEFORE, PAGE
from fhir_mappings.codes.terminology import RETROSPECTIVE_SETS
from fhir_mappings.facts.coverage import Completeness, Coverage, Kind
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.medications.products import MOST_HOPS, referred_medications
from fhir_mappings.reading.fhir_time import day
from fhir_mappings.reading.resource_pool import PatientRecord, ResourcePool

SECONDS = 600.0  # for one patient: nobody waits for the answer
LIMITS = Limits(pages=6_000, record_bytes=4 * 1024**3)
LAST_DAY = timedelta(days=60)
AT_ONCE = 50  # Medications by id
_OF_ANY_TIME = (
    "MedicationAdministration", "Procedure", "Condition", "AllergyIntolerance", "MedicationRequest", "ServiceRequest",
)  # fmt: skip
TYPES = ("Patient", *_OF_ANY_TIME, "Observation")
_NOT_KNOWN, _NO_TOKEN = frozenset({404, 410}), 401
_PASSING = frozenset({Fault.LATE, Fault.UNREACHABLE, Fault.TOKEN})

Open = Callable[[float], FhirServer]
"""Makes the FHIR server as one patient's reading sees it, until a deadline (`time.monotonic`)."""


@dataclass(frozen=True)
class WholeRecord:
    """The record of one patient: each resource as it came, and each type that was not read whole, with the error.

    `is_known` is False where the server has no such Patient.
    """

    resources: tuple[bytes, ...] = ()
    gaps: tuple[tuple[str, FhirError], ...] = ()
    courses: int = 0
    is_known: bool = True

    @property
    def has_data(self) -> bool:
        """Tell whether anything came beside the Patient."""
        return len(self.resources) > 1

    @property
    def may_be_whole_later(self) -> bool:
        """Tell whether asking again may fill a gap."""
        return any(_passes(error) for _, error in self.gaps)


class _Reading:
    """The reading of one patient: the pool that it fills, and what failed."""

    def __init__(self, server: FhirServer, patient: str) -> None:
        self.server = server
        self.patient = patient
        self.pool = ResourcePool()
        self.came: dict[bytes, None] = {}  # each resource once; two versions of one are both kept
        self.gaps: dict[str, FhirError] = {}

    def take(self, resource_type: str, found: ReadOutcome) -> None:
        """Put what came into the pool, and note the type if it did not all come."""
        if isinstance(found, InPart):
            self.gaps.setdefault(resource_type, found.error)
        for raw in found.before if isinstance(found, InPart) else found.everything:
            self.came[bytes(raw)] = None
            self.pool.add(raw, resource_type)

    def search(self, resource_type: str, *params: tuple[str, str], sort: str | None = None) -> None:
        optional = (("_sort", sort),) if sort else ()
        search = Search(resource_type, (*params, ("_count", PAGE)), optional, decides=True)
        self.take(resource_type, self.server.search(search))


def whole_record(open_server: Open, patient: str, form: PatientForm, look: Look) -> WholeRecord:
    """Read one patient whom the server matches in this form. A search that fails is a gap, and costs no other.

    Raises FhirError if not even the Patient can be read: no other patient could be either.
    """
    reading = _Reading(open_server(time.monotonic() + SECONDS), patient)
    read = reading.server.read("Patient", patient)
    if isinstance(read, InPart) and read.error.status in _NOT_KNOWN:
        return WholeRecord(is_known=False)
    if isinstance(read, InPart) and (_passes(read.error) or read.error.status == _NO_TOKEN):
        raise read.error
    reading.take("Patient", read)
    named = ("patient", form.of(patient))
    for resource_type in _OF_ANY_TIME:
        reading.search(resource_type, named)
    _read_medications(reading)
    windows = tuple(_windows(reading, look))
    codes = _codes(look)
    for since, until in windows:
        dates = (("date", f"ge{_text(since)}"), ("date", f"lt{_text(until)}"))
        reading.search("Observation", named, ("code", codes), *dates, sort="-date")
    return WholeRecord(tuple(reading.came), tuple(reading.gaps.items()), len(windows))


def _passes(error: FhirError) -> bool:
    """Tell whether a failure may pass: asking again some time later can help."""
    return isinstance(error, PassingError) or error.fault in _PASSING


def _codes(look: Look) -> str:
    """The codes of every Observation that the service reads, and of those that an evaluation reads besides."""
    terms = look.rules.terms
    sets = [s for key in asked_keys(terms) if key.resource_type == "Observation" for s in key.value_sets]
    sets += [s for s in RETROSPECTIVE_SETS if s in terms.value_sets]
    return code_list(terms, *sets)


def _read_medications(reading: _Reading) -> None:
    """The Medications and Substances that administrations and orders name by reference, and those that they name."""
    tried: set[str] = set()
    for _ in range(MOST_HOPS + 1):
        missing = [m for m in referred_medications(reading.pool, reading.server.base).missing if m not in tried]
        tried.update(missing)
        for resource_type in ("Medication", "Substance"):
            ids = [one.partition("/")[2] for one in missing if one.startswith(f"{resource_type}/")]
            for start in range(0, len(ids), AT_ONCE):
                reading.search(resource_type, ("_id", ",".join(ids[start : start + AT_ONCE])))
        if not missing:
            return


def _windows(reading: _Reading, look: Look) -> Iterator[tuple[datetime, datetime]]:
    """The time of each course in which its Observations are read, as a call on its day 60 would."""
    whole = {kind: Coverage(Completeness.COMPLETE) for kind in Kind}
    chart = Chart(reading.patient, PatientRecord(reading.pool, whole), reading.server.base)
    back = _back(look.rules.thresholds)
    for followed in followed_courses(chart, look):
        yield followed.course.start - back, day(followed.course.last_infused + LAST_DAY, followed.zone).latest


def _back(t: Thresholds) -> timedelta:
    return max(t.course_days + DAYS_BEFORE, t.weight_lookback)


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
