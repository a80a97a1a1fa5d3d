"""The rise of an analyte since the infusion, and how far its samples can carry a verdict.

Baseline, peak and fold change as Zhang 2022 defines them (Methods), made operational by the clinical
specification §2.1. High or low is decided in `cards`, not here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from functools import reduce

from fhir_mappings.facts.analytes import Analyte, Blockade
from fhir_mappings.facts.labs import FoldChange, FoldFlag, Reason, Sample, SampleUse, Series
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.time_and_range import Interval
from fhir_mappings.rules.sampling import SamplingBounds, baseline, is_after_blockade, is_contaminated, is_in_peak_window

# a baseline of the best tier is marked too where its time of day is not known
_FLAG_OF_TIER = {
    1: FoldFlag.BASELINE_TIER_1,
    2: FoldFlag.BASELINE_TIER_2,
    3: FoldFlag.BASELINE_TIER_3,
    4: FoldFlag.BASELINE_TIER_4,
}


def fold_change(series: Series, setting: SamplingBounds, t: Thresholds, analyte: Analyte) -> FoldChange:
    """The fold change of one analyte. Never a guess: without baseline or peak it carries a reason instead."""
    if analyte.blockade is Blockade.NOT_WEIGHED:
        setting = replace(setting, first_blocker=None, blocker_dates=frozenset())
    found = _fold_change(series, setting, t, rise_after=analyte.blockade is Blockade.CONCEALS)
    found = replace(found, series=tuple((s, _use(s, found, setting, t)) for s in series.samples))
    if analyte.limit is None:  # it rests on what is shown, the latest too
        found = replace(found, evidence=_refs(filter(None, (found.baseline, found.highest, found.latest))))
    return found


def _use(s: Sample, found: FoldChange, g: SamplingBounds, t: Thresholds) -> SampleUse:
    """The part of one sample in the rise."""
    if s.preliminary:
        return SampleUse.PRELIMINARY
    if s in (found.baseline, found.peak):
        return SampleUse.BASELINE if s == found.baseline else SampleUse.PEAK
    if is_in_peak_window(s.at, g, t):
        base = found.baseline
        same = base is None or (s.unit, s.loinc) == (base.unit, base.loinc)
        return SampleUse.COUNTED if same else SampleUse.OTHER_UNIT
    if is_contaminated(s.at, g):
        return SampleUse.AFTER_BLOCKADE if is_after_blockade(s.at, g) else SampleUse.AMBIGUOUS
    return SampleUse.BEFORE if s.at.earliest <= g.course.peak_opens else SampleUse.TOO_LATE


def _fold_change(series: Series, setting: SamplingBounds, t: Thresholds, *, rise_after: bool) -> FoldChange:
    final = tuple(s for s in series.samples if not s.preliminary)
    base, tier = baseline(final, setting, t)
    window = tuple(s for s in final if is_in_peak_window(s.at, setting, t) and s is not base)
    known = FoldChange(
        baseline=base,
        baseline_tier=tier,
        blocked=setting.first_blocker is not None,
        flags=_flags(final, setting, base, tier),
    )
    if base is None:
        return replace(known, reason=Reason.NO_BASELINE, later_samples=bool(window), evidence=_refs(window))
    if base.value.high is not None and base.value.high <= 0:
        return replace(known, reason=Reason.ZERO_BASELINE, evidence=_refs((base, *window)))
    same_unit = tuple(s for s in window if (s.unit, s.loinc) == (base.unit, base.loinc))
    comparable = tuple(s for s in final if (s.unit, s.loinc) == (base.unit, base.loinc))
    after = tuple(s for s in comparable if rise_after and is_after_blockade(s.at, setting))
    known = replace(known, fold_after_blockade=_fold(base, after) if after else None)
    if not same_unit:
        reason = Reason.UNUSABLE if window or _unusable_in_window(series, setting, t) else Reason.NO_PEAK
        return replace(known, reason=reason, evidence=_refs((base, *after)))
    peak = max(same_unit, key=lambda s: s.height)
    early = tuple(s for s in series.samples if s.preliminary and is_in_peak_window(s.at, setting, t))
    early = tuple(s for s in early if (s.unit, s.loinc) == (base.unit, base.loinc))
    other_unit = len(same_unit) < len(window)
    return replace(
        known,
        fold=_fold(base, same_unit),
        peak=peak,
        low_barred=_low_barred(series, setting, base, same_unit, t) or (Reason.UNUSABLE if other_unit else None),
        fold_if_preliminary=_fold(base, (*same_unit, *early)),
        evidence=_refs((base, peak, *after)),
    )


def _refs(samples: Iterable[Sample]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(s.reference for s in samples))


def _unusable_in_window(series: Series, g: SamplingBounds, t: Thresholds) -> bool:
    return any(bad.at is None or is_in_peak_window(bad.at, g, t) for bad in series.unusable)


def _unusable_baseline(series: Series, base: Sample, g: SamplingBounds, t: Thresholds) -> bool:
    """True if an unreadable result would have been the baseline or was drawn with it."""
    # A lower baseline makes a larger rise. One that could not be read may have been lower, so it bars a small rise as
    # an unreadable later result does.
    final = tuple(s for s in series.samples if not s.preliminary)
    lost = [bad.at for bad in series.unusable if bad.at is not None]
    found = ((at, baseline((*final, replace(base, at=at)), g, t)[0]) for at in lost)
    return any(one is not None and one.at == at for at, one in found)


def _low_barred(
    series: Series, g: SamplingBounds, base: Sample, peaks: tuple[Sample, ...], t: Thresholds
) -> Reason | None:
    """The reason why these samples cannot prove a small rise, whatever the fold; None if they can."""
    until = g.first_blocker or g.as_of
    recent = [
        s for s in peaks if g.onset is not None and s.at.earliest >= g.onset and until - s.at.earliest <= t.il6_fresh
    ]
    if _unusable_in_window(series, g, t) or _unusable_baseline(series, base, g, t):
        return Reason.UNUSABLE
    if not recent:
        return Reason.NO_RECENT_SAMPLE
    drawn = base.at.latest
    if not g.temperatures.whole(min(drawn - t.baseline_after_fever, g.course.start), until):
        return Reason.TEMPERATURES_UNREAD
    febrile = any(f <= drawn and base.at.earliest - f <= t.baseline_after_fever for f in g.fevers)
    if febrile or drawn >= (g.onset or drawn):
        return Reason.FEBRILE_BASELINE
    return None


def _fold(base: Sample, peaks: Iterable[Sample]) -> Interval:
    """[peak.low / base.high, peak.high / base.low] with the peak interval [max of lows, max of highs]."""
    peak = reduce(_max_interval, (s.value for s in peaks))
    b = base.value
    if b.high is None:
        low, low_open = Decimal(0), True
    else:
        low, low_open = peak.low / b.high, peak.low_open or b.high_open
    if peak.high is None or b.low <= 0:
        return Interval(low, None, low_open)
    return Interval(low, peak.high / b.low, low_open, peak.high_open or b.low_open)


def _max_interval(a: Interval, b: Interval) -> Interval:
    """The range of the larger of two values; at equal ends a closed end wins."""
    low, low_open_end = max((a.low, a.low_open), (b.low, b.low_open))
    if a.high is None or b.high is None:
        return Interval(low, None, low_open_end)
    high, high_closed = max((a.high, not a.high_open), (b.high, not b.high_open))
    return Interval(low, high, low_open_end, not high_closed)


def _flags(samples: tuple[Sample, ...], g: SamplingBounds, base: Sample | None, tier: int) -> tuple[FoldFlag, ...]:
    flags = []
    if base is not None and (tier > 1 or base.at.is_date):
        flags.append(_FLAG_OF_TIER[tier])
    if g.first_blocker is not None:
        own_date = g.first_blocker.astimezone(g.zone).date()
        for s in samples:
            dated = s.at.is_date and s.at.earliest.astimezone(g.zone).date() == own_date
            if dated or s.at.earliest.astimezone(g.zone).date() in g.blocker_dates:
                flags.append(FoldFlag.AMBIGUOUS_ORDER)
                break
    return tuple(flags)
