"""Which of the cards of a state are shown on this hook, for these drafts. A card too many is read by no one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from cards.deciding.decision_table import CARD_ORDER, CRITICAL_ORDER, CardId, Indicator
from cards.deciding.drafts import not_identified
from cards.deciding.offer import Offer
from fhir_mappings.facts.grade import CrsGrade
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.treatment import DraftOrder, DrugClass


class Hook(StrEnum):
    PATIENT_VIEW = "patient-view"
    ORDER_SELECT = "order-select"
    ORDER_SIGN = "order-sign"


class Concern(StrEnum):
    """How far an order has to do with CRS."""

    FULL = "treats CRS"
    PARTIAL = "treats or looks for what CRS resembles"
    NONE = "another order"


_FULL_DRUGS = frozenset(
    {
        DrugClass.TOCILIZUMAB,
        DrugClass.IL6_BLOCKER,
        DrugClass.IL1_BLOCKER,
        DrugClass.STEROID,
        DrugClass.VASOPRESSOR,
        DrugClass.VASOPRESSIN,
    }
)
_FULL_SETS = frozenset(
    {"low-flow-oxygen", "blow-by-oxygen", "high-flow-oxygen", "cpap-bipap", "mechanical-ventilation", "interleukin-6"}
)
_PARTIAL_SETS = frozenset({"blood-culture", "urine-culture", "viral-pcr", "chest-imaging", "urinalysis"})
NEVER_ANSWERED = frozenset({CardId.CRS_GRADE_UNKNOWN, CardId.CRS_POSSIBLE_MASKED})
# What a check of a drafted tocilizumab finds is shown, whichever draft is selected.
DRAFT_CHECKS = frozenset(
    {
        CardId.TOCI_INTERVAL,
        CardId.TOCI_MAX_DOSES,
        CardId.TOCI_CAUTION,
        CardId.TOCI_ICANS_CAUTION,
        CardId.TOCI_DOSE_CHECK,
        CardId.NO_CRS,
    }
)


@dataclass(frozen=True)
class Planned:
    """A card of the state before wording: its indicator and the orders it would make."""

    id: CardId
    indicator: Indicator
    offers: tuple[Offer, ...]


def concern_of(draft: DraftOrder) -> Concern:
    """A drug that nothing identifies may concern CRS."""
    if not_identified(draft):
        return Concern.FULL
    if (draft.drug is not None and draft.drug.drug_class in _FULL_DRUGS) or draft.sets & _FULL_SETS:
        return Concern.FULL
    antipyretic = draft.drug is not None and draft.drug.drug_class is DrugClass.ANTIPYRETIC
    return Concern.PARTIAL if antipyretic or draft.sets & _PARTIAL_SETS else Concern.NONE


def concern(hook: Hook, drafts: tuple[DraftOrder, ...]) -> Concern:
    """The strongest concern of the drafts that count on this hook: selected ones on order-select, else all."""
    if hook is Hook.PATIENT_VIEW:
        return Concern.FULL
    found = {concern_of(d) for d in drafts if d.selected or hook is Hook.ORDER_SIGN}
    return next((c for c in Concern if c in found), Concern.NONE)


def answered(card: Planned) -> bool:
    """A critical card is answered when each of its orders is drafted, active, running or barred by the patient."""
    if card.id in NEVER_ANSWERED or not card.offers:
        return False
    return all(offer.in_hand or offer.barred for offer in card.offers)


def spoken(
    hook: Hook, drafts: tuple[DraftOrder, ...], state: tuple[Planned, ...], facts: PatientFacts
) -> tuple[Planned, ...]:
    """The cards of the state that are shown."""
    level = concern(hook, drafts)
    others = [c for c in state if c.id is not CardId.CRS_GRADE and _shown(c, level, facts)]
    grade_card = [c for c in state if c.id is CardId.CRS_GRADE]
    if others or hook is Hook.PATIENT_VIEW or (level is Concern.FULL and _grade_matters(facts.grade)):
        return (*others, *grade_card)
    return ()


def _shown(card: Planned, level: Concern, facts: PatientFacts) -> bool:
    if level is Concern.FULL or card.id in DRAFT_CHECKS:
        return True
    if level is Concern.PARTIAL:
        return card.indicator is not Indicator.INFO
    if card.id is CardId.CRS_GRADE_UNKNOWN and facts.grade is not None and facts.grade.unfetched:
        return True
    return card.indicator is Indicator.CRITICAL and not answered(card)


def _grade_matters(grade: CrsGrade | None) -> bool:
    return grade is not None and (
        grade.grade is None or grade.grade >= 1 or grade.pressure.value > 0 or grade.oxygen.value > 0
    )


def softened(card: Planned) -> Planned:
    """A warning whose orders are all running or done today goes out as info."""
    done = [offer for offer in card.offers if not offer.barred]
    if card.indicator is Indicator.WARNING and done and all(offer.done for offer in done):
        return replace(card, indicator=Indicator.INFO)
    return card


def in_order(state: tuple[Planned, ...]) -> tuple[Planned, ...]:
    """Critical cards first, then the others, each in the order of the catalogue."""
    critical = [c for c in state if c.indicator is Indicator.CRITICAL]
    others = [c for c in state if c.indicator is not Indicator.CRITICAL]
    return (
        *sorted(critical, key=lambda c: CRITICAL_ORDER.index(c.id)),
        *sorted(others, key=lambda c: CARD_ORDER.index(c.id)),
    )


@dataclass(frozen=True)
class Call:
    """The hook and its drafts, for a patient."""

    hook: Hook
    patient_id: str
    drafts: tuple[DraftOrder, ...] = ()
