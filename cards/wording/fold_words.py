"""The rise of an analyte and what it proves, in the words of a card. Text of the record is escaped."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from cards.deciding.verdict import Category, Verdict
from cards.sentences.escaping import escaped, escaped_words, reference_text
from cards.sentences.numbers_and_times import number, when
from cards.sentences.phrases import phrase
from cards.sentences.reasons import reason_in_short, tier_words, verdict_reason
from fhir_mappings.facts.analytes import Analyte, Blockade, Limit
from fhir_mappings.facts.labs import FoldChange, FoldFlag, Reason, Sample, SampleUse
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.time_and_range import Interval

_PACKAGE = Thresholds()
MOST_SHOWN = 1_000_000_000
_NEAR = Decimal("0.1")  # of a limit: there a rise has two decimals
_TENTH, _HUNDREDTH = Decimal("0.1"), Decimal("0.01")
# a rise below the limit that reads like it takes more decimals, cut and not rounded
_FINER = (Decimal("0.001"), Decimal("0.0001"))


def fold_number(value: Decimal, cut: Decimal | None) -> str:
    """One decimal below ten, two near the limit, or as many as it takes not to look like the limit it is not."""
    if cut is not None and abs(value - cut) <= cut * _NEAR:
        return f"{_unlike(value, cut):f}"
    shown = value.quantize(_TENTH if value < 10 else Decimal(1), rounding=ROUND_HALF_UP)
    return f"{number(shown)}" if shown < 1000 else f"{shown:,f}"


def _unlike(value: Decimal, cut: Decimal) -> Decimal:
    shown = value.quantize(_HUNDREDTH, rounding=ROUND_HALF_UP)
    for places in _FINER:
        if value == cut or (shown - cut) * (value - cut) > 0:
            break
        shown = value.quantize(places, rounding=ROUND_DOWN)
    return shown


def fold_text(fold: Interval, cut: Decimal | None) -> str:
    """`6.2×`, `≥33×`, `1.2–6×`; `cut` is the limit that no number may look like."""
    low = fold.low if fold.low <= MOST_SHOWN else Decimal(MOST_SHOWN)
    if low < fold.low:
        return f">{fold_number(low, cut)}×"
    if fold.low == fold.high:
        return f"{fold_number(low, cut)}×"
    if fold.high is None:
        return f"{'>' if fold.low_open else '≥'}{fold_number(low, cut)}×"
    return f"{fold_number(low, cut)}–{fold_number(min(fold.high, Decimal(MOST_SHOWN)), cut)}×"


def rise_words(fold: Interval, cut: Decimal | None) -> str:
    """`up 6.2×`; `0.8× the baseline` where nothing rose."""
    return phrase("rise", "up" if is_up(fold) else "not up", fold=fold_text(fold, cut))


def is_up(fold: Interval) -> bool:
    """Tell whether there may be a rise at all."""
    return fold.high is None or fold.high > 1


def limit_name(limit: Limit, t: Thresholds) -> str:
    """The limit in force: `the study's limit (4)`, or that of a site with the study's beside it."""
    cut, study = limit.fold(t), limit.fold(_PACKAGE)
    how = "study" if cut == study else "site"
    return phrase("limit", how, cut=number(cut), study=number(study))


def side_of_limit(fold: FoldChange, verdict: Verdict, analyte: Analyte, t: Thresholds) -> str:
    """The side of the limit: `above the study's limit (4)`. A rise of exactly the limit is at it."""
    limit = analyte.limit
    if limit is None:
        return ""
    cut = limit.fold(t)
    at = not verdict.after_tocilizumab and fold.fold is not None and fold.fold.low == fold.fold.high == cut
    side = "at" if at else "above" if verdict.category is Category.HIGH else "below"
    return phrase("beside limit", side, limit=limit_name(limit, t))


def fold_short(fold: FoldChange, verdict: Verdict, cut: Decimal) -> str:
    """For a summary: `up 6.2×`, `not known`, or `up after tocilizumab` whatever the fold before it was."""
    if verdict.after_tocilizumab:
        return "up after tocilizumab"
    if verdict.category is Category.UNKNOWN or fold.fold is None:
        return "not known"
    return rise_words(fold.fold, cut)


