"""The rise of an analyte and what it proves, in the words of a card. Text of the record is escaped."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from cards.deciding.verdict import Category, Verdict
from cards.sentences.escaping import escaped, reference_text
from cards.sentences.numbers_and_times import when
from cards.sentences.reasons import reason_in_short, tier_words, verdict_reason
from fhir_mappings.facts.analytes import Analyte
from fhir_mappings.facts.labs import FoldChange, FoldFlag, Reason, Sample
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.time_and_range import Interval

MOST_SHOWN = 1_000_000_000


def fold_number(value: Decimal, cut: Decimal | None) -> str:
    """Two decimals, or as many as it takes not to look like the limit it is not."""
    if value > MOST_SHOWN:
        return f"more than {MOST_SHOWN}"
    shown = value.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    for places in ("0.001", "0.0001"):
        if cut is None or value == cut or (shown - cut) * (value - cut) > 0:
            return f"{shown:f}"
        shown = value.quantize(Decimal(places), rounding=ROUND_DOWN)
    return f"{shown:f}"


def fold_text(fold: Interval, cut: Decimal | None) -> str:
    """`6.20-fold`, `at least 33.30-fold`, `1.20- to 6.00-fold`; `cut` is the limit that no number may look like."""
    if fold.low == fold.high:
        return f"{fold_number(fold.low, cut)}-fold"
    if fold.high is None:
        return f"{'more than' if fold.low_open else 'at least'} {fold_number(fold.low, cut)}-fold"
    return f"{fold_number(fold.low, cut)}- to {fold_number(fold.high, cut)}-fold"


def fold_short(fold: FoldChange, verdict: Verdict, cut: Decimal) -> str:
    """For a summary: `6.20-fold (high)`, `unknown`, or `high after tocilizumab` whatever the fold before it was."""
    if verdict.after_tocilizumab:
        return "high after tocilizumab"
    if verdict.category is Category.UNKNOWN or fold.fold is None:
        return "unknown"
    return f"{fold_text(fold.fold, cut)} ({verdict.category.value})"


def sample_text(sample: Sample, facts: PatientFacts) -> str:
    drawn = facts.local(sample.at.earliest)
    at = f"{drawn:%d %b}" if sample.at.is_date else when(drawn)
    return f"{escaped(sample.text)} ({at}, {reference_text(sample.reference)})"


def fold_line(facts: PatientFacts, analyte: Analyte, verdict: Verdict | None, t: Thresholds) -> str:
    """One analyte: its samples and its rise, then the verdict, why there is none, or that no limit is known."""
    fold, limit = facts.folds[analyte], analyte.limit
    cut = limit.fold(t) if limit is not None else None
    rise = [f"rise {fold_text(fold.fold, cut)}"] if fold.fold is not None else []
    line = ", ".join([f"**{analyte.name}**", *_samples(facts, fold, with_latest=limit is None), *rise])
    if verdict is None or cut is None:
        return f"{line}: no limit is known."
    line += f": {_verdict_words(facts, analyte, verdict, t)}"
    if verdict.near_threshold:
        line += "; near the threshold, where the assay cannot tell the sides apart"
    if fold.baseline_tier > 1:
        line += f"; baseline taken {tier_words(fold.baseline_tier, t)}"
    if FoldFlag.AMBIGUOUS_ORDER in fold.flags:
        line += "; a sample known by date only on the day of the blocker is left out"
    return line + "."


def rise_in_short(facts: PatientFacts, analyte: Analyte, verdict: Verdict | None, t: Thresholds) -> str:
    """One analyte as a card of ten seconds has it: its rise, what that proves, and the last level."""
    fold, limit = facts.folds[analyte], analyte.limit
    last = f"; last {escaped(fold.latest.text)}" if fold.latest is not None else ""
    if limit is None or verdict is None:
        return f"**{analyte.name}**{last.replace(';', '', 1)}: no limit is known."
    cut = limit.fold(t)
    rise = f" up {fold_text(fold.fold, cut)}" if fold.fold is not None else ""
    near = ", near the threshold" if verdict.near_threshold else ""
    said = _verdict_words(facts, analyte, verdict, t)
    if verdict.category is Category.UNKNOWN:
        said = reason_in_short(facts, analyte, verdict.reason or Reason.NO_PEAK, t, escaped)
    return f"**{analyte.name}**{rise}: {said}{near}{last}."


def _samples(facts: PatientFacts, fold: FoldChange, *, with_latest: bool) -> Iterator[str]:
    """Baseline and peak; with the latest also what is highest where no baseline makes it a peak. None of them twice."""
    named = [("baseline", fold.baseline), ("peak", fold.highest if with_latest else fold.peak)]
    if with_latest and fold.latest not in (fold.baseline, fold.highest):
        named.append(("latest", fold.latest))
    for name, sample in named:
        if sample is not None:
            yield f"{name}{' preliminary' if sample.preliminary else ''} {sample_text(sample, facts)}"


def _verdict_words(facts: PatientFacts, analyte: Analyte, verdict: Verdict, t: Thresholds) -> str:
    rule = f"limit {analyte.limit.fold(t) if analyte.limit is not None else ''}-fold"
    if verdict.category is Category.UNKNOWN:
        why = verdict_reason(facts, analyte, verdict.reason or Reason.NO_PEAK, t, escaped)
        return f"verdict unknown – {why}"
    if verdict.after_tocilizumab:
        return f"rise after tocilizumab, not the paper's definition ({rule})"
    return f"{verdict.category.value} ({rule})"
