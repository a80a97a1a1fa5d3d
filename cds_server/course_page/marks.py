"""The parts of a course's axis: a mark, a lane of marks on one scale, a grade for as long as it stood."""

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
    """The side of a limit on which a result lies, if it is no number."""

    BELOW = "below"
    ABOVE = "above"


class Holds(StrEnum):
    """The certainty with which a strip of oxygen or of a vasopressor holds."""

    NOW = "now"
    STALE = "stale"
    HELD = "held"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Mark:
    """One thing on the axis: at a moment, or until `end`.

    `text` is value and unit; `label` holds the shorter words beside a mark ("" if `text` is short enough), and `short`
    the shortest, for a narrow strip. `use` says
    what it was for, and `code` says the same to a program. `value` is its place on the lane's scale; None if it has
    none and stands in the table only. `bound` says that the result lies beyond that place.
    """

    at: datetime
    text: str
    source: str = ""
    value: Decimal | None = None
    use: str = ""
    code: str = ""
    label: str = ""
    short: str = ""
    bound: Bound | None = None
    end: datetime | None = None
    date_only: bool = False


@dataclass(frozen=True)
class Lane:
    """One scale and the marks on it. `limit` is drawn as a line, with its words; from `until` on no mark counts."""

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

    A `grade` of None is no grade: `short` then says why in a word, `if_crs` what it would be if this is CRS, and
    `grade_if_crs` the same as a number, 0 if there is none.
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
