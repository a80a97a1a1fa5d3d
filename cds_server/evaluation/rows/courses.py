"""The rows on what was, from the final chart: the course, its markers, its grade by day, the grades charted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class Known(StrEnum):
    """An outcome: it happened, it did not, or it cannot be said."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Group(StrEnum):
    """The side of the study's cut on which the whole interval of a rise lies."""

    HIGH = "high"
    LOW = "low"
    UNKNOWN = "unknown"


class GradeSource(StrEnum):
    """The act by which a grade came on record."""

    CHARTED = "charted"
    SCORE = "ice-score"  # a grade of ICANS that follows from an ICE score
    DIAGNOSIS = "diagnosis"


class CourseFlag(StrEnum):
    """A property of a course that a reader of its row must know."""

    INFUSION_TIME_UNKNOWN = "infusion-time-unknown"
    SPLIT_DOSE = "split-dose"
    CUT = "follow-up-ends-before-day-30"
    LATE_FEVER = "late-fever"
    RECRUDESCENCE = "recrudescence"
    END_CENSORED = "end-censored"
    GRADE_IS_MINIMUM = "grade-is-minimum"
    CULTURE_NEAR_ONSET = "positive-culture-near-onset"
    NO_CULTURE_NEAR_ONSET = "no-culture-near-onset"
    DEATH_WITHOUT_DATE = "death-without-date"
    SET_ASIDE = "resources-set-aside"
    THINNED = "grade-worked-out-at-some-moments-only"


@dataclass(frozen=True, slots=True)
class MarkerRow:
    """The rise of one marker in one window of a course.

    `baseline` and `peak` are intervals in `unit` (pg/mL for cytokines, mg/L for CRP, ug/L for ferritin): a number is
    [x, x], "< v" is [0, v], "> v" has no high end. `fold` is the interval that they allow. `group` is the study's, by
    the whole interval; `reason` says why it is unknown.
    """

    patient: str
    course: int
    marker: str  # il6, crp, il10, ferritin
    window: str  # study, crs, severe; see the protocol
    unit: str = ""
    samples: int = 0
    baseline_tier: int = 0
    baseline_at: datetime | None = None
    baseline_low: Decimal | None = None
    baseline_high: Decimal | None = None
    peak_at: datetime | None = None
    peak_low: Decimal | None = None
    peak_high: Decimal | None = None
    fold_low: Decimal | None = None
    fold_high: Decimal | None = None
    group: Group = Group.UNKNOWN
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CourseRow:
    """One course of a patient: a row of `courses.csv`.

    `severe` and `crs` are as the protocol defines them: `unknown` is no answer, never a no. `duration_days` is from the
    first to the last positive sign; `duration_local_days` counts the local days from one to the other, both included.
    `grade_known_share`: of the hours from onset to end, those at which it is known whether the grade was 3 or more.
    `died_in_severe`: death while the grade was 3 or more, or within 7 days after. `grade_2_times`: from when until when
    the grade was 2 or more, in turns.
    """

    patient: str
    course: int
    infused_at: datetime
    day0: date
    infusions: int
    product: str
    sex: str | None
    age_years: int | None
    followed_until: datetime
    days_followed: int
    # CRS
    crs: Known
    onset: datetime | None
    onset_day: int | None
    onset_hours: Decimal | None
    late_fever: datetime | None
    max_grade: int | None
    max_grade_at: datetime | None
    max_grade_is_minimum: bool
    first_grade_2: datetime | None
    first_grade_3: datetime | None
    first_grade_4: datetime | None
    severe: Known
    grade_known_share: Decimal | None
    crs_end: datetime | None
    end_is_censored: bool
    duration_days: Decimal | None
    duration_local_days: int | None
    recrudescences: int
    # ICANS
    icans: Known
    max_icans: int | None
    max_icans_at: datetime | None
    icans_before_first_dose: bool | None
    # treatment
    tocilizumab: bool | None
    first_tocilizumab: datetime | None
    tocilizumab_doses: int
    steroids: bool | None
    first_steroid: datetime | None
    steroid_doses: int
    # markers in the study's window
    il6_group: Group
    il6_reason: str
    il6_verdict_at_first_dose: str
    il6_baseline: Decimal | None
    il6_peak: Decimal | None
    il6_fold_low: Decimal | None
    il6_fold_high: Decimal | None
    crp_group: Group
    crp_reason: str
    crp_baseline: Decimal | None
    crp_peak: Decimal | None
    crp_fold_low: Decimal | None
    crp_fold_high: Decimal | None
    # outcome
    death: datetime | None
    died_in_severe: bool
    last_seen: datetime
    grade_2_times: tuple[datetime, ...] = ()
    flags: tuple[CourseFlag, ...] = ()
    treatment_reached: bool = True  # False: administrations are absent from the export, so nothing is said of doses


@dataclass(frozen=True, slots=True)
class GradeDayRow:
    """One local day of a course: the highest grade known on it, and whether it is a day at risk.

    `grade` None is unknown, a band of its own. `hours_known` are the hours of the day at which the grade is known.
    """

    patient: str
    course: int
    day: int
    date: date
    at_risk: bool
    signs: int
    temperatures: int
    grade: int | None
    grade_is_minimum: bool
    hours_known: Decimal


@dataclass(frozen=True, slots=True)
class ChartedGradeRow:
    """One act of charting a grade of CRS or ICANS, and the grade that is computed at that time.

    `charted` is None where no single grade was charted ("2-3"). Of ICANS the highest by ICE score within the rules'
    window counts as computed, and beside a score or a diagnosis there is none.
    """

    patient: str
    course: int
    scale: str  # crs, icans
    at: datetime
    charted: int | None
    computed: int | None
    computed_is_minimum: bool
    source: GradeSource
    day: int = 0  # local, from day 0 of the course
