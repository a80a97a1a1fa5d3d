"""What is known of a patient, as frozen dataclasses and enums. Imports nothing of ours.

Values are Decimal in one unit for each quantity (IL-6 pg/mL, CRP mg/L, temperature Cel, pressure mm[Hg],
flow L/min, FiO2 as a fraction, weight kg). Times are aware datetimes. Unknown is a value of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class Moment:
    """A FHIR time in UTC: an instant, or the whole local day that a date stands for (`latest` is its last instant)."""

    earliest: datetime
    latest: datetime

    @property
    def is_date(self) -> bool:
        return self.earliest != self.latest


@dataclass(frozen=True, slots=True)
class Interval:
    """What a censored result allows: `<v` is (0, v), a number is [x, x]. `high` None is infinity."""

    low: Decimal
    high: Decimal | None
    low_open: bool = False
    high_open: bool = False


class Kind(StrEnum):
    """The kinds of data that are read, each of which may be missing by itself."""

    PATIENT = "patient"
    IL6_CRP = "IL-6 and CRP"
    VITALS = "vital signs"
    OXYGEN = "oxygen"
    WEIGHT = "weight"
    SAFETY_LABS = "blood counts and liver enzymes"
    ADMINISTRATIONS = "medication administrations"
    RUNNING = "running infusions"
    PROCEDURES = "cell therapy procedures"
    SUPPORT_PROCEDURES = "respiratory support procedures"
    CONDITIONS = "conditions"
    ALLERGIES = "allergies"
    MICROBIOLOGY = "microbiology"
    NEURO = "ICE and ICANS"
    MEDICATION_ORDERS = "active medication orders"
    SERVICE_ORDERS = "active service orders"


class Completeness(StrEnum):
    COMPLETE = "complete"
    PART = "part"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far one kind of data could be read.

    `why` says what stood in the way, in words without patient data. `since` is how far back it is complete:
    None with COMPLETE is to the beginning, None with PART is nowhere. `failed`: it was asked for in vain; else nobody
    could be asked.
    """

    state: Completeness
    why: str | None = None
    since: datetime | None = None
    failed: bool = False

    def covers(self, moment: datetime) -> bool:
        """Whether everything from `moment` on was read."""
        if self.since is not None:
            return self.since <= moment
        return self.state is Completeness.COMPLETE


@dataclass(frozen=True, slots=True)
class SetAside:
    """A resource that could not be used, and why; the kinds of data it may have been, and its time if known.

    `infusion`: it would have been a CAR-T infusion, so that silence about it would be wrong.
    """

    reference: str
    why: str
    kinds: frozenset[Kind] = frozenset()
    at: Moment | None = None
    infusion: bool = False


class Reason(StrEnum):
    """Why a fold change carries no verdict."""

    NO_BASELINE = "no_baseline"
    NO_PEAK = "no_peak"
    NO_RECENT_SAMPLE = "no_recent_sample"
    FEBRILE_BASELINE = "febrile_baseline"
    CENSORED = "censored_inconclusive"
    ZERO_BASELINE = "zero_baseline"
    PRELIMINARY = "preliminary"
    PRIOR_BLOCKADE = "prior_il6r_blockade"
    HISTORY_INCOMPLETE = "history_incomplete"
    UNUSABLE = "unusable_sample"
    NOT_READ = "not_read"
    TEMPERATURES_UNREAD = "temperatures_unread"


@dataclass(frozen=True, slots=True)
class Reading:
    """One vital sign."""

    reference: str
    at: datetime
    value: Decimal


@dataclass(frozen=True, slots=True)
class Sample:
    """One laboratory result. `unit` is the canonical unit, or the record's own where no conversion exists."""

    reference: str
    at: Moment
    value: Interval
    text: str
    unit: str
    loinc: str
    preliminary: bool = False
    amended: bool = False


class SampleUse(StrEnum):
    """What a sample was for the fold change, or why it was nothing."""

    BASELINE = "baseline"
    PEAK = "peak"
    COUNTED = "counted"
    BEFORE = "not after the infusion: not counted"
    AFTER_BLOCKADE = "at or after the first IL-6 blocker: not counted"
    AMBIGUOUS = "known by date only on the day of the blocker: not counted"
    OTHER_UNIT = "another unit or code than the baseline: not counted"
    TOO_LATE = "after the study's days: not counted"
    PRELIMINARY = "preliminary: not counted"


@dataclass(frozen=True, slots=True)
class FoldChange:
    """How many times an analyte rose from baseline to peak, and whether the samples can carry a verdict.

    `fold` is missing with a `reason`. `low_barred` says why these samples, whatever their fold, cannot prove
    a small rise. `fold_if_preliminary` counts preliminary results too; `fold_after_blockade` is the highest
    fold sampled after the first IL-6 blocker (CRP only). `later_samples`: there is no baseline, but samples since.
    `blocked`: such a drug was given in the course. `series` is every sample, oldest first, with what it was for.
    """

    fold: Interval | None = None
    baseline: Sample | None = None
    baseline_tier: int = 0
    peak: Sample | None = None
    reason: Reason | None = None
    low_barred: Reason | None = None
    fold_if_preliminary: Interval | None = None
    fold_after_blockade: Interval | None = None
    later_samples: bool = False
    blocked: bool = False
    series: tuple[tuple[Sample, SampleUse], ...] = ()
    flags: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


