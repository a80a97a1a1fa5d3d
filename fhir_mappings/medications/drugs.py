"""The drugs, and their route, of an administration, an order, a draft or an allergy, all by the same function."""

from __future__ import annotations

from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.treatment import Route
from fhir_mappings.medications.amounts import Content
from fhir_mappings.medications.identified import contents
from fhir_mappings.medications.products import NamesDrug, Shelf, product_of
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.resource_pool import ResourcePool

_ROUTES = {
    "intravenous-route": Route.INTRAVENOUS,
    "subcutaneous-route": Route.SUBCUTANEOUS,
    "local-route": Route.LOCAL,
    "other-systemic-route": Route.OTHER,
}


def drugs_in(
    data: NamesDrug, pool: ResourcePool, terms: Terminology, fhir_base: str | None, route: Route = Route.NOT_STATED
) -> tuple[Content, ...]:
    """The drugs of an administration or order in the record; at least one, of whatever class."""

    def read(data: NamesDrug) -> tuple[Content, ...]:
        return contents(product_of(data, Shelf(pool, fhir_base)), terms, route)

    if pool.memory is None:
        return read(data)
    return pool.memory.once(("drugs", terms, fhir_base, route, pool.products), data, read)


class DrugsOfChart:
    """The same for many administrations. What a concept alone names is looked up once: a chart has few of them, each
    many times."""

    def __init__(self, pool: ResourcePool, terms: Terminology, fhir_base: str | None) -> None:
        self._shelf = Shelf(pool, fhir_base)
        self._terms = terms
        self._named: dict[tuple[fs.CodeableConcept | None, Route], tuple[Content, ...]] = {}

    def within(self, data: NamesDrug, route: Route) -> tuple[Content, ...]:
        if data.medication_reference is not None:
            return contents(product_of(data, self._shelf), self._terms, route)
        key = (data.medication_codeable_concept, route)
        found = self._named.get(key)
        if found is None:
            found = self._named[key] = contents(product_of(data, self._shelf), self._terms, route)
        return found


def route_of(concept: fs.CodeableConcept | None, terms: Terminology) -> Route:
    if concept is None:
        return Route.NOT_STATED
    sets = terms.sets_of(fs.codings_of(concept)) | terms.sets_of_text(concept.text)
    for coding in concept.coding:
        sets |= terms.sets_of_text(coding.display) | terms.sets_of_text(coding.code)
    for set_id, route in _ROUTES.items():
        if set_id in sets:
            return route
    return Route.NOT_STATED
