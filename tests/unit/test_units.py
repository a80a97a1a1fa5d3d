"""Quantities and their units: each quantity is one of its own, and all that is known of a unit is known of it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fhir_mappings.facts.measures import Measure
from fhir_mappings.reading.units import PLAUSIBLE, converted


def test_no_two_quantities_are_one_though_they_share_a_unit() -> None:
    """Python makes two members of an enum with one value the same member, under either name."""
    assert list(Measure.__members__) == [measure.name for measure in Measure]
    assert len({measure.value[0] for measure in Measure}) == len(Measure)


@pytest.mark.parametrize("measure", Measure, ids=lambda measure: measure.name)
def test_every_quantity_can_be_read_in_its_own_unit_and_has_a_plausible_range(measure: Measure) -> None:
    low, high = PLAUSIBLE[measure]
    assert low < high
    assert converted(high, measure.unit, measure) == high
    assert converted(max(low, Decimal(0)), measure.unit, measure) == low
