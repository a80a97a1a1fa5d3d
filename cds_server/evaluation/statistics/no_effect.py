"""Cohorts in which the drug does nothing, to show what a comparison of ever and never makes of them.

A patient with CRS becomes severe, or resolves, at constant rates. The drug is given at a constant rate while neither
has happened, and changes neither rate. Whoever got it was, until then, neither severe nor well: time in which nothing
could happen is counted for the drug.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, log

import numpy as np

from cds_server.evaluation.statistics.hazards import Followed, Spell, by_time, ever_or_never

STEPS = 25


@dataclass(frozen=True)
class Rates:
    """Events a day while in CRS and not severe."""

    severe: float = 0.10
    resolved: float = 0.20
    drug: float = 0.12


@dataclass(frozen=True)
class Simulated:
    """The geometric means, over the cohorts, of the hazard ratio that each way finds. The truth is 1."""

    ever_never: float
    by_time: float
    cohorts: int
    patients: int


def cohort(n: int, seed: int, rates: Rates = Rates()) -> tuple[Followed, ...]:
    """`n` patients of whom none is helped or harmed by the drug."""
    generator = np.random.default_rng(seed)
    severe = generator.exponential(1 / rates.severe, n)
    resolved = generator.exponential(1 / rates.resolved, n)
    drug = generator.exponential(1 / rates.drug, n)
    return tuple(
        Followed(float(min(s, r)), bool(s < r), float(d) if d < min(s, r) else None)
        for s, r, d in zip(severe, resolved, drug, strict=True)
    )


def simulated(cohorts: int, patients: int, seed: int) -> Simulated:
    """The findings of both ways in cohorts without an effect."""
    made = [cohort(patients, seed + number) for number in range(cohorts)]
    return Simulated(
        _geometric_mean([_ratio(ever_or_never, one) for one in made]),
        _geometric_mean([_ratio(by_time, one) for one in made]),
        cohorts,
        patients,
    )


def _ratio(way: Callable[[Followed], tuple[Spell, ...]], patients: Sequence[Followed]) -> float:
    return hazard_ratio_of_one([spell for patient in patients for spell in way(patient)])


def hazard_ratio_of_one(spells: Sequence[Spell]) -> float:
    """The hazard ratio of one covariate that is 0 or 1, where no two events are at one time: the model of
    `hazard_ratios`, a hundred times as fast."""
    ends = np.sort([s.stop for s in spells if s.event])
    without, treated = (_at_risk([s for s in spells if s.covariates[0] == x], ends) for x in (0, 1))
    events, log_ratio = sum(s.event for s in spells if s.covariates[0]), 0.0
    for _ in range(STEPS):  # Newton's: the score over the information
        expected = treated * exp(log_ratio) / (without + treated * exp(log_ratio))
        log_ratio += (events - float(expected.sum())) / float((expected * (1 - expected)).sum())
    return exp(log_ratio)


def _at_risk(spells: Sequence[Spell], times: np.ndarray) -> np.ndarray:
    """The number of spells that have begun before each time and last to it at least."""
    begun = np.searchsorted(np.sort([s.start for s in spells]), times, "left")
    over = np.searchsorted(np.sort([s.stop for s in spells]), times, "left")
    return np.asarray(begun - over)


def _geometric_mean(ratios: Sequence[float]) -> float:
    return exp(sum(map(log, ratios)) / len(ratios))
