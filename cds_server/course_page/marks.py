"""What stands on the axis of a course: a mark, a lane of marks on one scale, a grade for as long as it stood."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True)
class Mark:
    """One thing on the axis: at a moment, or until `end`. `text` is value and unit, `use` what it was for, and `code`
    the same for a program; `value` its place on the lane's scale (None: it has none, and stands in the table only)."""

    at: datetime
    text: str
    source: str = ""
    value: Decimal | None = None
    use: str = ""
    code: str = ""
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
    """A grade for as long as it stood. `grade` None is no grade: `short` then says why in a word, `if_crs` what is
    charted would be if this is CRS. `why` is what made it at its start."""

    start: datetime
    end: datetime
    grade: int | None
    minimum: bool
    if_crs: str
    short: str
    why: str
    sources: tuple[str, ...]
