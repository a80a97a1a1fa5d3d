"""The words of a rise: the reason for no verdict, the time of its baseline, the part of each sample."""

from __future__ import annotations

from cards.sentences.numbers_and_times import InWords
from fhir_mappings.facts.labs import Reason, SampleUse
from fhir_mappings.facts.thresholds import Thresholds

# `{t.…}` stands for the threshold in force
_REASONS = {
    Reason.NO_BASELINE: "no sample of day 0 or the {t.baseline_far} before; a baseline can no longer be obtained",
    Reason.NO_PEAK: "no sample since the infusion that counts",
    Reason.NO_RECENT_SAMPLE: "no sample since fever onset within the last {t.il6_fresh}, which a verdict of low needs",
    Reason.FEBRILE_BASELINE: "the baseline was drawn in or after fever and cannot carry a verdict of low",
    Reason.CENSORED: "a result is given only as below or above a limit, and both verdicts are possible",
    Reason.TWO_RESULTS: "two results of one time differ, and both verdicts are possible",
    Reason.ZERO_BASELINE: "the baseline is zero",
    Reason.PRELIMINARY: "a preliminary result would change the verdict",
    Reason.PRIOR_BLOCKADE: "an IL-6 blocker before makes IL-6 unusable",
    Reason.HISTORY_INCOMPLETE: "the administrations could not all be read, so an IL-6 blocker may have been given",
    Reason.UNUSABLE: "a result could not be used (unit or value)",
    Reason.NOT_READ: "laboratory results could not be read",
    Reason.TEMPERATURES_UNREAD: "temperatures could not all be read, so a febrile baseline cannot be excluded",
}


_TIERS = {
    2: "{t.baseline_near} before the infusion",
    3: "day 0 after the infusion",
    4: "up to {t.baseline_far} before the infusion",
}

_USED = {SampleUse.BASELINE: "baseline", SampleUse.PEAK: "peak", SampleUse.COUNTED: "counted"}
_NOT_COUNTED = {
    SampleUse.BEFORE: "not after the infusion",
    SampleUse.AFTER_BLOCKADE: "at or after the first IL-6 blocker",
    SampleUse.AMBIGUOUS: "known by date only on the day of the blocker",
    SampleUse.OTHER_UNIT: "another unit or code than the baseline",
    SampleUse.TOO_LATE: "after the study's days",
    SampleUse.PRELIMINARY: "preliminary",
}


def use_words(use: SampleUse) -> str:
    """The part of a sample in the rise: `baseline`, `preliminary: not counted`."""
    return _USED[use] if use in _USED else f"{_NOT_COUNTED[use]}: not counted"


def reason_words(reason: Reason, t: Thresholds) -> str:
    return _REASONS[reason].format(t=InWords(t))


def tier_words(tier: int, t: Thresholds) -> str:
    """The time of a baseline that is not of day 0 before the infusion."""
    return _TIERS[tier].format(t=InWords(t))
