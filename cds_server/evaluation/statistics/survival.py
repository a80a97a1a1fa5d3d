"""Times to an end that not every patient reaches: Kaplan-Meier, log-rank, and Aalen-Johansen where ends compete."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, nan

import numpy as np
from scipy import stats
from statsmodels.duration.survfunc import CumIncidenceRight

from cds_server.evaluation.statistics.estimates import NORMAL, Estimate

CENSORED = 0


@dataclass(frozen=True)
class Step:
    """A step of a curve: from `time` on it has this height. `at_risk` are those under observation just before."""

    time: float
    height: Estimate
    at_risk: int


@dataclass(frozen=True)
class Curve:
    """The steps of a curve, oldest first."""

    steps: tuple[Step, ...]

    def at(self, time: float, before: float) -> float:
        """The height at a time; `before` is the height before the first step."""
        heights = [step.height.value for step in self.steps if step.time <= time]
        return heights[-1] if heights else before


def at_risk(times: Sequence[float], at: float) -> int:
    """The number of those under observation at the start of a time: their own time is not before it."""
    return sum(time >= at for time in times)


def kaplan_meier(times: Sequence[float], ended: Sequence[bool]) -> Curve:
    """The share not yet ended, with limits by log(−log)."""
    if not times:
        return Curve(())
    curve = stats.ecdf(_censored(times, ended)).sf
    with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where all or none have ended there are no limits: NaN says so
        limits = curve.confidence_interval(method="log-log")
    found = zip(curve.quantiles, curve.probabilities, limits.low.probabilities, limits.high.probabilities, strict=True)
    ends = {time for time, end in zip(times, ended, strict=True) if end}
    return Curve(
        tuple(
            Step(float(time), Estimate(float(share), float(low), float(high)), at_risk(times, float(time)))
            for time, share, low, high in found
            if float(time) in ends
        )
    )


def median_time(curve: Curve) -> Estimate:
    """The first time at which at most half have not ended, with the limits of Brookmeyer and Crowley; NaN if none."""
    return Estimate(
        _first_at_half(curve, lambda e: e.value),
        _first_at_half(curve, lambda e: e.low),
        _first_at_half(curve, lambda e: e.high),
    )


def _first_at_half(curve: Curve, height: Callable[[Estimate], float]) -> float:
    rounding = 1e-12
    return next((step.time for step in curve.steps if height(step.height) <= 0.5 + rounding), nan)


def logrank_p(first: tuple[Sequence[float], Sequence[bool]], second: tuple[Sequence[float], Sequence[bool]]) -> float:
    """The two-sided p of the log-rank test of two groups, each given as its times and whether they ended."""
    return float(stats.logrank(_censored(*first), _censored(*second)).pvalue)


def _censored(times: Sequence[float], ended: Sequence[bool]) -> stats.CensoredData:
    pairs = list(zip(times, ended, strict=True))
    return stats.CensoredData(
        uncensored=[time for time, end in pairs if end], right=[time for time, end in pairs if not end]
    )


def cumulative_incidence(times: Sequence[float], causes: Sequence[int], cause: int) -> Curve:
    """The share that had reached `cause` by each time, other causes competing (Aalen and Johansen).

    `causes` are 0 for censored and whole numbers from 1 on. The limits are on the log(−log) scale.
    """
    kinds = sorted({c for c in causes if c != CENSORED})
    if cause not in kinds:
        return Curve(())
    status = np.array([kinds.index(c) + 1 if c != CENSORED else CENSORED for c in causes])
    with np.errstate(divide="ignore", invalid="ignore"):  # the variance where the last patients end: no limits there
        found = CumIncidenceRight(np.asarray(times, dtype=float), status)
    which = kinds.index(cause)
    ends = {time for time, c in zip(times, causes, strict=True) if c == cause}
    return Curve(
        tuple(
            Step(float(time), _with_limits(float(share), float(error)), at_risk(times, float(time)))
            for time, share, error in zip(found.times, found.cinc[which], found.cinc_se[which], strict=True)
            if float(time) in ends
        )
    )


def _with_limits(share: float, error: float) -> Estimate:
    if not 0 < share < 1 or not 0 < error < inf:
        return Estimate(share)
    spread = NORMAL * error / (share * np.log(share))
    return Estimate(share, float(share ** np.exp(-spread)), float(share ** np.exp(spread)))
