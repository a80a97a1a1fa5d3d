"""Amounts of one drug of a medication, in milligrams: by its own stated strength alone where others stand beside it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from fhir_mappings.facts.measures import Measure
from fhir_mappings.facts.treatment import Drug
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.units import UnitError, converted, unit_of

_VOLUMES = {"mL": Decimal(1), "ml": Decimal(1), "L": Decimal(1000), "l": Decimal(1000)}


@dataclass(frozen=True)
class Content:
    """One drug of a medication. `mg_per_ml` is its own stated strength. `shared`: the medication holds another drug of
    ours too, so an amount of it is not this drug's. `dissolved`: it stands among the ingredients of something else, so
    a volume of it is not one of this drug's concentrate."""

    drug: Drug
    mg_per_ml: Decimal | None = None
    shared: bool = False
    dissolved: bool = False


def mg_per_ml(strength: fs.Ratio | None) -> Decimal | None:
    """The strength of an ingredient in milligrams in a millilitre; None where it is stated otherwise."""
    if strength is None or strength.numerator is None or strength.denominator is None:
        return None
    top, bottom = strength.numerator, strength.denominator
    volume = _VOLUMES.get(unit_of(bottom) or "")
    if top.value is None or top.comparator or not bottom.value or bottom.value < 0 or volume is None:
        return None
    try:
        return converted(top.value, unit_of(top), Measure.MASS) / (bottom.value * volume)
    except UnitError:
        return None


def amount_mg(quantity: fs.Quantity, content: Content, concentrate: Decimal | None = None) -> Decimal | None:
    """An amount of a medication in milligrams of one of its drugs; None where that cannot be told. `concentrate` is
    the mg/mL of the undiluted drug, where it is one and the same everywhere."""
    if quantity.value is None:
        return None
    volume = _VOLUMES.get(unit_of(quantity) or "")
    if volume is not None:
        strength = content.mg_per_ml or (None if content.dissolved or content.shared else concentrate)
        return quantity.value * volume * strength if strength is not None else None
    if content.shared:
        return None
    try:
        return converted(quantity.value, unit_of(quantity), Measure.MASS)
    except UnitError:
        return None
