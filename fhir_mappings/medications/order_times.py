"""The interval and the end of an order, from its timing. Timings are read leniently: a client's draft has them too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

import msgspec

from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.fhir_time import moment_or_none

_HOURS = {
    "s": Decimal(1) / 3600, "min": Decimal(1) / 60, "h": Decimal(1), "d": Decimal(24), "wk": Decimal(168),
    "mo": Decimal(720), "a": Decimal(8760),
}  # fmt: skip
# the codes of HL7's GTSAbbreviation, and "Q6H" and its like
_CODES = {"QD": 24, "QOD": 48, "BID": 12, "TID": 8, "QID": 6, "AM": 24, "PM": 24, "BED": 24}
_LONGEST = 24 * 366


@dataclass(frozen=True, slots=True)
class OrderTimes:
    """`every` is the interval between doses, where one is stated; `ends` when the order is over, where that is."""

    every: timedelta | None = None
    ends: datetime | None = None

    def is_over(self, as_of: datetime) -> bool:
        """Tell whether the order's own end has passed."""
        return self.ends is not None and self.ends <= as_of


def order_times(timings: Sequence[object], authored: datetime | None, zone: tzinfo) -> OrderTimes:
    """The interval of the first dosage, and the end of the last one; no end where one of them states none."""
    read = [_timing(_as_object(timing), authored, zone) for timing in timings]
    ends = [one.ends for one in read if one.ends is not None]
    return OrderTimes(next((one.every for one in read), None), max(ends) if ends and len(ends) == len(read) else None)


def medication_times(order: fs.MedicationRequest, zone: tzinfo) -> OrderTimes:
    return order_times([d.timing for d in order.dosage_instruction], moment_or_none(order.authored_on, zone), zone)


def service_times(order: fs.ServiceRequest, zone: tzinfo) -> OrderTimes:
    """The end of a test, culture or image that is to be done at a time, in a period, or by a timing.

    A date alone is over with its last moment; a time that cannot be read ends nothing. A culture planned for minutes
    ago may so be suggested once more: rather twice than hidden by an order that nobody closed.
    """
    at, period = _value(order.occurrence_date_time), _as_object(order.occurrence_period)
    if at is not None or period:
        return OrderTimes(ends=_moment(at if at is not None else period.get("end"), zone))
    return order_times([order.occurrence_timing], moment_or_none(order.authored_on, zone), zone)


def _as_object(timing: object) -> Mapping[str, Any]:
    found = _value(timing)
    return found if isinstance(found, Mapping) else {}


def _value(raw: object) -> object:
    if not isinstance(raw, msgspec.Raw):
        return raw
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return None


def _timing(timing: Mapping[str, Any], authored: datetime | None, zone: tzinfo) -> OrderTimes:
    repeat = timing.get("repeat")
    repeat = repeat if isinstance(repeat, Mapping) else {}
    every = _every(repeat) or _coded(timing.get("code"))
    bounds = repeat.get("boundsPeriod")
    period = bounds if isinstance(bounds, Mapping) else {}
    start, end = _moment(period.get("start"), zone), _moment(period.get("end"), zone)
    begins = start or authored
    if not repeat:
        return OrderTimes(every, _last_event(timing.get("event"), zone))
    if end is None and begins is not None:
        lasts = _duration(repeat.get("boundsDuration")) or _counted(repeat, every)
        end = begins + lasts if lasts is not None else None
    return OrderTimes(every, end)


def _last_event(events: object, zone: tzinfo) -> datetime | None:
    """The last of the times at which an order is to be done; None where one of them cannot be read."""
    read = [_moment(event, zone) for event in events] if isinstance(events, list) else []
    known = [one for one in read if one is not None]
    return max(known) if known and len(known) == len(read) else None


def _moment(value: object, zone: tzinfo) -> datetime | None:
    return moment_or_none(value, zone) if isinstance(value, str) else None


def _every(repeat: Mapping[str, Any]) -> timedelta | None:
    """The period divided by the frequency; several times of day divide the day."""
    times = repeat.get("timeOfDay")
    if isinstance(times, list) and times and repeat.get("period") is None:
        return timedelta(hours=24) / len(times)
    period, unit = _number(repeat.get("period")), repeat.get("periodUnit")
    frequency = _number(repeat.get("frequency", 1))
    if not period or not frequency or unit not in _HOURS:
        return None
    return _span(period * _HOURS[unit] / frequency)


def _coded(code: object) -> timedelta | None:
    codings = code.get("coding") if isinstance(code, Mapping) else None
    for coding in codings if isinstance(codings, list) else []:
        text = coding.get("code") if isinstance(coding, Mapping) else None
        if not isinstance(text, str):
            continue
        word = text.strip().upper()
        hours = word.removeprefix("Q").removesuffix("H")
        if word in _CODES:
            return timedelta(hours=_CODES[word])
        if word == f"Q{hours}H" and hours.isascii() and hours.isdigit() and 0 < len(hours) < 3 and int(hours):
            return timedelta(hours=int(hours))
    return None


def _counted(repeat: Mapping[str, Any], every: timedelta | None) -> timedelta | None:
    count = _number(repeat.get("count"))
    if not count or every is None or count > _LONGEST:
        return None
    return every * float(count)


def _duration(value: object) -> timedelta | None:
    if not isinstance(value, Mapping):
        return None
    number, unit = _number(value.get("value")), value.get("code") or value.get("unit")
    return _span(number * _HOURS[unit]) if number and isinstance(unit, str) and unit in _HOURS else None


def _span(hours: Decimal) -> timedelta | None:
    return timedelta(hours=float(hours)) if 0 < hours <= _LONGEST else None


def _number(value: object) -> Decimal | None:
    """A number from 0 on; None for whatever else stands there."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return None
    return number if number.is_finite() and number >= 0 else None
