"""The active orders that no administration answers yet, and the orders that cannot be read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo

from fhir_mappings.codes.meanings import says_what
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.coverage import Kind, SetAside
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import Administration, PendingOrder
from fhir_mappings.medications.drugs import drug_in, route_of
from fhir_mappings.medications.steroids import ordered_dose
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.fhir_time import moment_or_none
from fhir_mappings.reading.resource_pool import ResourcePool

# FHIR's statuses for both kinds of orders
STATUSES = frozenset({
    "draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown", "cancelled", "stopped",
})  # fmt: skip


def unreadable_orders(pool: ResourcePool, terms: Terminology, fhir_base: str | None) -> tuple[SetAside, ...]:
    """The orders that may be active and do not say what they order: each may be the one that a card would suggest."""
    found: list[SetAside] = []
    for medication in pool.of_type(fs.MedicationRequest):
        why = _unreadable(medication.data.status, named=drug_in(medication.data, pool, terms, fhir_base) is not None)
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


def pending_orders(
    pool: ResourcePool,
    terms: Terminology,
    zone: tzinfo,
    given: Iterable[Administration],
    fhir_base: str | None,
    t: Thresholds,
) -> tuple[PendingOrder, ...]:
    """The active medication and service orders that no administration answers yet.

    An administration answers an order if it names the order, or if it is of the same drug and starts at or after the
    order was authored.
    """
    given = tuple(given)
    named = {r.split("/_history/")[0].rpartition("MedicationRequest/")[2] for a in given for r in a.requests}
    found: list[PendingOrder] = []
    for medication in pool.of_type(fs.MedicationRequest):
        data = medication.data
        if data.status != "active" or data.do_not_perform:
            continue
        route = route_of(next((d.route for d in data.dosage_instruction if d.route), None), terms)
        drug = drug_in(data, pool, terms, fhir_base, route)
        authored = moment_or_none(data.authored_on, zone)
        charted = any(
            drug is not None and a.drug.ingredient == drug.ingredient and authored and a.start.latest >= authored
            for a in given
        )
        if charted or medication.reference.removeprefix("MedicationRequest/") in named:
            continue
        doses = [r.dose_quantity for d in data.dosage_instruction for r in d.dose_and_rate if r.dose_quantity]
        dexamethasone_mg, stated = ordered_dose(drug, doses[0] if doses else None, t)
        found.append(PendingOrder(medication.reference, drug, frozenset(), authored, route, dexamethasone_mg, stated))
    for service in pool.of_type(fs.ServiceRequest):
        if service.data.status == "active" and not service.data.do_not_perform:
            sets = terms.sets_of(fs.codings_of(service.data.code))
            found.append(PendingOrder(service.reference, None, sets, moment_or_none(service.data.authored_on, zone)))
    return tuple(found)
