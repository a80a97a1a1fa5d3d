"""Oxygen devices: from an Observation's value, text, code or component, and from Procedures in progress.

A code of ours decides; a text counts only where every word of it is accounted for. What is not recognised keeps its
text, for a card to quote.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal

from fhir_mappings.charted_devices import ChartedDevice, DeviceReader
from fhir_mappings.codes.observed_sets import DEVICE_SETS
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.coverage import Kind, SetAside
from fhir_mappings.facts.signs import Device, DeviceRecord, Reading, SupportSpan
from fhir_mappings.observations import Observations
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.chart_memory import each
from fhir_mappings.reading.fhir_time import BadTimeError, moment
from fhir_mappings.reading.resources import Resource
from fhir_mappings.vital_signs import observed_at

_WITH_NUMBERS = ("oxygen-flow", "inhaled-oxygen-concentration")


@dataclass(frozen=True)
class DeviceChart:
    """The devices of a chart, and the flows (L/min) and FiO2 (fractions) that stand in texts. `in_words` are the
    Observations of flow or FiO2 whose number is read from its words."""

    records: tuple[DeviceRecord, ...]
    flows: tuple[Reading, ...]
    fio2: tuple[Reading, ...]
    in_words: frozenset[str]


@dataclass
class _Found:
    records: set[DeviceRecord] = field(default_factory=set)
    flows: set[Reading] = field(default_factory=set)
    fio2: set[Reading] = field(default_factory=set)

    def add(self, reference: str, at: datetime, charted: ChartedDevice) -> None:
        if charted.device is not None:
            self.records.add(DeviceRecord(reference, at, charted.device, charted.text))
        _add_number(self.flows, reference, at, charted.flow)
        _add_number(self.fio2, reference, at, charted.fio2)


def _add_number(found: set[Reading], reference: str, at: datetime, value: Decimal | None) -> None:
    if value is not None:
        found.add(Reading(reference, at, value))


def device_chart(
    observations: Observations, terms: Terminology, as_of: datetime, reader: DeviceReader | None = None
) -> DeviceChart:
    """Devices named by an Observation's value, text, code or component; those not recognised as UNKNOWN.

    `reader` is that of earlier charts, where many are read one after the other.
    """
    reader = reader or DeviceReader(terms)
    found = _Found()
    memory, device, number = observations.memory, ("device", terms), ("device in numbers", terms)
    of_device = observations.of("oxygen-delivery-device", *DEVICE_SETS)
    for o, charted in zip(of_device, each(memory, device, of_device, reader.of_device), strict=True):
        if charted is not None:
            found.add(o.reference, observed_at(o.at, as_of), charted)
    in_words = set()
    with_number = observations.of(*_WITH_NUMBERS)
    for o, numbers in zip(with_number, each(memory, number, with_number, reader.of_number), strict=True):
        if numbers is not None:
            in_words |= {o.reference} if numbers.flow is not None or numbers.fio2 is not None else set()
            found.add(o.reference, observed_at(o.at, as_of), numbers)
    by_time = sorted(found.records, key=lambda d: (d.at, d.device, d.reference, d.text))
    return DeviceChart(tuple(by_time), tuple(found.flows), tuple(found.fio2), frozenset(in_words))


def support_procedures(
    resources: Iterable[Resource[fs.Procedure]], terms: Terminology, zone: tzinfo, as_of: datetime
) -> tuple[tuple[DeviceRecord, ...], tuple[SetAside, ...]]:
    """Oxygen or ventilation procedures in progress as read now; one without a usable time counts from now."""
    reader = DeviceReader(terms)
    good: list[DeviceRecord] = []
    bad: list[SetAside] = []
    for resource in resources:
        data, period = resource.data, resource.data.performed_period
        if data.status != "in-progress" or (period is not None and period.end):
            continue
        charted = reader.of_procedure(data)
        if charted is None or charted.device is None:
            continue
        text = data.performed_date_time or (period.start if period else None)
        try:
            at = moment(text, zone).earliest if text else as_of
        except BadTimeError as error:
            bad.append(SetAside(resource.reference, str(error), frozenset({Kind.SUPPORT_PROCEDURES})))
            at = as_of  # it is in progress all the same
        good.append(DeviceRecord(resource.reference, at, charted.device, charted.text, charted.flow))
    return tuple(good), tuple(bad)


def ended_supports(
    resources: Iterable[Resource[fs.Procedure]], terms: Terminology, zone: tzinfo, as_of: datetime
) -> tuple[SupportSpan, ...]:
    """Oxygen or ventilation procedures that were in progress at an earlier moment, of which start and end are known."""
    reader = DeviceReader(terms)
    found: list[SupportSpan] = []
    for resource in resources:
        data, period = resource.data, resource.data.performed_period
        if data.status not in _WERE_DONE or period is None or not (period.start and period.end):
            continue
        charted = reader.of_procedure(data)
        if charted is None or charted.device in (None, Device.UNKNOWN):
            continue
        with suppress(BadTimeError):
            start, end = moment(period.start, zone).earliest, moment(period.end, zone).latest
            if start <= as_of:
                found.append(
                    SupportSpan(DeviceRecord(resource.reference, start, charted.device, "", charted.flow), end)
                )
    return tuple(found)


_WERE_DONE = frozenset({"in-progress", "completed", "stopped", "on-hold"})
