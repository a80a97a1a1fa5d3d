"""`python -m tests.support.unit_factors` writes `unit_factors.json`: the factor of each unit that is read, by ucumvert.

ucumvert reads UCUM codes with pint; `non_int_type=Decimal` keeps its numbers exact. It knows nothing of spellings: it is
asked for codes only, which the table of names comes before.
"""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from ucumvert import PintUcumRegistry
from ucumvert.parser import get_ucum_parser
from ucumvert.ucum_pint import UcumToPintTransformer

from fhir_mappings.facts.measures import Measure
from fhir_mappings.reading.unit_table import Conversion, codes_of, unit_names

NO_UCUM = (Measure.ITEM, Measure.SCORE)  # counts of things: nothing to convert
EXACT_DIGITS = 15
MOST_PARTS = 10**8
FILE = Path(__file__).parents[2] / "fhir_mappings" / "reading" / "unit_factors.json"


@cache
def _registry() -> Any:
    return PintUcumRegistry(non_int_type=Decimal)


@cache
def _unit(code: str) -> Any:
    """A UCUM code as a pint quantity of this registry: `from_ucum` would use one of floats."""
    return UcumToPintTransformer(ureg=_registry()).transform(get_ucum_parser().parse(code)).units


def by_ucumvert(value: Decimal, code: str, measure: Measure) -> Decimal:
    """A value of one UCUM code in the unit of a measure."""
    found: Decimal = _registry().Quantity(value, _unit(code)).to(_unit(measure.unit)).magnitude
    return Decimal(found)


def conversion(code: str, measure: Measure) -> Conversion:
    """The conversion of a code as exact numbers. A factor that is none is rounded as the specification has it."""
    if measure in NO_UCUM:
        return Conversion()
    less = _registry().Quantity(Decimal(0), _unit(measure.unit)).to(_unit(code)).magnitude
    less = round(less, EXACT_DIGITS)
    slope = by_ucumvert(less + 1, code, measure)
    rounded = unit_names()["rounded"].get(code)
    if rounded is not None:
        stated = Decimal(rounded)
        if slope.quantize(stated) != stated:
            raise ValueError(f"{code}: {slope} is not {stated}")
        return Conversion(stated)
    whole = slope.normalize()
    if len(whole.as_tuple().digits) <= EXACT_DIGITS:
        return Conversion(whole, less=Decimal(less))
    part = Fraction(slope).limit_denominator(MOST_PARTS)
    return Conversion(Decimal(part.numerator), Decimal(part.denominator), Decimal(less))


def factors() -> dict[str, dict[str, dict[str, str]]]:
    """By measure and code the numbers of the conversion that are not those of the measure's own unit."""
    return {m.name: {code: _numbers(conversion(code, m)) for code in codes_of(m)} for m in Measure}


def factors_text() -> str:
    """The file: a line for each unit."""
    parts = []
    for measure, codes in factors().items():
        lines = ",\n".join(f"    {json.dumps(code)}: {json.dumps(numbers)}" for code, numbers in codes.items())
        parts.append(f'  "{measure}": {{\n{lines}\n  }}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _numbers(found: Conversion) -> dict[str, str]:
    plain = Conversion()
    return {
        name: f"{getattr(found, name).normalize():f}"
        for name in ("less", "times", "over")
        if getattr(found, name) != getattr(plain, name)
    }


if __name__ == "__main__":
    FILE.write_text(factors_text(), encoding="utf-8")
