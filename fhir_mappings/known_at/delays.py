"""The times that pass between a sample, its result, an order and its end, where the record does not say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


@dataclass(frozen=True)
class Delays:
    """The delays of a site. None of them is measured: a report names those that it used, and for how many data.

    A result is known a delay after its sample was drawn, unless a time of the record says when: one later than
    `result_at_most` after the draw is that of a copy. A sign charted later than `charted_at_most` is one too. A result
    corrected later than `corrected_after` was known before, with another value. An order lasts `order_lasts`.
    """

    il6_crp: timedelta = timedelta(hours=2)
    culture: timedelta = timedelta(hours=24)
    other_result: timedelta = timedelta(hours=1)
    result_at_most: timedelta = timedelta(days=7)
    charted_at_most: timedelta = timedelta(hours=12)
    corrected_after: timedelta = timedelta(hours=24)
    order_lasts: timedelta = timedelta(hours=24)


class KnownBy(StrEnum):
    """The way in which the time at which something was known was found."""

    ISSUED = "issued"
    LAST_UPDATED = "last updated"
    DELAY = "a delay after the sample"
    CORRECTED = "a delay after the sample, the value as corrected later"
    CHARTED = "its own time"
    END_OF_DAY = "the end of the day it is of"
    RECORDED = "the day it was recorded"
    ALWAYS = "no time: known at every moment"
    NEVER = "no time: not known at any moment"
