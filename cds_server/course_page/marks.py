"""What stands on the axis of a course: a mark, a lane of marks on one scale, a grade for as long as it stood."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Given(StrEnum):
    """The kind of a drug on the axis: the row that it stands in, and whether it counts as a dose for CRS."""

    DOSE = "dose"
    NOT_COUNTED = "not-counted"
    BLOCKER = "blocker"
    STEROID = "steroid"
    ANTIPYRETIC = "antipyretic"


class Bound(StrEnum):
    """The side of a limit on which a result lies, where it is no number."""

    BELOW = "below"
    ABOVE = "above"


class Holds(StrEnum):
    """How surely a strip of oxygen or of a vasopressor holds."""

    NOW = "now"
    STALE = "stale"
    HELD = "held"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Mark:
    """One thing on the axis: at a moment, or until `end`.

    `text` is value and unit, `label` the shorter words beside a mark ("" where `text` is short enough). `use` is what
    it was for, and `code` the same for a program. `value` is its place on the lane's scale, None where it has none and
    stands in the table only; `bound` says that the result lies beyond that place.
    """

    at: datetime
    text: str
    source: str = ""
    value: Decimal | None = None
    use: str = ""
    code: str = ""
    label: str = ""
    bound: Bound | None = None
    end: datetime | None = None
    date_only: bool = False


@dataclass(frozen=True)
class Lane:
    """One scale and what is on it. `limit` is drawn as a line, with its words; from `until` on nothing on it counts."""

    name: str
    unit: str
    marks: tuple[Mark, ...]
    limit: Decimal | None = None
    limit_words: str = ""
    is_log: bool = False
    until: datetime | None = None


@dataclass(frozen=True)
class GradeSpan:
    """A grade for as long as it stood, and `why` at its start.

    `grade` None is no grade: `short` then says why in a word, `if_crs` what it would be if this is CRS, and
    `grade_if_crs` the same as a number, 0 where nothing says so.
    """

    start: datetime
    end: datetime
    grade: int | None
    minimum: bool
    if_crs: str
    grade_if_crs: int
    short: str
    why: str
    sources: tuple[str, ...]
