"""The conversion of quantities to one unit each. The table of names comes first: a unit that is in none is never
guessed, and no library is asked.

UCUM's `code` counts, and where it does not read, or has another system, the `unit` does. Source: clinical specification
§5; factors by ucumvert (`unit_table`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from fhir_mappings.facts.measures import Measure
from fhir_mappings.reading.fhir_structs import Quantity
from fhir_mappings.reading.unit_spelling import MOST_CHARS
from fhir_mappings.reading.unit_table import Conversion, conversions_of, fold, own_spellings, spellings

REMEMBERED = 4096  # spellings: a chart has few, each of them many times
_UCUM = frozenset({"unitsofmeasure.org", "ucum.org", "unitsofmeasure.org/ucum.html", "2.16.840.1.113883.6.8"})
# counts of dose forms have a code system of their own: "TAB"
_FORMS = frozenset({"terminology.hl7.org/codesystem/v3-orderabledrugform", "hl7.org/fhir/v3/orderabledrugform",
                    "2.16.840.1.113883.5.85"})  # fmt: skip
# Without a unit a sign counts where it can have only one: 38.9 is no Fahrenheit, and 97 no fraction.
_NO_UNIT = frozenset({"", "deg", "degree"})
_BARE_READ = frozenset({Measure.TEMPERATURE, Measure.PRESSURE, Measure.SATURATION, Measure.FIO2})

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
    Measure.MASS: (Decimal(0), Decimal(1000000)),
    Measure.MASS_PER_WEIGHT: (Decimal(0), Decimal(1000)),
    Measure.MASS_RATE: (Decimal(0), Decimal(100000)),
    Measure.MASS_PER_WEIGHT_RATE: (Decimal(0), Decimal(1000)),
    Measure.VOLUME: (Decimal(0), Decimal(100000)),
    Measure.VOLUME_RATE: (Decimal(0), Decimal(100000)),
    Measure.TIME: (Decimal(0), Decimal(10000)),
    Measure.ITEM: (Decimal(0), Decimal(1000)),
    Measure.SCORE: (Decimal(0), Decimal(100)),
}


@dataclass(frozen=True)
class UnitError(ValueError):
    """The reason why a quantity could not be used. It quotes the unit and names no value."""

    why: str


def unit_of(quantity: Quantity) -> str | None:
    """The unit as the record states it: the UCUM code, else the text."""
    return (quantity.code if _is_ucum(quantity.system) else None) or quantity.unit or quantity.code


def converted(value: Decimal, unit: str | None, measure: Measure) -> Decimal:
    """`value` in the unit of `measure`. Raises UnitError for a unit that is not listed or an implausible value."""
    return measured(Quantity(value, unit=unit), measure)


def measured(quantity: Quantity | None, measure: Measure) -> Decimal:
    """A plain quantity in the unit of `measure`. Raises UnitError if it is not a plain number or cannot be used."""
    if quantity is None or quantity.value is None:
        raise UnitError("no value")
    if quantity.comparator:
        raise UnitError("value is censored")
    return number_in(quantity, measure)


def number_in(quantity: Quantity, measure: Measure) -> Decimal:
    """The number of a quantity in the unit of `measure`, whatever its comparator says. Raises UnitError."""
    value = quantity.value
    if value is None:
        raise UnitError("no value")
    known = conversions(quantity.system, quantity.code, quantity.unit, measure)
    low, high = PLAUSIBLE[measure]
    plausible = {result for result in (one.of(value) for one in known) if low <= result <= high}
    if len(plausible) == 1:
        return plausible.pop()
    if len(known) == 1:
        raise UnitError(f"value outside {low} to {high} {measure.unit}")
    if quantity.unit and quantity.code and known:
        raise UnitError(f"unit {quoted(quantity.unit)} and code {quoted(quantity.code)} differ")
    raise UnitError(_unread(quantity, measure))


def states(quantity: Quantity | None, measure: Measure) -> bool:
    """Tell whether a quantity is one of a measure."""
    return quantity is not None and bool(conversions(quantity.system, quantity.code, quantity.unit, measure))


@lru_cache(maxsize=REMEMBERED)
def conversions(system: str | None, code: str | None, unit: str | None, measure: Measure) -> tuple[Conversion, ...]:
    """The conversions that code and unit stand for: none for what is in no table, two where they contradict each other.

    Of a sign that is read without a unit, those of each of its units.
    """
    counts = _is_ucum(system) or (measure is Measure.ITEM and _plain_system(system) in _FORMS)
    stated = [text for text in (code if counts else None, unit) if text and text.strip()]
    says_none = (counts or not code) and all(text in _NO_UNIT for text in map(fold, stated))
    if says_none and measure in _BARE_READ:
        return tuple(dict.fromkeys(conversions_of(measure).values()))
    found = (conversion(text, measure) for text in stated)
    return tuple(dict.fromkeys(one for one in found if one is not None))


@lru_cache(maxsize=REMEMBERED)
def conversion(text: str, measure: Measure) -> Conversion | None:
    """The conversion of one spelling of a unit; None for one that is in no table of the measure."""
    code = spellings(measure).code_of(text) if len(text) <= MOST_CHARS else None
    return conversions_of(measure)[code] if code is not None else None


def own_unit(quantity: Quantity, measure: Measure) -> str | None:
    """The unit of a result that nothing converts, in one spelling: arbitrary and international units, and amounts of
    substance, which take an assay's own factor. None for any other."""
    if conversions(quantity.system, quantity.code, quantity.unit, measure):
        return None
    code = quantity.code if _is_ucum(quantity.system) else None
    return next((own for text in (code, quantity.unit) if text and (own := _own(text))), None)


@lru_cache(maxsize=REMEMBERED)
def _own(text: str) -> str | None:
    return own_spellings().code_of(text) if len(text) <= MOST_CHARS else None


def _is_ucum(system: str | None) -> bool:
    return not system or _plain_system(system) in _UCUM


@lru_cache(maxsize=256)
def _plain_system(system: str | None) -> str:
    plain = (system or "").strip().partition("|")[0].rstrip("/").lower()
    return (plain.partition("://")[2] or plain).removeprefix("urn:oid:").removeprefix("www.")


def _unread(quantity: Quantity, measure: Measure) -> str:
    unit = unit_of(quantity)
    if unit is None or not unit.strip():
        return "unit is missing"
    return f"unit {quoted(unit)} cannot be converted to {measure.unit}"


def quoted(text: str | None) -> str:
    """A text of a record in quotation marks, in one line and cut where it is long."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text or "").split())
    return f'"{plain[:MOST_CHARS]}…"' if len(plain) > MOST_CHARS else f'"{plain}"'
