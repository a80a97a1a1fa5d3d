"""The doubt about a weight that no dose may be computed by: a slip of the decimal point, pounds for kilograms, another
patient's weight."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from fhir_mappings.facts.patient import Age
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.weight import ImplausibleWeight, Weight, WeightDoubt, median_weight


def implausible_weight(weights: Sequence[Weight], age: Age | None, t: Thresholds) -> ImplausibleWeight | None:
    """The doubt about the latest of the weights (oldest first, those of `weight_lookback`); None if it can stand."""
    latest, earlier = weights[-1], weights[:-1]
    near = t.weight_change_child if age is not None and age.years < t.adult_age else t.weight_change
    mistaken = _a_factor_away(latest, earlier, near, t)
    if mistaken is not None:
        return ImplausibleWeight(latest, WeightDoubt.FACTOR, mistaken)
    before = earlier[-1] if earlier and latest.at - earlier[-1].at <= t.weight_age else None
    borne_out = any(_is_near(third, latest, near) for third in earlier[:-1])
    if before is not None and not _is_near(latest, before, near) and not borne_out:
        return ImplausibleWeight(latest, WeightDoubt.CHANGED, before)
    if not _is_of_the_age(latest.kg, age, t):
        return ImplausibleWeight(latest, WeightDoubt.SIZE)
    return None


def _is_near(one: Weight, other: Weight, part: Decimal) -> bool:
    return abs(one.kg - other.kg) <= other.kg * part


def _a_factor_away(latest: Weight, earlier: Sequence[Weight], near: Decimal, t: Thresholds) -> Weight | None:
    """The last earlier weight that the latest is ten times, a tenth, or the pounds of, unless one before that bears
    the latest out."""
    for number in reversed(range(len(earlier))):
        other = earlier[number]
        if _by_a_factor(latest.kg, other.kg, t) and not any(_is_near(one, latest, near) for one in earlier[:number]):
            return other
    return None


def _by_a_factor(kg: Decimal, other: Decimal, t: Thresholds) -> bool:
    factors = (t.weight_factor_decimal, t.weight_factor_pounds)
    pairs = ((kg, other * factor) for factor in factors), ((other, kg * factor) for factor in factors)
    return any(abs(one - expected) <= expected * t.weight_factor_near for some in pairs for one, expected in some)


def _is_of_the_age(kg: Decimal, age: Age | None, t: Thresholds) -> bool:
    """Tell whether an adult, or a child of this age, can weigh so much. Without an age only the most is known."""
    if age is None:
        return kg <= t.weight_adult_most
    if age.years >= t.adult_age:
        return t.weight_adult_least <= kg <= t.weight_adult_most
    median = median_weight(age.days)
    return median * t.weight_child_least <= kg <= median * t.weight_child_most
