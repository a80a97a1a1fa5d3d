"""The findings behind a row of the grade and the data it lacks: values and enums that `cards` puts into words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum, auto

from fhir_mappings.facts.signs import Device


class PressorRunning(Enum):
    """The state of a vasopressor: running, charted long ago and not stopped, on hold, or not running."""

    ACTIVE = auto()
    STALE = auto()
    HELD = auto()
    NO = auto()


@dataclass(frozen=True, slots=True)
class PressorInfusion:
    """A vasopressor infusion, and the time since it was last charted."""

    ingredient: str
    running: PressorRunning
    ago: timedelta


@dataclass(frozen=True, slots=True)
class PressorPushes:
    """Pushes of a vasopressor in the window, which make no row; `since` is the first, in the facility's zone."""

    ingredient: str
    number: int
    since: datetime


@dataclass(frozen=True, slots=True)
class StalePressors:
    """Vasopressors that make grade 4 only if so many of them still run: all were charted long ago, and together."""

    number: int


class Pressure(Enum):
    SYSTOLIC = auto()
    MEAN = auto()


@dataclass(frozen=True, slots=True)
class LowPressure:
    """Low readings of one pressure, in mm[Hg]: the last low one, the number of low ones, of all, and the latest.

    `before`: it was low before the infusion too.
    """

    pressure: Pressure
    last_low: Decimal
    low: int
    readings: int
    latest: Decimal
    before: bool = False


@dataclass(frozen=True, slots=True)
class OxygenDevice:
    """A device in use, with its flow in L/min where that is charted. `before`: as much was charted before the
    infusion."""

    device: Device
    flow: Decimal | None = None
    before: bool = False


@dataclass(frozen=True, slots=True)
class SupportInProgress:
    """A respiratory support procedure that is in progress in the record as it is read now, with the flow in L/min that
    its text says."""

    device: Device
    flow: Decimal | None = None


@dataclass(frozen=True, slots=True)
class OxygenFlow:
    """A flow in L/min from an unknown device. `before`: as much was charted before the infusion."""

    flow: Decimal
    before: bool = False


@dataclass(frozen=True, slots=True)
class InhaledOxygen:
    """An FiO2, as a fraction, from an unknown device."""

    fio2: Decimal


@dataclass(frozen=True, slots=True)
class LowSaturation:
    """SpO2 in % without oxygen: the last low one, the number of low ones, of all, and the latest."""

    percent: Decimal
    low: int
    readings: int
    latest: Decimal


@dataclass(frozen=True, slots=True)
class LastCharted:
    """The time since the oxygen of a row was last charted, with the device if one was named."""

    ago: timedelta
    device: Device | None = None


Driver = (
    PressorInfusion
    | PressorPushes
    | StalePressors
    | LowPressure
    | OxygenDevice
    | SupportInProgress
    | OxygenFlow
    | InhaledOxygen
    | LowSaturation
    | LastCharted
)


class Missing(Enum):
    """Missing data that could raise a row or that keep it from being known."""

    PRESSURE = auto()
    PRESSURE_BY_MEAN = auto()
    PRESSURE_UNREAD = auto()
    ADMINISTRATIONS_UNREAD = auto()
    PRESSOR_NOT_CHARTED = auto()
    PRESSOR_WITHOUT_RATE = auto()
    OXYGEN = auto()
    OXYGEN_UNREAD = auto()
    SUPPORTS_UNREAD = auto()
    HOME_DEVICE = auto()
    DEVICE_UNKNOWN = auto()
    FIO2_HIGH = auto()


READ_IN_PART = frozenset({Missing.PRESSURE_UNREAD, Missing.ADMINISTRATIONS_UNREAD, Missing.OXYGEN_UNREAD})


@dataclass(frozen=True, slots=True)
class NoDeviceSince:
    """The last device, charted too long ago to say what is in use, when none was charted since."""

    last: LastCharted


@dataclass(frozen=True, slots=True)
class DeviceNotRecognised:
    """A device, or a procedure of respiratory support, that nothing places; `text` is what was charted."""

    text: str


Lack = Missing | NoDeviceSince | DeviceNotRecognised
