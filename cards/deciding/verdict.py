"""The verdict that a fold change proves: high, low or unknown.

A running maximum can prove HIGH at any time. LOW moves advice away from tocilizumab, so it needs samples that can carry
it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from fhir_mappings.facts.analytes import Limit
from fhir_mappings.facts.labs import FoldChange, Reason
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.time_and_range import Interval


class Category(StrEnum):
    HIGH = "high"
    LOW = "low"
    UNKNOWN = "unknown"


# The reasons that another sample cannot settle. No IL-6 order is suggested for them.
NO_SAMPLE_HELPS = frozenset(
    {
        Reason.NO_BASELINE,
        Reason.ZERO_BASELINE,
        Reason.PRIOR_BLOCKADE,
        Reason.HISTORY_INCOMPLETE,
        Reason.NOT_READ,
        Reason.TEMPERATURES_UNREAD,
    }
)


@dataclass(frozen=True)
class Verdict:
    category: Category
    reason: Reason | None = None
    after_tocilizumab: bool = False
    near_threshold: bool = False


def verdict(fold: FoldChange, limit: Limit, t: Thresholds) -> Verdict:
    """HIGH where every possible rise is beyond the limit, LOW where none is and the samples can carry it. A rise after
    tocilizumab can be high too, where the analyte counts it; a fall never clears anything."""
    cut = limit.fold(t)
    near = limit.near is not None and _is_near(fold.fold, cut, cut * limit.near(t))
    if fold.fold is not None and _all_high(fold.fold, cut, limit):
        return Verdict(Category.HIGH, near_threshold=near)
    if fold.fold_after_blockade is not None and _all_high(fold.fold_after_blockade, cut, limit):
        return Verdict(Category.HIGH, after_tocilizumab=True)
    if fold.fold is None:
        return Verdict(Category.UNKNOWN, fold.reason)
    if not _all_low(fold.fold, cut, limit):
        return Verdict(Category.UNKNOWN, _open_reason(fold))
    if fold.low_barred in limit.low_barred_by:
        return Verdict(Category.UNKNOWN, fold.low_barred)
    if fold.fold_if_preliminary is not None and not _all_low(fold.fold_if_preliminary, cut, limit):
        return Verdict(Category.UNKNOWN, Reason.PRELIMINARY)
    return Verdict(Category.LOW, near_threshold=near)


def _open_reason(fold: FoldChange) -> Reason:
    """The reason why a rise is an interval in which both verdicts lie."""
    samples = [sample for sample in (fold.baseline, fold.peak) if sample is not None]
    differ = any(sample.two_results for sample in samples)
    return Reason.TWO_RESULTS if differ and not any(s.is_censored for s in samples) else Reason.CENSORED


def _all_high(fold: Interval, cut: Decimal, limit: Limit) -> bool:
    return fold.low > cut or (fold.low == cut and (limit.tie_is_high or fold.low_open))


def _all_low(fold: Interval, cut: Decimal, limit: Limit) -> bool:
    return fold.high is not None and (
        fold.high < cut or (fold.high == cut and (fold.high_open or not limit.tie_is_high))
    )


def _is_near(fold: Interval | None, cut: Decimal, distance: Decimal) -> bool:
    return fold is not None and fold.low == fold.high and abs(fold.low - cut) <= distance
