"""The rows of the decision table in words."""

from __future__ import annotations

from cards.choose import Advice
from cards.deciding.decision_table import Rule, rows_for
from cards.sentences.numbers_and_times import InWords
from fhir_mappings.facts.thresholds import Thresholds


def rows_that_fired(found: Advice, t: Thresholds) -> list[str]:
    """The rows of the decision table that gave a card."""
    if found.cell is None:
        return []
    return [rule_words(rule, t) for rule in rows_for(found.cell) if rule.gives]


def rule_words(rule: Rule, t: Thresholds) -> str:
    """`M05  grade: 2; IL-6: high → toci-recommended (warning). Zhang 2022`."""
    gives = ", ".join(f"{card} ({indicator})" for card, indicator in rule.gives)
    return f"{rule.id}  {conditions(rule, t) or 'always'} → {gives}. {rule.source}"


def conditions(rule: Rule, t: Thresholds) -> str:
    """The conditions of a row in words: `grade: 2; IL-6: ≥4-fold`."""
    shown = []
    for name, allowed in rule.when.items():
        members = [m for m in type(next(iter(allowed))) if m in allowed]
        words = [str(m.value).format(t=InWords(t)) for m in members]
        listed = " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
        shown.append(f"{CONDITIONS[name]}: {listed}")
    return "; ".join(shown)


CONDITIONS = {
    "phase": "day", "grade": "grade", "provisional": "would be grade", "doubt": "signs", "il6": "IL-6",
    "crp": "CRP", "doses": "doses", "progress": "since dose 2", "toci_in_play": "IL-6 blocker",
    "toci_draft": "tocilizumab", "interval": "last dose", "dose_count": "doses counted",
    "hypersensitivity": "hypersensitivity", "icans": "ICANS",
    "infected": "infection", "dose_check": "drafted dose", "data_doubt": "data",
    "other_cause": "another cause", "culture": "blood culture", "charted": "pressure and oxygen",
    "fever_lasts": "present fever", "steroid_check": "drafted corticosteroid",
}  # fmt: skip
