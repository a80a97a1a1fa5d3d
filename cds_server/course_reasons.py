"""The reasons of an earlier decision, from the decision log: what was known then, and the rows that gave its cards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cards.decision_table import PARTS
from cards.explanation import plain, rule_words
from cards.shown import when
from cds_server.database import DecisionRow
from cds_server.site_rules import SiteRules
from fhir_mappings.clinical_facts import PatientFacts
from fhir_mappings.thresholds import Thresholds

RULES = {rule.id: rule for part in PARTS.values() for rule in part}


@dataclass(frozen=True)
class Earlier:
    """`rules_changed`: numbers, codes or card modes are others now, and the rows stand in the words of now."""

    at: str
    known: tuple[str, ...]
    rows: tuple[str, ...]
    rules_changed: bool


def earlier(decision: DecisionRow, facts: PatientFacts, rules: SiteRules) -> Earlier:
    return Earlier(
        at=when(facts.local(decision.at)),
        known=tuple(_known(decision.assessment)),
        rows=tuple(_row(rule_id, rules.thresholds) for rule_id in decision.rules),
        rules_changed=decision.rules_hash != rules.hash,
    )


def _row(rule_id: str, t: Thresholds) -> str:
    rule = RULES.get(rule_id)
    return rule_words(rule, t) if rule else f"{plain(rule_id)}  a row that there is no more"


def _known(assessment: Mapping[str, Any]) -> Iterator[str]:
    """What the assessment said, field by field; what it left out is left out."""
    if "crsGrade" in assessment:
        least = "at least " if assessment.get("crsGradeIsMinimum") else ""
        yield f"CRS: {least}grade {assessment['crsGrade']}"
    elif "provisionalGrade" in assessment:
        yield f"CRS: no grade; grade {assessment['provisionalGrade']} if it was CRS"
    for name, field in (("IL-6", "il6"), ("CRP", "crp")):
        fold = assessment.get(field, {})
        if "category" in fold:
            rise = f", {fold['foldChange']:.2f}-fold" if "foldChange" in fold else ""
            yield f"{name} rise: {fold['category']}{rise}"
    if "tocilizumabDoses" in assessment:
        yield f"tocilizumab doses: {assessment['tocilizumabDoses']}"
    if "day" in assessment:
        yield f"day {assessment['day']}"
    if assessment.get("unread"):
        yield "not read: " + plain("; ".join(map(str, assessment["unread"])))
