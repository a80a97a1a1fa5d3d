"""Laboratory results: samples, fold changes, counts and enzymes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from fhir_mappings.facts.coverage import SetAside
from fhir_mappings.facts.time_and_range import Interval, Moment


class Reason(StrEnum):
    """The reason for which a fold change carries no verdict."""

    NO_BASELINE = "no_baseline"
    NO_PEAK = "no_peak"
    NO_RECENT_SAMPLE = "no_recent_sample"
    FEBRILE_BASELINE = "febrile_baseline"
    CENSORED = "censored_inconclusive"
    TWO_RESULTS = "two_results"
    ZERO_BASELINE = "zero_baseline"
    PRELIMINARY = "preliminary"
    PRIOR_BLOCKADE = "prior_il6r_blockade"
    HISTORY_INCOMPLETE = "history_incomplete"
    UNUSABLE = "unusable_sample"
    NOT_READ = "not_read"
    TEMPERATURES_UNREAD = "temperatures_unread"


@dataclass(frozen=True, slots=True)
class Sample:
    """One laboratory result. `unit` is the canonical unit, or the record's own where no conversion exists.

    `two_results`: it stands for several of one time that differ, and its value is the interval that they span.
    """

    reference: str
    at: Moment
    value: Interval
    text: str
    unit: str
    loinc: str
    preliminary: bool = False
    amended: bool = False
    two_results: bool = False

    @property
    def is_censored(self) -> bool:
        """Tell whether one result is given only as below or above a limit."""
        return not self.two_results and (self.value.low_open or self.value.high is None)

    @property
    def height(self) -> tuple[Decimal, Decimal]:
        """A key that puts the higher of two results last: "below 50" may be higher than 30."""
        return (self.value.high if self.value.high is not None else Decimal("Infinity"), self.value.low)


class SampleUse(StrEnum):
    """The part of a sample in the fold change, or why it has none."""

    BASELINE = "baseline"
    PEAK = "peak"
    COUNTED = "counted"
    BEFORE = "before"
    AFTER_BLOCKADE = "after_blockade"
    AMBIGUOUS = "ambiguous"
    OTHER_UNIT = "other_unit"
    TOO_LATE = "too_late"
    PRELIMINARY = "preliminary"


class FoldFlag(StrEnum):
    """A property of the samples that the assessment names: the value is the name there."""

    BASELINE_TIER_1 = "baseline_tier_1"
    BASELINE_TIER_2 = "baseline_tier_2"
    BASELINE_TIER_3 = "baseline_tier_3"
    BASELINE_TIER_4 = "baseline_tier_4"
    AMBIGUOUS_ORDER = "ambiguous_order"


@dataclass(frozen=True, slots=True)
class FoldChange:
    """The rise of an analyte from baseline to peak, and how far its samples can carry a verdict.

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
    flags: tuple[FoldFlag, ...] = ()
    evidence: tuple[str, ...] = ()

    @property
    def latest(self) -> Sample | None:
        """The last sample, whatever it was for."""
        return self.series[-1][0] if self.series else None

    @property
    def highest(self) -> Sample | None:
        """The peak; where no baseline makes one, the highest sample that counts, if all that count have one unit."""
        counted = [sample for sample, use in self.series if use in (SampleUse.PEAK, SampleUse.COUNTED)]
        if self.peak is not None or len({sample.unit for sample in counted}) != 1:
            return self.peak
        return max(counted, key=lambda sample: sample.height)


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
        """True where it lies below a limit, None where "below v" leaves that open."""
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


@dataclass(frozen=True)
class Series:
    """Samples oldest first; results that could not be read, which may have been of any height."""

    samples: tuple[Sample, ...]
    unusable: tuple[SetAside, ...]
