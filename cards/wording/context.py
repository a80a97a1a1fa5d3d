"""What the sentences of a card are filled from."""

from __future__ import annotations

from dataclasses import dataclass

from cards.deciding.data_doubts import Doubts
from cards.deciding.decision_table import CardId
from cards.deciding.dismissed import Dismissed
from cards.deciding.situation import Verdicts
from fhir_mappings.facts.coverage import Kind
from fhir_mappings.facts.grade import CrsGrade
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import DraftOrder


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
