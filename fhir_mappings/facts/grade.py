"""The rows of the ASTCT grade and the grade itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum, StrEnum, auto

from fhir_mappings.facts.flags import Flag
from fhir_mappings.facts.row_parts import Driver, Lack


@dataclass(frozen=True, slots=True)
class GradeRow:
    """A row of the grade, known or partly known: at least `value`, and `exact` if nothing unread could raise it.

    Value 0 without `exact` is unknown. `provisional` also counts what is ordered but not charted; `could_be` is the
    highest value that the missing data could show. `beside` are findings that make no row. `not_new`: the finding of
    the row was there before the infusion. `last_charted` is the last record that says anything of the row.
    """

    value: int
    exact: bool
    drivers: tuple[Driver, ...] = ()
    missing: tuple[Lack, ...] = ()
    flags: tuple[Flag, ...] = ()
    evidence: tuple[str, ...] = ()
    provisional: int = 0
    unfetched: bool = False
    could_be: int = 4
    beside: tuple[Driver, ...] = ()
    not_new: bool = False
    last_charted: datetime | None = None

    @property
    def most(self) -> int:
        """The highest this row can be, given what is not known."""
        return self.value if self.exact else max(self.value, self.could_be)

    @property
    def unknown(self) -> bool:
        return self.value == 0 and not self.exact


class Fever(Enum):
    """The rows of the fever table, from the top."""

    NOW = auto()
    WAIVED = auto()
    UNKNOWN_TREATMENT = auto()
    NOT_MEASURED = auto()
    EARLIER = auto()
    MASKED = auto()
    NONE = auto()


class NoGrade(StrEnum):
    """The reason for the lack of a grade; the value is the id of the card that says so."""

    UNKNOWN = "crs-grade-unknown"
    MASKED = "crs-possible-masked"


@dataclass(frozen=True, slots=True)
class CrsGrade:
    """The ASTCT grade at one moment. Without a `grade`, `no_grade` says why and `provisional` what is likely.

    `onset` is the first fever of the course. `episode` is the first fever of the present series, in which no two
    consecutive fevers lie further apart than the fever window.
    """

    fever: Fever
    pressure: GradeRow
    oxygen: GradeRow
    provisional: int
    grade: int | None = None
    minimum: bool = False
    no_grade: NoGrade | None = None
    onset: datetime | None = None
    episode: datetime | None = None
    highest_temperature: Decimal | None = None
    last_temperature_at: datetime | None = None
    flags: tuple[Flag, ...] = ()
    evidence: tuple[str, ...] = ()
    unfetched: bool = False


@dataclass(frozen=True, slots=True)
class FirstFever:
    """The local day of the first fever of a course, and how long after the start of an infusion the present one began.

    `with_infusion`: so soon that it may be a reaction to it. Of an infusion that is known by date only, no hours are
    known.
    """

    day: int
    after_infusion: timedelta | None
    is_late: bool
    with_infusion: bool


def device_not_recognised(grade: CrsGrade) -> bool:
    """Tell whether the latest device or procedure has no place, and fever, now or hidden, makes it matter."""
    return Flag.OXYGEN_UNREAD in grade.flags and grade.fever in (Fever.NOW, Fever.WAIVED)


def stale_pressors_alone(grade: CrsGrade) -> bool:
    """Tell whether grade 4 rests on vasopressors that were charted long ago and on nothing else."""
    return Flag.PRESSORS_STALE_TOGETHER in grade.pressure.flags and grade.oxygen.value < grade.pressure.value


def is_better(now: CrsGrade, then: CrsGrade | None) -> bool:
    """Tell whether the grade is known to be below an earlier one; a minimum now may be as high."""
    if then is None or then.grade is None or now.grade is None or now.minimum:
        return False
    return now.grade < then.grade


def row_without_fever(grade: CrsGrade) -> int:
    """The higher row of a patient who had no fever in this course, and whose fever nothing hid; 0 for any other.

    Hypotension and hypoxia that were there before the infusion are left out.
    """
    if grade.fever is not Fever.NONE:
        return 0
    return max(0 if row.not_new else row.value for row in (grade.pressure, grade.oxygen))


def is_not_crs(grade: CrsGrade) -> bool:
    """Tell whether grade 0 stands beside a low pressure or oxygen: there was no fever, so it is not CRS."""
    return grade.grade == 0 and max(grade.pressure.value, grade.oxygen.value) > 0
