"""The validation of resources as FHIR, by the R4B models of fhir.resources.

R4B models read R4 data, because the types used here are the same in both. The outcome is remembered by the bytes of
the resource, because many calls show the same result. What differs in plain ids, times and numbers alone is one: a
chart holds hundreds of results of one shape.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

import msgspec
from fhir.resources.R4B.allergyintolerance import AllergyIntolerance
from fhir.resources.R4B.condition import Condition
from fhir.resources.R4B.medicationadministration import MedicationAdministration
from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.patient import Patient
from fhir.resources.R4B.procedure import Procedure
from pydantic import ValidationError

from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.fhir_types import FHIR_TYPES
from fhir_mappings.reading.resources import Json, Resource, header_of

MOST_VALUES = 20_000  # of one resource; a model is built for each, with everything in it
REMEMBERED = 16_384  # shapes; about 250 bytes each
SEEN = 4_096  # resources
_MODELS: Mapping[str, Any] = {
    model.__name__: model
    for model in (Observation, MedicationAdministration, Procedure, Condition, AllergyIntolerance, Patient)
}


# Resources that others often hold. The models of these are loaded when one is met; a model of another type never is,
# because whoever sends one of each would have them all loaded.
_MAY_BE_CONTAINED = frozenset(
    {
        *_MODELS, "Device", "Encounter", "Location", "Medication", "Organization", "Practitioner", "PractitionerRole",
        "Specimen", "Substance",
    }
)  # fmt: skip


class _Containing(fs.FhirStruct, frozen=True):
    resource_type: str = ""
    contained: tuple[msgspec.Raw, ...] = ()


_containing = msgspec.json.Decoder(_Containing)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_numbers = msgspec.json.Encoder(decimal_format="number")


_END = rb"(?=\s*[,}\]])"
_SAME: tuple[tuple[re.Pattern[bytes], bytes], ...] = (
    (re.compile(rb'("(?:id|versionId)"\s*:\s*")[A-Za-z0-9.-]{1,64}"'), rb'\1x"'),
    (re.compile(rb'("reference"\s*:\s*"[A-Za-z]{1,40}/)[A-Za-z0-9.-]{1,64}"'), rb'\1x"'),
    (
        re.compile(
            rb'"(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?'
            rb'(?:Z|[+-](?:0\d|1[0-3]):[0-5]\d)"'
        ),
        b'"2020-01-01T00:00:00Z"',
    ),
    (re.compile(rb"(:\s*)[1-9]\d{0,8}" + _END), rb"\g<1>1"),
    (re.compile(rb"(:\s*)[1-9]\d{0,8}\.0{1,6}" + _END), rb"\g<1>1.0"),
    (re.compile(rb"(:\s*)(?:0|[1-9]\d{0,8})\.\d{0,5}[1-9]" + _END), rb"\g<1>1.5"),
)


def shape_of(raw: bytes) -> bytes:
    """The bytes with one id, time and number in place of every plain one of its kind.

    No model looks further at them than that. Zero, a negative number, a whole one and a fraction are each a kind,
    because some fields ask for an integer or a positive one. Whatever is written in any other way stays as it is.
    """
    for plain, one in _SAME:
        raw = plain.sub(one, raw)
    return raw


class ValidationMemory:
    """The outcome of the last validations, by a digest.

    It holds digests and the paths of broken fields, but no field of a resource and so nothing of a patient.
    """

    def __init__(self, limit: int = REMEMBERED) -> None:
        self._found: OrderedDict[bytes, str | None] = OrderedDict()
        self._lock = Lock()
        self._limit = limit

    def __len__(self) -> int:
        return len(self._found)

    def error(self, resource_type: str, raw: bytes) -> str | None:
        """The result of `model_error` for the shape of these bytes, computed only if it is not remembered."""
        return self.once(resource_type, shape_of(raw), lambda: model_error(resource_type, raw))

    def once(self, resource_type: str, raw: bytes, found_now: Callable[[], str | None]) -> str | None:
        """The outcome for a resource of these bytes: the one remembered, or that of `found_now`."""
        digest = hashlib.sha256(resource_type.encode() + b" " + raw).digest()
        with self._lock:
            if digest in self._found:
                self._found.move_to_end(digest)
                return self._found[digest]
        found = found_now()
        with self._lock:
            self._found[digest] = found
            while len(self._found) > self._limit:
                self._found.popitem(last=False)
        return found


_SHAPES = ValidationMemory()
# the results of a patient come again with every call of a day, and their shape need not be worked out again
_SEEN = ValidationMemory(SEEN)


def validation_error(resource: Resource[Any]) -> str | None:
    """The reason why fhir.resources refuses this resource, as paths without values; None if it is valid."""
    raw = bytes(resource.raw)
    return _SEEN.once(resource.type, raw, lambda: _error_now(resource, raw))


def _error_now(resource: Resource[Any], raw: bytes) -> str | None:
    if raw.count(b",") + raw.count(b"[") > MOST_VALUES:
        return "holds more than can be checked"
    contained = contained_types(raw)
    if not contained <= FHIR_TYPES:
        return "not valid FHIR at contained"
    return _SHAPES.error(resource.type, raw if contained <= _MAY_BE_CONTAINED else scanned_json(resource))


def contained_types(raw: Json) -> frozenset[str]:
    """The types of the resources that a resource contains, and those of theirs; "" for one that cannot be read."""
    try:
        inner = _containing.decode(raw).contained
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return frozenset({""})
    return frozenset(_type_of(one) for one in inner).union(*map(contained_types, inner))


def _type_of(raw: Json) -> str:
    try:
        return _containing.decode(raw).resource_type
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""


def scanned_json(resource: Resource[Any]) -> bytes:
    """A resource as JSON with the fields that are read of it, and without the resources that it contains."""
    fields = {
        **_fields.decode(_numbers.encode(header_of(resource.raw))),
        **_fields.decode(_numbers.encode(resource.data)),
    }
    return _numbers.encode({name: value for name, value in fields.items() if name != "contained"})


def model_error(resource_type: str, raw: bytes) -> str | None:
    """The reason why the model of this type refuses these bytes; None if it accepts them or there is no model.

    An id that FHIR does not allow is no reason: the ids of others are keys, compared and never validated.
    """
    model = _MODELS.get(resource_type)
    if model is None:
        return None
    try:
        model.model_validate_json(raw)
    except ValidationError as error:
        errors = [e for e in error.errors(include_url=False, include_input=False) if not _is_of_an_id(e)]
        paths = sorted({_path(e) or resource_type for e in errors})
        return "not valid FHIR at " + ", ".join(paths[:5]) if paths else None
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
        # fhir.resources raises these for an unknown contained type or a broken primitive's extension
        return "not valid FHIR"
    return None


def build_models() -> None:
    """Make pydantic build the models and those inside them, which it otherwise does when each first reads data."""
    for resource_type in _MODELS:
        model_error(resource_type, msgspec.json.encode({"resourceType": resource_type, **FIRST.get(resource_type, {})}))


_CONCEPT = {"coding": [{"system": "urn:example", "code": "example"}], "text": "example"}
_QUANTITY = {"value": 1, "unit": "mg", "system": "urn:example", "code": "mg"}
FIRST: Mapping[str, Mapping[str, Any]] = {
    "Observation": {
        "meta": {"lastUpdated": "2026-03-02T08:00:00Z"},
        "identifier": [{"system": "urn:example", "value": "1"}],
        "status": "final",
        "category": [_CONCEPT],
        "code": _CONCEPT,
        "subject": {"reference": "Patient/1"},
        "effectiveDateTime": "2026-03-02T08:00:00Z",
        "valueQuantity": _QUANTITY,
        "interpretation": [_CONCEPT],
        "referenceRange": [{"high": _QUANTITY}],
        "component": [{"code": _CONCEPT, "valueQuantity": _QUANTITY}],
    },
    "MedicationAdministration": {
        "status": "completed",
        "medicationCodeableConcept": _CONCEPT,
        "subject": {"reference": "Patient/1"},
        "effectivePeriod": {"start": "2026-03-02T08:00:00Z"},
        "dosage": {"route": _CONCEPT, "dose": _QUANTITY, "rateQuantity": _QUANTITY},
    },
}


def _is_of_an_id(error: Any) -> bool:
    """Tell whether an error is about how an id is written, not about its type."""
    is_of_writing = error["type"] in ("string_pattern_mismatch", "string_too_long")
    return is_of_writing and {*error["loc"][-1:]} <= {"id", "versionId"}


def _path(error: Any) -> str:
    """The path of an error. A field that FHIR does not know is not named, because its name may be anything."""
    known = error["loc"][:-1] if error["type"] == "extra_forbidden" else error["loc"]
    unknown = ("an unknown field",) if error["type"] == "extra_forbidden" else ()
    return ".".join(str(part) for part in (*known, *unknown))
