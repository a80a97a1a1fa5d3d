"""Shares of patients, and what two shares have in common: exact limits, differences, Fisher's and Pearson's tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, nan, sqrt

from scipy import stats

from cds_server.evaluation.statistics.estimates import NORMAL, TAIL, Estimate


@dataclass(frozen=True)
class Share:
    """The number of patients with an event among `n`."""

    events: int
    n: int

    def __post_init__(self) -> None:
        if not 0 <= self.events <= self.n:
            raise ValueError(f"events must lie between 0 and n: {self.events} of {self.n}")


def exact_share(share: Share) -> Estimate:
    """The share with its limits by Clopper and Pearson; all NaN if nobody is counted."""
    k, n = share.events, share.n
    if n == 0:
        return Estimate(nan)
    low = float(stats.beta.ppf(TAIL, k, n - k + 1)) if k else 0.0
    high = float(stats.beta.ppf(1 - TAIL, k + 1, n - k)) if k < n else 1.0
    return Estimate(k / n, low, high)


def wilson_share(share: Share) -> Estimate:
    """The share with its limits by Wilson's score, without correction for continuity."""
    k, n, z = share.events, share.n, NORMAL
    if n == 0:
        return Estimate(nan)
    middle, spread = 2 * k + z * z, z * sqrt(z * z + 4 * k * (1 - k / n))
    return Estimate(k / n, (middle - spread) / (2 * (n + z * z)), (middle + spread) / (2 * (n + z * z)))


def risk_difference(first: Share, second: Share) -> Estimate:
    """The share of the first minus that of the second, with Newcombe's limits (1998, method 10)."""
    one, two = wilson_share(first), wilson_share(second)
    difference = one.value - two.value
    return Estimate(
        difference,
        difference - hypot(one.value - one.low, two.high - two.value),
        difference + hypot(one.high - one.value, two.value - two.low),
    )


def interaction(first: Estimate, second: Estimate) -> Estimate:
    """The first difference minus the second, of independent groups: the limits are joined by squares, as Newcombe's."""
    return Estimate(
        first.value - second.value,
        first.value - second.value - hypot(first.value - first.low, second.high - second.value),
        first.value - second.value + hypot(first.high - first.value, second.value - second.low),
    )


def fisher_p(first: Share, second: Share) -> float:
    """The two-sided p of Fisher's exact test: the sum of the tables that are no likelier than this one."""
    table = [[s.events, s.n - s.events] for s in (first, second)]
    return float(stats.fisher_exact(table).pvalue)


def pearson_p(counts: Sequence[Sequence[int]]) -> float:
    """The p of Pearson's χ² without correction, for a table of counts (groups × categories).

    Categories that nobody has are left out; NaN if fewer than two groups or categories remain.
    """
    groups = [row for row in counts if sum(row)]
    columns = [column for column in zip(*groups, strict=True) if sum(column)]
    if len(groups) < 2 or len(columns) < 2:
        return nan
    return float(stats.chi2_contingency(list(columns), correction=False).pvalue)


def p_with_one_event_more(first: Share, second: Share) -> float:
    """Fisher's p if the group with the lower share had one event more: how much hangs on a single patient."""
    lower, other = (first, second) if first.events * second.n <= second.events * first.n else (second, first)
    if lower.events == lower.n:
        return nan
    return fisher_p(Share(lower.events + 1, lower.n), other)
