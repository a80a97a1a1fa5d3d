"""The Cox model for covariates that change with time, and what it says where ever and never are compared instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

import numpy as np
from statsmodels.duration.hazard_regression import PHReg

from cds_server.evaluation.statistics.estimates import NORMAL, Estimate, NotCompared, NotFitted, TooFewForTerms

EVENTS_A_TERM = 10


@dataclass(frozen=True)
class Spell:
    """A time from `start` to `stop` during which the covariates of a patient do not change; the event is at its end."""

    start: float
    stop: float
    event: bool
    covariates: tuple[float, ...]


def hazard_ratios(spells: Sequence[Spell], a_term: int = EVENTS_A_TERM) -> tuple[Estimate, ...] | NotFitted:
    """The cause-specific hazard ratio of each covariate, ties by Efron, with Wald limits.

    Not fitted with fewer than `a_term` events a covariate; and not where a covariate has events on one side only, or
    two of them cannot be told apart. How many patients had no event, spells do not tell.
    """
    spells = [s for s in spells if s.stop > s.start]
    events = sum(s.event for s in spells)
    terms = len(spells[0].covariates) if spells else 1
    if events < a_term * terms:
        return TooFewForTerms(events, len(spells) - events, a_term * terms)
    if not all(is_compared(spells, term) for term in range(terms)):
        return NotCompared(events, len(spells) - events, a_term * terms)
    model = PHReg(
        np.array([s.stop for s in spells]),
        np.array([s.covariates for s in spells]),
        status=np.array([int(s.event) for s in spells]),
        entry=np.array([s.start for s in spells]),
        ties="efron",
    )
    try:
        fitted = model.fit(disp=0)
    except np.linalg.LinAlgError:  # two terms are the same
        return NotCompared(events, len(spells) - events, a_term * terms)
    return tuple(
        Estimate(exp(b), exp(b - NORMAL * se), exp(b + NORMAL * se))
        for b, se in zip(map(float, fitted.params), map(float, fitted.bse), strict=True)
    )


def is_compared(spells: Sequence[Spell], term: int) -> bool:
    """Tell whether there were events with a covariate and events without it."""
    return len({s.covariates[term] for s in spells if s.event}) > 1


@dataclass(frozen=True)
class Followed:
    """A patient from onset on, in days: the end, whether it was the event, and the drug if it was given before."""

    end: float
    event: bool
    drug: float | None = None


def by_time(patient: Followed) -> tuple[Spell, ...]:
    """The spells of a patient: before the drug without it, afterwards with it."""
    if patient.drug is None or patient.drug >= patient.end:
        return (Spell(0, patient.end, patient.event, (0.0,)),)
    before = Spell(0, patient.drug, event=False, covariates=(0.0,))
    return before, Spell(patient.drug, patient.end, patient.event, (1.0,))


def ever_or_never(patient: Followed) -> tuple[Spell, ...]:
    """One spell, as if who got the drug ever had had it from onset on: what is wrong with many comparisons."""
    ever = patient.drug is not None and patient.drug < patient.end
    return (Spell(0, patient.end, patient.event, (float(ever),)),)
