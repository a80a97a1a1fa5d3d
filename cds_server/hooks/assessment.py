"""The reasoning behind an answer, as `extension["org.crs-cds.assessment"]`. Fields without a value are left out."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from cards.choose import Advice
from cards.deciding.rules_version import CITED_RULES
from cards.deciding.verdict import Verdict
from fhir_mappings.facts.labs import FoldChange, Sample
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.time_and_range import Interval

MOST_SET_ASIDE = 200
ASSESSMENT_EXTENSION = "org.crs-cds.assessment"


def assessment(facts: PatientFacts, advice: Advice, rules_hash: str) -> dict[str, Any]:
    """The reasoning as JSON. Its shape is in docs/integrate.md; numbers are JSON numbers, times ISO 8601 with
    offset."""
    flags = [*facts.flags, *([advice.silence] if advice.silence else [])]
    result: dict[str, Any] = {
        "asOf": _time(facts, facts.as_of),
        "rules": list(advice.rows),
        "rulesVersion": CITED_RULES,
        "thresholds": rules_hash,
        "flags": flags,
        "evidence": list(facts.evidence),
        "setAside": [{"reference": a.reference, "why": a.why} for a in facts.set_aside[:MOST_SET_ASIDE]],
        "setAsideMore": max(0, len(facts.set_aside) - MOST_SET_ASIDE) or None,
    }
    course, grade = facts.course, facts.grade
    if course is not None:
        first = course.infusions[0]
        result["day"] = course.day
        result["infusion"] = {"reference": first.references[0], "at": _time(facts, first.start)}
    if grade is not None and advice.verdicts is not None:
        result["crsGrade"] = grade.grade
        result["crsGradeIsMinimum"] = True if grade.grade is not None and grade.minimum else None
        result["provisionalGrade"] = grade.provisional if grade.grade is None else None
        for analyte, fold in facts.followed.items():
            result[analyte.id] = _fold(facts, fold, advice.verdicts.by_analyte.get(analyte))
        result["tocilizumabDoses"] = len(facts.tocilizumab.doses)
        result["icansGrade"] = facts.icans.grade
    return {name: value for name, value in result.items() if value not in (None, [], {})}


def _time(facts: PatientFacts, at: datetime) -> str:
    return facts.local(at).isoformat(timespec="seconds")


def _fold(facts: PatientFacts, fold: FoldChange, verdict: Verdict | None) -> dict[str, Any]:
    """One rise. Without a verdict it has no category."""
    result: dict[str, Any] = {"category": verdict.category.value} if verdict is not None else {}
    if fold.fold is not None:
        if fold.fold.low == fold.fold.high:
            result["foldChange"] = _number(fold.fold.low)
        else:
            result["foldRange"] = _range(fold.fold)
    if fold.baseline is not None:
        result["baseline"] = _sample(facts, fold.baseline)
    if fold.peak is not None:
        result["peak"] = _sample(facts, fold.peak)
    reason = verdict.reason if verdict is not None else fold.reason
    if reason is not None:
        result["reason"] = reason.value
    return result


def _range(interval: Interval) -> dict[str, float]:
    high = {} if interval.high is None else {"high": _number(interval.high)}
    return {"low": _number(interval.low), **high}


def _sample(facts: PatientFacts, sample: Sample) -> dict[str, Any]:
    value: dict[str, Any] = {"range": _range(sample.value)}
    if sample.value.low == sample.value.high:
        value = {"value": _number(sample.value.low)}
    at = facts.local(sample.at.earliest).date().isoformat() if sample.at.is_date else _time(facts, sample.at.earliest)
    return {**value, "unit": sample.unit, "at": at, "reference": sample.reference}


def _number(value: Decimal) -> float:
    """The only place where a Decimal becomes a float: JSON output, after every threshold."""
    return float(round(value, 6) if abs(value) < Decimal(10) ** 15 else value)
