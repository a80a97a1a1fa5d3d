"""How many times an analyte rose and what that proves, in the words of a card. Record text is escaped."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from cards.deciding.verdict import Category, Verdict
from cards.sentences.escaping import escaped, reference_text
from cards.sentences.numbers_and_times import when
from cards.sentences.reasons import reason_words, tier_words
from fhir_mappings.facts.labs import FoldChange, FoldFlag, Reason, Sample
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.time_and_range import Interval

MOST_SHOWN = 1_000_000_000


def fold_number(value: Decimal, cut: Decimal) -> str:
    """Two decimals, or as many as it takes not to look like the limit it is not."""
    if value > MOST_SHOWN:
        return f"more than {MOST_SHOWN}"
    shown = value.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    for places in ("0.001", "0.0001"):
        if value == cut or (shown - cut) * (value - cut) > 0:
            return f"{shown:f}"
        shown = value.quantize(Decimal(places), rounding=ROUND_DOWN)
    return f"{shown:f}"


def fold_text(fold: Interval, cut: Decimal) -> str:
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


def fold_line(facts: PatientFacts, name: str, fold: FoldChange, verdict: Verdict, cut: Decimal, t: Thresholds) -> str:
    """One analyte: baseline → peak = fold, the verdict, or why there is none."""
    parts = [f"**{name}**"]
    if fold.baseline is not None:
        parts.append(f"baseline {sample_text(fold.baseline, facts)}")
    if fold.peak is not None:
        parts.append(f"peak {sample_text(fold.peak, facts)}")
    if fold.fold is not None:
        parts.append(f"rise {fold_text(fold.fold, cut)}")
    line = ", ".join(parts)
    rule = f"limit {cut}-fold"
    if verdict.category is Category.UNKNOWN:
        line += f": verdict unknown – {reason_words(verdict.reason or Reason.NO_PEAK, t)}"
    elif verdict.after_tocilizumab:
        line += f": rise after tocilizumab, not the paper's definition ({rule})"
    else:
        line += f": {verdict.category.value} ({rule})"
    if verdict.near_threshold:
        line += "; near the threshold, where the assay cannot tell the sides apart"
    if fold.baseline_tier > 1:
        line += f"; baseline taken {tier_words(fold.baseline_tier, t)}"
    if FoldFlag.AMBIGUOUS_ORDER in fold.flags:
        line += "; a sample known by date only on the day of the blocker is left out"
    return line + "."
