"""The times of a resource that say when it was known or over, and that a call has no need of.

They are read apart from `fhir_structs`: what two versions of a resource differ in only here makes them no two results.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo

import msgspec

from fhir_mappings.facts.time_and_range import Moment
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.fhir_time import BadTimeError, moment
from fhir_mappings.reading.resources import Json

_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)
_PERIOD = msgspec.json.Decoder(fs.Period)
_STATED = (
    "effectiveDateTime", "effectiveInstant", "effectivePeriod", "performedDateTime", "performedPeriod", "authoredOn",
    "recordedDate", "onsetDateTime", "issued",
)  # fmt: skip
_BAD = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class StatedTimes(fs.FhirStruct, frozen=True):
    """`issued` of a result, `abatement…` of a diagnosis, `recordedDate` of an allergy, `statusChanged` of an order."""

    issued: str | None = None
    abatement_date_time: str | None = None
    abatement_period: fs.Period | None = None
    recorded_date: str | None = None
    status_changed: str | None = None

    @property
    def abated(self) -> str | None:
        return self.abatement_date_time or (self.abatement_period.start if self.abatement_period else None)


_times = msgspec.json.Decoder(StatedTimes)
NO_TIMES = StatedTimes()


def stated_times(raw: Json) -> StatedTimes:
    """The times of a resource; none where one of them cannot be read."""
    try:
        return _times.decode(raw)
    except _BAD:
        return NO_TIMES


def moment_in(text: str | None, zone: tzinfo) -> Moment | None:
    """The moment that a text says; None where there is none, or none that can be read."""
    try:
        return moment(text, zone) if text else None
    except BadTimeError:
        return None


def earliest_known(raws: Iterable[bytes], zone: tzinfo) -> datetime | None:
    """The time of a resource that could not be read otherwise, by any field that says one; None without one."""
    return min((at.latest for raw in raws for at in _moments(raw, zone)), default=None)


def _moments(raw: bytes, zone: tzinfo) -> Iterator[Moment]:
    try:
        found = _FIELDS.decode(raw)
    except _BAD:
        return
    for name in _STATED:
        at = moment_in(_text_in(found.get(name)), zone)
        if at is not None:
            yield at


def _text_in(raw: msgspec.Raw | None) -> str | None:
    """A time, or the start of a period."""
    for read in (_TEXT.decode, lambda value: _PERIOD.decode(value).start):
        try:
            return read(raw) if raw is not None else None
        except _BAD:
            continue
    return None
