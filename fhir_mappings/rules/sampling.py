"""The samples that count for a rise: its baseline, and the window of its peak (Zhang 2022; specification §2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from fhir_mappings.facts.course import Course
from fhir_mappings.facts.coverage import Reach
from fhir_mappings.facts.labs import Sample
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.time_and_range import Moment


@dataclass(frozen=True)
class SamplingBounds:
    """The bounds of the samples: the course, fever, and the first drug that makes IL-6 unusable."""

    course: Course
    as_of: datetime
    zone: tzinfo
    onset: datetime | None
    fevers: tuple[datetime, ...]
    first_blocker: datetime | None
    temperatures: Reach
    blocker_dates: frozenset[date] = frozenset()


def baseline(samples: tuple[Sample, ...], g: SamplingBounds, t: Thresholds) -> tuple[Sample | None, int]:
    """The baseline and its tier; None and 0 if there is none.

    Tier 1 is local day 0 up to the infusion, 2 the 24 h before it, 3 day 0 after it but before fever and blockade, 4
    the 72 h before it.
    """
    start = g.course.start
    usable = [s for s in samples if not is_contaminated(s.at, g)]
    on_day0 = [s for s in usable if s.at.earliest.astimezone(g.zone).date() == g.course.day0]
    dated = [s for s in on_day0 if s.at.is_date]
    before = [s for s in usable if not s.at.is_date and s.at.earliest <= start]
    if g.course.time_known:
        first = [s for s in before if s in on_day0] or dated
    else:
        first = sorted(on_day0, key=lambda s: (s.at.earliest, s.at.is_date))[:1]
    after = [s for s in on_day0 if s not in before and (g.onset is None or s.at.earliest < g.onset)]
    tiers = (
        first,
        [s for s in before if start - s.at.earliest <= t.baseline_near],
        sorted(after, key=lambda s: s.at.earliest)[:1],
        [s for s in before if start - s.at.earliest <= t.baseline_far],
    )
    for number, candidates in enumerate(tiers, 1):
        if candidates:
            return max(candidates, key=lambda s: (s.at.earliest, s.reference)), number
    return None, 0


def is_contaminated(at: Moment, g: SamplingBounds) -> bool:
    """Tell whether a sample is of the first blocker or later, or of its date if either is known by date only."""
    return g.first_blocker is not None and at.latest >= g.first_blocker


def is_in_peak_window(at: Moment, g: SamplingBounds, t: Thresholds) -> bool:
    """Tell whether a sample lies after the infusion and before the first blocker, or else within the study's days."""
    if at.earliest <= g.course.peak_opens or at.earliest > g.as_of + t.future_tolerance:
        return False
    last_day = g.course.last_infused + t.study_days
    if g.first_blocker is None and at.earliest.astimezone(g.zone).date() > last_day:
        return False
    return not is_contaminated(at, g)


def is_after_blockade(at: Moment, g: SamplingBounds) -> bool:
    """Tell whether a sample is surely of the first blocker or later."""
    return g.first_blocker is not None and at.earliest >= g.first_blocker
