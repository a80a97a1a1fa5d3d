"""FHIR JSON → rows to map, each resource once; what cannot be read is set aside and reported.

Everything is scanned cheaply (fhir_structs); only what an answer rests on is validated by fhir.resources
(`validation`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import msgspec
from fhir.resources.R4B import get_fhir_model_class
from msgspec import defstruct
from msgspec.structs import fields, replace

from fhir_mappings.facts import analytes
from fhir_mappings.facts.coverage import Coverage, Kind
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.fhir_time import BadTimeError, moment

STRUCTS: Mapping[str, type[fs.FhirStruct]] = {
    "Observation": fs.Observation,
    "MedicationAdministration": fs.MedicationAdministration,
    "Procedure": fs.Procedure,
    "Condition": fs.Condition,
    "AllergyIntolerance": fs.AllergyIntolerance,
    "MedicationRequest": fs.MedicationRequest,
    "ServiceRequest": fs.ServiceRequest,
    "Patient": fs.Patient,
    "Medication": fs.Medication,
}
_DECODERS = {name: msgspec.json.Decoder(struct) for name, struct in STRUCTS.items()}
# the same fields and those of the header beside them, for one pass over what is sound
_HEADER_FIELDS = [(f.name, f.type, f.default) for f in fields(fs.Header)]
_WITH_HEADER: Mapping[str, msgspec.json.Decoder[Any]] = {
    name: msgspec.json.Decoder(defstruct(name, _HEADER_FIELDS, bases=(struct,), rename="camel", frozen=True))
    for name, struct in STRUCTS.items()
}
_NAMED_FIRST = re.compile(rb'\s*\{\s*"resourceType"\s*:\s*"([A-Za-z]+)"')
_HEADER = msgspec.json.Decoder(fs.Header)
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])

T = TypeVar("T", bound=fs.FhirStruct)
Json = bytes | msgspec.Raw
"""A resource as it came: bytes of its own, or a view of the body that it came in, which stays as long as the view."""


NO_OWNER = "names no patient by reference"
TWO_OF_ONE_ID = "two resources that differ have this id"


class Resource(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """One resource: its scanned fields, its bytes, what the record calls it and where it came from.

    A Struct, as there are as many as the chart has entries: it is made in a tenth of the time of a dataclass.
    """

    data: T
    raw: Json
    reference: str
    type: str
    where: str
    from_client: bool
    last_updated: str | None
    kinds: frozenset[Kind]


@dataclass(frozen=True, slots=True)
class Broken:
    """A resource that could not be read: what it may have been, the time it states, and its bytes, each that came."""

    reference: str
    why: str
    kinds: frozenset[Kind]
    when: str | None
    infusion: bool = False
    raws: tuple[bytes, ...] = ()


class Claim(msgspec.Struct, frozen=True, gc=False):
    """Whom an entry says it is of, kept for every entry that came."""

    reference: str
    type: str
    owner: bytes
    where: str
    from_client: bool


class ResourcePool:
    """Every resource of one call, each once: of two with one id the one updated last."""

    def __init__(self) -> None:
        self._by_reference: dict[str, Resource[Any]] = {}
        self._by_type: dict[str, tuple[Resource[Any], ...]] | None = None  # until one comes or goes
        self.broken: dict[str, Broken] = {}
        self.claims: list[Claim] = []
        self.added = 0

    def add(
        self, raw: Json, where: str, *, from_client: bool = False, kinds: frozenset[Kind] = frozenset()
    ) -> fs.FhirStruct | None:
        """Read one resource; what was scanned of it. One that cannot be read is set aside with the path of the broken
        field, and None."""
        self.added += 1
        data = _in_one_pass(raw)
        header = data if data is not None else header_of(raw)
        reference = f"{header.resource_type}/{header.id or _digest(raw)}"
        if header.resource_type not in ("", "Medication"):
            owner = bytes(header.patient if header.resource_type == "AllergyIntolerance" else header.subject)
            self.claims.append(Claim(reference, header.resource_type, owner, where, from_client))
        decoder = _DECODERS.get(header.resource_type)
        if decoder is None and _is_fhir_type(header.resource_type):
            return None
        try:
            data = data or (decoder or _PLAIN).decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            named = reference if header.id else where
            self._set_aside(named, _broken(error), kinds or kinds_of(header.resource_type), raw)
            return None
        if decoder is None:
            self._set_aside(where, "not a FHIR resource", kinds or kinds_of(""), raw)
            return None
        updated = header.meta.last_updated if header.meta else None
        found = Resource(data, raw, reference, header.resource_type, where, from_client, updated, kinds)
        self._keep(found)
        return found.data

    def _keep(self, found: Resource[Any]) -> None:
        """Of two versions the later. Two that differ and of which none is the later are set aside: one may be another
        resource under the same id, and it cannot be told what is lost with either."""
        reference = found.reference
        known, broken = self._by_reference.get(reference), self.broken.get(reference)
        if broken is not None and broken.why == TWO_OF_ONE_ID:
            self._set_aside(reference, TWO_OF_ONE_ID, found.kinds, found.raw)
            return
        if known is not None:
            found, known = (
                replace(found, kinds=found.kinds | known.kinds),
                replace(known, kinds=found.kinds | known.kinds),
            )
            was, now = _instant(known.last_updated), _instant(found.last_updated)
            if was > now:
                found = known
            elif was == now and not _same(known, found):
                for one in (known, found):
                    self._by_reference[reference] = one
                    self.remove(reference, TWO_OF_ONE_ID)
                return
        if broken is not None and broken.why == NO_OWNER:  # a copy that may say whose it is takes its place
            del self.broken[reference]
        self._by_reference[reference] = found
        self._by_type = None

    def remove(self, reference: str, why: str, *, infusion: bool = False) -> None:
        """Set a resource aside after it was read."""
        resource = self._by_reference.pop(reference)
        self._by_type = None
        kinds = resource.kinds or kinds_of(resource.type)
        self._set_aside(reference, why, kinds, resource.raw, infusion=infusion)

    def _set_aside(
        self, reference: str, why: str, kinds: frozenset[Kind], raw: Json, *, infusion: bool = False
    ) -> None:
        """Remember a resource as broken. What came under several keys may have been of each of their kinds."""
        known, when = self.broken.get(reference), _stated_time(raw)
        raws: tuple[bytes, ...] = (bytes(raw),)
        if known is not None:
            kinds |= known.kinds
            when = when if when == known.when else None
            infusion = infusion or known.infusion
            raws = tuple(dict.fromkeys((*known.raws, *raws)))
        if Kind.RUNNING in kinds:  # a running infusion is an administration
            kinds |= {Kind.ADMINISTRATIONS}
        self.broken[reference] = Broken(reference, why, kinds, when, infusion, raws)

    def of_type(self, struct: type[T]) -> tuple[Resource[T], ...]:
        if self._by_type is None:
            found: dict[str, list[Resource[Any]]] = {}
            for resource in self._by_reference.values():
                found.setdefault(resource.type, []).append(resource)
            self._by_type = {name: tuple(resources) for name, resources in found.items()}
        return self._by_type.get(struct.__name__, ())

    def like(self, resource: Resource[Any]) -> tuple[Resource[Any], ...]:
        """The resource itself and, of an Observation, all with the same code."""
        if resource.type != "Observation":
            return (resource,)
        return tuple(r for r in self.of_type(fs.Observation) if r.data.code == resource.data.code)

    def get(self, reference: str) -> Resource[Any] | None:
        return self._by_reference.get(reference)

    def medication(self, medication_id: str | None) -> fs.Medication | None:
        found = self._by_reference.get(f"Medication/{medication_id}")
        return found.data if found is not None else None

    def patient(self, patient_id: str) -> fs.Patient | None:
        found = self._by_reference.get(f"Patient/{patient_id}")
        return found.data if found is not None else None


@dataclass(frozen=True)
class PatientRecord:
    """All that was read of one patient, and how far each kind of data could be read."""

    pool: ResourcePool
    coverage: Mapping[Kind, Coverage] = field(default_factory=dict)


_KINDS = {
    "Observation": frozenset(
        {*analytes.KINDS, Kind.VITALS, Kind.OXYGEN, Kind.WEIGHT, Kind.SAFETY_LABS, Kind.MICROBIOLOGY, Kind.NEURO}
    ),
    "MedicationAdministration": frozenset({Kind.ADMINISTRATIONS}),
    "Procedure": frozenset({Kind.PROCEDURES, Kind.SUPPORT_PROCEDURES}),
    "Condition": frozenset({Kind.CONDITIONS}),
    "AllergyIntolerance": frozenset({Kind.ALLERGIES}),
    "Patient": frozenset({Kind.PATIENT}),
    "MedicationRequest": frozenset({Kind.MEDICATION_ORDERS}),
    "ServiceRequest": frozenset({Kind.SERVICE_ORDERS}),
    "Medication": frozenset({Kind.ADMINISTRATIONS}),
}


def kinds_of(resource_type: str) -> frozenset[Kind]:
    """What a resource may have been, where nobody said what it was asked for."""
    return _KINDS.get(resource_type, frozenset(Kind))


class _Timed(fs.FhirStruct, frozen=True):
    effective_date_time: str | None = None


_PLAIN = msgspec.json.Decoder(_Timed)


def _stated_time(raw: Json) -> str | None:
    try:
        return _PLAIN.decode(raw).effective_date_time
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _in_one_pass(raw: Json) -> Any:
    """A resource of ours with its header, where its bytes begin with its type and nothing in it is broken; else None:
    then it is read step by step, so that what is broken can be said."""
    named = _NAMED_FIRST.match(raw)
    decoder = _WITH_HEADER.get(named[1].decode()) if named is not None else None
    if named is None or decoder is None:
        return None
    try:
        found = decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return found if found.resource_type == named[1].decode() else None


def header_of(raw: Json) -> fs.Header:
    """The header; of one that is broken itself as much as can be read, field by field."""
    try:
        return _HEADER.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        fields = _FIELDS.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return fs.Header()
    names = {name: _text(fields.get(name)) for name in ("resourceType", "id")}
    empty = msgspec.Raw(b"")
    return fs.Header(
        names["resourceType"] or "", names["id"], None, fields.get("subject", empty), fields.get("patient", empty)
    )


def _is_fhir_type(name: str) -> bool:
    """Whether FHIR has this type, if none that is read here. A type that it has not may stand for one that is."""
    try:
        return bool(name and get_fhir_model_class(name))
    except ValueError:
        return False


def _same(one: Resource[Any], other: Resource[Any]) -> bool:
    """Whether two say the same, however each is written; what the header holds beside is no part of that. Where a
    field that is not scanned cannot be read it is not known, and they do not."""
    if one.raw == other.raw:
        return True
    decoders = (_DECODERS[one.type], msgspec.json)
    try:
        return any(decoder.decode(one.raw) == decoder.decode(other.raw) for decoder in decoders)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def _text(raw: msgspec.Raw | None) -> str | None:
    try:
        value = msgspec.json.decode(raw) if raw is not None else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return value if isinstance(value, str) else None


def _instant(last_updated: str | None) -> datetime:
    try:
        return moment(last_updated or "", UTC).earliest
    except BadTimeError:
        return datetime.min.replace(tzinfo=UTC)


def _digest(raw: Json) -> str:
    return "no-id-" + hashlib.sha256(raw).hexdigest()[:12]


def _broken(error: Exception) -> str:
    path = str(error).rpartition(" - at `")[2].rstrip("`") if " - at `" in str(error) else ""
    return f"wrong type at {path.replace('$.', '')}" if path else "not readable as JSON of a FHIR resource"
