"""The fields of FHIR R4 resources that the mapping reads, as msgspec Structs.

Scanning a resource with them costs a hundredth of a full validation. fhir.resources then validates only the resources
that an answer rests on (`validation`). Unknown fields are skipped. A field of the wrong type sets its resource aside,
and the reason names the path of the field.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import msgspec

MAX_EXPONENT = 15


class FhirStruct(msgspec.Struct, rename="camel", frozen=True, gc=False, omit_defaults=True):
    """The base of everything that is decoded from FHIR JSON.

    Decoded JSON holds no cycles, so `gc=False` spares the garbage collector the walk over a long chart.
    """


class Reference(FhirStruct, frozen=True):
    reference: str | None = None
    display: str | None = None


class Coding(FhirStruct, frozen=True):
    system: str | None = None
    code: str | None = None
    display: str | None = None


class CodeableConcept(FhirStruct, frozen=True):
    coding: tuple[Coding, ...] = ()
    text: str | None = None


def codings_of(concept: CodeableConcept | None) -> tuple[tuple[str | None, str | None], ...]:
    """System and code of each coding."""
    return tuple((c.system, c.code) for c in concept.coding) if concept else ()


class Quantity(FhirStruct, frozen=True):
    value: Decimal | None = None
    comparator: str | None = None
    unit: str | None = None
    code: str | None = None
    system: str | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for a number beyond any quantity of a body: it would only cost time and memory."""
        if self.value is not None and not (self.value.is_finite() and abs(self.value.adjusted()) <= MAX_EXPONENT):
            raise ValueError("number is out of range")


class Ratio(FhirStruct, frozen=True):
    numerator: Quantity | None = None
    denominator: Quantity | None = None


class Period(FhirStruct, frozen=True):
    start: str | None = None
    end: str | None = None


class Meta(FhirStruct, frozen=True):
    last_updated: str | None = None


class Header(FhirStruct, frozen=True):
    """The fields that it takes to sort any resource. `subject` and `patient` stay raw: their shape differs by type."""

    resource_type: str = ""
    id: str | None = None
    meta: Meta | None = None
    subject: msgspec.Raw = msgspec.Raw(b"")
    patient: msgspec.Raw = msgspec.Raw(b"")


class Component(FhirStruct, frozen=True):
    code: CodeableConcept = CodeableConcept()
    value_quantity: Quantity | None = None
    value_string: str | None = None
    value_codeable_concept: CodeableConcept | None = None
    data_absent_reason: CodeableConcept | None = None


class ReferenceRange(FhirStruct, frozen=True):
    high: Quantity | None = None
    type: CodeableConcept | None = None


class Observation(FhirStruct, frozen=True):
    status: str = ""
    code: CodeableConcept = CodeableConcept()
    effective_date_time: str | None = None
    effective_instant: str | None = None
    effective_period: Period | None = None
    value_quantity: Quantity | None = None
    value_string: str | None = None
    value_integer: Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)] | None = None
    value_boolean: bool | None = None
    value_codeable_concept: CodeableConcept | None = None
    data_absent_reason: CodeableConcept | None = None
    component: tuple[Component, ...] = ()
    specimen: Reference | None = None
    interpretation: tuple[CodeableConcept, ...] = ()
    reference_range: tuple[ReferenceRange, ...] = ()


class Ingredient(FhirStruct, frozen=True):
    item_codeable_concept: CodeableConcept | None = None
    item_reference: Reference | None = None
    is_active: bool | None = None
    strength: Ratio | None = None


class Medication(FhirStruct, frozen=True):
    id: str | None = None
    code: CodeableConcept | None = None
    ingredient: tuple[Ingredient, ...] = ()
    contained: tuple[msgspec.Raw, ...] = ()
    resource_type: str = ""


class Substance(FhirStruct, frozen=True):
    id: str | None = None
    code: CodeableConcept | None = None
    resource_type: str = ""


class Dosage(FhirStruct, frozen=True):
    text: str | None = None
    route: CodeableConcept | None = None
    method: CodeableConcept | None = None
    dose: Quantity | None = None
    rate_ratio: Ratio | None = None
    rate_quantity: Quantity | None = None


class MedicationAdministration(FhirStruct, frozen=True):
    status: str = ""
    medication_codeable_concept: CodeableConcept | None = None
    medication_reference: Reference | None = None
    contained: tuple[msgspec.Raw, ...] = ()
    effective_date_time: str | None = None
    effective_period: Period | None = None
    dosage: Dosage | None = None
    request: Reference | None = None


