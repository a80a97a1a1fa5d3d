"""The samples of an analyte with what each was for, and how its rise came out, as lines of the explanation."""

from __future__ import annotations

from decimal import Decimal

from cards.deciding.verdict import Category, Verdict
from cards.sentences.numbers_and_times import number, when
from cards.sentences.reasons import reason_words, tier_words, use_words
from cards.wording.fold_words import fold_text
from fhir_mappings.facts.labs import FoldChange, Sample
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.time_and_range import Interval


def series(facts: PatientFacts, fold: FoldChange, verdict: Verdict | None, t: Thresholds, name: str) -> list[str]:
    """Each sample and what it was for, then the rise; nothing where there is no verdict to tell."""
    if verdict is None:
        return []
    samples = [f"{_drawn(facts, s):<13} {s.text:<16} {use_words(use):<10} {s.reference}" for s, use in fold.series]
    return [*samples, *rise(fold, verdict, t.il6_fold if name == "il6" else t.crp_fold, t)]


def rise(fold: FoldChange, verdict: Verdict, cut: Decimal, t: Thresholds) -> list[str]:
    """How the fold change came out, and what it proves."""
    lines: list[str] = []
    if fold.baseline_tier > 1:
        lines.append(f"the baseline was taken {tier_words(fold.baseline_tier, t)}")
    if fold.fold is not None and fold.baseline is not None and fold.peak is not None:
        ratio = f"{_shown(fold.peak.value)} ÷ {_shown(fold.baseline.value)} = {fold_text(fold.fold, cut)}"
        lines.append(f"rise: {ratio} (limit {cut}-fold)")
    if verdict.category is Category.UNKNOWN and verdict.reason is not None:
        lines.append(f"verdict: unknown – {reason_words(verdict.reason, t)}")
    else:
        after = " by a rise after tocilizumab, not the paper's definition" if verdict.after_tocilizumab else ""
        near = "; near the limit" if verdict.near_threshold else ""
        lines.append(f"verdict: {verdict.category.value}{after}{near}")
    return lines


def _drawn(facts: PatientFacts, sample: Sample) -> str:
    at = facts.local(sample.at.earliest)
    return f"{at.day} {at:%b}" if sample.at.is_date else when(at)


def _shown(value: Interval) -> str:
    if value.high == value.low:
        return number(value.low)
    return f"{number(value.low)}–{number(value.high) if value.high is not None else '∞'}"
