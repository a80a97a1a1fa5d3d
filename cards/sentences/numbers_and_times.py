"""Times, numbers and the thresholds in force, written as a ward writes them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from fhir_mappings.facts.thresholds import Thresholds, in_unit, numbers


def when(at: datetime) -> str:
    """A time in the facility's zone as a ward writes it: `9 Mar 06:00`."""
    return f"{at.day} {at:%b %H:%M}"


def number(value: Decimal) -> str:
    """A number without trailing zeros and without an exponent. What a conversion made long is cut to two decimals."""
    is_long = abs(value) >= 1 and value != round(value, 3)
    text = f"{round(value, 2) if is_long else value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def with_thousands(value: Decimal) -> str:
    """The same with a comma at the thousands, as a dose is written: `1,000`."""
    return f"{value:,f}" if value >= 1000 and value == value.to_integral_value() else number(value)


_SPOKEN = {"min": " min", "h": " h", "d": " days"}
_UNITS = {known.name: known.unit for known in numbers()}


class InWords:
    """The thresholds in force by name, for sentences: `{t.dose_interval}` reads "8 h", `{t.il6_fold}` "4"."""

    def __init__(self, t: Thresholds) -> None:
        self._t = t

    def __getattr__(self, name: str) -> str:
        unit = _UNITS[name]
        return with_thousands(in_unit(getattr(self._t, name), unit)) + _SPOKEN.get(unit, "")


def duration(passed: timedelta) -> str:
    """A time span in minutes below two hours, else in whole hours: "90 min", "13 h"."""
    if passed < timedelta(hours=2):
        return f"{int(passed.total_seconds() // 60)} min"
    return f"{int(passed.total_seconds() // 3600)} h"
