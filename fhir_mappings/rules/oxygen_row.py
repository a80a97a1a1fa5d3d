"""Row O of the grade: the oxygen device in use at one moment and its flow, or the saturation without one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fhir_mappings.facts.coverage import Reach
from fhir_mappings.facts.flags import Flag
from fhir_mappings.facts.grade import GradeRow
from fhir_mappings.facts.row_parts import (
    DeviceNotRecognised,
    InhaledOxygen,
    Lack,
    LastCharted,
    Missing,
    NoDeviceSince,
    OxygenDevice,
    OxygenFlow,
    SupportInProgress,
)
from fhir_mappings.facts.signs import ROW_OF, Device, DeviceRecord, Reading
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.rules.saturation import (
    last_oxygen_charted,
    low_saturation_moments,
    oxygen_before,
    saturations_without_oxygen,
)


@dataclass(frozen=True)
class OxygenFacts:
    """The input of row O.

    `open_supports` are the procedures in progress as the record is read now; `supports_read` says whether all of them
    were read.
    """

    devices: tuple[DeviceRecord, ...]
    open_supports: tuple[DeviceRecord, ...]
    flows: tuple[Reading, ...]
    fio2: tuple[Reading, ...]
    saturations: tuple[Reading, ...]
    reach: Reach
    supports_read: bool


def oxygen_row(facts: OxygenFacts, opens: datetime, at: datetime, t: Thresholds) -> GradeRow:
    """Row O at `at`: 0, 2 (low flow, blow-by, or SpO2 that needs oxygen), 3 (high flow, mask) or 4 (pressure)."""
    facts, home = without_home_devices(facts, opens, at, t)
    row = _marked_not_new(_device_row(facts, opens, at, t), facts, opens, t)
    in_progress = [s for s in facts.open_supports if s.at <= at]
    for support in in_progress:
        row = _with_support(row, support, at, t)
    for support in in_progress:
        if support.device is Device.UNKNOWN and row.value < 4:
            row = _not_recognised(row, support)
    if home and row.value < 4:
        row = replace(
            row, exact=False, flags=(*row.flags, Flag.HOME_DEVICE),
            missing=(*row.missing, Missing.HOME_DEVICE), evidence=(*row.evidence, *home),
        )  # fmt: skip
    start = max(opens, at - t.stale_limit)
    if not facts.reach.whole(start, at) and row.value < 4:
        row = replace(row, exact=False, missing=(*row.missing, Missing.OXYGEN_UNREAD))
    # Without the procedures the row is a minimum, and every text says so. It does not count as `unfetched`, which would
    # bring crs-grade-unknown: many servers cannot search Procedures by code, and a warning on every order goes unread.
    if not facts.supports_read and row.value < 4:
        row = replace(row, exact=False, missing=(*row.missing, Missing.SUPPORTS_UNREAD))
    unfetched = row.value < 4 and not facts.reach.fetched(start)
    return replace(row, provisional=row.value, unfetched=unfetched, last_charted=_last_charted(facts, at))


def _last_charted(facts: OxygenFacts, at: datetime) -> datetime | None:
    """The last record of oxygen, of whatever kind; a device that was not recognised says that something was charted."""
    series = (facts.flows, facts.fio2, facts.saturations)
    last = [s[n - 1].at for s in series if (n := bisect_right(s, at, key=lambda r: r.at))]
    last += [d.at for d in facts.devices if d.at <= at][-1:]
    return max(last, default=None)


def oxygen_moments(facts: OxygenFacts, opens: datetime, at: datetime, t: Thresholds) -> Iterator[datetime]:
    """The moments of this course at which oxygen was given or needed, without low flow that was there before it."""
    flow_at = {r.at: r.value for r in facts.flows}
    before = oxygen_before(facts.devices, facts.flows, opens, t)
    yield from low_saturation_moments([r for r in facts.saturations if opens <= r.at <= at], t)
    yield from (r.at for r in facts.flows if r.value > 0 and not before.covers(r.value))
    yield from (r.at for r in facts.fio2 if r.value > t.room_air_fio2)
    for device in facts.devices:
        row = ROW_OF[device.device]
        if row > 2 or (row == 2 and not before.covers(flow_at.get(device.at))):
            yield device.at


def _marked_not_new(row: GradeRow, facts: OxygenFacts, opens: datetime, t: Thresholds) -> GradeRow:
    """The row, marked where its low flow is no more than the patient had before the infusion."""
    if row.value != 2 or row.missing or not row.drivers:
        return row
    first = row.drivers[0]
    if not isinstance(first, OxygenDevice | OxygenFlow):
        return row
    if not oxygen_before(facts.devices, facts.flows, opens, t).covers(first.flow):
        return row
    return replace(row, not_new=True, drivers=(replace(first, before=True), *row.drivers[1:]))


def _with_support(row: GradeRow, support: DeviceRecord, at: datetime, t: Thresholds) -> GradeRow:
    """The row with a procedure in progress: what may raise it still may; a lesser row says nothing beside it."""
    value = _row_of(support, t)
    if support.device is Device.UNKNOWN or value < row.value:
        return row
    same = value == row.value
    marks = row.flags if same else ()
    return GradeRow(
        value,
        exact=not same or row.exact,
        drivers=(SupportInProgress(support.device, support.flow), *(row.drivers if same else ())),
        missing=row.missing if same else (),
        flags=(*marks, Flag.OPEN_SINCE) if at - support.at > t.stale_limit else marks,
        evidence=(*row.evidence, support.reference),
        beside=row.beside,
        not_new=same and row.not_new,
    )


def _row_of(support: DeviceRecord, t: Thresholds) -> int:
    high = support.device is Device.CANNULA and support.flow is not None and support.flow > t.low_flow_max
    return 3 if high else ROW_OF[support.device]


def _not_recognised(row: GradeRow, device: DeviceRecord) -> GradeRow:
    """The row as a minimum, because nothing places one of the devices."""
    missing = tuple(dict.fromkeys((*row.missing, DeviceNotRecognised(device.text))))
    flags = tuple(dict.fromkeys((*row.flags, Flag.OXYGEN_UNREAD)))
    return replace(row, exact=False, missing=missing, flags=flags, evidence=(*row.evidence, device.reference))


_MASKS = frozenset({Device.CPAP_BIPAP, Device.HOME_CPAP})


def without_home_devices(
    facts: OxygenFacts, opens: datetime, at: datetime, t: Thresholds
) -> tuple[OxygenFacts, tuple[str, ...]]:
    """The facts without CPAP or BiPAP of the home, and the reference of such a device if it is the latest.

    A device is of the home if it is coded as home or nocturnal, or if it was charted before the infusion too. It
    decides nothing by itself: the row comes from the rest, as a minimum if such a device is the latest in the window.
    """
    masks = [d for d in (*facts.devices, *facts.open_supports) if d.device in _MASKS]
    before = any(d.at < opens for d in masks)
    home = {d for d in masks if before or d.device is Device.HOME_CPAP}
    if not home:
        return facts, ()
    since = max(opens, at - t.stale_limit)
    later = max((d.at for d in facts.devices if d not in home and d.at <= at), default=opens)
    supports = [d.reference for d in facts.open_supports if d in home and d.at <= at]
    named = [d.reference for d in sorted(home, key=lambda d: d.at) if since <= d.at <= at and d.at >= later]
    return replace(
        facts,
        devices=tuple(d for d in facts.devices if d not in home),
        open_supports=tuple(d for d in facts.open_supports if d not in home),
    ), tuple([*supports, *named][-1:])


def _device_row(facts: OxygenFacts, opens: datetime, at: datetime, t: Thresholds) -> GradeRow:
    charted = [d for d in facts.devices if opens <= d.at <= at]
    known = [d for d in charted if d.device is not Device.UNKNOWN]
    last_known = _highest(_latest_of(known))
    unread = max((d for d in charted if d.device is Device.UNKNOWN), key=lambda d: d.at, default=None)
    if unread is not None and at - unread.at <= t.stale_limit and (last_known is None or unread.at >= last_known.at):
        return _unknown_device_row(facts, unread, last_known, opens, at, t)
    if last_known is None:
        return _no_device_row(facts, None, opens, at, t)
    age = at - last_known.at
    if last_known.device is Device.ROOM_AIR and age > t.o2_window:
        return _no_device_row(facts, None, last_known.at, at, t)
    charted_last = LastCharted(age, last_known.device)
    if age <= t.stale_limit:
        row = _known_device_row(facts, last_known, opens, at, t)
        if age <= t.o2_window:
            return row
        return replace(row, drivers=(*row.drivers, charted_last), flags=(*row.flags, Flag.OXYGEN_STALE))
    # The device is too old to say what is in use, so what was charted since decides. After a mask or more that is only
    # a floor, because the clock alone must not lower a row.
    row = _no_device_row(facts, None, last_known.at, at, t)
    if ROW_OF[last_known.device] < 3:
        return row
    missing = (*row.missing, NoDeviceSince(charted_last))
    return replace(row, exact=False, missing=missing, flags=(*row.flags, Flag.OXYGEN_STALE))


def _latest_of(devices: Sequence[DeviceRecord]) -> Sequence[DeviceRecord]:
    last = max((d.at for d in devices), default=None)
    return [d for d in devices if d.at == last]


def _highest(devices: Sequence[DeviceRecord]) -> DeviceRecord | None:
    return max(devices, key=lambda d: ROW_OF[d.device], default=None)


def _unknown_device_row(
    facts: OxygenFacts,
    last: DeviceRecord,
    known: DeviceRecord | None,
    opens: datetime,
    at: datetime,
    t: Thresholds,
) -> GradeRow:
    """The row of a device that no value set lists: flow or FiO2 gives a minimum that displaces no higher row."""
    row = _flow_row(facts, last.at, at, t) or _no_device_row(facts, last, opens, at, t)
    if known is not None and at - known.at <= t.stale_limit:
        earlier = _known_device_row(facts, known, opens, at, t)
        if earlier.value > row.value:
            row = earlier
    return _not_recognised(replace(row, missing=()), last)


def _latest(readings: Sequence[Reading], since: datetime, at: datetime) -> Reading | None:
    """The latest reading in a span, and of two at the same time the higher."""
    return max((r for r in readings if since <= r.at <= at), key=lambda r: (r.at, r.value), default=None)


def _known_device_row(facts: OxygenFacts, d: DeviceRecord, opens: datetime, at: datetime, t: Thresholds) -> GradeRow:
    flow, fio2 = _latest(facts.flows, d.at, at), _latest(facts.fio2, d.at, at)
    evidence = (d.reference, *(r.reference for r in (flow, fio2) if r is not None))
    value = ROW_OF[d.device]
    if value >= 3:
        flags = _ventilator_flags(d, fio2, t)
        return GradeRow(value, True, (_device(d, flow),), flags=flags, evidence=evidence)
    if value == 0:
        row = _flow_row(facts, d.at, at, t)
        return row or _no_device_row(facts, d, opens, at, t)
    if flow is not None and flow.value == 0:
        return _flow_row(facts, d.at, at, t) or _no_device_row(facts, d, opens, at, t)
    if flow is None and fio2 is not None and fio2.value <= t.room_air_fio2:
        return _no_device_row(facts, d, opens, at, t)
    if d.device is Device.CANNULA and flow is not None and flow.value > t.low_flow_max:
        return GradeRow(3, True, (_device(d, flow),), evidence=evidence)
    flags = () if flow is not None or d.device is Device.BLOW_BY else (Flag.FLOW_UNKNOWN,)
    missing: tuple[Lack, ...] = ()
    if fio2 is not None and fio2.value >= t.high_fio2:
        missing = (Missing.FIO2_HIGH,)
    return GradeRow(2, not missing, (_device(d, flow),), missing, flags, evidence)


def _ventilator_flags(d: DeviceRecord, fio2: Reading | None, t: Thresholds) -> tuple[Flag, ...]:
    if d.device is not Device.VENTILATOR:
        return ()
    low = fio2 is not None and fio2.value <= t.ventilation_low_fio2
    return (Flag.VENTILATED_LOW_FIO2,) if low else (Flag.VENTILATED,)


def _device(d: DeviceRecord, flow: Reading | None) -> OxygenDevice:
    return OxygenDevice(d.device, flow.value if flow is not None else None)


def _flow_row(facts: OxygenFacts, since: datetime, at: datetime, t: Thresholds) -> GradeRow | None:
    """The row by flow or FiO2 without a known device; None if neither shows oxygen.

    An FiO2 charted at the time of a flow of 0, or later, outweighs it: of two that disagree the more severe counts.
    """
    flow, fio2 = _latest(facts.flows, since, at), _latest(facts.fio2, since, at)
    if flow is not None and flow.value > 0:
        value = 3 if flow.value > t.low_flow_max else 2
        return _marked_if_old(GradeRow(value, True, (OxygenFlow(flow.value),), evidence=(flow.reference,)), flow, at, t)
    newer = fio2 is not None and (flow is None or fio2.at >= flow.at)
    if fio2 is not None and newer and fio2.value > t.room_air_fio2:
        drivers = (InhaledOxygen(fio2.value),)
        row = GradeRow(2, False, drivers, (Missing.DEVICE_UNKNOWN,), evidence=(fio2.reference,))
        return _marked_if_old(row, fio2, at, t)
    return None


def _marked_if_old(row: GradeRow, reading: Reading, at: datetime, t: Thresholds) -> GradeRow:
    if at - reading.at <= t.o2_window:
        return row
    last = LastCharted(at - reading.at)
    return replace(row, drivers=(*row.drivers, last), flags=(*row.flags, Flag.OXYGEN_STALE))


def _no_device_row(
    facts: OxygenFacts, at_rest: DeviceRecord | None, opens: datetime, at: datetime, t: Thresholds
) -> GradeRow:
    """The row without a device in use: by flow or FiO2 alone, else by the saturations of the window.

    Flow and FiO2 alone are kept up to the stale limit, like a device. `at_rest` is a device record that says that none
    is in use; the caller has then looked at its flow.
    """
    by_flow = _flow_row(facts, max(opens, at - t.stale_limit), at, t) if at_rest is None else None
    if by_flow is not None:
        return by_flow
    start = max(opens, at - t.o2_window)
    others = [d for d in facts.devices if d is not at_rest]
    last_oxygen = last_oxygen_charted(others, facts.flows, facts.fio2, at, t)
    found = saturations_without_oxygen(facts.saturations, start, at, last_oxygen, t)
    evidence = (*((at_rest.reference,) if at_rest is not None else ()), *found.evidence)
    told = (found.told,) if found.told is not None else ()
    if found.needs_oxygen:
        return GradeRow(2, True, told, evidence=evidence)
    shown_none = _latest(facts.flows, start, at) or _latest(facts.fio2, start, at)
    if not found.readings and at_rest is None and shown_none is None:
        return GradeRow(0, False, missing=(Missing.OXYGEN,))
    return GradeRow(0, True, evidence=evidence, beside=told)
