"""The verdict that a fold change proves: high, low or unknown.

A running maximum can prove HIGH at any time. LOW moves advice away from tocilizumab, so it needs samples that can carry
it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

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


def all_at_least(fold: Interval, cut: Decimal) -> bool:
    return fold.low >= cut


def all_below(fold: Interval, cut: Decimal) -> bool:
    return fold.high is not None and (fold.high < cut or (fold.high == cut and fold.high_open))


def all_above(fold: Interval, cut: Decimal) -> bool:
    return fold.low > cut or (fold.low == cut and fold.low_open)


def all_at_most(fold: Interval, cut: Decimal) -> bool:
    return fold.high is not None and fold.high <= cut


def il6_verdict(fold: FoldChange, t: Thresholds) -> Verdict:
    """The verdict on IL-6: HIGH if and only if every possible fold is at least `il6_fold`.

    Exactly 4 is high, because the paper's stratum is "less than fourfold" and the guideline stands on the side of
    tocilizumab.
    """
    if fold.fold is None:
        return Verdict(Category.UNKNOWN, fold.reason)
    near = abs(fold.fold.low - t.il6_fold) <= t.il6_fold * t.il6_near and fold.fold.low == fold.fold.high
    if all_at_least(fold.fold, t.il6_fold):
        return Verdict(Category.HIGH, near_threshold=near)
    if not all_below(fold.fold, t.il6_fold):
        return Verdict(Category.UNKNOWN, Reason.CENSORED)
    if fold.low_barred is not None:
        return Verdict(Category.UNKNOWN, fold.low_barred)
    if fold.fold_if_preliminary is not None and not all_below(fold.fold_if_preliminary, t.il6_fold):
        return Verdict(Category.UNKNOWN, Reason.PRELIMINARY)
    return Verdict(Category.LOW, near_threshold=near)


def crp_verdict(fold: FoldChange, t: Thresholds) -> Verdict:
    """The verdict on CRP: HIGH if and only if every possible fold is above `crp_fold`.

    A rise after tocilizumab makes it HIGH too; a fall after tocilizumab never clears it.
    """
    after = fold.fold_after_blockade is not None and all_above(fold.fold_after_blockade, t.crp_fold)
    if fold.fold is not None and all_above(fold.fold, t.crp_fold):
        return Verdict(Category.HIGH)
    if after:
        return Verdict(Category.HIGH, after_tocilizumab=True)
    if fold.fold is None:
        return Verdict(Category.UNKNOWN, fold.reason)
    if not all_at_most(fold.fold, t.crp_fold):
        return Verdict(Category.UNKNOWN, Reason.CENSORED)
    if fold.low_barred is Reason.UNUSABLE:
        return Verdict(Category.UNKNOWN, Reason.UNUSABLE)
    if fold.fold_if_preliminary is not None and not all_at_most(fold.fold_if_preliminary, t.crp_fold):
        return Verdict(Category.UNKNOWN, Reason.PRELIMINARY)
    return Verdict(Category.LOW)
