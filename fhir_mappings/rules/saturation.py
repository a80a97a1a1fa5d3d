"""SpO2 of a patient who breathes room air, and low-flow oxygen that the patient had before the infusion."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from fhir_mappings.facts.row_parts import LowSaturation
from fhir_mappings.facts.signs import ROW_OF, Device, DeviceRecord, Reading
from fhir_mappings.facts.thresholds import Thresholds

_LOW_FLOW = frozenset({Device.CANNULA, Device.BLOW_BY})


@dataclass(frozen=True)
class Saturations:
    """The readings of a window without oxygen. `needs_oxygen`: the latest is low, or two are that lie apart."""

    readings: Sequence[Reading]
    low: Sequence[Reading]
    needs_oxygen: bool

    @property
    def told(self) -> LowSaturation | None:
        """The low readings in numbers; None if none is low."""
        if not self.low:
            return None
        latest = self.low[-1] if self.low[-1].at == self.readings[-1].at else self.readings[-1]
        return LowSaturation(self.low[-1].value, len(self.low), len(self.readings), latest.value)

    @property
    def evidence(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(r.reference for r in (*self.low[-1:], *self.readings[-1:])))


def saturations_without_oxygen(
    readings: Sequence[Reading], start: datetime, at: datetime, last_oxygen: datetime | None, t: Thresholds
) -> Saturations:
    """The readings of [start, at] that were made since oxygen was last charted."""
    first = bisect_left(readings, start, key=_at)
    if last_oxygen is not None:
        first = max(first, bisect_right(readings, last_oxygen, key=_at))
    shown = readings[first : bisect_right(readings, at, key=_at)]
    low = [r for r in shown if r.value < t.spo2_cut]
    apart = len(low) > 1 and low[-1].at - low[0].at >= t.spo2_readings_apart
    return Saturations(shown, low, bool(low) and (low[-1].at == shown[-1].at or apart))


def low_saturation_moments(readings: Sequence[Reading], t: Thresholds) -> Iterable[datetime]:
    """The moments at which SpO2 alone shows that oxygen is needed: a low one that is the latest of all, or that has
    another in one window, far enough apart. One low reading that normal ones followed keeps no waiver of fever alive.
    """
    low = [r.at for r in readings if r.value < t.spo2_cut]
    for at in low:
        around = low[bisect_left(low, at - t.o2_window) : bisect_right(low, at + t.o2_window)]
        apart = max(at - around[0], around[-1] - at) >= t.spo2_readings_apart and len(around) > 1
        if apart or at == readings[-1].at:
            yield at


@dataclass(frozen=True)
class OxygenBefore:
    """The low-flow oxygen charted in the days before the infusion: the highest flow, or a device without one."""

    most: Decimal | None
    device: bool

    def covers(self, flow: Decimal | None) -> bool:
        """Tell whether this flow is no more. Without one now, only a device without one then is the same."""
        if flow is None:
            return self.device and self.most is None
        return self.most is not None and self.most >= flow


def oxygen_before(
    devices: Iterable[DeviceRecord], flows: Iterable[Reading], opens: datetime, t: Thresholds
) -> OxygenBefore:
    since = opens - t.signs_before_infusion
    most = max((r.value for r in flows if since <= r.at < opens and r.value > 0), default=None)
    return OxygenBefore(most, any(d.device in _LOW_FLOW and since <= d.at < opens for d in devices))


def last_oxygen_charted(
    devices: Iterable[DeviceRecord], flows: Sequence[Reading], fio2: Iterable[Reading], at: datetime, t: Thresholds
) -> datetime | None:
    """The time at which a device above room air, a flow above 0 or an FiO2 above that of room air was last charted.

    A device that has a flow of 0 charted with it is not in use.
    """
    on = {r.at for r in flows if r.value > 0}
    off = {r.at for r in flows if r.value == 0} - on
    times = (
        *on,
        *(r.at for r in fio2 if r.value > t.room_air_fio2),
        *(d.at for d in devices if ROW_OF[d.device] > 0 and d.at not in off),
    )
    return max((time for time in times if time <= at), default=None)


def _at(reading: Reading) -> datetime:
    return reading.at
