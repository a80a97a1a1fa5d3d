"""Procedures → CAR-T infusions, and what may be one: by code, else by the words of its texts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from fhir_mappings.codes.car_t_bytes import name_cells
from fhir_mappings.codes.car_t_words import CarT, car_t_reading
from fhir_mappings.codes.drug_texts import MayMean
from fhir_mappings.codes.meanings import says_what
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.coverage import FUTURE_DATED, Kind, SetAside
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.time_and_range import Moment
from fhir_mappings.facts.treatment import DrugClass
from fhir_mappings.medications.doubts import UNNAMED_PRODUCT, may_be_infusion, no_infusion
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.fhir_time import BadTimeError, moment, moment_or_none
from fhir_mappings.reading.resource_pool import ResourcePool
from fhir_mappings.reading.resources import Resource, kinds_of

_PERFORMED = frozenset({"completed", "in-progress"})
_NEVER_PERFORMED = frozenset({"not-done", "entered-in-error", "preparation"})
_PROCEDURES = frozenset({Kind.PROCEDURES})
_CELLS = frozenset({DrugClass.CAR_T})

Record = tuple[str, Moment, str]
"""Reference, start and product of one record of an infusion."""


@dataclass(frozen=True)
class Read:
    """The words of a procedure about CAR-T cells, the product, and the text that says it."""

    says: CarT
    product: str = UNNAMED_PRODUCT
    text: str = ""


def infusion_procedures(
    pool: ResourcePool, terms: Terminology, zone: tzinfo, as_of: datetime, t: Thresholds
) -> tuple[tuple[Record, ...], tuple[SetAside, ...]]:
    """CAR-T administration procedures that were done, and what may be one and cannot be used."""
    good: list[Record] = []
    bad: list[SetAside] = []
    for resource in pool.of_type(fs.Procedure):
        if resource.data.status in _NEVER_PERFORMED:
            continue
        read = procedure_reading(resource.data, terms)
        if read.says is not CarT.INFUSION:
            bad += _not_an_infusion(resource, read, terms, zone)
            continue
        try:
            good.append((resource.reference, _performed(resource.data, zone, as_of, t), read.product))
        except BadTimeError as error:
            bad.append(SetAside(resource.reference, f"CAR-T administration: {error}", _PROCEDURES, infusion=True))
    return tuple(good), tuple(bad)


def _performed(data: fs.Procedure, zone: tzinfo, as_of: datetime, t: Thresholds) -> Moment:
    """The time at which a procedure began. Raises BadTimeError where it does not say so, or not that it was done."""
    text = performed_text(data)
    if data.status not in _PERFORMED:
        raise BadTimeError("status does not say that it was done")
    if not text:
        raise BadTimeError("no time performed")
    at = moment(text, zone)
    if at.earliest > as_of + t.future_tolerance:
        raise BadTimeError(FUTURE_DATED)
    # a clock a little ahead of ours: it counts as now
    return Moment(as_of, as_of) if at.earliest > as_of else at


def performed_text(data: fs.Procedure) -> str | None:
    return data.performed_date_time or (data.performed_period.start if data.performed_period else None)


def _not_an_infusion(
    resource: Resource[fs.Procedure], read: Read, terms: Terminology, zone: tzinfo
) -> tuple[SetAside, ...]:
    if read.says is CarT.AROUND:
        return (SetAside(resource.reference, no_infusion(read.text)),)
    if read.says is CarT.DOUBT:
        at = moment_or_none(performed_text(resource.data), zone)
        when = Moment(at, at) if at is not None else None
        why = may_be_infusion(read.text)
        return (SetAside(resource.reference, why, _PROCEDURES, when, infusion=True, drugs=_CELLS),)
    if says_what(resource.data.code, terms):
        return ()
    kinds = resource.kinds or kinds_of("Procedure")
    # what was asked for as cell therapy and does not say what was done may be the infusion
    infusion = Kind.PROCEDURES in kinds or name_cells(resource.raw, terms)
    return (SetAside(resource.reference, "does not say what was done", kinds, infusion=infusion),)


def procedure_reading(data: fs.Procedure, terms: Terminology) -> Read:
    """A code of ours decides before any word. A procedure beside another drug of ours is one of that drug."""
    codings = fs.codings_of(data.code)
    if "car-t-administration" in terms.sets_of(codings):
        return Read(CarT.INFUSION, _coded_product(data, terms))
    texts = tuple(dict.fromkeys(t for t in (data.code.text, *(c.display for c in data.code.coding)) if t))
    readings = tuple(terms.read(text) for text in texts)
    drugs = [terms.drug_named(i) for reading in readings for i in reading.ingredients]
    products = [drug.ingredient for drug in drugs if drug.drug_class is DrugClass.CAR_T]
    together = " / ".join(texts)
    says = car_t_reading(together, product=bool(products))
    if says is CarT.NOTHING and any(_may_be_cells(m, terms) for reading in readings for m in reading.may_mean):
        says = CarT.DOUBT
    if len(products) < len(drugs):
        return Read(CarT.NOTHING)
    return Read(says, products[0] if products else UNNAMED_PRODUCT, together)


def _may_be_cells(meant: MayMean, terms: Terminology) -> bool:
    return meant.ingredient is not None and terms.drug_named(meant.ingredient).drug_class is DrugClass.CAR_T


def _coded_product(data: fs.Procedure, terms: Terminology) -> str:
    codes = {c.code for c in data.code.coding}
    for concept in terms.value_sets["car-t-administration"]:
        if concept.code in codes and concept.ingredient:
            return concept.ingredient
    return UNNAMED_PRODUCT
