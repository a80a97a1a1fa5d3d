"""What else the chart says: active orders, coded diagnoses, allergies, weight and blood counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal

from fhir_mappings import fhir_structs as fs
from fhir_mappings.clinical_facts import (
    Administration,
    Drug,
    DrugClass,
    LabValue,
    PendingOrder,
    SetAside,
    SteroidGiven,
    Weight,
)
from fhir_mappings.drugs import drug_in, drug_of, route_of
from fhir_mappings.fhir_time import BadTimeError, moment
from fhir_mappings.observations import Observations, Observed, codings_of
from fhir_mappings.read_resources import ResourcePool
from fhir_mappings.terminology import Terminology
from fhir_mappings.thresholds import Thresholds
from fhir_mappings.treatments import given_at, of_class
from fhir_mappings.units import Measure, UnitError, converted, unit_of
from fhir_mappings.vital_signs import readings

_REFUTED = frozenset({"refuted", "entered-in-error"})
_INACTIVE = frozenset({"inactive", "resolved"})


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
        authored = _authored(data.authored_on, zone)
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
            found.append(PendingOrder(service.reference, None, sets, _authored(service.data.authored_on, zone)))
    return tuple(found)


def _authored(text: str | None, zone: tzinfo) -> datetime | None:
    try:
        return moment(text, zone).latest if text else None
    except BadTimeError:
        return None


def claims(
    pool: ResourcePool, terms: Terminology, zone: tzinfo, as_of: datetime, max_age: timedelta
) -> tuple[tuple[str, ...], bool]:
    """The coded CRS grades recorded recently, and whether any code claims recent CAR-T, CRS or ICANS."""
    coded: list[str] = []
    claimed = False
    for resource in pool.of_type(fs.Condition):
        data = resource.data
        if _coded_as(data.verification_status, _REFUTED):
            continue
        sets = terms.sets_of(codings_of(data.code)) & {"coded-crs", "coded-icans", "car-t-history"}
        when = _authored(data.recorded_date or data.onset_date_time, zone)
        if not sets or when is None or as_of - when > max_age:
            continue
        claimed = True
        if "coded-crs" in sets:
            coded += [c.code for c in data.code.coding if c.code and c.code.startswith("D89.83")]
    return tuple(dict.fromkeys(coded)), claimed


def _coded_as(concept: fs.CodeableConcept | None, codes: frozenset[str]) -> bool:
    return concept is not None and any(c.code in codes for c in concept.coding)


def tocilizumab_hypersensitivity(pool: ResourcePool, terms: Terminology) -> str | None:
    """The reference of an active allergy or intolerance to tocilizumab."""
    for resource in pool.of_type(fs.AllergyIntolerance):
        if _coded_as(resource.data.verification_status, _REFUTED) or _coded_as(
            resource.data.clinical_status, _INACTIVE
        ):
            continue
        drug = drug_of(resource.data.code, None, (), pool, terms, None)
        if drug is not None and drug.drug_class is DrugClass.TOCILIZUMAB:
            return resource.reference
    return None


def latest_weight(
    observations: Observations, as_of: datetime, max_age: timedelta
) -> tuple[Weight | None, tuple[SetAside, ...]]:
    """The latest weight that is recent enough to dose by."""
    good, bad = readings(observations.of("body-weight"), Measure.WEIGHT, as_of)
    recent = [r for r in good if as_of - r.at <= max_age]
    return (Weight(recent[-1].reference, recent[-1].value, recent[-1].at) if recent else None), bad


def latest_neutrophils(
    observations: Observations, as_of: datetime, max_age: timedelta
) -> tuple[LabValue | None, tuple[SetAside, ...]]:
    """The latest count, in 10*3/uL; "below v" is read as v. Unknown where the latest could not be read."""
    plain = [_upper_bound(o) for o in observations.of("neutrophils") if o.status != "preliminary"]
    good, bad = readings(plain, Measure.NEUTROPHILS, as_of)
    recent = [r for r in good if as_of - r.at <= max_age]
    later = recent and any(b.at is not None and b.at.latest > recent[-1].at for b in bad)
    known = bool(recent) and not later
    return (LabValue(recent[-1].reference, recent[-1].value, recent[-1].at) if known else None), bad


def _upper_bound(o: Observed) -> Observed:
    if o.quantity is None or o.quantity.comparator not in ("<", "<="):
        return o
    return replace(o, quantity=fs.Quantity(o.quantity.value, None, o.quantity.unit, o.quantity.code))


def steroids_given(given: Iterable[Administration], as_of: datetime, t: Thresholds) -> tuple[SteroidGiven, ...]:
    """Systemic corticosteroids of the last 12 h or still infusing, in dexamethasone equivalents where known."""
    found = []
    for a in of_class(given, DrugClass.STEROID):
        at = given_at(a.start, as_of)
        infusing = a.open_ended or (a.end is not None and a.end >= as_of)
        if a.status != "unknown" and (infusing or as_of - at <= t.steroid_running):
            equivalent = _dexamethasone(a.drug.ingredient, a.dose_mg, t)
            found.append(SteroidGiven(a.reference, a.drug.ingredient, at, infusing, equivalent))
    return tuple(found)


def ordered_dose(drug: Drug | None, quantity: fs.Quantity | None, t: Thresholds) -> tuple[Decimal | None, bool]:
    """An ordered dose in milligrams of dexamethasone, and whether a dose is stated at all."""
    if drug is None or drug.drug_class is not DrugClass.STEROID or quantity is None or quantity.value is None:
        return None, False
    try:
        mg = converted(quantity.value, unit_of(quantity), Measure.MASS)
    except UnitError:
        return None, False
    return _dexamethasone(drug.ingredient, mg, t), True


def _dexamethasone(ingredient: str, mg: Decimal | None, t: Thresholds) -> Decimal | None:
    """Milligrams of dexamethasone that this dose equals; None where no equivalence is listed."""
    per = {
        "dexamethasone": Decimal(1),
        "methylprednisolone": t.methylprednisolone_per_dexa,
        "prednisone": t.prednisone_per_dexa,
        "prednisolone": t.prednisone_per_dexa,
    }.get(ingredient)
    return mg / per if mg is not None and per is not None else None


def done_recently(observations: Observations, as_of: datetime, max_age: timedelta) -> frozenset[str]:
    """The value sets of cultures, PCR, imaging and laboratory tests done within `max_age`."""
    return frozenset(
        set_id
        for set_id, observed in observations.by_set.items()
        if any(as_of - o.at.latest <= max_age for o in observed)
    )
