"""Vital signs and oxygen devices, as the rules read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import IntEnum


class Device(IntEnum):
    """Ordered by what it means for the grade. UNKNOWN is a device whose code or text is not recognised."""

    UNKNOWN = -1
    ROOM_AIR = 0
    BLOW_BY = 1
    CANNULA = 2
    MASK_OR_HIGH_FLOW = 3
    CPAP_BIPAP = 4
    HOME_CPAP = 5
    VENTILATOR = 6


ROW_OF = {Device.VENTILATOR: 4, Device.CPAP_BIPAP: 4, Device.HOME_CPAP: 4, Device.MASK_OR_HIGH_FLOW: 3,
        Device.CANNULA: 2, Device.BLOW_BY: 2, Device.ROOM_AIR: 0, Device.UNKNOWN: 0}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """A device in use. `text` is what was charted of one that is not recognised; `flow`, L/min, stands in its text."""

    reference: str
    at: datetime
    device: Device
    text: str = ""
    flow: Decimal | None = None


@dataclass(frozen=True, slots=True)
class SupportSpan:
    """A respiratory support procedure that has ended: device and start in `record`, then its end."""

    record: DeviceRecord
    end: datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """One vital sign."""

    reference: str
    at: datetime
    value: Decimal
