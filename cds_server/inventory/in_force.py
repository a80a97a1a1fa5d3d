"""The settings by which an export is read: codes, numbers, zone and moment, as a call has them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.reading.fhir_time import BadTimeError, moment


@dataclass(frozen=True)
class InForce:
    """`as_of` stands for the moment of the call: what lies after it is ahead of the clock."""

    terms: Terminology
    thresholds: Thresholds
    zone: tzinfo
    as_of: datetime

    def instant(self, text: str | None) -> datetime | None:
        """The beginning of a time as it is charted; None where it cannot be read."""
        try:
            return moment(text, self.zone).earliest if text else None
        except BadTimeError:
            return None
