"""The death of a patient, at the moment that is asked for. Death as such would silence a whole course in hindsight."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo

from fhir_mappings.facts.time_and_range import Moment
from fhir_mappings.known_at.stated_times import moment_in
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.fhir_time import EARLIEST_YEAR, LATEST_YEAR, day

_MONTHS = 12


def has_died(patient: fs.Patient | None, zone: tzinfo, at: datetime, tolerance: timedelta) -> bool:
    """Tell whether a patient is recorded as dead at `at`. A date ahead of the clock is a mistake, and silences nothing;
    a day, month or year counts from its beginning, because somebody has recorded it by now."""
    if patient is None or patient.deceased_date_time is None:
        return patient is not None and patient.deceased_boolean
    died = died_within(patient.deceased_date_time, zone)
    return died is None or died.earliest <= at + tolerance


def died_within(text: str, zone: tzinfo) -> Moment | None:
    """The span in which a death lies: an instant, a day, a month or a year; None for no time that can be read."""
    exact = moment_in(text, zone)
    if exact is not None:
        return exact
    first, after = _month_or_year(text)
    if first is None or after is None:
        return None
    return Moment(day(first, zone).earliest, day(after, zone).earliest - timedelta(microseconds=1))


def _month_or_year(text: str) -> tuple[date | None, date | None]:
    """The first day of a month or year, and that of the next."""
    parts = text.split("-")
    if not all(part.isascii() and part.isdecimal() for part in parts) or len(parts) > 2:
        return None, None
    year, month = int(parts[0]), int(parts[1]) if len(parts) == 2 else None
    if not EARLIEST_YEAR <= year <= LATEST_YEAR or (month is not None and not 1 <= month <= _MONTHS):
        return None, None
    if month is None:
        return date(year, 1, 1), date(year + 1, 1, 1)
    return date(year, month, 1), date(year + month // _MONTHS, month % _MONTHS + 1, 1)
