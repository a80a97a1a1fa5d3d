"""The cards of a state that are shown for some drafts. Cards that do not concern the order go unread."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from cards.deciding.conditions import Charted
from cards.deciding.decision_table import CARD_ORDER, CRITICAL_ORDER, CardId, Indicator
from cards.deciding.drafts import not_identified
from cards.deciding.offer import Offer
from fhir_mappings.codes.terminology import ANTI_INFECTIVE_SETS
from fhir_mappings.facts.grade import CrsGrade, device_not_recognised
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.treatment import DraftOrder, DrugClass


class Showing(StrEnum):
    """The part of a state that is shown. Each hook has one of them."""

    STATE = "all that the state of the patient asks for"
    ORDERS = "what concerns the orders that are drafted"


class Concern(StrEnum):
    """The extent to which an order has to do with CRS."""

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
_PARTIAL_SETS = frozenset(
    {"blood-culture", "urine-culture", "viral-pcr", "chest-imaging", "urinalysis", *ANTI_INFECTIVE_SETS}
)
NEVER_ANSWERED = frozenset({CardId.CRS_GRADE_UNKNOWN, CardId.CRS_POSSIBLE_MASKED, CardId.OTHER_CAUSE_FIRST})
# What these say stays as urgent when all that they order is under way.
_NEVER_SOFTENED = frozenset({CardId.INFECTION_FIRST, CardId.OTHER_CAUSE_FIRST, CardId.CRS_POSSIBLE_MASKED})
# The checks of a drafted tocilizumab or corticosteroid are shown whichever draft is selected.
DRAFT_CHECKS = frozenset(
    {
        CardId.TOCI_INTERVAL,
        CardId.TOCI_MAX_DOSES,
        CardId.TOCI_CAUTION,
        CardId.TOCI_DOSE_CHECK,
        CardId.STEROID_CHECK,
        CardId.NO_CRS,
    }
)


@dataclass(frozen=True)
class Planned:
    """A card of the state before it has words: its indicator and the orders that it would make."""

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


def concern(showing: Showing, drafts: tuple[DraftOrder, ...]) -> Concern:
    """The strongest concern of the drafts that are selected; where the state is shown, the strongest there is."""
    match showing:
        case Showing.STATE:
            return Concern.FULL
        case Showing.ORDERS:
            found = {concern_of(d) for d in drafts if d.selected}
            return next((c for c in Concern if c in found), Concern.NONE)
        case _:
            assert_never(showing)


def answered(card: Planned) -> bool:
    """Tell whether each order of a card is drafted, active, running or barred by the patient."""
    treatments = [offer for offer in card.offers if not offer.beside]
    if card.id in NEVER_ANSWERED or not treatments:
        return False
    return all(offer.in_hand or offer.barred for offer in treatments)


def spoken(
    showing: Showing, drafts: tuple[DraftOrder, ...], state: tuple[Planned, ...], facts: PatientFacts
) -> tuple[Planned, ...]:
    """The cards of the state that are shown. crs-grade goes with them, or alone if the drafts treat CRS."""
    level = concern(showing, drafts)
    others = [c for c in state if c.id is not CardId.CRS_GRADE and _shown(c, level, facts)]
    grade_card = [c for c in state if c.id is CardId.CRS_GRADE]
    if others or showing is Showing.STATE or (level is Concern.FULL and _grade_matters(facts.grade)):
        return (*others, *grade_card)
    return ()


def _shown(card: Planned, level: Concern, facts: PatientFacts) -> bool:
    if level is Concern.FULL or card.id in DRAFT_CHECKS:
        return True
    if level is Concern.PARTIAL:
        return card.indicator is not Indicator.INFO
    grade = facts.grade
    if card.id is CardId.CRS_GRADE_UNKNOWN and grade is not None and (grade.unfetched or device_not_recognised(grade)):
        return True
    return card.indicator is Indicator.CRITICAL and not answered(card)


def _grade_matters(grade: CrsGrade | None) -> bool:
    return grade is not None and (
        grade.grade is None or grade.grade >= 1 or grade.pressure.value > 0 or grade.oxygen.value > 0
    )


def softened(card: Planned, charted: Charted) -> Planned:
    """The card, as info instead of a warning if all its orders are active or running, or were done of late."""
    done = [offer for offer in card.offers if not offer.barred and not offer.beside]
    asks_to_measure = card.id is CardId.GRADE1_SUPPORTIVE and charted is Charted.NOT
    if card.id in _NEVER_SOFTENED | DRAFT_CHECKS or asks_to_measure:
        return card
    if card.indicator is Indicator.WARNING and done and all(offer.done for offer in done):
        return replace(card, indicator=Indicator.INFO)
    return card


def in_order(state: tuple[Planned, ...]) -> tuple[Planned, ...]:
    """The cards of a state, critical ones first, each group in the order of the catalogue."""
    critical = [c for c in state if c.indicator is Indicator.CRITICAL]
    others = [c for c in state if c.indicator is not Indicator.CRITICAL]
    return (
        *sorted(critical, key=lambda c: CRITICAL_ORDER.index(c.id)),
        *sorted(others, key=lambda c: CARD_ORDER.index(c.id)),
    )


@dataclass(frozen=True)
class Call:
    """A patient, how much is to be shown, and the orders that are drafted."""

    showing: Showing
    patient_id: str
    drafts: tuple[DraftOrder, ...] = ()
