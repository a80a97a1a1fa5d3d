"""The words of a rise: the reason for no verdict, the time of its baseline, the part of each sample."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from cards.sentences.numbers_and_times import InWords, when
from cards.sentences.set_aside_words import not_used, why_unread
from fhir_mappings.facts.analytes import Analyte, Blockade
from fhir_mappings.facts.coverage import Kind, SetAside
from fhir_mappings.facts.labs import Reason, Sample, SampleUse
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.sought import TEMPERATURE, baseline_span, baselines_set_aside, given, results_set_aside
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import BLOCKERS

# `{t.…}` stands for the threshold in force
_REASONS = {
    Reason.NO_BASELINE: "no sample of day 0 or the {t.baseline_far} before; a baseline can no longer be obtained",
    Reason.NO_PEAK: "no sample since the infusion that counts",
    Reason.NO_RECENT_SAMPLE: "no sample since fever onset within the last {t.il6_fresh}, which a verdict of low needs",
    Reason.FEBRILE_BASELINE: "the baseline was drawn in or after fever and cannot carry a verdict of low",
    Reason.CENSORED: "a result is given only as below or above a limit, and both verdicts are possible",
    Reason.TWO_RESULTS: "two results of one time differ, and both verdicts are possible: ask the laboratory",
    Reason.ZERO_BASELINE: "the baseline is zero",
    Reason.PRELIMINARY: "a preliminary result would change the verdict",
    Reason.PRIOR_BLOCKADE: "an IL-6 blocker before makes IL-6 unusable",
    Reason.HISTORY_INCOMPLETE: "the administrations could not all be read, so an IL-6 blocker may have been given",
    Reason.UNUSABLE: "a result could not be used (unit or value)",
    Reason.NOT_READ: "laboratory results could not be read",
    Reason.TEMPERATURES_UNREAD: "temperatures could not all be read, so a febrile baseline cannot be excluded",
}


_TIERS = {
    2: "up to {t.baseline_near} before the infusion",
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


# the same where something of the kind stands on record and could not be used, which then is named
_NOT_USED = {
    Reason.NO_BASELINE: "no baseline that can be used",
    Reason.NO_PEAK: "no sample since the infusion that can be used",
    Reason.NO_RECENT_SAMPLE: "no recent sample that can be used",
    Reason.UNUSABLE: "a result could not be used",
    Reason.HISTORY_INCOMPLETE: "an IL-6 blocker may have been given",
    Reason.TEMPERATURES_UNREAD: "a febrile baseline cannot be excluded",
}
_IN_SHORT = {
    Reason.NO_BASELINE: "no baseline, and none can be had now",
    Reason.NO_PEAK: "no sample since the infusion that counts",
    Reason.NO_RECENT_SAMPLE: "no sample of this fever of the last {t.il6_fresh}",
    Reason.CENSORED: "a result is only below or above a limit",
    Reason.TWO_RESULTS: "two results of one time differ: ask the laboratory",
    Reason.PRELIMINARY: "a preliminary result would change it: await the final one",
}
# the reasons that one more sample can settle
_DRAW = frozenset({Reason.NO_PEAK, Reason.NO_RECENT_SAMPLE, Reason.CENSORED})
_KINDS = {Reason.HISTORY_INCOMPLETE: Kind.ADMINISTRATIONS, Reason.TEMPERATURES_UNREAD: Kind.VITALS}


def reason_words(reason: Reason, t: Thresholds) -> str:
    """The reason for no verdict, for a log: without the patient's results."""
    return _REASONS[reason].format(t=InWords(t))


