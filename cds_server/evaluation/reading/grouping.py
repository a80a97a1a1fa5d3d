"""The first pass over an export: every resource goes to the bucket of its patient."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import msgspec

from cds_server.evaluation.reading.bucket_files import BucketWriter, bucket_of
from cds_server.exports.documents import BAD, Placed
from cds_server.exports.export import Export, Portion
from cds_server.exports.unread import MIB, Unread, Why
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.ownership import patients_named
from fhir_mappings.reading.references import parsed_reference
from fhir_mappings.reading.resources import STRUCTS, Json
from fhir_mappings.reading.searchset import reports_failure

BUCKET = 32 * MIB  # by chance the largest of many holds twice the mean, and a process all of it
MOST_BUCKETS = 1024
BUCKETS_A_WORKER = 4  # the largest first, so that no worker waits long for the last
UNPACKED = 12  # times the size of a .gz
MEDICATIONS = "medications"
_OF_NO_PATIENT = ("Medication", "Substance")
_OUTCOME = "OperationOutcome"
REMEMBERED, LONGEST = 50_000, 1000
_ENDS_A_FILE = frozenset({Why.CUT_OFF, Why.DAMAGED, Why.UNPACKS_TO_TOO_MUCH, Why.REFUSED})
_WORD = re.compile(rb"[A-Za-z]+")
# types that are not read here, whose names are no words of a sentence: what lacks them lacks nothing of ours
_OTHERS = frozenset(
    {
        b"CarePlan", b"CareTeam", b"DiagnosticReport", b"DocumentReference", b"Encounter", b"EpisodeOfCare",
        b"ExplanationOfBenefit", b"FamilyMemberHistory", b"ImagingStudy", b"Immunization", b"MedicationDispense",
        b"MedicationStatement", b"PractitionerRole", b"QuestionnaireResponse", b"RelatedPerson",
    }
)  # fmt: skip
_DATE, _SECONDS = len("2026-03-09"), len("2026-03-09T10:00:00")


class _Sorting(fs.FhirStruct, frozen=True):
    """The fields that it takes to sort a resource, and to tell how far the export goes."""

    id: str | None = None
    subject: msgspec.Raw = msgspec.Raw(b"")
    patient: msgspec.Raw = msgspec.Raw(b"")
    link: tuple[fs.PatientLink, ...] = ()
    effective_date_time: str | None = None
    effective_period: fs.Period | None = None
    performed_date_time: str | None = None
    authored_on: str | None = None
    issued: str | None = None


class _AskedFor(fs.FhirStruct, frozen=True):
    asked: tuple[str, ...] = msgspec.field(default=(), name="org.crs-cds.asked")
    missing: int = msgspec.field(default=0, name="org.crs-cds.missing")


class _Manifest(fs.FhirStruct, frozen=True):
    transaction_time: str
    extension: _AskedFor = _AskedFor()


_sorting = msgspec.json.Decoder(_Sorting)
_manifest = msgspec.json.Decoder(_Manifest)
_anything = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass
class Grouped:
    """The findings of the first pass.

    `aliases` names the patient that another id was merged into, `replaced` what an old Patient says of that. `failed`
    are the types that the export says are in part; `everything_failed` means that it names none. `latest` is the latest
    time of a resource that is past, by its offset, as it is written.
    `cut` are the types of files that end too early; `anything_cut` means that such a file may hold any.
    `asked` are the types of which `crs-cds record` says that it asked for them: where it found none, there are none.
    `missing` are the patients of its list whom it could not record.
    """

    buckets: int
    types: dict[str, int] = field(default_factory=Counter)
    sizes: dict[int, int] = field(default_factory=Counter)
    patients: set[str] = field(default_factory=set)
    aliases: dict[str, str] = field(default_factory=dict)
    replaced: dict[str, str] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    without_patient: dict[str, int] = field(default_factory=Counter)
    of_several: dict[str, int] = field(default_factory=Counter)
    failed: set[str] = field(default_factory=set)
    everything_failed: bool = False
    failures: list[str] = field(default_factory=list)
    cut: set[str] = field(default_factory=set)
    anything_cut: bool = False
    unread: list[tuple[str, str, int, tuple[str, ...]]] = field(default_factory=list)
    latest: dict[str, str] = field(default_factory=dict)
    transaction_time: str = ""
    asked: frozenset[str] = frozenset()
    missing: int = 0

    @property
    def people(self) -> frozenset[str]:
        """The patients, each once, by the ids that they have after all merges."""
        return frozenset(id_now(patient, self.aliases) for patient in self.patients)


def id_now(patient: str, aliases: Mapping[str, str]) -> str:
    """The id that a patient has now; ids that name each other in a circle stay as they are."""
    seen, last = {patient}, patient
    while (now := aliases.get(last)) is not None:
        if now in seen:
            return patient
        last = now
        seen.add(now)
    return last


def number_of_buckets(files: Iterable[Path], workers: int) -> int:
    """The buckets of an export: of about 32 MB, and at least four for each worker."""
    size = sum(file.stat().st_size * (UNPACKED if file.suffix == ".gz" else 1) for file in files if file.exists())
    return min(MOST_BUCKETS, max(BUCKETS_A_WORKER * workers, -(-size // BUCKET)))


def grouped(named: Iterable[Path], folder: Path, buckets: int, say: Callable[[int], None] = lambda _: None) -> Grouped:
    """Sort an export into the buckets of a folder. `say` is told the number of resources so far."""
    export, unread = Export(named), Unread()
    pass_ = _Pass(folder, buckets)
    for portion in export.portions(unread):
        pass_.take(portion)
        say(sum(pass_.found.types.values()))
    pass_.close()
    found = pass_.found
    manifests = {file.name: read for file in export.files if (read := _manifest_in(file.path)) is not None}
    found.transaction_time = max((one.transaction_time for one in manifests.values()), default="")
    found.asked = frozenset(name for one in manifests.values() for name in one.extension.asked)
    found.missing = sum(one.extension.missing for one in manifests.values())
    found.deleted = unread.deleted
    for types in (pass_.types_of(file) for file, why, _ in unread if why in _ENDS_A_FILE):
        found.cut |= types
        found.anything_cut = found.anything_cut or not types
    found.unread = [
        (file, why.value, part.count, tuple(part.places))
        for file, why, part in unread
        if not (file in manifests and why is Why.NOT_FHIR)
    ]
    return found


class _Pass:
    def __init__(self, folder: Path, buckets: int) -> None:
        self.found = Grouped(buckets)
        self._writer = BucketWriter(folder)
        self._owners: dict[bytes, tuple[str, ...]] = {}
        self._types: dict[str, set[str]] = {}
        # what lies ahead, a plan or a mistake, says nothing of the end of the export
        self._future = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()

    def take(self, portion: Portion) -> None:
        of_file = self._types.setdefault(portion.file, set())
        for one in portion.placed:
            of_file.add(one.type)
            self.found.types[one.type] += 1
            if one.type == _OUTCOME:
                self._failure(one, portion.file)
            elif one.type in _OF_NO_PATIENT:
                self._writer.add(MEDICATIONS, "", f"{portion.file} {one.place}", one.raw)
            elif one.type in STRUCTS:
                self._sort(one, portion.file)

    def types_of(self, file: str) -> set[str]:
        return self._types.get(file, set())

    def close(self) -> None:
        """End the pass. A patient is one with the one that took its place only where the export holds that one."""
        self._writer.close()
        there = {old: now for old, now in self.found.replaced.items() if now in self.found.patients}
        self.found.aliases = there | self.found.aliases

    def _sort(self, one: Placed, file: str) -> None:
        read = _read(one.raw)
        owners = self._patients(one, read)
        if len(owners) != 1:
            (self.found.of_several if owners else self.found.without_patient)[one.type] += 1
            return
        (patient,) = owners
        if one.type == "Patient":
            self.found.patients.add(patient)
            for link in read.link:
                self._merge(link, patient)
        else:
            self._note_times(read)
        bucket = bucket_of(patient, self.found.buckets)
        self.found.sizes[bucket] += memoryview(one.raw).nbytes
        self._writer.add(bucket, patient, f"{file} {one.place}", one.raw)

    def _note_times(self, read: _Sorting) -> None:
        """Keep the latest time of each offset: texts with one offset can be compared as they are written."""
        began = read.effective_period.start if read.effective_period is not None else None
        for text in (read.issued, read.effective_date_time, began, read.performed_date_time, read.authored_on):
            if text and text > self.found.latest.get(_offset(text), "") and text < self._future and time_in(text):
                self.found.latest[_offset(text)] = text

    def _patients(self, one: Placed, read: _Sorting) -> tuple[str, ...]:
        if one.type == "Patient":
            return (read.id,) if read.id else ()
        owner = bytes(read.patient if one.type == "AllergyIntolerance" else read.subject)
        if len(owner) > LONGEST:
            return patients_named(owner)
        if owner not in self._owners:
            if len(self._owners) >= REMEMBERED:
                self._owners.clear()
            self._owners[owner] = patients_named(owner)
        return self._owners[owner]

    def _merge(self, link: fs.PatientLink, patient: str) -> None:
        named = parsed_reference(link.other.reference or "")
        if named is None or named.type != "Patient" or named.id == patient:
            return
        if link.type == "replaces":
            self.found.aliases[named.id] = patient
        elif link.type == "replaced-by":
            self.found.replaced[patient] = named.id

    def _failure(self, one: Placed, file: str) -> None:
        """An OperationOutcome of the export: the types that it names were not all written; without the name of any type
        of FHIR's, all."""
        if not reports_failure(one.raw):
            return
        self.found.failures.append(f"{file} {one.place}".strip())
        words = set(_WORD.findall(bytes(one.raw)))
        named = {name for name in STRUCTS if name.encode() in words}
        self.found.failed |= named
        self.found.everything_failed = self.found.everything_failed or not (named or words & _OTHERS)


