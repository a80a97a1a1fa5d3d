"""The power of a marker to tell those with an event from those without: AUC, a given cut, and a cut of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, nan, sqrt
from typing import Literal

import numpy as np
from scipy import stats

from cds_server.evaluation.statistics.estimates import LEAST_OF_EACH, NORMAL, TAIL, Estimate, NotFitted, too_few
from cds_server.evaluation.statistics.proportions import Share, exact_share

ROUNDS = 1000


@dataclass(frozen=True)
class Sample:
    """A value for each patient and whether the patient had the event. A censored value stands at its limit.

    `strict` is the rule's own sign: True if a patient is positive above a cut, False if at or above it.
    """

    values: np.ndarray
    events: np.ndarray
    strict: bool

    @classmethod
    def of(cls, values: Sequence[float], events: Sequence[bool], *, strict: bool) -> Sample:
        return cls(np.asarray(values, dtype=float), np.asarray(events, dtype=bool), strict)

    def drawn(self, indexes: np.ndarray) -> Sample:
        return Sample(self.values[indexes], self.events[indexes], self.strict)

    def too_few(self, needed: int) -> NotFitted | None:
        events = int(self.events.sum())
        return too_few(events, len(self.events) - events, needed)


@dataclass(frozen=True)
class AtCut:
    """Sensitivity and specificity at a cut, with exact limits."""

    cut: float
    sensitivity: Estimate
    specificity: Estimate

    @property
    def youden(self) -> float:
        return self.sensitivity.value + self.specificity.value - 1


@dataclass(frozen=True)
class OwnCut:
    """The cut with the highest J in these patients: its limits by the bootstrap, J as it seems, and J corrected for
    having been chosen in the patients in whom it is judged."""

    cut: Estimate
    j_apparent: float
    j_corrected: float


def auc(sample: Sample) -> Estimate:
    """The area under the ROC curve with DeLong's variance, the limits on the logit scale.

    Without limits if the area is 0 or 1 or a group has fewer than two; NaN if a group is empty.
    """
    positive, negative = sample.values[sample.events], sample.values[~sample.events]
    m, n = len(positive), len(negative)
    if not m or not n:
        return Estimate(nan)
    ranks = stats.rankdata(np.concatenate([positive, negative]))
    above = (ranks[:m] - stats.rankdata(positive)) / n  # of each positive, the share of negatives below it
    below = 1 - (ranks[m:] - stats.rankdata(negative)) / m
    area = float(above.mean())
    if min(m, n) < 2 or not 0 < area < 1:
        return Estimate(area)
    error = sqrt(float(above.var(ddof=1)) / m + float(below.var(ddof=1)) / n) / (area * (1 - area))
    middle = log(area / (1 - area))
    return Estimate(area, _expit(middle - NORMAL * error), _expit(middle + NORMAL * error))


def _expit(x: float) -> float:
    return 1 / (1 + exp(-x))


def at_cut(sample: Sample, cut: float) -> AtCut:
    """Sensitivity and specificity of the rule's own sign at a given cut."""
    positive = sample.values > cut if sample.strict else sample.values >= cut
    with_event = Share(int((positive & sample.events).sum()), int(sample.events.sum()))
    without = Share(int((~positive & ~sample.events).sum()), int((~sample.events).sum()))
    return AtCut(cut, exact_share(with_event), exact_share(without))


def best_cut(sample: Sample) -> tuple[float, float]:
    """The observed value with the highest J, and that J; of equal J the one with the higher specificity.

    Both NaN without events or without non-events.
    """
    cuts = np.unique(sample.values)
    positives, negatives = np.sort(sample.values[sample.events]), np.sort(sample.values[~sample.events])
    if not len(positives) or not len(negatives):
        return nan, nan
    side: Literal["left", "right"] = "right" if sample.strict else "left"
    specificity = np.searchsorted(negatives, cuts, side) / len(negatives)
    sensitivity = 1 - np.searchsorted(positives, cuts, side) / len(positives)
    # J of two cuts may be equal and differ in the last bit
    j = np.round(sensitivity + specificity - 1, 12)
    best = int(np.flatnonzero(j == j.max())[-1])  # cuts rise, and specificity with them
    return float(cuts[best]), float(j[best])


def own_cut(sample: Sample, seed: int, rounds: int = ROUNDS, needed: int = LEAST_OF_EACH) -> OwnCut | NotFitted:
    """The cut of these patients with limits and the corrected J, or why there is none.

    The optimism is the mean, over the draws, of J of the draw's own cut in the draw minus its J in all (Harrell).
    """
    if (few := sample.too_few(needed)) is not None:
        return few
    cut, apparent = best_cut(sample)
    generator, n = np.random.default_rng(seed), len(sample.values)
    cuts: list[float] = []
    optimism: list[float] = []
    while len(cuts) < rounds:
        drawn = sample.drawn(generator.integers(n, size=n))
        if drawn.events.all() or not drawn.events.any():
            continue
        its_cut, its_j = best_cut(drawn)
        cuts.append(its_cut)
        optimism.append(its_j - _j(sample, its_cut))
    low, high = np.quantile(cuts, [TAIL, 1 - TAIL])
    return OwnCut(Estimate(cut, float(low), float(high)), apparent, apparent - float(np.mean(optimism)))


def _j(sample: Sample, cut: float) -> float:
    positive = sample.values > cut if sample.strict else sample.values >= cut
    return float(positive[sample.events].mean() - positive[~sample.events].mean())
