"""Moments and ranges of values. Times are aware datetimes in UTC, values Decimal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Moment:
    """A FHIR time in UTC: an instant, or the whole local day that a date stands for (`latest` is its last instant)."""

    earliest: datetime
    latest: datetime

    @property
    def is_date(self) -> bool:
        return self.earliest != self.latest


@dataclass(frozen=True, slots=True)
class Interval:
    """The values that a result allows: `<v` is (0, v), a number x is [x, x]. `high` None is infinity."""

    low: Decimal
    high: Decimal | None
    low_open: bool = False
    high_open: bool = False
