"""The systemic anti-infectives that a patient gets, from administrations and active orders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import lru_cache

from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.infection import AntiInfective
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import Route
from fhir_mappings.medications.anti_infective_names import ANTIBACTERIAL, AntiInfectiveDrug, anti_infectives
from fhir_mappings.medications.drugs import route_of
from fhir_mappings.medications.order_times import medication_times
from fhir_mappings.medications.products import NamesDrug, Part, Product, Shelf, product_of
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.fhir_time import BadTimeError, moment, moment_or_none
from fhir_mappings.reading.resource_pool import ResourcePool

GIVEN = frozenset({"in-progress", "completed", "stopped", "on-hold"})
REMEMBERED = 4096  # medications: a chart has few, each of them many times


@dataclass(frozen=True)
class _Dose:
    reference: str
    start: datetime
    running: bool
    treats: bool


def anti_infectives_of(
    pool: ResourcePool, terms: Terminology, zone: tzinfo, as_of: datetime, t: Thresholds, fhir_base: str | None
) -> tuple[AntiInfective, ...]:
    """The anti-infectives given of late, and those ordered of late of which no dose is charted; treatments first."""
    shelf = Shelf(pool, fhir_base)
    doses: dict[AntiInfectiveDrug, list[_Dose]] = defaultdict(list)
    for drug, dose in _doses(pool, shelf, terms, zone):
        if dose.start <= as_of + t.future_tolerance:
            doses[drug].append(dose)
    given = [one for drug, of in doses.items() if (one := _given(drug, of, as_of, t)) is not None]
    names = {one.name for one in given}
    ordered = [one for one in _ordered(pool, shelf, terms, zone, as_of, t) if one.name not in names]
    return tuple(sorted((*given, *ordered), key=lambda one: (not one.treats, not one.antibacterial, one.name)))


def anti_infective_sets(product: Product, terms: Terminology) -> frozenset[str]:
    """The value set of the anti-infective that a medication is; none for another medication."""
    drug = anti_infective_in(product, terms)
    return frozenset() if drug is None else frozenset({drug.set_id})


@lru_cache(maxsize=REMEMBERED)
def anti_infective_in(product: Product, terms: Terminology) -> AntiInfectiveDrug | None:
    """The anti-infective that a medication holds, by a code, else by a name."""
    known = anti_infectives(terms)
    coded = (known.coded(fs.codings_of(part.concept)) for part in product.parts)
    found = next((drug for drug in coded if drug is not None), None)
    if found is not None and not found.listed:  # a text may name the drug that the class leaves open
        return next((drug for drug in _named(product.parts, terms) if drug.set_id == found.set_id), found)
    return found or next(_named(product.parts, terms), None)


def _named(parts: Iterable[Part], terms: Terminology) -> Iterator[AntiInfectiveDrug]:
    known = anti_infectives(terms)
    for part in parts:
        for text in (part.concept.text, part.display, *(c.display for c in part.concept.coding)):
            drug = known.named(text) if text else None
            if drug is not None:
                yield drug


def _treats(drug: AntiInfectiveDrug, route: Route) -> bool:
    """Tell whether a drug by a route is treatment: into a vein, or by no stated route where it is no usual prophylaxis.

    An antibacterial by mouth empties the gut or prevents; none of them is the empirical treatment of sepsis.
    """
    return route is Route.INTRAVENOUS or (route is Route.NOT_STATED and not drug.prophylactic)


def _doses(
    pool: ResourcePool, shelf: Shelf, terms: Terminology, zone: tzinfo
) -> Iterator[tuple[AntiInfectiveDrug, _Dose]]:
    named: dict[fs.CodeableConcept | None, AntiInfectiveDrug | None] = {}  # a chart has few, each of them many times
    for resource in pool.of_type(fs.MedicationAdministration):
        data = resource.data
        concept = data.medication_codeable_concept
        if data.status not in GIVEN:
            continue
        if data.medication_reference is not None:
            drug = _drug(data, shelf, terms)
        else:
            if concept not in named:
                named[concept] = _drug(data, shelf, terms)
            drug = named[concept]
        if drug is None:
            continue
        route = route_of(data.dosage.route if data.dosage else None, terms)
        period = data.effective_period
        text = data.effective_date_time or (period.start if period else None)
        if route is Route.LOCAL or not text:
            continue
        try:
            start = moment(text, zone).earliest
        except BadTimeError:
            continue
        running = data.status == "in-progress" and not (period is not None and period.end)
        yield drug, _Dose(resource.reference, start, running, _treats(drug, route))


def _drug(data: NamesDrug, shelf: Shelf, terms: Terminology) -> AntiInfectiveDrug | None:
    return anti_infective_in(product_of(data, shelf), terms)


def _given(drug: AntiInfectiveDrug, doses: list[_Dose], as_of: datetime, t: Thresholds) -> AntiInfective | None:
    """The drug with the first dose of the present series, in which no dose lies further from the next than the time for
    which one counts; None if the last one is too old."""
    doses.sort(key=lambda dose: (dose.start, dose.reference))
    last = doses[-1]
    if as_of - last.start > t.anti_infective_given and not any(dose.running for dose in doses):
        return None
    since = last.start
    for dose in reversed(doses):
        if since - dose.start > t.anti_infective_given:
            break
        since = dose.start
    recent = [d for d in doses if d.running or as_of - d.start <= t.anti_infective_given]
    treats = any(dose.treats for dose in recent)
    return AntiInfective(last.reference, drug.name, since, True, drug.set_id == ANTIBACTERIAL, treats)


def _ordered(
    pool: ResourcePool, shelf: Shelf, terms: Terminology, zone: tzinfo, as_of: datetime, t: Thresholds
) -> Iterator[AntiInfective]:
    for resource in pool.of_type(fs.MedicationRequest):
        data = resource.data
        if data.status != "active" or data.do_not_perform or medication_times(data, zone).is_over(as_of):
            continue
        drug = _drug(data, shelf, terms)
        route = route_of(next((d.route for d in data.dosage_instruction if d.route), None), terms)
        authored = moment_or_none(data.authored_on, zone)
        if drug is None or route is Route.LOCAL or (authored and as_of - authored > t.anti_infective_order_age):
            continue
        antibacterial = drug.set_id == ANTIBACTERIAL
        yield AntiInfective(resource.reference, drug.name, authored, False, antibacterial, _treats(drug, route))
