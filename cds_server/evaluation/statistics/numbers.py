"""Numbers in two groups: quantiles, the test of Mann and Whitney, standardised differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from scipy import stats

MOST_EXACT = 20  # values a group


@dataclass(frozen=True)
class RankTest:
    """The two-sided p of Mann and Whitney, and whether it is exact or by the normal approximation."""

    p: float
    exact: bool


def quantile(values: Sequence[float], share: float) -> float:
    """The quantile by linear interpolation (type 7); NaN without values."""
    return float(np.quantile(np.asarray(values, dtype=float), share)) if len(values) else nan


def mann_whitney(first: Sequence[float], second: Sequence[float]) -> RankTest:
    """Exact if no two values are equal and neither group has more than 20, else asymptotic with the correction for
    ties and without that for continuity."""
    if not len(first) or not len(second):
        return RankTest(nan, exact=False)
    pooled = [*first, *second]
    exact = len(set(pooled)) == len(pooled) and max(len(first), len(second)) <= MOST_EXACT
    if not exact and len(set(pooled)) == 1:
        return RankTest(1.0, exact=False)
    method = "exact" if exact else "asymptotic"
    p = stats.mannwhitneyu(first, second, alternative="two-sided", method=method, use_continuity=False).pvalue
    return RankTest(float(p), exact)


def difference_of_means(first: Sequence[float], second: Sequence[float]) -> float:
    """The standardised difference: of the means, in the units of the root of the mean variance.

    NaN with fewer than two values in a group, or without any spread.
    """
    if min(len(first), len(second)) < 2:
        return nan
    one, two = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    spread = sqrt((float(one.var(ddof=1)) + float(two.var(ddof=1))) / 2)
    return (float(one.mean()) - float(two.mean())) / spread if spread else nan


def difference_of_shares(first: Sequence[int], second: Sequence[int]) -> float:
    """The standardised difference of two distributions over the same categories, given as counts.

    For two categories, the difference of the shares of the second category in the units of the root of the mean
    variance; for more, the distance of Mahalanobis that extends it (Yang and Dalton 2012), which has no sign.
    """
    if not sum(first) or not sum(second):
        return nan
    one, two = (np.asarray(counts, dtype=float)[1:] / sum(counts) for counts in (first, second))
    covariance = (_covariance(one) + _covariance(two)) / 2
    difference = one - two
    if not float(np.abs(covariance).sum()):
        return nan
    if len(one) == 1:
        return float(difference[0]) / sqrt(float(covariance[0, 0]))
    return sqrt(max(0.0, float(difference @ np.linalg.pinv(covariance) @ difference)))


def _covariance(shares: np.ndarray) -> np.ndarray:
    return np.diag(shares) - np.outer(shares, shares)
