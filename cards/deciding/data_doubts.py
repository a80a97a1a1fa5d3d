"""The doubts about data: results on record that could not be used and that, read otherwise, would change the cards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from cards.deciding.conditions import Crp, DataDoubt, Doses, Grade, Il6, Progress, Situation
from cards.deciding.decision_table import MANAGEMENT, SURVEILLANCE, CardId
from cards.deciding.dose_check import differing
from cards.deciding.drafts import not_identified
from cards.deciding.set_aside_doubts import deciding_set_aside
from cards.deciding.situation import Verdicts
from cards.deciding.verdict import Category, Verdict
from cards.sentences.escaping import escaped, reference_text
from cards.sentences.icans_words import coded_higher
from cards.sentences.phrases import phrase
from cards.sentences.reasons import tier_words, verdict_reason
from cards.sentences.set_aside_words import record_words, why_set_aside
from cards.sentences.treatment_words import history_unread
from fhir_mappings.facts.analytes import CRP, IL6, Analyte
from fhir_mappings.facts.flags import Flag
from fhir_mappings.facts.grade import Fever
from fhir_mappings.facts.labs import Reason
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.row_parts import DeviceNotRecognised, Missing
from fhir_mappings.facts.sought import baselines_set_aside, results_set_aside
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import BLOCKERS, HIDE_FEVER, OURS, PRESSORS, DraftOrder, DrugClass, PendingOrder

# The reasons that speak of a result on record. "Never measured" is no doubt; crs-grade names it.
_ON_RECORD = frozenset(
    {
        Reason.CENSORED,
        Reason.TWO_RESULTS,
        Reason.UNUSABLE,
        Reason.PRELIMINARY,
        Reason.ZERO_BASELINE,
        Reason.FEBRILE_BASELINE,
    }
)
_GRADE_FLAGS = (
    Flag.PRESSOR_STALE,
    Flag.PRESSOR_ON_HOLD,
    Flag.OXYGEN_STALE,
    Flag.OXYGEN_UNREAD,
    Flag.FLOW_UNKNOWN,
)
MOST_QUOTED = 3
MOST_SET_ASIDE = 5


@dataclass(frozen=True)
class Doubts:
    level: DataDoubt
    lines: tuple[str, ...]


def data_doubts(
    facts: PatientFacts, drafts: tuple[DraftOrder, ...], s: Situation, found: Verdicts, t: Thresholds
) -> Doubts:
    """The doubts that are worth a card. Each names what could not be used; one that changes no card is left out."""
    lines: list[str] = []
    if _management_changes(s, (replace(s, il6=il6) for il6 in (Il6.HIGH, Il6.LOW))):
        lines += _fold_doubts(facts, IL6, found.il6, t)
    if _surveillance_changes(s):
        lines += _fold_doubts(facts, CRP, found.crp, t)
    lines += _grade_doubts(facts, s)
    if not facts.tocilizumab.history_complete and _management_changes(s, (replace(s, doses=d) for d in Doses)):
        why = history_unread(facts, escaped)
        lines.append(phrase("doubt", "history", history_unread=f"{why[0].upper()}{why[1:]}"))
    lines += [
        phrase("doubt", "set aside", record=record_words(facts, one, escaped), why=why_set_aside(one, escaped))
        for one in deciding_set_aside(facts, s, t)[:MOST_SET_ASIDE]
    ]
    if facts.icans.coded_higher:
        lines.append(phrase("doubt", "icans coded", coded=escaped(coded_higher(facts.icans))))
    lines += _drug_doubts(facts, s)
    lines += _draft_doubts(drafts)
    lines += _dose_doubts(facts, drafts, t)
    if Flag.PRESSOR_ORDERED_NOT_CHARTED in facts.flags:
        return Doubts(DataDoubt.WARNING, (phrase("doubt", "pressor_ordered_not_charted"), *lines))
    return Doubts(DataDoubt.INFO if lines else DataDoubt.NONE, tuple(lines))


@lru_cache(maxsize=4_096)
def _management(s: Situation) -> frozenset[CardId]:
    return frozenset(card for rule in MANAGEMENT if rule.meets(s) for card, _ in rule.gives)


def _management_changes(s: Situation, others: Iterable[Situation]) -> bool:
    """Tell whether the management cards would be others. That a value would take an IL-6 order away is no reason."""
    return any(_management(other) != _management(s) for other in others)


@lru_cache(maxsize=4_096)
def _surveillance_changes(s: Situation) -> bool:
    met = {rule.gives for crp in Crp for rule in SURVEILLANCE if rule.meets(replace(s, crp=crp))}
    return len(met) > 1


def _fold_doubts(facts: PatientFacts, analyte: Analyte, verdict: Verdict, t: Thresholds) -> list[str]:
    """The doubt about one rise. A result that was set aside is one, whatever else keeps the verdict unknown."""
    fold, reason = facts.folds[analyte], verdict.reason
    if verdict.category is Category.UNKNOWN and reason is not None:
        of_record = reason in _ON_RECORD or (reason is Reason.NO_BASELINE and fold.later_samples)
        if of_record or results_set_aside(facts, analyte) or baselines_set_aside(facts, analyte, t):
            why = verdict_reason(facts, analyte, reason, t, escaped)
            return [phrase("doubt", "verdict", analyte=analyte.name, reason=why)]
        return []
    if fold.baseline_tier > 1:
        return [phrase("doubt", "baseline", analyte=analyte.name, tier=tier_words(fold.baseline_tier, t))]
    return []


def _grade_doubts(facts: PatientFacts, s: Situation) -> list[str]:
    if s.grade is Grade.G0 or facts.grade is None:
        return []
    rows = (facts.grade.pressure, facts.grade.oxygen)
    # a doubt about the lesser row cannot change the grade
    leading = [flag for row in rows if row.most >= max(r.value for r in rows) for flag in row.flags]
    texts = ", ".join(f'"{escaped(m.text)}"' for m in facts.grade.oxygen.missing if isinstance(m, DeviceNotRecognised))
    lines = [phrase("doubt", flag, text=texts) for flag in _GRADE_FLAGS if flag in leading]
    early = facts.progressed is None and s.doses is Doses.MORE_EARLY
    if early and _management_changes(s, (replace(s, progress=p) for p in Progress)):
        lines.append(phrase("doubt", "progress"))
    return lines


def _draft_doubts(drafts: tuple[DraftOrder, ...]) -> list[str]:
    unnamed = [d for d in drafts if not_identified(d) and not d.empty]
    quoted = [d.drug.ingredient for d in unnamed if d.drug is not None]
    return [phrase("doubt", "drug"), *map(escaped, quoted[:MOST_QUOTED])] if unnamed else []


def _dose_doubts(facts: PatientFacts, drafts: tuple[DraftOrder, ...], t: Thresholds) -> list[str]:
    """The doses of corticosteroids ordered or drafted that are stated in ways that differ."""
    orders: tuple[DraftOrder | PendingOrder, ...] = (*facts.pending, *drafts)
    steroids = [o for o in orders if o.drug is not None and o.drug.drug_class is DrugClass.STEROID]
    ways = {o.reference: (o.drug, differing(o.dose, facts, t)) for o in steroids}
    return [
        phrase("doubt", "dose differs", drug=drug.ingredient, reference=reference_text(reference),
               ways=escaped(", ".join(differ)))
        for reference, (drug, differ) in ways.items()
        if drug is not None and differ
    ][:MOST_QUOTED]  # fmt: skip


def _drug_doubts(facts: PatientFacts, s: Situation) -> list[str]:
    """Administrations whose drug is in doubt, as far as another reading of it would change the cards."""
    asked: frozenset[DrugClass] = frozenset({DrugClass.CAR_T})
    grade = facts.grade
    if not facts.tocilizumab.history_complete and _management_changes(s, (replace(s, doses=d) for d in Doses)):
        asked |= BLOCKERS
    if grade is not None and Missing.ADMINISTRATIONS_UNREAD in grade.pressure.missing and s.grade is not Grade.G0:
        asked |= PRESSORS
    if grade is not None and grade.fever is Fever.UNKNOWN_TREATMENT:
        asked |= HIDE_FEVER
    return [
        phrase("doubt", "not identified", reference=reference_text(a.reference), why=escaped(a.why))
        for a in facts.set_aside
        if a.drugs & asked and a.drugs != OURS
    ][:MOST_QUOTED]
