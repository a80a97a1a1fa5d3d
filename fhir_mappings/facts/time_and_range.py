"""Moments and ranges of values. Times are aware datetimes in UTC, values Decimal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
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
    """What a censored result allows: `<v` is (0, v), a number is [x, x]. `high` None is infinity."""

    low: Decimal
    high: Decimal | None
    low_open: bool = False
    high_open: bool = False


def hours_ago(then: datetime, now: datetime) -> str:
    """How long ago, in words: minutes below two hours, else whole hours."""
    passed = now - then
    if passed < timedelta(hours=2):
        return f"{int(passed.total_seconds() // 60)} min ago"
    return f"{int(passed.total_seconds() // 3600)} h ago"
