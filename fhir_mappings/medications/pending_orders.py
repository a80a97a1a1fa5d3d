"""The active orders, and the orders that cannot be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, tzinfo

from fhir_mappings.codes.meanings import says_what
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.coverage import Kind, SetAside
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import Administration, DrugClass, PendingOrder
from fhir_mappings.medications.drugs import drugs_in, route_of
from fhir_mappings.medications.identified import UNNAMED
from fhir_mappings.medications.order_times import medication_times, service_times
from fhir_mappings.medications.stated_doses import statements_of
from fhir_mappings.medications.steroids import ordered_dose
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.fhir_time import moment_or_none
from fhir_mappings.reading.resource_pool import ResourcePool
from fhir_mappings.reading.resources import Resource

# FHIR's statuses for both kinds of orders
STATUSES = frozenset({
    "draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown", "cancelled", "stopped",
})  # fmt: skip


def unreadable_orders(pool: ResourcePool, terms: Terminology, fhir_base: str | None) -> tuple[SetAside, ...]:
    """The orders that may be active and do not say what they order: each may be the one that a card would suggest."""
    found: list[SetAside] = []
    for medication in pool.of_type(fs.MedicationRequest):
        drug = drugs_in(medication.data, pool, terms, fhir_base)[0].drug
        why = _unreadable(medication.data.status, named=drug != UNNAMED)
        if not why and drug.drug_class is DrugClass.UNIDENTIFIED and medication.data.status == "active":
            why = drug.ingredient
        found += [SetAside(medication.reference, why, frozenset({Kind.MEDICATION_ORDERS}))] if why else []
    for service in pool.of_type(fs.ServiceRequest):
        named = service.data.code is not None and says_what(service.data.code, terms)
        why = _unreadable(service.data.status, named=named)
        found += [SetAside(service.reference, why, frozenset({Kind.SERVICE_ORDERS}))] if why else []
    return tuple(found)


def _unreadable(status: str, *, named: bool) -> str:
    if status not in STATUSES:
        return "status is none of FHIR's"
    return "does not say what is ordered" if status == "active" and not named else ""


def active_orders(
    pool: ResourcePool,
    terms: Terminology,
    zone: tzinfo,
    given: Iterable[Administration],
    fhir_base: str | None,
    as_of: datetime,
    t: Thresholds,
) -> tuple[PendingOrder, ...]:
    """The active medication and service orders; one whose own end has passed is none.

    An administration answers an order if it names the order, or if it is of the same drug and starts at or after the
    order was authored: it is `charted`.
    """
    given = tuple(given)
    named = {r.split("/_history/")[0].rpartition("MedicationRequest/")[2] for a in given for r in a.requests}
    found: list[PendingOrder] = []
    for resource in pool.of_type(fs.MedicationRequest):
        data = resource.data
        times = medication_times(data, zone)
        if data.status != "active" or data.do_not_perform or times.is_over(as_of):
            continue
        for order in _medication_orders(resource, pool, terms, zone, fhir_base, t):
            charted = order.reference.removeprefix("MedicationRequest/") in named
            charted = charted or any(_charts(a, order) for a in given)
            found.append(replace(order, every=times.every, charted=charted))
    return (*found, *_service_orders(pool, terms, zone, as_of))


def _service_orders(pool: ResourcePool, terms: Terminology, zone: tzinfo, as_of: datetime) -> Iterator[PendingOrder]:
    for s in pool.of_type(fs.ServiceRequest):
        if s.data.status == "active" and not s.data.do_not_perform and not service_times(s.data, zone).is_over(as_of):
            sets = terms.sets_of(fs.codings_of(s.data.code))
            yield PendingOrder(s.reference, None, sets, moment_or_none(s.data.authored_on, zone))


def _medication_orders(
    resource: Resource[fs.MedicationRequest],
    pool: ResourcePool,
    terms: Terminology,
    zone: tzinfo,
    fhir_base: str | None,
    t: Thresholds,
) -> Iterator[PendingOrder]:
    """The order of each drug of a medication."""
    data = resource.data
    route = route_of(next((d.route for d in data.dosage_instruction if d.route), None), terms)
    stated = next(filter(None, (statements_of(d.dose_and_rate) for d in data.dosage_instruction)), [])
    text = next((d.text for d in data.dosage_instruction if d.text), None)
    authored = moment_or_none(data.authored_on, zone)
    for content in drugs_in(data, pool, terms, fhir_base, route):
        dose, steroid_mg = ordered_dose(content, stated, text, t)
        drug = None if content.drug == UNNAMED else content.drug
        yield PendingOrder(resource.reference, drug, frozenset(), authored, route, steroid_mg, dose)


def _charts(given: Administration, order: PendingOrder) -> bool:
    """The same drug, started at or after the order."""
    same = order.drug is not None and given.drug.ingredient == order.drug.ingredient
    return same and order.authored is not None and given.start.latest >= order.authored
