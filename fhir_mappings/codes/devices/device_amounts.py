"""The numbers of a device text: a flow in L/min, an FiO2 as a fraction, and pressures and sizes, which change nothing.

A number is `2`, `2.5`, `2-4` (a range: its upper end counts) or `12/6` (a pair, or more, as ventilators are charted).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto
from functools import cache

from fhir_mappings.codes.devices.device_terms import vocabulary_units
from fhir_mappings.codes.folded_text import words_of


class Unit(Enum):
    LITRES = auto()  # a flow, L/min
    MILLILITRES = auto()  # a flow, mL/min
    PERCENT = auto()
    OTHER = auto()


LEAST_OXYGEN, ALL_OXYGEN = Decimal(21), Decimal(100)  # %


@cache
def units() -> Mapping[str, Unit]:
    """Each unit by its folded words; a volume counts as a flow where it can be none."""
    texts = vocabulary_units()
    litres, minutes, millilitres = texts["litre"], texts["per minute"], texts["millilitre"]
    written = {
        Unit.OTHER: texts["other"],
        Unit.PERCENT: texts["percent"],
        Unit.MILLILITRES: [f"{ml} {per}" for ml in millilitres for per in minutes],
        Unit.LITRES: [*texts["litre per minute"], *litres, *(f"{litre} {per}" for litre in litres for per in minutes)],
    }
    return {words_of(text): unit for unit, found in written.items() for text in found}


@cache
def _longest_unit() -> int:
    return max(map(len, units()))


@dataclass(frozen=True, slots=True)
class Amount:
    """Numbers in their order with their unit; None for bare ones. `ranges`: two ends of one number."""

    numbers: tuple[Decimal, ...]
    unit: Unit | None
    ranges: bool = False

    @property
    def is_chain(self) -> bool:
        return len(self.numbers) > 1 and not self.ranges

    @property
    def flow(self) -> Decimal | None:
        """L/min. `1/2 L` is a half."""
        if self.unit not in (Unit.LITRES, Unit.MILLILITRES):
            return None
        value = max(self.numbers)
        if self.is_chain:
            if len(self.numbers) != 2 or not 0 < self.numbers[0] < self.numbers[1]:
                return None
            value = self.numbers[0] / self.numbers[1]
        return value / 1000 if self.unit is Unit.MILLILITRES else value

    def fraction(self, *, named: bool) -> Decimal | None:
        """The FiO2 that the last number can be, as a fraction: in percent, or, where it is named so, as one too."""
        last = self.numbers[-1] if self.is_chain else max(self.numbers)
        if self.unit is Unit.PERCENT or (named and last > 1):
            return last / 100 if LEAST_OXYGEN <= last <= ALL_OXYGEN else None
        return last if named and LEAST_OXYGEN / 100 <= last <= 1 else None


def amount_at(words: str, start: int) -> tuple[Amount, int] | None:
    """The amount that begins at `start`, a digit after a blank, and where it ends; None for no number."""
    end = words.find(" ", start)
    end = len(words) if end < 0 else end
    text = words[start:end]
    parts = text.split("/") if "/" in text else text.split("-")
    if not all(part.replace(".", "", 1).isdigit() for part in parts) or len(text) > 24:
        return None
    numbers = tuple(map(Decimal, parts))
    unit, unit_end = _unit_at(words, end + 1)
    return Amount(numbers, unit, ranges="-" in text), unit_end if unit else end


def _unit_at(words: str, start: int) -> tuple[Unit | None, int]:
    for end in range(min(len(words), start + _longest_unit()), start, -1):
        unit = units().get(words[start:end])
        if unit is not None and (end == len(words) or words[end] == " " or not words[end].isascii()):
            return unit, end
    return None, start
