"""The end of an order, which its status of today does not tell: the next order of the drug, a stop, or its time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, tzinfo
from itertools import pairwise

from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.treatment import DrugClass
from fhir_mappings.known_at.stated_times import moment_in
from fhir_mappings.medications.drugs import drugs_in
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.resource_pool import ResourcePool

# what was once in force; the others never were, or nobody can tell
ONCE_ACTIVE = frozenset({"active", "on-hold", "completed", "stopped", "cancelled", "revoked"})
STOPPED = frozenset({"on-hold", "stopped", "cancelled", "revoked"})
NO_ORDER = frozenset({"proposal", "plan", "option"})  # intents that order nothing yet


def next_orders(pool: ResourcePool, terms: Terminology, zone: tzinfo, fhir_base: str | None) -> Mapping[str, datetime]:
    """The time at which each order of a drug was followed by the next of the same drug. The orders of one moment stand
    beside each other."""
    written: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for resource in pool.of_type(fs.MedicationRequest):
        at = moment_in(resource.data.authored_on, zone)
        if at is None or not _is_order(resource.data):
            continue
        for content in drugs_in(resource.data, pool, terms, fhir_base):
            if content.drug.drug_class is not DrugClass.UNIDENTIFIED:
                written[content.drug.ingredient].append((at.latest, resource.reference))
    found: dict[str, datetime] = {}
    for orders in written.values():
        following = dict(pairwise(sorted({when for when, _ in orders})))
        for when, reference in orders:
            if when in following:
                found[reference] = min(found.get(reference, following[when]), following[when])
    return found


def _is_order(data: fs.MedicationRequest) -> bool:
    return data.status in ONCE_ACTIVE and data.intent not in NO_ORDER and not data.do_not_perform
