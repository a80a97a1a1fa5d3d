"""Figures with limits. Every limit is of 95 %."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan, nan

TAIL = 0.025  # below and above the limits
NORMAL = 1.959963984540054  # the quantile of the normal distribution at 1 − TAIL


@dataclass(frozen=True)
class Estimate:
    """A figure and its limits of 95 %, both NaN where the method defines none."""

    value: float
    low: float = nan
    high: float = nan

    @property
    def has_limits(self) -> bool:
        return not (isnan(self.low) or isnan(self.high))


@dataclass(frozen=True)
class NotFitted:
    """The words in the place of a model, curve or cut for which there are too few events or non-events."""

    events: int
    others: int
    needed: int

    def __str__(self) -> str:
        return f"not fitted: {self.events} events, {self.others} without; at least {self.needed} of each are needed"


@dataclass(frozen=True)
class NotCompared(NotFitted):
    """The words in the place of a ratio one of whose sides had no event, or that cannot be told from another's."""

    def __str__(self) -> str:
        return "not fitted: with a term, or without it, there was no event"


@dataclass(frozen=True)
class TooFewForTerms(NotFitted):
    """The words in the place of a model that has too few events for its terms."""

    def __str__(self) -> str:
        return f"not fitted: {self.events} events; at least {self.needed} are needed"


LEAST_OF_EACH = 10  # events and non-events, for a model, a curve, an AUC or a cut of one's own


def too_few(events: int, others: int, needed: int = LEAST_OF_EACH) -> NotFitted | None:
    """The words in place of a figure if there are too few events or non-events for it, else None."""
    return NotFitted(events, others, needed) if min(events, others) < needed else None
