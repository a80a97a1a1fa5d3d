"""CAR-T infusions and the course now running."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Infusion:
    """A CAR-T infusion: one or more records of one local date. `treated_early` is a trait of its product."""

    references: tuple[str, ...]
    start: datetime
    time_known: bool
    product: str
    treated_early: bool = False


@dataclass(frozen=True, slots=True)
class Course:
    """The CAR-T course now running.

    `day0` is the local date of its first infusion, `day_before` the instant at which the day before begins. A sample
    drawn after `peak_opens` counts as later than the infusion.
    """

    infusions: tuple[Infusion, ...]
    day0: date
    day_before: datetime
    last_infused: date
    start: datetime
    peak_opens: datetime
    day: int
    days_since_last: int

    @property
    def time_known(self) -> bool:
        return self.infusions[0].time_known


@dataclass(frozen=True, slots=True)
class CodedCrs:
    """A coded CRS grade: a claim, and when it was made."""

    code: str
    at: datetime


class CourseSearch(StrEnum):
    """The outcome of the search for a course: found, surely none, none in what was read, or nothing readable."""

    FOUND = "found"
    NONE = "no_course"
    NONE_IN_PART_READ = "no_course_in_part_read"
    UNREADABLE = "unreadable"


class CourseDoubt(StrEnum):
    """The reason why an infusion may be missing where none was found. The first that holds counts.

    Only `FIRST_PAGE` leaves an answer without cards: what asks for CAR-T by code is whole and empty, and the other
    administrations end at a full page that nobody could be asked to go on from.
    """

    PATIENT_UNKNOWN = "patient_unknown"  # to the FHIR server
    NOTHING_READ = "nothing_read"
    READ_FAILED = "read_failed"
    NOT_ASKED_FOR = "not_asked_for"  # nobody could be asked for what shows an infusion
    DRUG_UNREAD = "drug_unread"  # what stands behind a reference failed
    DRUG_UNNAMED = "drug_unnamed"
    UNUSABLE = "unusable"  # a resource that may be an infusion was set aside
    FIRST_PAGE = "first_page"
