"""The age of the patient, from the birthDate as it is charted."""

from __future__ import annotations

from datetime import UTC, date

from fhir_mappings.facts.coverage import Kind, SetAside
from fhir_mappings.facts.patient import Age
from fhir_mappings.reading.fhir_time import moment_or_none

BIRTH_DATE_SET = "birth-date"
"""The name under which a birthDate is set aside, as a result is under the value set of its code."""

NO_DATE = "no FHIR date"
IN_THE_FUTURE = "ahead of the clock"


def age_at(birth_date: str | None, on: date) -> Age | None:
    """The completed age on a day; a birthDate of a year or month alone counts from its first day, the oldest age."""
    born = _born(birth_date)
    if born is None or born > on:
        return None
    years = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    return Age(years, (on - born).days)


def birth_date_set_aside(reference: str, birth_date: str | None, on: date) -> tuple[SetAside, ...]:
    """The birthDate that is charted and gives no age on a day, and why; nothing where none is charted."""
    stated = (birth_date or "").strip()
    if not stated or age_at(stated, on) is not None:
        return ()
    why = IN_THE_FUTURE if _born(stated) is not None else NO_DATE
    return (SetAside(reference, why, frozenset({Kind.PATIENT}), value_sets=frozenset({BIRTH_DATE_SET}), stated=stated),)


def _born(birth_date: str | None) -> date | None:
    """The day of birth. Some servers write a dateTime, or the digits alone as HL7 v2 does: their date part counts.

    Where the time beside it is none of FHIR's, the date is not believed: an age that is wrong lowers a grade.
    """
    stated = (birth_date or "").strip()
    if "T" in stated:
        stated = _date_of(stated)
    if len(stated) == len("19850312") and _is_digits(stated):
        stated = f"{stated[:4]}-{stated[4:6]}-{stated[6:]}"
    parts = stated.split("-")
    if not all(_is_digits(part) for part in parts) or len(parts) > len(("year", "month", "day")):
        return None
    year, month, day = (int(part) for part in (*parts, "1", "1")[:3])
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _date_of(date_time: str) -> str:
    """The date part of a FHIR dateTime; "" if it is none."""
    return date_time.partition("T")[0] if moment_or_none(date_time, UTC) is not None else ""


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
