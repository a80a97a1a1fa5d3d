"""The limits of hypotension by age, and the readings below them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from fhir_mappings.facts.patient import Age
from fhir_mappings.facts.signs import Reading
from fhir_mappings.facts.thresholds import Thresholds


def is_adult(age: Age | None, t: Thresholds) -> bool:
    return age is None or age.years >= t.adult_age


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


def low_mean(mean: Iterable[Reading], age: Age | None, t: Thresholds) -> tuple[Reading, ...]:
    """The mean pressures below the adult limit, if the first and last lie far enough apart; none for a child."""
    if not is_adult(age, t):
        return ()
    low = tuple(r for r in mean if r.value < t.mean_adult)
    if not low or low[-1].at - low[0].at < t.mean_readings_apart:
        return ()
    return low


def low_mean_moments(mean: Iterable[Reading], age: Age | None, t: Thresholds) -> tuple[datetime, ...]:
    """The moments at which mean pressures alone show hypotension: a low one, with another far enough before it.

    Both must lie in one window, as for the grade: one low mean pressure alone keeps no waiver of fever alive.
    """
    low = [r.at for r in mean if r.value < t.mean_adult] if is_adult(age, t) else []
    return tuple(at for at in low if at - low[bisect_left(low, at - t.bp_window)] >= t.mean_readings_apart)
