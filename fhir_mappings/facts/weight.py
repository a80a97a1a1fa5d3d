"""A body weight, and the doubt that keeps a dose from being computed by it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum, auto


@dataclass(frozen=True, slots=True)
class Weight:
    reference: str
    kg: Decimal
    at: datetime


class WeightDoubt(Enum):
    """A reason why the latest weight cannot be right, or may not be."""

    CHANGED = auto()  # far from the one before, and no other weight bears it out
    FACTOR = auto()  # a decimal point or a unit away from an earlier one
    SIZE = auto()  # no weight of an adult, or of a child of this age


@dataclass(frozen=True, slots=True)
class ImplausibleWeight:
    """The latest weight, with the `other` one that it contradicts; None if its size alone is the doubt."""

    latest: Weight
    doubt: WeightDoubt
    other: Weight | None = None

    @property
    def references(self) -> tuple[str, ...]:
        return tuple(one.reference for one in (self.latest, self.other) if one is not None)


# Median weight in kg from an age in years on, boys and girls together: CDC growth charts of 2000, read to half a
# kilogram. Unconfirmed, and used for nothing but a bound far on either side.
MEDIAN_WEIGHTS: tuple[tuple[Decimal, Decimal], ...] = tuple(
    (Decimal(years), Decimal(kg))
    for years, kg in (
        ("0", "3.5"), ("0.25", "6"), ("0.5", "7.5"), ("0.75", "9"), ("1", "10"), ("2", "12.5"), ("3", "14"),
        ("4", "16"), ("5", "18"), ("6", "20.5"), ("7", "23"), ("8", "25.5"), ("9", "29"), ("10", "32.5"),
        ("11", "36.5"), ("12", "41"), ("13", "45.5"), ("14", "50"), ("15", "54"), ("16", "57.5"), ("17", "60"),
    )
)  # fmt: skip
MEDIAN_SOURCE = "CDC growth charts 2000, medians of boys and girls together"
_DAYS_OF_YEAR = Decimal("365.25")


def median_weight(age_in_days: int) -> Decimal:
    """The median weight in kg at an age below adult age."""
    return [kg for years, kg in MEDIAN_WEIGHTS if age_in_days >= years * _DAYS_OF_YEAR][-1]
