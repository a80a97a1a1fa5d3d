"""The range in which a value of each measure is a finding."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from fhir_mappings.facts.measures import Measure

# Outside these a value is a mistake of charting, not a finding; it is set aside and said so.
# Cytokines, CRP and ferritin reach from nothing to as much as plasma holds of all proteins together, or nearly.
PLAUSIBLE: Mapping[Measure, tuple[Decimal, Decimal]] = {
    Measure.CYTOKINE: (Decimal(0), Decimal(1_000_000_000)),
    Measure.CRP: (Decimal(0), Decimal(100_000)),
    Measure.FERRITIN: (Decimal(0), Decimal(100_000_000)),
    Measure.TEMPERATURE: (Decimal(25), Decimal(45)),
    Measure.PRESSURE: (Decimal(10), Decimal(320)),
    Measure.FLOW: (Decimal(0), Decimal(120)),
    Measure.FIO2: (Decimal("0.15"), Decimal(1)),
    Measure.SATURATION: (Decimal(20), Decimal(100)),
    Measure.WEIGHT: (Decimal("0.3"), Decimal(500)),
    Measure.COUNT: (Decimal(0), Decimal(10000)),
    Measure.ENZYME: (Decimal(0), Decimal(100000)),
    Measure.MASS: (Decimal(0), Decimal(1000000)),
    Measure.MASS_PER_WEIGHT: (Decimal(0), Decimal(1000)),
    Measure.MASS_RATE: (Decimal(0), Decimal(100000)),
    Measure.MASS_PER_WEIGHT_RATE: (Decimal(0), Decimal(1000)),
    Measure.VOLUME: (Decimal(0), Decimal(100000)),
    Measure.VOLUME_RATE: (Decimal(0), Decimal(100000)),
    Measure.TIME: (Decimal(0), Decimal(10000)),
    Measure.ITEM: (Decimal(0), Decimal(1000)),
    Measure.SCORE: (Decimal(0), Decimal(100)),
}
