"""What makes a row of the grade, and what of it is missing: values and enums, for `cards` to put into words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum, auto

from fhir_mappings.facts.signs import Device


class PressorRunning(Enum):
    ACTIVE = auto()
    STALE = auto()
    HELD = auto()
    NO = auto()


@dataclass(frozen=True, slots=True)
class PressorInfusion:
    """A vasopressor infusion, last charted so long ago."""

    ingredient: str
    running: PressorRunning
    ago: timedelta


@dataclass(frozen=True, slots=True)
class PressorPushes:
    """Pushes of a vasopressor in the window, which make no row; `since` is the first, in the facility's zone."""

    ingredient: str
    number: int
    since: datetime


class Pressure(Enum):
    SYSTOLIC = auto()
    MEAN = auto()


@dataclass(frozen=True, slots=True)
class LowPressure:
    """Low readings of one pressure, mm[Hg]: the last low one, how many of how many, and the latest of all."""

    pressure: Pressure
    last_low: Decimal
    low: int
    readings: int
    latest: Decimal


@dataclass(frozen=True, slots=True)
class OxygenDevice:
    """A device in use, with its flow in L/min where that is charted."""

    device: Device
    flow: Decimal | None = None


@dataclass(frozen=True, slots=True)
class SupportInProgress:
    """A procedure of respiratory support that is open as read now."""

    device: Device


@dataclass(frozen=True, slots=True)
class OxygenFlow:
    """A flow in L/min without a device that is known."""

    flow: Decimal


@dataclass(frozen=True, slots=True)
class InhaledOxygen:
    """An FiO2, as a fraction, without a device that is known."""

    fio2: Decimal


@dataclass(frozen=True, slots=True)
class LowSaturation:
    """An SpO2 in % below the limit, without oxygen."""

    percent: Decimal


@dataclass(frozen=True, slots=True)
class LastCharted:
    """How long ago the oxygen of a row was last charted; of a device where it names one."""

    ago: timedelta
    device: Device | None = None


Driver = (
    PressorInfusion
    | PressorPushes
    | LowPressure
    | OxygenDevice
    | SupportInProgress
    | OxygenFlow
    | InhaledOxygen
    | LowSaturation
    | LastCharted
)


class Missing(Enum):
    """What keeps a row from being known, or could raise it."""

    PRESSURE = auto()
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
    """The last device was charted too long ago to say what is in use, and none was since."""

    last: LastCharted


@dataclass(frozen=True, slots=True)
class DeviceNotRecognised:
    """A device, or a procedure of respiratory support, that nothing places; `text` is what was charted."""

    text: str


Lack = Missing | NoDeviceSince | DeviceNotRecognised
