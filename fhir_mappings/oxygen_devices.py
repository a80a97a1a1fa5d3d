"""The mapping of oxygen devices: from an Observation's value, text, code or component, and from Procedures."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, tzinfo

from fhir_mappings.codes.observed_sets import DEVICE_SETS
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.coverage import Kind, SetAside
from fhir_mappings.facts.signs import Device, DeviceRecord, SupportSpan
from fhir_mappings.observations import Observations, Observed
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.fhir_time import BadTimeError, moment
from fhir_mappings.reading.resources import Resource
from fhir_mappings.vital_signs import observed_at

_OF_SET = {
    "mechanical-ventilation": Device.VENTILATOR,
    "home-cpap": Device.HOME_CPAP,
    "cpap-bipap": Device.CPAP_BIPAP,
    "high-flow-oxygen": Device.MASK_OR_HIGH_FLOW,
    "low-flow-oxygen": Device.CANNULA,
    "blow-by-oxygen": Device.BLOW_BY,
    "room-air": Device.ROOM_AIR,
}


def _device(sets: frozenset[str]) -> Device | None:
    return next((device for set_id, device in _OF_SET.items() if set_id in sets), None)


def device_records(observations: Observations, terms: Terminology, as_of: datetime) -> tuple[DeviceRecord, ...]:
    """The devices that Observations name by value, text, code or component; an unlisted one is UNKNOWN."""
    found: list[DeviceRecord] = []
    seen: set[tuple[str, Device]] = set()
    for o in observations.of("oxygen-delivery-device", *DEVICE_SETS):
        device = _device_of_value(o, terms) if "oxygen-delivery-device" in o.sets else _device_of_code(o, terms)
        if device is None or (o.reference, device) in seen:
            continue
        seen.add((o.reference, device))
        found.append(DeviceRecord(o.reference, observed_at(o.at, as_of), device))
    return tuple(sorted(found, key=lambda d: (d.at, d.device, d.reference)))


def _device_of_code(o: Observed, terms: Terminology) -> Device | None:
    """The device that is the code of the Observation itself, unless the value says that it is not in use."""
    texts = [o.text, o.concept.text if o.concept else None]
    texts += [c.display for c in o.concept.coding] if o.concept else []
    if o.absent or o.denied or any(_device(terms.sets_of_text(text)) is Device.ROOM_AIR for text in texts):
        return None
    return _device(o.sets)


def _device_of_value(o: Observed, terms: Terminology) -> Device | None:
    if o.concept is None and o.text is None and o.absent:
        return None
    sets = terms.sets_of(fs.codings_of(o.concept))
    texts = [o.text, o.concept.text if o.concept else None]
    texts += [c.display for c in o.concept.coding] if o.concept else []
    for text in texts:
        if _device(sets) is None:
            sets |= terms.sets_of_text(text)
    found = _device(sets)
    return Device.UNKNOWN if found is None else found


def support_procedures(
    resources: Iterable[Resource[fs.Procedure]], terms: Terminology, zone: tzinfo, as_of: datetime
) -> tuple[tuple[DeviceRecord, ...], tuple[SetAside, ...]]:
    """The oxygen or ventilation procedures in progress as read now; one without a usable time counts from now."""
    good: list[DeviceRecord] = []
    bad: list[SetAside] = []
    for resource in resources:
        data = resource.data
        device = _device(terms.sets_of(fs.codings_of(data.code)))
        period = data.performed_period
        if device is None or data.status != "in-progress" or (period is not None and period.end):
            continue
        text = data.performed_date_time or (period.start if period else None)
        try:
            at = moment(text, zone).earliest if text else as_of
        except BadTimeError as error:
            bad.append(SetAside(resource.reference, str(error), frozenset({Kind.SUPPORT_PROCEDURES})))
            at = as_of  # the procedure is in progress all the same
        good.append(DeviceRecord(resource.reference, at, device))
    return tuple(good), tuple(bad)


def ended_supports(
    resources: Iterable[Resource[fs.Procedure]], terms: Terminology, zone: tzinfo, as_of: datetime
) -> tuple[SupportSpan, ...]:
    """The oxygen or ventilation procedures whose start and end are known."""
    found: list[SupportSpan] = []
    for resource in resources:
        data, period = resource.data, resource.data.performed_period
        device = _device(terms.sets_of(fs.codings_of(data.code)))
        if device is None or data.status not in _WERE_DONE or period is None or not (period.start and period.end):
            continue
        with suppress(BadTimeError):
            start, end = moment(period.start, zone).earliest, moment(period.end, zone).latest
            if start <= as_of:
                found.append(SupportSpan(DeviceRecord(resource.reference, start, device), end))
    return tuple(found)


_WERE_DONE = frozenset({"in-progress", "completed", "stopped", "on-hold"})
