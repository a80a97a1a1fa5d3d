"""The owner of each resource. A resource of another patient refuses the whole call."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from fhir_mappings.reading.fhir_base import comparable
from fhir_mappings.reading.references import Reference, parsed_reference
from fhir_mappings.reading.resource_pool import ResourcePool
from fhir_mappings.reading.resources import Claim, Doubt


class AnotherPatientError(Exception):
    """A resource of another patient. `where` names its key and entry, never an id."""

    def __init__(self, where: str, *, from_client: bool) -> None:
        super().__init__(where)
        self.where = where
        self.from_client = from_client


@dataclass(frozen=True)
class Owner:
    """The patient of the call: the id, the FHIR base that it lives under, and the ids that it replaces."""

    patient_id: str
    fhir_base: str | None = None
    replaced: frozenset[str] = frozenset()

    def owns(self, reference: str) -> bool | None:
        """Tell whether a literal reference names this patient; None if it names no patient at all."""
        named = parsed_reference(reference)
        if named is None or named.type != "Patient":
            return None
        if not _is_under(named, self.fhir_base):
            return False
        return named.id == self.patient_id or named.id in self.replaced


def owner_of(patient_id: str, fhir_base: str | None, pool: ResourcePool) -> Owner:
    """The Owner, with the ids that the Patient's own links of type `replaces` name."""
    patient = pool.patient(patient_id)
    links = patient.link if patient is not None else ()
    named = [parsed_reference(link.other.reference or "") for link in links if link.type == "replaces"]
    replaced = {one.id for one in named if one is not None and one.type == "Patient" and _is_under(one, fhir_base)}
    return Owner(patient_id, fhir_base, frozenset(replaced))


def _is_under(named: Reference, fhir_base: str | None) -> bool:
    return not named.base or comparable(named.base) == comparable(fhir_base)


def check_owner(pool: ResourcePool, owner: Owner) -> None:
    """Set aside every resource that names no patient. Raises AnotherPatientError for one that names another.

    The check covers every entry that ever came in, even one that was broken or replaced by another of its id.
    """
    for claims in pool.claims.values():
        owned = _owned(claims[0], owner)
        if owned is False:
            raise AnotherPatientError(claims[0].where, from_client=claims[0].from_client)
        for claim in claims if owned is None else ():
            kept = pool.get(claim.reference)
            if kept is not None and kept.where == claim.where:
                pool.remove(claim.reference, Doubt.NO_OWNER)


def patients_named(owner: bytes) -> tuple[str, ...]:
    """The ids of the patients that a subject names by reference, however it is written."""
    named = map(parsed_reference, _references_in(owner))
    return tuple(dict.fromkeys(one.id for one in named if one is not None and one.type == "Patient"))


def _owned(claim: Claim, owner: Owner) -> bool | None:
    if claim.type == "Patient":
        named = claim.reference.removeprefix("Patient/")
        return None if named.startswith("no-id-") else named in {owner.patient_id, *owner.replaced}
    verdicts = [owner.owns(reference) for reference in _references_in(claim.owner)]
    return False if False in verdicts else True if True in verdicts else None


def _references_in(raw: bytes) -> list[str]:
    """The references of a subject, however it is written: another patient must not pass because the form is odd."""
    try:
        value = msgspec.json.decode(raw) if raw else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []
    subjects = value if isinstance(value, list) else [value]
    texts = [s.get("reference") if isinstance(s, dict) else s for s in subjects]
    return [_without_query(text.strip()).lstrip("/") for text in texts if isinstance(text, str)]


def _without_query(reference: str) -> str:
    return reference.partition("?")[0].partition("#")[0]
