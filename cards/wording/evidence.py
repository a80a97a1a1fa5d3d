"""What a card rests on, in lines of Markdown: values, times, references, and what is missing.

Every string that came from a record is escaped: clients render raw HTML.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from enum import StrEnum

from cards.deciding.situation import Verdicts
from cards.deciding.verdict import Category, Verdict
from cards.sentences.escaping import escaped, escaped_words, reference_text
from cards.sentences.numbers_and_times import InWords, when
from cards.sentences.reasons import reason_words, tier_words
from cards.sentences.treatment_words import dose_number, dose_times, steroid_given
from cards.wording.grade_words import drivers, fever_line, grade_text, missing
from fhir_mappings.facts.labs import FoldChange, Reason, Sample
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.time_and_range import Interval

MOST_SHOWN = 1_000_000_000


class Shown(StrEnum):
    """Which evidence a card shows under its text."""

    GRADE = "grade"
    IL6 = "IL-6"
    CRP = "CRP"
    DOSES = "doses"


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
    if "ambiguous_order" in fold.flags:
        line += "; a sample known by date only on the day of the blocker is left out"
    return line + "."


def doses_text(facts: PatientFacts) -> str:
    times = f" ({dose_times(facts)})" if facts.tocilizumab.doses else ""
    return f"**Tocilizumab** doses in this course: {dose_number(facts)}{times}."


def basis(facts: PatientFacts, found: Verdicts, t: Thresholds, shown: tuple[Shown, ...]) -> list[str]:
    """The evidence lines that a card shows, in their order."""
    grade, course = facts.grade, facts.course
    if grade is None or course is None:
        return []
    lines: list[str] = []
    if Shown.GRADE in shown:
        reasons = drivers(grade) or "no hypotension, no hypoxia"
        lines.append(
            f"**ASTCT {grade_text(grade)}**, day {course.day}: {escaped_words(reasons)}. {fever_line(grade, facts, t)}"
            + (f" Not known: {escaped_words('; '.join(missing(grade, t)))}." if missing(grade, t) else "")
        )
    if Shown.IL6 in shown:
        lines.append(fold_line(facts, "IL-6", facts.il6, found.il6, t.il6_fold, t))
    if Shown.CRP in shown:
        lines.append(fold_line(facts, "CRP", facts.crp, found.crp, t.crp_fold, t))
    if Shown.DOSES in shown:
        lines.append(doses_text(facts))
    if Shown.DOSES in shown and facts.steroids:
        given = ", ".join(steroid_given(facts, s) for s in facts.steroids)
        lines.append(f"**Corticosteroid** in the last {InWords(t).steroid_running}: {given}.")
    return lines


def bullets(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
