"""The strength of a product: milligrams of one drug in a millilitre, and in one dose form (a tablet, a vial).

FHIR states it as the strength of an ingredient. Names state it too, and are read where they state one: "tocilizumab 20
MG/ML Injection", "20 ML tocilizumab 20 MG/ML Injection", "Methylprednisolone 2 MG Oral Tablet", "1000 mg in 250 mL".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from fhir_mappings.facts.measures import Measure
from fhir_mappings.medications.named_amounts import NamedAmount, is_order, named_amounts
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.units import UnitError, measured

REMEMBERED = 2048  # names of products: a chart has few


@dataclass(frozen=True, slots=True)
class Strength:
    """The content of a product in one drug, as far as it is stated."""

    mg_per_ml: Decimal | None = None
    mg_per_item: Decimal | None = None

    def or_else(self, other: Strength) -> Strength:
        """This strength, with the parts that it does not state from another."""
        return Strength(
            self.mg_per_ml if self.mg_per_ml is not None else other.mg_per_ml,
            self.mg_per_item if self.mg_per_item is not None else other.mg_per_item,
        )


def stated_strength(ratio: fs.Ratio | None) -> Strength:
    """The strength of an ingredient; nothing where it is stated in other units than these."""
    if ratio is None or ratio.denominator is None or not ratio.denominator.value or ratio.denominator.value < 0:
        return Strength()
    below = ratio.denominator
    try:
        mg = measured(ratio.numerator, Measure.MASS)
    except UnitError:
        return Strength()
    if not (below.unit or below.code):  # "500 mg in 1" is in one dose form
        return Strength(None, mg / ratio.denominator.value)
    ml, items = _in(below, Measure.VOLUME), _in(below, Measure.ITEM)
    return Strength(mg / ml if ml else None, mg / items if items else None)


def _in(quantity: fs.Quantity, measure: Measure) -> Decimal | None:
    try:
        return measured(quantity, measure)
    except UnitError:
        return None


@lru_cache(maxsize=REMEMBERED)
def named_strength(texts: tuple[str, ...]) -> Strength:
    """The strength that the names of one product state; nothing where they state several."""
    stated = _Stated()
    for text in (text for text in texts if not is_order(text)):
        for amount in named_amounts(text):
            stated.add(amount)
    return stated.strength


@dataclass
class _Stated:
    """The amounts that names state: milligrams in a millilitre, in a dose form, alone; millilitres alone."""

    per_ml: set[Decimal] = field(default_factory=set)
    per_item: set[Decimal] = field(default_factory=set)
    masses: set[Decimal] = field(default_factory=set)
    volumes: set[Decimal] = field(default_factory=set)
    is_unclear: bool = False

    def add(self, amount: NamedAmount) -> None:
        self.is_unclear |= amount.is_unclear
        if amount.is_unclear:
            return
        if amount.mg is None:
            self.volumes |= {amount.ml} if amount.ml is not None else set()
        elif amount.per_ml is not None:
            self.per_ml.add(amount.mg / amount.per_ml)
            self.per_item |= {amount.mg} if amount.is_container else set()
        elif amount.per_items is not None:
            self.per_item.add(amount.mg / amount.per_items)
        else:
            self.masses.add(amount.mg)

    @property
    def strength(self) -> Strength:
        per_ml, item, volume = _only(self.per_ml), _only(self.per_item), _only(self.volumes)
        if not self.per_item and per_ml is not None and volume is not None:
            item = per_ml * volume
        elif not (self.per_item or self.per_ml or self.is_unclear):
            item = _only(self.masses)
        return Strength(per_ml, item)


def _only(found: set[Decimal]) -> Decimal | None:
    return next(iter(found)) if len(found) == 1 else None
