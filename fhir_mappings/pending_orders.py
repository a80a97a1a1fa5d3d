"""Active orders that no administration answers yet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo

from fhir_mappings import fhir_structs as fs
from fhir_mappings.clinical_facts import Administration, PendingOrder
from fhir_mappings.drugs import drug_in, route_of
from fhir_mappings.fhir_time import moment_or_none
from fhir_mappings.observations import codings_of
from fhir_mappings.read_resources import ResourcePool
from fhir_mappings.steroids import ordered_dose
from fhir_mappings.terminology import Terminology
from fhir_mappings.thresholds import Thresholds


def pending_orders(
    pool: ResourcePool,
    terms: Terminology,
    zone: tzinfo,
    given: Iterable[Administration],
    fhir_base: str | None,
    t: Thresholds,
) -> tuple[PendingOrder, ...]:
    """Active medication and service orders that no administration answers yet.

    An order is charted when an administration names it, or one of the same drug starts at or after it.
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
            sets = terms.sets_of(codings_of(service.data.code))
            found.append(PendingOrder(service.reference, None, sets, moment_or_none(service.data.authored_on, zone)))
    return tuple(found)