def verdict_reason(
    facts: PatientFacts, analyte: Analyte, reason: Reason, t: Thresholds, quoted: Callable[[str], str] = str
) -> str:
    """The reason for no verdict. What stands on record and did not count is named; nothing then says that there was
    none. `quoted` makes the text of a record fit for where it is shown."""
    found = _not_used(facts, analyte, reason, t, quoted)
    if found:
        return f"{_NOT_USED[reason]}: {found}"
    kind = _KINDS.get(reason, analyte.kind if reason is Reason.NOT_READ else None)
    return reason_words(reason, t) + (why_unread(facts, kind, quoted=quoted) if kind is not None else "")


def reason_in_short(
    facts: PatientFacts, analyte: Analyte, reason: Reason, t: Thresholds, quoted: Callable[[str], str] = str
) -> str:
    """The same in a few words, where nothing stands on record that has to be named."""
    if reason in _IN_SHORT and not _not_used(facts, analyte, reason, t, quoted):
        words = _IN_SHORT[reason].format(t=InWords(t))
        return f"{words}: draw one" if is_to_draw(facts, analyte, reason, t) else words
    return verdict_reason(facts, analyte, reason, t, quoted)


def is_to_draw(facts: PatientFacts, analyte: Analyte, reason: Reason, t: Thresholds) -> bool:
    """Tell whether one more sample can settle a rise: of CRS that is graded, in the study's days, before a blocker."""
    if reason not in _DRAW or facts.grade is None or not facts.grade.grade:
        return False
    late = facts.course is None or facts.course.days_since_last > t.study_days.days
    return not late and not (analyte.blockade is Blockade.SPOILS and facts.folds[analyte].blocked)


def _not_used(
    facts: PatientFacts, analyte: Analyte, reason: Reason, t: Thresholds, quoted: Callable[[str], str]
) -> str:
    """The results that were set aside, and the samples that did not count; "" where neither explains the reason."""
    course = facts.course
    if course is None or reason not in _NOT_USED:
        return ""
    lost: tuple[SetAside, ...] = ()
    samples: tuple[tuple[Sample, SampleUse], ...] = ()
    match reason:
        case Reason.NO_BASELINE:
            lost = baselines_set_aside(facts, analyte, t)
            samples = _not_counted(facts, analyte, *baseline_span(facts, t))
        case Reason.UNUSABLE:
            lost = (*results_set_aside(facts, analyte), *baselines_set_aside(facts, analyte, t))
            samples = _not_counted(facts, analyte, course.start, facts.as_of)
        case Reason.NO_PEAK | Reason.NO_RECENT_SAMPLE:
            lost = results_set_aside(facts, analyte)
            samples = _not_counted(facts, analyte, course.peak_opens, facts.as_of)
        case Reason.HISTORY_INCOMPLETE:
            lost = given(*BLOCKERS).of(facts.set_aside)
        case Reason.TEMPERATURES_UNREAD:
            lost = TEMPERATURE.of(facts.set_aside)
    named = not_used(facts, dict.fromkeys(lost), quoted)
    return "; ".join((*filter(None, [named]), *(_sample(facts, analyte, s, u, quoted) for s, u in samples[-1:])))


def _not_counted(
    facts: PatientFacts, analyte: Analyte, since: datetime, until: datetime
) -> tuple[tuple[Sample, SampleUse], ...]:
    """The samples of a span that are results, and did not count."""
    unused = (SampleUse.PRELIMINARY, SampleUse.OTHER_UNIT)
    series = facts.folds[analyte].series
    return tuple((s, use) for s, use in series if use in unused and since <= s.at.latest and s.at.earliest <= until)


def _sample(facts: PatientFacts, analyte: Analyte, sample: Sample, use: SampleUse, quoted: Callable[[str], str]) -> str:
    at = facts.local(sample.at.earliest)
    drawn = f"{at.day} {at:%b}" if sample.at.is_date else when(at)
    return f"{analyte.name} {quoted(sample.text)} of {drawn} ({_NOT_COUNTED[use]})"


def tier_words(tier: int, t: Thresholds) -> str:
    """The time of a baseline that is not of day 0 before the infusion."""
    return _TIERS[tier].format(t=InWords(t))