def sample_text(sample: Sample, facts: PatientFacts) -> str:
    drawn = facts.local(sample.at.earliest)
    at = f"{drawn:%d %b}" if sample.at.is_date else when(drawn)
    return f"{escaped(sample.text)} ({at}, {reference_text(sample.reference)})"


def fold_line(facts: PatientFacts, analyte: Analyte, verdict: Verdict | None, t: Thresholds) -> str:
    """One analyte: its samples and its rise, then the verdict, why there is none, or that no limit is known."""
    fold, limit = facts.folds[analyte], analyte.limit
    cut = limit.fold(t) if limit is not None else None
    rise = [escaped_words(rise_words(fold.fold, cut))] if fold.fold is not None else []
    line = ", ".join([f"**{analyte.name}**", *_samples(facts, fold, with_latest=limit is None), *rise])
    if verdict is None or cut is None:
        return f"{line}: no limit is known."
    line += f": {verdict_words(facts, analyte, verdict, t)}"
    if verdict.near_threshold:
        line += "; near the limit, where the assay cannot tell the sides apart"
    if fold.baseline_tier > 1:
        line += f"; baseline taken {tier_words(fold.baseline_tier, t)}"
    if FoldFlag.AMBIGUOUS_ORDER in fold.flags:
        line += "; a sample known by date only on the day of the blocker is left out"
    return line + "."


def rise_in_short(facts: PatientFacts, analyte: Analyte, verdict: Verdict | None, t: Thresholds) -> str:
    """One analyte as a card of ten seconds has it: its rise, what that proves, and the last level."""
    fold, limit = facts.folds[analyte], analyte.limit
    last = _last_level(facts, analyte)
    if limit is None or verdict is None:
        return f"**{analyte.name}**{last}: no limit is known."
    rise = f" {escaped_words(rise_words(fold.fold, limit.fold(t)))}" if fold.fold is not None else ""
    near = ", near the limit" if verdict.near_threshold else ""
    said = verdict_words(facts, analyte, verdict, t)
    if verdict.category is Category.UNKNOWN:
        said = reason_in_short(facts, analyte, verdict.reason or Reason.NO_PEAK, t, escaped)
    return f"**{analyte.name}**{last}{',' if last and rise else ''}{rise}: {said}{near}."


def _last_level(facts: PatientFacts, analyte: Analyte) -> str:
    """` 46.5 pg/mL`, the last level. One that a blocker spoiled says so, because it looks like a rise."""
    fold = facts.folds[analyte]
    if fold.latest is None:
        return ""
    spoiled = analyte.blockade is Blockade.SPOILS and fold.series[-1][1] is SampleUse.AFTER_BLOCKADE
    return f" {escaped(fold.latest.text)}{' (not used: after a blocker)' if spoiled else ''}"


def _samples(facts: PatientFacts, fold: FoldChange, *, with_latest: bool) -> Iterator[str]:
    """Baseline and peak; with the latest also what is highest where no baseline makes it a peak. None of them twice."""
    named = [("baseline", fold.baseline), ("peak", fold.highest if with_latest else fold.peak)]
    if with_latest and fold.latest not in (fold.baseline, fold.highest):
        named.append(("latest", fold.latest))
    for name, sample in named:
        if sample is not None:
            yield f"{name}{' preliminary' if sample.preliminary else ''} {sample_text(sample, facts)}"


def verdict_words(facts: PatientFacts, analyte: Analyte, verdict: Verdict, t: Thresholds) -> str:
    if verdict.category is Category.UNKNOWN or analyte.limit is None:
        why = verdict_reason(facts, analyte, verdict.reason or Reason.NO_PEAK, t, escaped)
        return f"verdict unknown – {why}"
    if verdict.after_tocilizumab:
        return phrase("beside limit", "after", limit=limit_name(analyte.limit, t))
    return side_of_limit(facts.folds[analyte], verdict, analyte, t)
