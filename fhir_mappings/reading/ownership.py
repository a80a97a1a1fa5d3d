"""Whose resource is it? One that is another patient's refuses the whole call."""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from fhir_mappings.reading.fhir_base import comparable
from fhir_mappings.reading.resource_pool import ResourcePool
from fhir_mappings.reading.resources import NO_OWNER, Claim

_REFERENCE = re.compile(r"(?:(?P<base>.+)/)?Patient/(?P<id>[A-Za-z0-9.-]{1,64})(?:/_history/[A-Za-z0-9.-]{1,64})?")


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
        if base is not None and comparable(base) != comparable(self.fhir_base):
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
            ours = match is not None and (not match["base"] or comparable(match["base"]) == comparable(fhir_base))
            if link.type == "replaces" and match is not None and ours:
                replaced.add(match["id"])
    return Owner(plain.patient_id, plain.fhir_base, frozenset(replaced))


def check_owner(pool: ResourcePool, owner: Owner) -> None:
    """Set aside what names no patient; raises AnotherPatientError for what names another.

    Every entry that ever came is checked, also one that was broken or that another of its id replaced.
    """
    verdicts: dict[tuple[bytes, ...], bool | None] = {}  # nearly all say the same, byte for byte
    for claim in pool.claims:
        said = (claim.owner,) if claim.type != "Patient" else (claim.owner, claim.reference.encode())
        if said not in verdicts:
            verdicts[said] = _owned(claim, owner)
        owned = verdicts[said]
        if owned is False:
            raise AnotherPatientError(claim.where, from_client=claim.from_client)
        kept = pool.get(claim.reference)
        if owned is None and kept is not None and kept.where == claim.where:
            pool.remove(claim.reference, NO_OWNER)


def _owned(claim: Claim, owner: Owner) -> bool | None:
    if claim.type == "Patient":
        named = claim.reference.removeprefix("Patient/")
        return None if named.startswith("no-id-") else named in {owner.patient_id, *owner.replaced}
    verdicts = [owner.owns(reference) for reference in _references_in(claim.owner)]
    return False if False in verdicts else True if True in verdicts else None


def _references_in(raw: bytes) -> list[str]:
    """The references of a subject, however it is written: another patient's must not pass for being odd."""
    try:
        value = msgspec.json.decode(raw) if raw else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []
    subjects = value if isinstance(value, list) else [value]
    texts = [s.get("reference") if isinstance(s, dict) else s for s in subjects]
    return [re.split(r"[?#]", text.strip())[0].lstrip("/") for text in texts if isinstance(text, str)]
