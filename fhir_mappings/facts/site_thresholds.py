"""The mapping from a site's own numbers to Thresholds, or a refusal that says what to write.

A number is text with its unit, such as `"92 %"` or `"12 h"`; a plain `92` is refused because units are where such
files go wrong. A number that has no unit (`il6_fold`) may be plain.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from fhir_mappings.facts.thresholds import SECONDS_PER, Number, Thresholds, in_unit, numbers

_TEXT = re.compile(r"(-?\d{1,9}(?:\.\d{1,9})?)\s*(\S*)", re.ASCII)
NO_UNIT = "1"

# the first of each pair may not be more than the second
_ORDER = (
    ("fever_window", "stale_limit"), ("bp_window", "stale_limit"), ("o2_window", "stale_limit"),
    ("pressor_carry", "stale_limit"), ("room_air_fio2", "high_fio2"), ("baseline_near", "baseline_far"),
    ("steroid_running_dose", "dexamethasone_dose"), ("dexamethasone_every_severe", "dexamethasone_every"),
    ("study_days", "course_days"), ("toci_per_kg", "toci_per_kg_light"), ("toci_min_age", "adult_age"),
)  # fmt: skip


# counts, ages and doses that are ordered in whole milligrams
_WHOLE = frozenset(
    {
        "mean_alone", "low_before_readings", "doses_max", "doses_per_day", "icans_severe", "icans_severe_steroid",
        "pals_low_above", "adult_age", "toci_min_age", "toci_max", "toci_rounding", "dexamethasone_dose",
        "methylprednisolone_dose",
        "methylprednisolone_icans", "dexamethasone_doses", "dexamethasone_doses_severe", "methylprednisolone_doses",
        "methylprednisolone_icans_doses",
    }
)  # fmt: skip


class SiteRuleError(ValueError):
    """A site's rule that cannot be used. The message names its place, the mistake and what to write."""


def site_thresholds(table: Mapping[str, Any]) -> Thresholds:
    """The package's numbers, with a site's own in place of some. Raises SiteRuleError."""
    known = {number.name: number for number in numbers()}
    own: dict[str, Any] = {}
    for name, value in table.items():
        if name not in known:
            near = get_close_matches(str(name), known, n=1)
            hint = f"did you mean {near[0]}?" if near else "docs/decision-table.md lists them."
            raise SiteRuleError(f"[thresholds] {name} is no number of this service; {hint}")
        own[name] = _value(known[name], value)
    t = Thresholds(**own)
    for low, high in _ORDER:
        if getattr(t, low) > getattr(t, high):
            raise SiteRuleError(f"[thresholds] {low} may not be more than {high}; change one of them.")
    return t


def _value(number: Number, written: object) -> Decimal | timedelta:
    example = f'{number.name} = "{_default(number)}{"" if number.unit == NO_UNIT else " " + number.unit}"'
    text = str(written) if isinstance(written, int | float | Decimal) and not isinstance(written, bool) else written
    match = _TEXT.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise SiteRuleError(f"[thresholds] {number.name} must be a number with its unit, such as {example}.")
    value, unit = Decimal(match[1]), match[2]
    is_span = number.unit in SECONDS_PER
    allowed = tuple(SECONDS_PER) if is_span else (number.unit,) if number.unit != NO_UNIT else ("", NO_UNIT)
    if unit not in allowed:
        found = f"has the unit {unit}" if unit else "has no unit"
        raise SiteRuleError(f"[thresholds] {number.name} {found}; write it in {number.unit}, such as {example}.")
    seconds = value * SECONDS_PER[unit] if is_span else Decimal(0)
    in_own = seconds / SECONDS_PER[number.unit] if is_span else value
    if not number.low <= in_own <= number.high:
        unit_text = "" if number.unit == NO_UNIT else f" {number.unit}"
        must = f"must be between {number.low} and {number.high}{unit_text}; correct it or leave it out."
        if number.low == number.high:
            must = f"must stay {number.low}{unit_text}; leave it out."
        raise SiteRuleError(f"[thresholds] {number.name} {must}")
    if in_own != in_own.to_integral_value() and (is_span or number.name in _WHOLE):
        unit_text = "" if number.unit == NO_UNIT else f" {number.unit}"
        raise SiteRuleError(
            f"[thresholds] {number.name} must be a whole number{unit_text and ' of' + unit_text}; round it."
        )
    return timedelta(seconds=int(seconds)) if is_span else value


def _default(number: Number) -> Decimal:
    return in_unit(getattr(Thresholds(), number.name), number.unit)
