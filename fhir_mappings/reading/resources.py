"""One FHIR resource: its scanned fields and its bytes, or the reason why it could not be read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import defstruct
from msgspec.structs import fields

from fhir_mappings.facts import analytes
from fhir_mappings.facts.coverage import Kind
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.fhir_time import BadTimeError, moment
from fhir_mappings.reading.fhir_types import FHIR_TYPES

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
    "Substance": fs.Substance,
}


DECODERS = {name: msgspec.json.Decoder(struct) for name, struct in STRUCTS.items()}


# the fields of a resource together with those of its header, so that a sound resource is read in one pass
_HEADER_FIELDS = [(f.name, f.type, f.default) for f in fields(fs.Header)]


_WITH_HEADER: Mapping[str, msgspec.json.Decoder[Any]] = {
    name: msgspec.json.Decoder(defstruct(name, _HEADER_FIELDS, bases=(struct,), rename="camel", frozen=True))
    for name, struct in STRUCTS.items()
}


_NAMED_FIRST = re.compile(rb'\s*\{\s*"resourceType"\s*:\s*"([A-Za-z]+)"')
_ID_SECOND = re.compile(rb'\s*\{\s*"resourceType"\s*:\s*"([A-Za-z]+)"\s*,\s*"id"\s*:\s*"([A-Za-z0-9.-]{1,64})"')


_HEADER = msgspec.json.Decoder(fs.Header)


_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])


T = TypeVar("T", bound=fs.FhirStruct)


Json = bytes | msgspec.Raw
"""A resource as it came: bytes of its own, or a view of the body that it came in.

A body lives as long as a view of it. One long chart is thus one piece of memory, freed as a whole after the call;
whatever is kept beyond a call must be copied out of it.
"""


class Doubt(Enum):
    """The reason to set aside a resource that could be read; its value in words."""

    NO_OWNER = "names no patient by reference"
    TWO_OF_ONE_ID = "two resources that differ have this id"


class Resource(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """One resource: its scanned fields, its bytes, its reference in the record and the place that it came from.

    It is a Struct because a chart has one for each entry, and a Struct is made in a tenth of a dataclass's time.
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
    """A resource that could not be read: its possible kinds, the time it states, and the bytes of each copy."""

    reference: str
    why: str
    kinds: frozenset[Kind]
    when: str | None
    infusion: bool = False
    raws: dict[bytes, None] = field(default_factory=dict)
    doubt: Doubt | None = None


class Claim(msgspec.Struct, frozen=True, gc=False):
    """The patient that an entry claims as its owner. One is kept for every entry that came in."""

    reference: str
    type: str
    owner: bytes
    where: str
    from_client: bool


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
    "Substance": frozenset({Kind.ADMINISTRATIONS}),
}
OF_NO_PATIENT = ("", "Medication", "Substance")


def kinds_of(resource_type: str) -> frozenset[Kind]:
    """The kinds of data that a resource may hold when nobody said what it was asked for."""
    return _KINDS.get(resource_type, frozenset(Kind))


class _Timed(fs.FhirStruct, frozen=True):
    effective_date_time: str | None = None


PLAIN = msgspec.json.Decoder(_Timed)


def stated_time(raw: Json) -> str | None:
    try:
        return PLAIN.decode(raw).effective_date_time
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def type_named_first(raw: Json) -> str | None:
    """The type of a resource whose bytes begin with it, as nearly all do; None for any other."""
    named = _NAMED_FIRST.match(raw)
    return named[1].decode() if named is not None else None


def type_of(raw: Json) -> str:
    """The type of a resource; "" if it has none, or nothing can be read of it."""
    return type_named_first(raw) or header_of(raw).resource_type


def type_and_id(raw: Json) -> tuple[str, str | None]:
    """The type and id of a resource, which nearly all begin with; "" and None where they cannot be read."""
    named = _ID_SECOND.match(raw)
    if named is not None:
        return named[1].decode(), named[2].decode()
    header = header_of(raw)
    return header.resource_type, header.id


def scanned(raw: Json, named: str = "") -> Any:
    """A resource of a type that is read here, with its header, in one pass over its bytes. `named` is its type, where
    somebody has looked already.

    None if the bytes do not begin with a type that is read here or if anything is broken. The resource is then read
    step by step, so that the reason can name the broken field.
    """
    named = named or type_named_first(raw) or ""
    decoder = _WITH_HEADER.get(named)
    if decoder is None:
        return None
    try:
        found = decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return found if found.resource_type == named else None


def header_of(raw: Json) -> fs.Header:
    """The header of a resource; if it is broken itself, as many of its fields as can be read."""
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


def is_fhir_type(name: str) -> bool:
    """Tell whether FHIR has this type. A name that FHIR does not have may stand for a type that is read here."""
    return name in FHIR_TYPES


def say_the_same(one: Resource[Any], other: Resource[Any]) -> bool:
    """Tell whether two resources say the same, however each is written, leaving out what only the header holds.

    If a field that is not scanned cannot be read nobody knows, and the answer is no.
    """
    if one.raw == other.raw:
        return True
    decoders = (DECODERS[one.type], msgspec.json)
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


def instant_of(last_updated: str | None) -> datetime:
    try:
        return moment(last_updated or "", UTC).earliest
    except BadTimeError:
        return datetime.min.replace(tzinfo=UTC)


def digest_of(raw: Json) -> str:
    return "no-id-" + hashlib.sha256(raw).hexdigest()[:12]


def path_in(error: Exception) -> str:
    """The path that msgspec names in an error, `$.code.coding[0]`; "" where it names none."""
    _, at, path = str(error).rpartition(" - at `")
    return path.rstrip("`") if at else ""


def why_broken(error: Exception) -> str:
    path = path_in(error)
    return f"wrong type at {path.replace('$.', '')}" if path else "not readable as JSON of a FHIR resource"