class DrugClass(StrEnum):
    CAR_T = "car-t-product"
    TOCILIZUMAB = "tocilizumab"
    IL6_BLOCKER = "other-il6-blocker"
    IL1_BLOCKER = "il1-blocker"
    STEROID = "systemic-corticosteroid"
    ANTIPYRETIC = "antipyretic"
    VASOPRESSOR = "vasopressor"
    VASOPRESSIN = "vasopressin"
    OTHER = "other"
    UNIDENTIFIED = "unidentified"


@dataclass(frozen=True, slots=True)
class Drug:
    drug_class: DrugClass
    ingredient: str


class Route(StrEnum):
    INTRAVENOUS = "intravenous"
    SUBCUTANEOUS = "subcutaneous"
    LOCAL = "local"
    OTHER = "other"
    NOT_STATED = "not stated"


@dataclass(frozen=True, slots=True)
class Administration:
    """One MedicationAdministration. `end` None with `open_ended` is running; without it, an event.

    `is_event`: charted at a moment (effectiveDateTime), not over a period.
    """

    reference: str
    drug: Drug
    start: Moment
    end: datetime | None
    open_ended: bool
    status: str
    route: Route
    dose_mg: Decimal | None = None
    has_amount: bool = False
    rate: Decimal | None = None
    requests: tuple[str, ...] = ()
    is_event: bool = False


@dataclass(frozen=True, slots=True)
class Infusion:
    """A CAR-T infusion: one or more records of one local date."""

    references: tuple[str, ...]
    start: datetime
    time_known: bool
    product: str


@dataclass(frozen=True, slots=True)
class Course:
    """The CAR-T course now running. `peak_opens` is after which a sample counts as later than the infusion."""

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


class CourseSearch(StrEnum):
    FOUND = "found"
    NONE = "no_course"
    NONE_IN_PART_READ = "no_course_in_part_read"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Row:
    """A known or partly known row of the grade: at least `value`; `exact` when nothing unread could raise it.

    Value 0 without `exact` is unknown. `provisional` counts what is ordered but not charted; `could_be` is the
    most that what is missing could show.
    """

    value: int
    exact: bool
    drivers: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    provisional: int = 0
    unfetched: bool = False
    could_be: int = 4

    @property
    def most(self) -> int:
        """The highest this row can be, given what is not known."""
        return self.value if self.exact else max(self.value, self.could_be)

    @property
    def unknown(self) -> bool:
        return self.value == 0 and not self.exact


class Fever(StrEnum):
    NOW = "fever now"
    WAIVED = "fever may be suppressed by treatment"
    UNKNOWN_TREATMENT = "treatment that hides fever could not be read"
    NOT_MEASURED = "no temperature in the window"
    EARLIER = "fever earlier in the course"
    MASKED = "treatment may hide fever"
    NONE = "no fever"


class NoGrade(StrEnum):
    UNKNOWN = "crs-grade-unknown"
    MASKED = "crs-possible-masked"


@dataclass(frozen=True, slots=True)
class CrsGrade:
    """The ASTCT grade at one moment. `grade` None has a reason in `no_grade` and what is likely in `provisional`.

    `onset` is the first fever of the course, `episode` the first of the present one, fevers no window apart.
    """

    fever: Fever
    pressure: Row
    oxygen: Row
    provisional: int
    grade: int | None = None
    minimum: bool = False
    no_grade: NoGrade | None = None
    onset: datetime | None = None
    episode: datetime | None = None
    highest_temperature: Decimal | None = None
    last_temperature_at: datetime | None = None
    flags: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    unfetched: bool = False


@dataclass(frozen=True, slots=True)
class Dose:
    """One tocilizumab dose; records that start within an hour of the one before belong to it. Of one known by date only
    `start` is the latest moment it can have been."""

    start: datetime
    last_start: datetime
    references: tuple[str, ...]
    date_only: bool = False


@dataclass(frozen=True, slots=True)
class PendingOrder:
    """An active order that no administration answers yet. For a corticosteroid, its dose where one is stated."""

    reference: str
    drug: Drug | None
    sets: frozenset[str]
    authored: datetime | None
    route: Route = Route.NOT_STATED
    dexamethasone_mg: Decimal | None = None
    dose_stated: bool = False


@dataclass(frozen=True, slots=True)
class Tocilizumab:
    """Doses of this course, and every start of the last 30 days that a safety check must see."""

    doses: tuple[Dose, ...]
    safety_starts: tuple[datetime, ...]
    history_complete: bool
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SteroidGiven:
    reference: str
    ingredient: str
    at: datetime
    infusing: bool
    dexamethasone_mg: Decimal | None


