"""Limits by the bootstrap: patients are drawn, with all that is theirs, because the moments of one patient hang
together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cds_server.evaluation.statistics.estimates import TAIL, Estimate

ROUNDS = 2000
Draw = np.ndarray  # indexes of patients


def bootstrap(statistic: Callable[[Draw], float], n: int, seed: int, rounds: int = ROUNDS) -> Estimate:
    """The statistic of all `n` patients with percentile limits; draws for which it is not defined (NaN) are left out.

    `statistic` is a function of the indexes of the patients that were drawn.
    """
    value = statistic(np.arange(n))
    generator = np.random.default_rng(seed)
    drawn = np.array([statistic(generator.integers(n, size=n)) for _ in range(rounds)]) if n else np.array([])
    defined = drawn[~np.isnan(drawn)]
    if not len(defined):
        return Estimate(value)
    low, high = np.quantile(defined, [TAIL, 1 - TAIL])
    return Estimate(value, float(low), float(high))


def rate(counts: np.ndarray, days: np.ndarray, per: float, seed: int, rounds: int = ROUNDS) -> Estimate:
    """Counts per `per` days, `counts` and `days` being sums of each patient, with limits by the bootstrap."""

    def of(drawn: Draw) -> float:
        at_risk = float(days[drawn].sum())
        return float(counts[drawn].sum()) * per / at_risk if at_risk else float("nan")

    return bootstrap(of, len(counts), seed, rounds)
