"""The findings behind a row of the grade, and the data it lacks, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import assert_never

from cards.sentences.numbers_and_times import duration
from fhir_mappings.facts.grade import Fever
from fhir_mappings.facts.row_parts import (
    DeviceNotRecognised,
    Driver,
    InhaledOxygen,
    Lack,
    LastCharted,
    LowPressure,
    LowSaturation,
    Missing,
    NoDeviceSince,
    OxygenDevice,
    OxygenFlow,
    PressorInfusion,
    PressorPushes,
    PressorRunning,
    Pressure,
    StalePressors,
    SupportInProgress,
)
from fhir_mappings.facts.signs import Device

DEVICES: Mapping[Device, str] = {
    Device.VENTILATOR: "mechanical ventilation",
    Device.CPAP_BIPAP: "CPAP or BiPAP",
    Device.HOME_CPAP: "CPAP or BiPAP at home or at night",
    Device.MASK_OR_HIGH_FLOW: "high-flow cannula or mask",
    Device.CANNULA: "nasal cannula",
    Device.BLOW_BY: "blow-by oxygen",
    Device.ROOM_AIR: "room air",
    Device.UNKNOWN: "device not recognised",
}
FEVER: Mapping[Fever, str] = {
    Fever.NOW: "fever now",
    Fever.WAIVED: "fever may be suppressed by treatment",
    Fever.UNKNOWN_TREATMENT: "treatment that hides fever could not be read",
    Fever.NOT_MEASURED: "no temperature in the window",
    Fever.EARLIER: "fever earlier in the course",
    Fever.MASKED: "treatment may hide fever",
    Fever.NONE: "no fever",
}
_MISSING: Mapping[Missing, str] = {
    Missing.PRESSURE: "blood pressure",
    Missing.PRESSURE_BY_MEAN: "systolic blood pressure",
    Missing.PRESSURE_UNREAD: "blood pressure readings could not all be read",
    Missing.ADMINISTRATIONS_UNREAD: "medication administrations could not all be read",
    Missing.PRESSOR_NOT_CHARTED: "a vasopressor is ordered and not yet charted",
    Missing.PRESSOR_WITHOUT_RATE: "whether a vasopressor charted without a rate is an infusion or a push",
    Missing.OXYGEN: "oxygen device, flow or SpO2",
    Missing.OXYGEN_UNREAD: "oxygen could not all be read",
    Missing.SUPPORTS_UNREAD: "respiratory support procedures could not be read",
    Missing.HOME_DEVICE: "whether CPAP or BiPAP is a home device",
    Missing.DEVICE_UNKNOWN: "oxygen device unknown: may be 3 or more",
    Missing.FIO2_HIGH: "FiO2 is high for this device: may be 3 or more",
}


def driver_words(driver: Driver) -> str:
    match driver:
        case PressorInfusion() | PressorPushes() | StalePressors():
            return _pressor(driver)
        case LowPressure() | LowSaturation():
            return _low(driver)
        case OxygenDevice(device, flow, before):
            return _device(device, flow) + _same(before)
        case SupportInProgress(device, flow):
            return f"{_device(device, flow)} in progress"
        case OxygenFlow(flow, before):
            return f"oxygen {_plain(flow)} L/min{_same(before)}"
        case InhaledOxygen(fio2):
            return f"FiO2 {_plain(fio2)}, device unknown"
        case LastCharted():
            return _last_charted(driver)
    assert_never(driver)


def driver_short(driver: Driver) -> str:
    """A finding as a summary holds it, without what was counted: `SBP 78`, `SpO2 86 %`, `norepinephrine`."""
    match driver:
        case PressorInfusion(ingredient, PressorRunning.ACTIVE):
            return ingredient
        case LowPressure(pressure, last_low):
            return f"{'MAP' if pressure is Pressure.MEAN else 'SBP'} {_plain(last_low)}"
        case LowSaturation(percent):
            return f"SpO2 {_plain(percent)} %"
        case PressorPushes(ingredient):
            return f"pushes of {ingredient}"
        case SupportInProgress(device, flow):
            return _device(device, flow)
    return driver_words(driver)


def _device(device: Device, flow: Decimal | None) -> str:
    return DEVICES[device] if flow is None else f"{DEVICES[device]} {_plain(flow)} L/min"


def missing_words(lack: Lack, quoted: Callable[[str], str] = str) -> str:
    """The missing data; `quoted` makes the text of a record fit for where it is shown."""
    match lack:
        case NoDeviceSince():
            return f"{_last_charted(lack.last)}; no device since"
        case DeviceNotRecognised(text):
            return f'oxygen device not recognised: "{quoted(text)}"' if text.strip() else "oxygen device not recognised"
    return _MISSING[lack]


def _pressor(infusion: PressorInfusion | PressorPushes | StalePressors) -> str:
    if isinstance(infusion, StalePressors):
        return f"4 if {'both' if infusion.number == 2 else 'two of them'} still run: check the pumps"
    if isinstance(infusion, PressorPushes):
        how_many = f"{infusion.number} pushes" if infusion.number > 1 else "1 push"
        when = "since" if infusion.number > 1 else "at"
        return f"{how_many} of {infusion.ingredient} {when} {infusion.since:%H:%M}"
    match infusion.running:
        case PressorRunning.STALE:
            return f"{infusion.ingredient} last charted {duration(infusion.ago)} ago"
        case PressorRunning.HELD:
            return f"{infusion.ingredient} on hold"
    return f"{infusion.ingredient} running"


def _low(low: LowPressure | LowSaturation) -> str:
    if isinstance(low, LowSaturation):
        counted = _how_many(low.low, low.readings) + _latest(low.percent, low.latest)
        return f"SpO2 {_plain(low.percent)} % without oxygen{counted}"
    counted = _how_many(low.low, low.readings) + _latest(low.last_low, low.latest) + _same(low.before)
    if low.pressure is Pressure.MEAN:
        unconfirmed = " (MAP limit is a sepsis convention, not ASTCT: unconfirmed)"
        return f"MAP {_plain(low.last_low)} mmHg alone{counted}{unconfirmed}"
    return f"SBP {_plain(low.last_low)} mmHg{counted}"


def _how_many(low: int, readings: int) -> str:
    return f", {low} of {readings} readings low"


def _latest(last_low: Decimal, latest: Decimal) -> str:
    return f", latest {_plain(latest)}" if latest != last_low else ""


def _same(before: bool) -> str:
    return ", the same before the infusion" if before else ""


def _last_charted(last: LastCharted) -> str:
    device = f"{DEVICES[last.device]} " if last.device is not None else ""
    return f"{device}last charted {duration(last.ago)} ago"


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