@dataclass(frozen=True, slots=True)
class Weight:
    reference: str
    kg: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class LabValue:
    """One laboratory value. `upper_normal` is the record's own upper limit of normal, in the same unit.

    `comparator` says that the value is only known as below or above it.
    """

    reference: str
    value: Decimal
    at: datetime
    upper_normal: Decimal | None = None
    comparator: str = ""

    def is_below(self, limit: Decimal) -> bool | None:
        """Whether it lies below a limit; None where "below v" leaves that open."""
        if self.comparator in ("<", "<="):
            under = self.value < limit or (self.comparator == "<" and self.value == limit)
            return True if under else None
        return self.value < limit

    @property
    def shown(self) -> str:
        return f"{self.comparator}{self.value.normalize():f}"


@dataclass(frozen=True, slots=True)
class SafetyLabs:
    """The latest counts (10*3/uL) and liver enzymes (U/L) that are recent enough.

    None is not known, or could not be read: `unreadable` names those.
    """

    neutrophils: LabValue | None = None
    platelets: LabValue | None = None
    alt: LabValue | None = None
    ast: LabValue | None = None
    unreadable: tuple[str, ...] = ()

    @property
    def known(self) -> tuple[LabValue, ...]:
        return tuple(lab for lab in (self.neutrophils, self.platelets, self.alt, self.ast) if lab is not None)


@dataclass(frozen=True, slots=True)
class Infection:
    """A sign of active infection: a culture or PCR that is not negative, or an active coded infection."""

    reference: str
    what: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Icans:
    """The ICANS grade (ASTCT) at one moment. `grade` None is not known; `why` then says what stood in the way.

    `coded`: taken from a diagnosis. `words` are what was charted: "ICE 5", "coded G92.02". `minimum`: it may be higher.
    `coded_higher` is a recent diagnosis of a higher grade than was charted.
    """

    grade: int | None = None
    words: str = ""
    reference: str = ""
    at: datetime | None = None
    coded: bool = False
    why: str = ""
    minimum: bool = False
    coded_higher: str = ""


@dataclass(frozen=True, slots=True)
class Age:
    """Completed age. `days` counts below one year; a partial birthDate is the oldest age it allows."""

    years: int
    days: int


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """All that the cards may know of a patient at `as_of`."""

    as_of: datetime
    zone: tzinfo
    course_search: CourseSearch
    coverage: Mapping[Kind, Coverage]
    course: Course | None = None
    deceased: bool = False
    age: Age | None = None
    grade: CrsGrade | None = None
    grade_at_dose_2: CrsGrade | None = None
    progressed: bool | None = None
    il6: FoldChange = field(default_factory=FoldChange)
    crp: FoldChange = field(default_factory=FoldChange)
    tocilizumab: Tocilizumab = field(default_factory=lambda: Tocilizumab((), (), history_complete=False))
    steroids: tuple[SteroidGiven, ...] = ()
    weight: Weight | None = None
    icans: Icans = field(default_factory=Icans)
    labs: SafetyLabs = field(default_factory=SafetyLabs)
    infections: tuple[Infection, ...] = ()
    tocilizumab_hypersensitivity: str | None = None
    coded_crs: tuple[str, ...] = ()
    recent_coded_claim: bool = False
    pending: tuple[PendingOrder, ...] = ()
    done_recently: frozenset[str] = frozenset()
    flags: tuple[str, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    evidence: tuple[str, ...] = ()

    def local(self, at: datetime) -> datetime:
        """An instant as the facility's clock shows it. All other times here are UTC, so that hours are elapsed."""
        return at.astimezone(self.zone)


@dataclass(frozen=True, slots=True)
class DraftDose:
    """The single dose of a draft, in mg or in mg/kg; neither where it could not be read.

    `repeats`: more than one dose is asked for.
    """

    mg: Decimal | None = None
    mg_per_kg: Decimal | None = None
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class DraftOrder:
    """An order being written. `drug` None is a medication nothing identifies; `empty` has no medication yet;
    `replaces` is the active order that it takes the place of; `resource` is the draft as it was sent."""

    reference: str
    is_medication: bool
    drug: Drug | None
    sets: frozenset[str]
    selected: bool
    empty: bool = False
    replaces: str | None = None
    dexamethasone_mg: Decimal | None = None
    dose_stated: bool = False
    dose: DraftDose = DraftDose()
    route: Route = Route.NOT_STATED
    resource: Mapping[str, Any] = field(default_factory=dict)


def hours_ago(then: datetime, now: datetime) -> str:
    """How long ago, in words: minutes below two hours, else whole hours."""
    passed = now - then
    if passed < timedelta(hours=2):
        return f"{int(passed.total_seconds() // 60)} min ago"
    return f"{int(passed.total_seconds() // 3600)} h ago"
