"""The reasons of an earlier decision, from the decision log: what was known then, and the rows that gave its cards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cards.deciding.decision_table import PARTS
from cards.deciding.verdict import Category
from cards.pages.explanation import plain
from cards.pages.rows_in_words import rule_words
from cards.sentences.numbers_and_times import when
from cards.sentences.reasons import reason_words
from cards.wording.fold_words import fold_text
from cds_server.site_rules import SiteRules
from cds_server.storage.database import DecisionRow
from fhir_mappings.facts.analytes import ANALYTES
from fhir_mappings.facts.labs import Reason
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.time_and_range import Interval

RULES = {rule.id: rule for part in PARTS.values() for rule in part}


@dataclass(frozen=True)
class Earlier:
    """An earlier decision. `rules_changed`: numbers, codes or card modes are different now, and the rows stand in
    today's words."""

    at: str
    known: tuple[str, ...]
    rows: tuple[str, ...]
    rules_changed: bool


def earlier(decision: DecisionRow, facts: PatientFacts, rules: SiteRules) -> Earlier:
    return Earlier(
        at=when(facts.local(decision.at)),
        known=tuple(_known(decision.assessment, rules.thresholds)),
        rows=tuple(_row(rule_id, rules.thresholds) for rule_id in decision.rules),
        rules_changed=decision.rules_hash != rules.hash,
    )


def _row(rule_id: str, t: Thresholds) -> str:
    rule = RULES.get(rule_id)
    return rule_words(rule, t) if rule else f"{plain(rule_id)}  a row that there is no more"


def _known(assessment: Mapping[str, Any], t: Thresholds) -> Iterator[str]:
    """The statements of the assessment, field by field; a field that it left out is left out here too."""
    if "crsGrade" in assessment:
        least = "at least " if assessment.get("crsGradeIsMinimum") else ""
        yield f"CRS: {least}grade {assessment['crsGrade']}"
    elif "provisionalGrade" in assessment:
        would_be = assessment["provisionalGrade"]
        yield "CRS: no grade" + (f"; at least grade {would_be} if it was CRS" if would_be else "")
    for analyte in ANALYTES:
        if analyte.limit is not None and "category" in assessment.get(analyte.id, {}):
            yield f"{analyte.name} rise: {_rise(assessment[analyte.id], analyte.limit.fold(t), t)}"
    if "tocilizumabDoses" in assessment:
        least = "at least " if "history_incomplete" in assessment.get("flags", ()) else ""
        yield f"tocilizumab doses: {least}{assessment['tocilizumabDoses']}"
    if "icansGrade" in assessment:
        yield f"ICANS: grade {assessment['icansGrade']}"
    if "day" in assessment:
        yield f"day {assessment['day']}"
    if assessment.get("unread"):
        yield "not read: " + plain("; ".join(map(str, assessment["unread"])))


_SIDES: Mapping[str, str] = {Category.HIGH: "above the limit", Category.LOW: "below the limit"}


def _rise(fold: Mapping[str, Any], cut: Decimal, t: Thresholds) -> str:
    """The rise in words, such as `above the limit, 6.2×`, or why it was unknown.

    No number looks like a limit that it did not reach.
    """
    parts, rise = [_SIDES.get(str(fold["category"]), "unknown")], _interval(fold)
    # high below the limit: by a rise after tocilizumab, which the number before it does not show
    if rise is not None and not (fold["category"] == Category.HIGH and rise.low < cut):
        parts.append(fold_text(rise, cut))
    if fold.get("reason") in set(Reason):
        parts.append(reason_words(Reason(fold["reason"]), t))
    return ", ".join(parts)


def _interval(fold: Mapping[str, Any]) -> Interval | None:
    found = fold.get(
        "foldRange", {"low": fold["foldChange"], "high": fold["foldChange"]} if "foldChange" in fold else {}
    )
    if "low" not in found:
        return None
    return Interval(Decimal(str(found["low"])), Decimal(str(found["high"])) if "high" in found else None)
