"""Drugs given, ordered and not tolerated: those of ours by name, those not identified, others by frequency."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from cds_server.inventory.batch import Batch
from cds_server.inventory.concepts import Concepts, Refusal
from cds_server.inventory.impact import weightiest
from cds_server.inventory.in_force import InForce
from cds_server.inventory.naming import named, shape, texts_in
from cds_server.inventory.tally import Named, Seen, Tallies
from fhir_mappings.facts.coverage import SetAside
from fhir_mappings.facts.treatment import OURS, Drug, DrugClass, Route
from fhir_mappings.medications.anti_infectives import anti_infective_in
from fhir_mappings.medications.drugs import route_of
from fhir_mappings.medications.identified import UNNAMED, contents
from fhir_mappings.medications.pending_orders import unreadable_orders
from fhir_mappings.medications.products import Product, Shelf, product_of
from fhir_mappings.medications.treatments import NEVER_GIVEN, administrations
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.resources import Resource

GIVEN, ORDERED = "MedicationAdministration", "MedicationRequest"
_NOT_ORDERED = frozenset({"entered-in-error"})
NOT_HERE = "the Medication that it refers to is not in these files"
_TOLD = 4096  # products whose names are remembered


class DoubtfulDrug(NamedTuple):
    """A medication that is not identified: its name, why not, and the classes that it may be of."""

    name: Named
    why: str
    resembles: frozenset[DrugClass]


class Medications:
    """The counts. `around` names CAR-T cells and is no infusion, `others` are drugs that are none of ours, `routes`
    those that are not known."""

    def __init__(self, in_force: InForce, concepts: Concepts) -> None:
        self._in_force, self._concepts = in_force, concepts
        self.doubtful: Tallies[DoubtfulDrug] = Tallies()
        self.around: Tallies[Named] = Tallies()
        self.others: Tallies[Named] = Tallies()
        self.routes: Tallies[Named] = Tallies()

    def take(self, batch: Batch) -> None:
        i, pool = self._in_force, batch.pool
        _, given = administrations(pool, i.terms, i.zone, i.as_of, i.thresholds, batch.fhir_base)
        orders = unreadable_orders(pool, i.terms, batch.fhir_base)
        refused: dict[str, list[SetAside]] = defaultdict(list)
        for one in (*given, *orders):
            if one.kinds:  # what names CAR-T cells and is no infusion is a hole in nothing
                refused[one.reference].append(one)
        for administration in pool.of_type(fs.MedicationAdministration):
            self._take_given(administration, batch, refused[administration.reference])
        for order in pool.of_type(fs.MedicationRequest):
            self._take_ordered(order, batch, refused[order.reference])
        for test in pool.of_type(fs.ServiceRequest):
            seen = batch.seen(test.reference, i.instant(test.data.authored_on))
            for one in refused[test.reference]:
                self._concepts.set_aside(Refusal(test.type, "", one.why), seen)

    def _take_given(
        self, resource: Resource[fs.MedicationAdministration], batch: Batch, refused: Sequence[SetAside]
    ) -> None:
        data = resource.data
        seen = batch.seen(resource.reference, self._in_force.instant(_charted_time(data)))
        if data.status in NEVER_GIVEN:
            self._concepts.pass_over(GIVEN, "", data.status, seen)
        else:
            self._count(data, data.dosage.route if data.dosage else None, batch, seen, refused)

    def _take_ordered(
        self, resource: Resource[fs.MedicationRequest], batch: Batch, refused: Sequence[SetAside]
    ) -> None:
        data = resource.data
        seen = batch.seen(resource.reference, self._in_force.instant(data.authored_on))
        if data.status in _NOT_ORDERED:
            self._concepts.pass_over(ORDERED, "", data.status, seen)
        else:
            self._count(data, next((d.route for d in data.dosage_instruction if d.route), None), batch, seen, refused)

    def _count(
        self,
        data: fs.MedicationAdministration | fs.MedicationRequest,
        route: fs.CodeableConcept | None,
        batch: Batch,
        seen: Seen,
        refused: Sequence[SetAside],
    ) -> None:
        """Count the drugs of one resource: as read, as set aside, as not identified, or as none of ours."""
        terms, resource_type = self._in_force.terms, type(data).__name__
        product, read = product_of(data, Shelf(batch.pool, batch.fhir_base)), route_of(route, terms)
        name = name_of(product)
        drugs = [content.drug for content in contents(product, terms, read)]
        ours = {drug.drug_class.value for drug in drugs if drug.drug_class in OURS}
        for drug in drugs:
            if drug.drug_class is DrugClass.UNIDENTIFIED:
                why = NOT_HERE if drug == UNNAMED and product.missing else drug.ingredient
                self.doubtful.add(DoubtfulDrug(name, why, drug.resembles), seen)
            elif drug.drug_class is DrugClass.OTHER:
                self._count_other(drug, product, resource_type, name, seen)
        if all(drug.drug_class is not DrugClass.UNIDENTIFIED for drug in drugs):
            for one in refused:
                stands = shape(_charted_time(data)) if seen.at is None else ""
                self._concepts.set_aside(Refusal(resource_type, weightiest(ours), one.why, stands), seen)
        if not refused:
            for value_set in ours:
                self._concepts.add(resource_type, value_set, name, seen)
        if ours and route is not None and read is Route.NOT_STATED:
            self.routes.add(named(route), seen)

    def _count_other(self, drug: Drug, product: Product, resource_type: str, name: Named, seen: Seen) -> None:
        against = anti_infective_in(product, self._in_force.terms)
        if against is not None:
            self._concepts.add(resource_type, against.set_id, name, seen)
        else:
            (self.around if drug.resembles else self.others).add(name, seen)


def _charted_time(data: fs.MedicationAdministration | fs.MedicationRequest) -> str | None:
    if isinstance(data, fs.MedicationRequest):
        return data.authored_on
    return data.effective_date_time or (data.effective_period.start if data.effective_period else None)


@lru_cache(maxsize=_TOLD)
def name_of(product: Product) -> Named:
    """The name of a product: its first code, and the texts of all its parts."""
    texts = dict.fromkeys(text for p in product.parts for text in (*texts_in(p.concept), p.display) if text)
    first = next((found for p in product.parts if (found := named(p.concept)).code), Named())
    own = next((named(p.concept, p.display).text for p in product.parts), "")
    joined = " / ".join(texts) if len(product.parts) > 1 else own
    return first._replace(text=named(None, joined).text)
