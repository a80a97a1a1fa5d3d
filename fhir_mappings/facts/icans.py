"""The ICANS grade (ASTCT) at one moment, and what it was taken from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto


class IcansSource(Enum):
    ICE_SCORE = auto()
    CHARTED_GRADE = auto()
    UNAROUSABLE = auto()
    DIAGNOSIS = auto()


class IcansUnknown(Enum):
    """The reason for the lack of a grade."""

    NOT_ON_RECORD = auto()
    CODED_WITHOUT_GRADE = auto()
    UNREADABLE = auto()
    NOT_READ = auto()


@dataclass(frozen=True, slots=True)
class CodedIcans:
    """A recent diagnosis that says more than what was charted."""

    code: str
    reference: str


@dataclass(frozen=True, slots=True)
class Icans:
    """The ICANS grade; None if it is not known, for the reason in `unknown`. `minimum` means that it may be higher.

    `ice` is the ICE score, 0 to 10, if `source` is a score; `code` is the code of a diagnosis.
    """

    grade: int | None = None
    source: IcansSource | None = None
    ice: int | None = None
    code: str = ""
    reference: str = ""
    at: datetime | None = None
    minimum: bool = False
    unknown: IcansUnknown = IcansUnknown.NOT_ON_RECORD
    coded_higher: CodedIcans | None = None

    @property
    def from_ice_0(self) -> bool:
        """An ICE score of 0 is at least grade 3: whether the patient can be roused is not in the score."""
        return self.ice == 0