class Procedure(FhirStruct, frozen=True):
    """`category` is one in R4 and several in R5."""

    status: str = ""
    code: CodeableConcept = CodeableConcept()
    category: CodeableConcept | tuple[CodeableConcept, ...] | None = None
    performed_date_time: str | None = None
    performed_period: Period | None = None


class Condition(FhirStruct, frozen=True):
    code: CodeableConcept = CodeableConcept()
    clinical_status: CodeableConcept | None = None
    verification_status: CodeableConcept | None = None
    onset_date_time: str | None = None
    recorded_date: str | None = None


class Reaction(FhirStruct, frozen=True):
    substance: CodeableConcept | None = None


class AllergyIntolerance(FhirStruct, frozen=True):
    code: CodeableConcept | None = None
    reaction: tuple[Reaction, ...] = ()
    clinical_status: CodeableConcept | None = None
    verification_status: CodeableConcept | None = None


class Range(FhirStruct, frozen=True):
    low: Quantity | None = None
    high: Quantity | None = None


class DoseAndRate(FhirStruct, frozen=True):
    """One way in which a dose is stated: calculated, ordered, as an amount to give."""

    type: CodeableConcept | None = None
    dose_quantity: Quantity | None = None
    dose_range: Range | None = None
    rate_quantity: Quantity | None = None
    rate_ratio: Ratio | None = None


class DosageInstruction(FhirStruct, frozen=True):
    text: str | None = None
    route: CodeableConcept | None = None
    dose_and_rate: tuple[DoseAndRate, ...] = ()
    timing: msgspec.Raw = msgspec.Raw()


class MedicationRequest(FhirStruct, frozen=True):
    status: str = ""
    intent: str = ""
    medication_codeable_concept: CodeableConcept | None = None
    medication_reference: Reference | None = None
    contained: tuple[msgspec.Raw, ...] = ()
    authored_on: str | None = None
    do_not_perform: bool = False
    dosage_instruction: tuple[DosageInstruction, ...] = ()


class ServiceRequest(FhirStruct, frozen=True):
    status: str = ""
    code: CodeableConcept | None = None
    authored_on: str | None = None
    do_not_perform: bool = False
    occurrence_date_time: msgspec.Raw = msgspec.Raw()
    occurrence_period: msgspec.Raw = msgspec.Raw()
    occurrence_timing: msgspec.Raw = msgspec.Raw()


class PatientLink(FhirStruct, frozen=True):
    other: Reference = Reference()
    type: str = ""


class Patient(FhirStruct, frozen=True):
    birth_date: str | None = None
    deceased_boolean: bool = False
    deceased_date_time: str | None = None
    link: tuple[PatientLink, ...] = ()


class Issue(FhirStruct, frozen=True):
    severity: str = ""
    code: str = ""
    details: CodeableConcept | None = None


class OperationOutcome(FhirStruct, frozen=True):
    issue: tuple[Issue, ...] = ()


class SearchInfo(FhirStruct, frozen=True):
    mode: str | None = None


class Response(FhirStruct, frozen=True):
    status: str | None = None
    outcome: msgspec.Raw = msgspec.Raw(b"")


class Request(FhirStruct, frozen=True):
    method: str = ""
    url: str | None = None


class Entry(FhirStruct, frozen=True):
    resource: msgspec.Raw = msgspec.Raw(b"")
    full_url: str | None = None
    search: SearchInfo | None = None
    response: Response | None = None
    request: Request | None = None


NO_ENTRY = Entry()


class Link(FhirStruct, frozen=True):
    relation: str = ""
    url: str = ""


class Bundle(FhirStruct, frozen=True):
    """`null` in place of a list, or of one of its entries, is what some serializers write for nothing."""

    resource_type: str = ""
    type: str | None = None
    total: int | None = None
    link: tuple[Link, ...] | None = ()
    entry: tuple[Entry | None, ...] | None = ()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries; one that is `null` has no resource."""
        return tuple(one or NO_ENTRY for one in self.entry or ())

    @property
    def next_url(self) -> str | None:
        return self._url("next")

    @property
    def self_url(self) -> str | None:
        return self._url("self")

    def _url(self, relation: str) -> str | None:
        return next((link.url for link in self.link or () if link.relation == relation), None)
