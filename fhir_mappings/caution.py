"""The cautions of the label before tocilizumab: counts, liver enzymes, hypersensitivity."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from decimal import Decimal

from msgspec.structs import replace

from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.conditions import is_active
from fhir_mappings.facts.coverage import Kind, SetAside
from fhir_mappings.facts.labs import LabValue, SafetyLabs
from fhir_mappings.facts.measures import Measure
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import Drug, DrugClass
from fhir_mappings.medications.identified import UNNAMED, contents
from fhir_mappings.medications.products import Part, Product
from fhir_mappings.observations import Observations, Observed
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.resource_pool import ResourcePool
from fhir_mappings.reading.resources import Resource
from fhir_mappings.reading.units import UnitError, measured
from fhir_mappings.vital_signs import readings, stated_quantity

MOST_TIMES_NORMAL = 5  # a stated upper limit beyond so many times `enzymes_normal` limits something else
_LABS = (
    ("ANC", "neutrophils", Measure.COUNT),
    ("platelets", "platelets", Measure.COUNT),
    ("ALT", "alanine-aminotransferase", Measure.ENZYME),
    ("AST", "aspartate-aminotransferase", Measure.ENZYME),
)


def safety_labs(observations: Observations, as_of: datetime, t: Thresholds) -> tuple[SafetyLabs, tuple[SetAside, ...]]:
    """The latest neutrophils, platelets, ALT and AST within `safety_labs_age`, and the results set aside."""
    values: dict[str, LabValue | None] = {}
    aside: list[SetAside] = []
    unreadable: list[str] = []
    for name, set_id, measure in _LABS:
        value, bad, lost = _latest(observations.of(set_id), measure, as_of, t)
        values[name] = value
        aside += bad
        unreadable += [name] if lost else []
    labs = SafetyLabs(values["ANC"], values["platelets"], values["ALT"], values["AST"], tuple(unreadable))
    return labs, tuple(aside)


def _latest(
    observed: Iterable[Observed], measure: Measure, as_of: datetime, t: Thresholds
) -> tuple[LabValue | None, tuple[SetAside, ...], bool]:
    """The latest value, the results set aside, and whether the latest of all could not be read.

    A result "below" or "above" a number counts as that number, with its comparator.
    """
    observed = tuple(map(_in_numbers, observed))
    final = [_without_comparator(o) for o in observed if o.status != "preliminary"]
    good, bad = readings(final, measure, as_of)
    recent = [r for r in good if as_of - r.at <= t.safety_labs_age]
    since = recent[-1].at if recent else as_of - t.safety_labs_age
    lost = any(b.at is None or b.at.latest > since for b in bad)
    if not recent or lost:
        return None, bad, lost
    last = recent[-1]
    source = next(o for o in observed if o.reference == last.reference)
    comparator = (source.quantity.comparator if source.quantity else None) or ""
    upper = _upper_normal(source, measure, t)
    return LabValue(last.reference, last.value, last.at, upper, comparator), bad, False


def _in_numbers(o: Observed) -> Observed:
    """The result with the quantity that its text is, as far as it is one."""
    with suppress(UnitError):
        return replace(o, quantity=stated_quantity(o))
    return o


def _without_comparator(o: Observed) -> Observed:
    if o.quantity is None or o.quantity.comparator not in ("<", "<=", ">", ">="):
        return o
    return replace(o, quantity=replace(o.quantity, comparator=None))


def _upper_normal(o: Observed, measure: Measure, t: Thresholds) -> Decimal | None:
    """The upper limit of normal that the result states, in a unit that can be converted; of several the lowest."""
    if measure is not Measure.ENZYME:
        return None
    found: list[Decimal] = []
    for high in o.upper_limits:
        limit = high
        if limit.code is None and limit.unit is None and o.quantity is not None:  # a bare number has the result's unit
            limit = replace(o.quantity, value=limit.value, comparator=limit.comparator)
        try:
            found.append(measured(limit, measure))
        except UnitError:
            continue
    plausible = [value for value in found if 0 < value <= t.enzymes_normal * MOST_TIMES_NORMAL]
    return min(plausible, default=None)


def tocilizumab_hypersensitivity(pool: ResourcePool, terms: Terminology) -> str | None:
    """The reference of an active allergy or intolerance to tocilizumab."""
    for resource in pool.of_type(fs.AllergyIntolerance):
        if is_active(resource.data) and any(d.drug_class is DrugClass.TOCILIZUMAB for d in allergens(resource, terms)):
            return resource.reference
    return None


def doubtful_allergies(pool: ResourcePool, terms: Terminology) -> tuple[SetAside, ...]:
    """Active allergies that may be to tocilizumab, and it cannot be told."""
    return tuple(
        SetAside(resource.reference, drug.ingredient, frozenset({Kind.ALLERGIES}))
        for resource in pool.of_type(fs.AllergyIntolerance)
        if is_active(resource.data)
        for drug in allergens(resource, terms)
        if DrugClass.TOCILIZUMAB in drug.resembles and drug != UNNAMED
    )


def allergens(resource: Resource[fs.AllergyIntolerance], terms: Terminology) -> tuple[Drug, ...]:
    """The causes of an allergy: its code, and the substances of its reactions."""
    substances = (reaction.substance for reaction in resource.data.reaction)
    parts = tuple(Part(concept) for concept in (resource.data.code, *substances) if concept is not None)
    return tuple(content.drug for content in contents(Product(parts), terms))
