"""The limits of hypotension by age, the readings below them, and those that were low before the infusion too."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from fhir_mappings.facts.patient import Age
from fhir_mappings.facts.signs import Reading
from fhir_mappings.facts.thresholds import Thresholds


def is_adult(age: Age | None, t: Thresholds) -> bool:
    return age is None or age.years >= t.adult_age


def mean_counts(age: Age | None, t: Thresholds) -> bool:
    """Tell whether mean pressures say anything: of an adult, unless the site has switched them off."""
    return t.mean_alone > 0 and is_adult(age, t)


def systolic_limit(age: Age | None, t: Thresholds) -> Decimal:
    """The systolic pressure in mm[Hg] below which this age is hypotensive: PALS below `adult_age`, else adult.

    An unknown age counts as an adult's; the facts flag it (`AGE_UNKNOWN`).
    """
    if age is None or age.years >= t.adult_age:
        return t.systolic_adult
    if age.days <= 28:
        return t.systolic_newborn
    if age.years < 1:
        return t.systolic_infant
    if age.years < 10:
        return t.systolic_child_base + t.systolic_child_per_year * age.years
    return t.systolic_from_10_years


def low_systolic(systolic: Iterable[Reading], age: Age | None, t: Thresholds) -> tuple[Reading, ...]:
    limit = systolic_limit(age, t)
    return tuple(r for r in systolic if r.value < limit)


def low_mean(mean: Sequence[Reading], age: Age | None, t: Thresholds) -> tuple[Reading, ...]:
    """The low mean pressures, if consecutive ones among them show hypotension; none for a child."""
    return tuple(r for r in mean if r.value < t.mean_adult) if low_mean_moments(mean, age, t) else ()


def low_mean_moments(mean: Iterable[Reading], age: Age | None, t: Thresholds) -> tuple[datetime, ...]:
    """The moments at which mean pressures alone show hypotension: a low one, in a run of low ones without a normal one
    between that began far enough before it.

    The run must lie in one window, as for the grade: one low mean pressure alone keeps no waiver of fever alive.
    """
    if not mean_counts(age, t):
        return ()
    found: list[datetime] = []
    run: list[datetime] = []
    for reading in mean:
        if reading.value >= t.mean_adult:
            run = []
            continue
        run.append(reading.at)
        first = run[bisect_left(run, reading.at - t.bp_window)]
        if reading.at - first >= t.mean_readings_apart:
            found.append(reading.at)
    return tuple(found)


def was_low_before(readings: Sequence[Reading], limit: Decimal, opens: datetime, t: Thresholds) -> bool:
    """Tell whether a pressure was low before the infusion too, so that a low one now is not new."""
    first = bisect_left(readings, opens - t.signs_before_infusion, key=lambda r: r.at)
    before = readings[first : bisect_left(readings, opens, key=lambda r: r.at)]
    low = sum(r.value < limit for r in before)
    return len(before) >= t.low_before_readings and low >= len(before) * t.low_before_part
