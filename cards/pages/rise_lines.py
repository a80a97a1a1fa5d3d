"""The samples of an analyte with what each was for, and how its rise came out, as lines of the explanation."""

from __future__ import annotations

from cards.deciding.verdict import Category, Verdict
from cards.sentences.numbers_and_times import number, when
from cards.sentences.reasons import tier_words, use_words, verdict_reason
from cards.wording.fold_words import fold_text, verdict_words
from fhir_mappings.facts.analytes import Analyte
from fhir_mappings.facts.labs import Sample
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.time_and_range import Interval


def series(facts: PatientFacts, analyte: Analyte, verdict: Verdict | None, t: Thresholds) -> list[str]:
    """Each sample and what it was for, then the rise."""
    fold = facts.folds[analyte]
    samples = [f"{_drawn(facts, s):<13} {s.text:<16} {use_words(use):<10} {s.reference}" for s, use in fold.series]
    return [*samples, *rise(facts, analyte, verdict, t)]


def rise(facts: PatientFacts, analyte: Analyte, verdict: Verdict | None, t: Thresholds) -> list[str]:
    """The fold change with its numbers, and what it proves."""
    fold, lines = facts.folds[analyte], list[str]()
    cut = analyte.limit.fold(t) if analyte.limit is not None else None
    limit = f"limit {cut}" if cut is not None else "no limit is known"
    if fold.baseline_tier > 1:
        lines.append(f"the baseline was taken {tier_words(fold.baseline_tier, t)}")
    if fold.fold is not None and fold.baseline is not None and fold.peak is not None:
        ratio = f"{_shown(fold.peak.value)} ÷ {_shown(fold.baseline.value)} = {fold_text(fold.fold, cut)}"
        lines.append(f"rise: {ratio} ({limit})")
    return lines + _verdict(facts, analyte, verdict, t)


def _verdict(facts: PatientFacts, analyte: Analyte, verdict: Verdict | None, t: Thresholds) -> list[str]:
    if verdict is None:
        reason = facts.folds[analyte].reason
        return [f"rise: unknown – {verdict_reason(facts, analyte, reason, t)}"] if reason is not None else []
    if verdict.category is Category.UNKNOWN and verdict.reason is not None:
        return [f"verdict: unknown – {verdict_reason(facts, analyte, verdict.reason, t)}"]
    near = "; near the limit" if verdict.near_threshold else ""
    return [f"verdict: {verdict_words(facts, analyte, verdict, t)}{near}"]


def _drawn(facts: PatientFacts, sample: Sample) -> str:
    at = facts.local(sample.at.earliest)
    return f"{at.day} {at:%b}" if sample.at.is_date else when(at)


def _shown(value: Interval) -> str:
    if value.high == value.low:
        return number(value.low)
    return f"{number(value.low)}–{number(value.high) if value.high is not None else '∞'}"
