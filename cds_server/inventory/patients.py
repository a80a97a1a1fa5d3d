"""The patients of an export by number. Ids are not kept: their hashes tell them apart."""

from __future__ import annotations

from fhir_mappings.reading.ownership import patients_named
from fhir_mappings.reading.resources import Claim

REMEMBERED, LONGEST = 50_000, 1000  # subjects as they are written, and bytes of one


class Patients:
    """Numbers for patients, in the order in which they were met."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._by_subject: dict[bytes, int | None] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def of(self, claim: Claim) -> int | None:
        """The patient that a resource is of, or is; None where it names none by reference."""
        if claim.type == "Patient":
            named = claim.reference.removeprefix("Patient/")
            return None if named.startswith("no-id-") else self._number(named)
        if claim.owner not in self._by_subject:
            named_ids = patients_named(claim.owner)
            found = self._number(named_ids[0]) if named_ids else None
            if len(claim.owner) > LONGEST:
                return found
            if len(self._by_subject) >= REMEMBERED:
                self._by_subject.clear()
            self._by_subject[claim.owner] = found
        return self._by_subject[claim.owner]

    def _number(self, patient_id: str) -> int:
        return self._numbers.setdefault(hash(patient_id), len(self._numbers))
