"""The age of the patient, from the birthDate as it is charted."""

from __future__ import annotations

from datetime import date

from fhir_mappings.facts.patient import Age


def age_at(birth_date: str | None, on: date) -> Age | None:
    """The completed age on a day; a birthDate of a year or month alone counts from its first day, the oldest age."""
    if not birth_date:
        return None
    parts = birth_date.split("-")
    try:
        year, month, day_of_month = (int(p) for p in (*parts, "1", "1")[:3])
        born = date(year, month, day_of_month)
    except ValueError:
        return None
    if born > on:
        return None
    years = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    return Age(years, (on - born).days)
