"""Whose resource is it? One that is another patient's refuses the whole call."""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from fhir_mappings import fhir_structs as fs
from fhir_mappings.read_resources import Resource, ResourcePool

_REFERENCE = re.compile(r"(?:(?P<base>.+)/)?Patient/(?P<id>[A-Za-z0-9.-]{1,64})(?:/_history/[A-Za-z0-9.-]{1,64})?")
_decoder = msgspec.json.Decoder(fs.Reference)


class AnotherPatientError(Exception):
    """A resource of another patient. `where` names key and entry, never an id."""

    def __init__(self, where: str, *, from_client: bool) -> None:
        super().__init__(where)
        self.where = where
        self.from_client = from_client


@dataclass(frozen=True)
class Owner:
    """The patient of the call: the id, the FHIR base it lives under, and ids that it replaces."""

    patient_id: str
    fhir_base: str | None = None
    replaced: frozenset[str] = frozenset()

    def owns(self, reference: str) -> bool | None:
        """Whether a literal reference names this patient; None when it names no patient at all."""
        match = _REFERENCE.fullmatch(reference)
        if match is None:
            return None
        base = match.group("base")
        if base is not None and base.rstrip("/") != (self.fhir_base or "").rstrip("/"):
            return False
        return match.group("id") == self.patient_id or match.group("id") in self.replaced


def owner_of(patient_id: str, fhir_base: str | None, pool: ResourcePool) -> Owner:
    """The Owner, with the ids that the Patient's own links of type `replaces` name."""
    plain = Owner(patient_id, fhir_base)
    patient = pool.patient(patient_id)
    replaced = set()
    if patient is not None:
        for link in patient.link:
            match = _REFERENCE.fullmatch(link.other.reference or "")
            if link.type == "replaces" and match and match.group("base") in (None, fhir_base):
                replaced.add(match.group("id"))
    return Owner(plain.patient_id, plain.fhir_base, frozenset(replaced))


def check_owner(pool: ResourcePool, owner: Owner) -> None:
    """Set aside what names no patient; raises AnotherPatientError for what names another."""
    for resource in pool.all():
        if resource.type == "Medication":
            continue
        if resource.type == "Patient":
            if resource.reference.startswith("Patient/no-id-"):
                pool.remove(resource.reference, "Patient without id")
            elif resource.reference.removeprefix("Patient/") not in {owner.patient_id, *owner.replaced}:
                raise AnotherPatientError(resource.where, from_client=resource.from_client)
            continue
        owned = _owned(resource, owner)
        if owned is False:
            raise AnotherPatientError(resource.where, from_client=resource.from_client)
        if owned is None:
            pool.remove(resource.reference, "names no patient by reference")


def _owned(resource: Resource[fs.FhirStruct], owner: Owner) -> bool | None:
    if not resource.owner:
        return None
    try:
        reference = _decoder.decode(resource.owner).reference
    except msgspec.MsgspecError:
        return None
    return owner.owns(reference) if reference else None
