"""The conversion of quantities to one unit each, by Decimal tables. A unit that is not listed is never guessed.

Source: clinical specification §5, checked with ucumvert 0.3.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from fhir_mappings.facts.measures import Measure
from fhir_mappings.reading.fhir_structs import Quantity

_ONE = Decimal(1)
_THOUSAND = Decimal(1000)
_THOUSANDTH = Decimal("0.001")


FACTORS: Mapping[Measure, Mapping[str, Decimal]] = {
    Measure.CYTOKINE: {
        **dict.fromkeys(("pg/mL", "pg/ml", "ng/L", "ng/l"), _ONE),
        **dict.fromkeys(("ng/mL", "ng/ml", "ug/L", "ug/l", "µg/L", "μg/L"), _THOUSAND),
        **dict.fromkeys(("pg/dL", "pg/dl"), Decimal("0.01")),
        **dict.fromkeys(("fg/mL", "fg/ml"), _THOUSANDTH),
    },
    Measure.CRP: {
        **dict.fromkeys(("mg/L", "mg/l", "ug/mL", "ug/ml", "µg/mL", "μg/mL"), _ONE),
        **dict.fromkeys(("mg/dL", "mg/dl"), Decimal(10)),
        **dict.fromkeys(("g/L", "g/l"), _THOUSAND),
        **dict.fromkeys(("ng/mL", "ng/ml"), _THOUSANDTH),
    },
    Measure.PRESSURE: {
        **dict.fromkeys(("mm[Hg]", "mmHg", "mm Hg", "mmhg"), _ONE),
        "kPa": Decimal("7.50062"),
    },
    Measure.FLOW: {
        **dict.fromkeys(("L/min", "l/min", "lpm", "LPM", "L/Min"), _ONE),
        **dict.fromkeys(("mL/min", "ml/min"), _THOUSANDTH),
    },
    Measure.SATURATION: {"%": _ONE, "1": Decimal(100)},
    Measure.WEIGHT: {
        "kg": _ONE,
        "g": _THOUSANDTH,
        **dict.fromkeys(("[lb_av]", "lb", "lbs"), Decimal("0.45359237")),
    },
    Measure.COUNT: {
        **dict.fromkeys(("10*3/uL", "10*9/L", "10*3/ul", "10^3/uL", "10^9/L", "K/uL", "x10*3/uL"), _ONE),
        **dict.fromkeys(("/uL", "/ul", "{cells}/uL", "cells/uL"), _THOUSANDTH),
    },
    Measure.ENZYME: dict.fromkeys(("U/L", "u/L", "IU/L", "[IU]/L"), _ONE),
    Measure.MASS_PER_WEIGHT: dict.fromkeys(("mg/kg", "mg/kg/dose", "mg/kg/{dose}"), _ONE),
    Measure.MASS: {"mg": _ONE, "g": _THOUSAND, **dict.fromkeys(("ug", "mcg", "µg", "μg"), _THOUSANDTH)},
}
_CELSIUS = frozenset({"Cel", "°C", "C", "degC", "deg C", "celsius", "Celsius"})
_FAHRENHEIT = frozenset({"[degF]", "°F", "F", "degF", "deg F", "fahrenheit", "Fahrenheit"})

# Outside these a value is a mistake of charting, not a finding; it is set aside and said so.
# Cytokines and CRP reach from nothing to more than plasma holds of all proteins together (1 g/L and 100 g/L).
PLAUSIBLE: Mapping[Measure, tuple[Decimal, Decimal]] = {
    Measure.CYTOKINE: (Decimal(0), Decimal(1_000_000_000)),
    Measure.CRP: (Decimal(0), Decimal(100_000)),
    Measure.TEMPERATURE: (Decimal(25), Decimal(45)),
    Measure.PRESSURE: (Decimal(10), Decimal(320)),
    Measure.FLOW: (Decimal(0), Decimal(120)),
    Measure.FIO2: (Decimal("0.15"), Decimal(1)),
    Measure.SATURATION: (Decimal(20), Decimal(100)),
    Measure.WEIGHT: (Decimal("0.3"), Decimal(500)),
    Measure.COUNT: (Decimal(0), Decimal(10000)),
    Measure.ENZYME: (Decimal(0), Decimal(100000)),
    Measure.MASS_PER_WEIGHT: (Decimal(0), Decimal(1000)),
    Measure.MASS: (Decimal(0), Decimal(1000000)),
}


@dataclass(frozen=True)
class UnitError(ValueError):
    """The reason why a quantity could not be used. It names no value."""

    why: str


def unit_of(quantity: Quantity) -> str | None:
    """The unit as the record states it: the UCUM code, else the text."""
    return quantity.code or quantity.unit


def converted(value: Decimal, unit: str | None, measure: Measure) -> Decimal:
    """`value` in the unit of `measure`. Raises UnitError for a unit that is not listed or an implausible value."""
    result = _raw(value, unit, measure)
    low, high = PLAUSIBLE[measure]
    if not low <= result <= high:
        raise UnitError(f"value outside {low} to {high} {measure.unit}")
    return result


def _raw(value: Decimal, unit: str | None, measure: Measure) -> Decimal:
    if measure is Measure.TEMPERATURE:
        if unit in _CELSIUS:
            return value
        if unit in _FAHRENHEIT:
            return (value - 32) * 5 / 9
        raise UnitError("unit of temperature is missing or not known")
    if measure is Measure.FIO2:
        if unit == "%":
            return value / 100
        if unit in (None, "", "1", "{fraction}") and value <= 1:
            return value
        raise UnitError("unit of inhaled oxygen concentration is missing or not known")
    if measure is Measure.FLOW and unit in ("L/h", "l/h"):
        return value / 60  # a factor of 1/60 would make 360 L/h more than 6 L/min
    factor = FACTORS[measure].get((unit or "").strip())
    if factor is None:
        raise UnitError(f"unit cannot be converted to {measure.unit}")
    return value * factor


def measured(quantity: Quantity | None, measure: Measure) -> Decimal:
    """A plain quantity in the unit of `measure`. Raises UnitError if it is not a plain number or cannot be used."""
    if quantity is None or quantity.value is None:
        raise UnitError("no value")
    if quantity.comparator:
        raise UnitError("value is censored")
    return converted(quantity.value, unit_of(quantity), measure)
