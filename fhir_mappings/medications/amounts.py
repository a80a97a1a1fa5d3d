"""Amounts and rates of one drug of a medication, in milligrams: by its own stated strength where they are volumes or
dose forms, and by that alone where another drug of ours stands beside it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from fhir_mappings.facts.measures import Measure
from fhir_mappings.facts.treatment import Drug, HourlyRate
from fhir_mappings.medications.strengths import Strength
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.units import UnitError, measured


@dataclass(frozen=True)
class Content:
    """One drug of a medication, with its own stated strength. `shared`: the medication holds another drug of ours too,
    so an amount of it is not this drug's. `dissolved`: it stands among the ingredients of something else, so a volume
    of it is not one of this drug's concentrate."""

    drug: Drug
    strength: Strength = Strength()
    shared: bool = False
    dissolved: bool = False


def amount_mg(quantity: fs.Quantity, content: Content, concentrate: Decimal | None = None) -> Decimal | None:
    """An amount of a medication in milligrams of one of its drugs; None where that cannot be told, and where unit and
    code are of two kinds. `concentrate` is the mg/mL of the undiluted drug, where it is one and the same everywhere."""
    mass, ml, items, per_kg = (_in(quantity, m) for m in _KINDS)
    if sum(known is not None for known in (mass, ml, items, per_kg)) != 1 or per_kg is not None:
        return None
    if mass is not None:
        return None if content.shared else mass
    if ml is not None:
        undiluted = None if content.dissolved or content.shared else concentrate
        return _times(ml, content.strength.mg_per_ml if content.strength.mg_per_ml is not None else undiluted)
    return _times(items, content.strength.mg_per_item)


_KINDS = (Measure.MASS, Measure.VOLUME, Measure.ITEM, Measure.MASS_PER_WEIGHT)


def mg_per_kg(quantity: fs.Quantity) -> Decimal | None:
    """A dose by weight; None where it is another."""
    others = (_in(quantity, m) for m in _KINDS if m is not Measure.MASS_PER_WEIGHT)
    return _in(quantity, Measure.MASS_PER_WEIGHT) if all(other is None for other in others) else None


class StatesRate(Protocol):
    """The fields of a rate, which an administration's dosage and an order's `doseAndRate` have in common."""

    @property
    def rate_quantity(self) -> fs.Quantity | None: ...
    @property
    def rate_ratio(self) -> fs.Ratio | None: ...


def hourly_rate(dosage: StatesRate | None, content: Content) -> HourlyRate:
    """The rate of an infusion: mg/h, mg/24 h and their like; by weight; mL/h by the drug's own strength; a ratio such
    as 1000 mg : 24 h. A rate of an infusion that holds another drug of ours too is none of this drug's."""
    if dosage is None:
        return HourlyRate()
    if dosage.rate_quantity is not None:
        return _of_quantity(dosage.rate_quantity, content)
    ratio = dosage.rate_ratio
    if ratio is None or ratio.numerator is None or ratio.denominator is None:
        return HourlyRate()
    hours = _in(ratio.denominator, Measure.TIME)
    if not hours:
        return HourlyRate()
    mg, per_kg = amount_mg(ratio.numerator, content), mg_per_kg(ratio.numerator)
    if content.shared:
        per_kg = None
    return HourlyRate(mg / hours if mg is not None else None, per_kg / hours if per_kg is not None else None)


def _of_quantity(rate: fs.Quantity, content: Content) -> HourlyRate:
    mass, ml, per_kg = (_in(rate, m) for m in (Measure.MASS_RATE, Measure.VOLUME_RATE, Measure.MASS_PER_WEIGHT_RATE))
    if sum(known is not None for known in (mass, ml, per_kg)) != 1:
        return HourlyRate()
    if ml is not None:
        return HourlyRate(_times(ml, content.strength.mg_per_ml))
    return HourlyRate() if content.shared else HourlyRate(mass, per_kg)


def _in(quantity: fs.Quantity, measure: Measure) -> Decimal | None:
    try:
        return measured(quantity, measure)
    except UnitError:
        return None


def _times(amount: Decimal | None, strength: Decimal | None) -> Decimal | None:
    return amount * strength if amount is not None and strength is not None else None
