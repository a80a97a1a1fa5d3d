"""The mapping of vital signs and weight to readings in one unit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise

from fhir_mappings.codes.observed_sets import KIND_OF_SET
from fhir_mappings.facts.coverage import SetAside
from fhir_mappings.facts.measures import Measure
from fhir_mappings.facts.signs import Reading
from fhir_mappings.facts.time_and_range import Moment
from fhir_mappings.facts.weight import Weight
from fhir_mappings.observations import Observations, Observed
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.chart_memory import ChartMemory, each
from fhir_mappings.reading.units import UnitError, measured
from fhir_mappings.reading.value_texts import quantity_in


def readings(
    observed: Iterable[Observed], measure: Measure, as_of: datetime, memory: ChartMemory | None = None
) -> tuple[tuple[Reading, ...], tuple[SetAside, ...]]:
    """The readings in the unit of `measure`, oldest first, and those whose value could not be used.

    A reading known by date only stands at the latest moment at which it can have been taken. One with neither a value
    nor a dataAbsentReason counts as lost data, not as "not measured". `memory` is that of other moments of the chart.
    """
    good: list[Reading] = []
    bad: list[SetAside] = []
    for found in each(memory, measure, observed, partial(_reading, measure=measure)):
        if isinstance(found, SetAside):
            bad.append(found)
        elif found is not None:
            good.append(found if found.at <= as_of else replace(found, at=as_of))
    good.sort(key=lambda r: (r.at, r.value, r.reference))
    return tuple(one for before, one in pairwise((None, *good)) if one != before and one is not None), tuple(bad)


def _reading(o: Observed, measure: Measure) -> Reading | SetAside | None:
    """A reading at the latest moment at which it can have been taken; None where it says that it is absent."""
    try:
        return Reading(o.reference, o.at.latest, measured(stated_quantity(o), measure))
    except UnitError as error:
        if o.quantity is None and o.absent:
            return None
        kinds = frozenset(KIND_OF_SET[s] for s in o.sets if s in KIND_OF_SET)
        return SetAside(o.reference, error.why, kinds, o.at, value_sets=o.sets, stated=o.stated)


def stated_quantity(o: Observed) -> fs.Quantity | None:
    """The quantity of a result, or the one that its text is. Raises UnitError for a text that is no plain number."""
    text = o.text or (o.concept.text if o.concept is not None else None)
    if o.quantity is None and text and text.strip():
        return quantity_in(text)
    return o.quantity


def observed_at(at: Moment, as_of: datetime) -> datetime:
    """The instant at which a sign counts: a date at its latest moment, a time a little ahead of our clock at now."""
    return min(at.latest, as_of)


def weights_of(
    observations: Observations, as_of: datetime, back: timedelta
) -> tuple[tuple[Weight, ...], tuple[SetAside, ...]]:
    """The weights of so long, oldest first, and those whose value could not be used."""
    good, bad = readings(observations.of("body-weight"), Measure.WEIGHT, as_of, observations.memory)
    return tuple(Weight(r.reference, r.value, r.at) for r in good if as_of - r.at <= back), bad
