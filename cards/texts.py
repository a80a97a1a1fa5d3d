"""What the sentences of a card are filled from."""

from __future__ import annotations

from dataclasses import dataclass

from cards.data_doubts import Doubts
from cards.decision_table import CardId
from cards.held_back import Dismissed
from cards.situation import Verdicts
from fhir_mappings.clinical_facts import CrsGrade, DraftOrder, Kind, PatientFacts
from fhir_mappings.thresholds import Thresholds


@dataclass(frozen=True)
class Texts:
    """What the sentences are filled from."""

    facts: PatientFacts
    found: Verdicts
    doubts: Doubts
    t: Thresholds
    unread: tuple[Kind, ...]
    drafts: tuple[DraftOrder, ...] = ()
    product_guidance: bool = False
    switched_off: tuple[CardId, ...] = ()
    held: tuple[Dismissed, ...] = ()

    @property
    def grade(self) -> CrsGrade:
        if self.facts.grade is None:
            raise ValueError("no card is worded without an assessment of the grade")
        return self.facts.grade