def _read(raw: Json) -> _Sorting:
    """The fields of a resource; of one that is broken, those that can be read."""
    try:
        return _sorting.decode(raw)
    except BAD:
        pass
    try:
        fields = _anything.decode(raw)
    except BAD:
        return _Sorting()
    empty = msgspec.Raw(b"")
    return _Sorting(subject=fields.get("subject", empty), patient=fields.get("patient", empty))


def _manifest_in(path: Path) -> _Manifest | None:
    """The Bulk Data manifest in a file; None for any other file."""
    try:
        if path.suffix != ".json" or path.stat().st_size > MIB:
            return None
        found = _manifest.decode(path.read_bytes())
    except (*BAD, OSError):
        return None
    return found if found.transaction_time else None


def latest_time(found: Grouped) -> datetime | None:
    """The end of an export: its transactionTime, else the last time in it that is past."""
    stated = time_in(found.transaction_time)
    return stated or max(filter(None, map(time_in, found.latest.values())), default=None)


def time_in(text: str) -> datetime | None:
    """The time that a text states, of a date the end of that day in UTC; None where it states none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    if at.tzinfo is not None:
        return at
    return datetime.combine(at.date(), time.max, UTC) if len(text) == _DATE else None


def _offset(text: str) -> str:
    return text[_SECONDS:].lstrip(".0123456789")
