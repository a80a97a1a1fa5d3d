"""Diagnoses, allergies, orders of tests, and patients."""

from __future__ import annotations

from collections.abc import Iterable

from cds_server.inventory.batch import Batch
from cds_server.inventory.code_names import CODED, observed_or_ordered
from cds_server.inventory.concepts import Concepts, Refusal
from cds_server.inventory.in_force import InForce
from cds_server.inventory.naming import named
from cds_server.inventory.tally import Seen
from cds_server.inventory.unknown_codes import UnknownCodes
from fhir_mappings.birth_date import age_at
from fhir_mappings.caution import allergens, doubtful_allergies
from fhir_mappings.conditions import is_active, recorded_at, unnamed_diagnoses
from fhir_mappings.facts.coverage import SetAside
from fhir_mappings.facts.treatment import DrugClass
from fhir_mappings.reading import fhir_structs as fs

_ALLERGY, _DIAGNOSIS, _ORDER, _PATIENT = "AllergyIntolerance", "Condition", "ServiceRequest", "Patient"
NO_AGE = "no birthDate that gives an age"


class Diagnoses:
    """The counts: codes of diagnoses and of ordered tests that are not known."""

    def __init__(self, in_force: InForce, concepts: Concepts) -> None:
        self._in_force, self._concepts = in_force, concepts
        self.unknown = UnknownCodes(in_force.terms, CODED)
        self.unknown_orders = UnknownCodes(in_force.terms, observed_or_ordered())

    def take(self, batch: Batch) -> None:
        self._take_diagnoses(batch)
        self._take_allergies(batch)
        self._take_orders(batch)
        for patient in batch.pool.of_type(fs.Patient):
            if age_at(patient.data.birth_date, self._in_force.as_of.astimezone(self._in_force.zone).date()) is None:
                self._concepts.set_aside(Refusal(_PATIENT, "", NO_AGE), batch.seen(patient.reference, None))

    def _take_diagnoses(self, batch: Batch) -> None:
        terms, zone = self._in_force.terms, self._in_force.zone
        for resource in batch.pool.of_type(fs.Condition):
            code = resource.data.code
            seen = batch.seen(resource.reference, recorded_at(resource.data, zone))
            self._count_coded(_DIAGNOSIS, code, terms.sets_of(fs.codings_of(code)) & CODED, self.unknown, seen)
        self._refuse(unnamed_diagnoses(batch.pool, terms), batch)

    def _count_coded(
        self, resource_type: str, code: fs.CodeableConcept, sets: frozenset[str], unknown: UnknownCodes, seen: Seen
    ) -> None:
        if not sets and (code.coding or code.text):
            unknown.add(code, None, seen)
        for set_id in sets:
            self._concepts.add(resource_type, set_id, self._concepts.coded(set_id, fs.codings_of(code), None), seen)

    def _take_allergies(self, batch: Batch) -> None:
        terms = self._in_force.terms
        for resource in batch.pool.of_type(fs.AllergyIntolerance):
            if is_active(resource.data) and any(
                drug.drug_class is DrugClass.TOCILIZUMAB for drug in allergens(resource, terms)
            ):
                seen = batch.seen(resource.reference, None)
                self._concepts.add(_ALLERGY, DrugClass.TOCILIZUMAB.value, named(resource.data.code), seen)
        self._refuse(doubtful_allergies(batch.pool, terms), batch, DrugClass.TOCILIZUMAB.value)

    def _take_orders(self, batch: Batch) -> None:
        terms = self._in_force.terms
        for resource in batch.pool.of_type(fs.ServiceRequest):
            code = resource.data.code or fs.CodeableConcept()
            seen = batch.seen(resource.reference, self._in_force.instant(resource.data.authored_on))
            self._count_coded(_ORDER, code, terms.sets_of(fs.codings_of(code)), self.unknown_orders, seen)

    def _refuse(self, bad: Iterable[SetAside], batch: Batch, value_set: str = "") -> None:
        for one in bad:
            resource = batch.pool.get(one.reference)
            if resource is not None:
                self._concepts.set_aside(Refusal(resource.type, value_set, one.why), batch.seen(one.reference, None))
