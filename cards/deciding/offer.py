"""An order that a card would make, and what orders and words ask of it alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cards.deciding.card import Suggestion
from cards.sentences.numbers_and_times import when
from fhir_mappings.facts.patient import PatientFacts


@dataclass(frozen=True)
class Offer:
    """An order that a card would make: the suggestion, or why there is none.

    `in_hand` says that the order is drafted, active or running, `done` that it is running or was done today, and
    `barred` that the patient, not a gap in the record, speaks against it.
    """

    key: str
    suggestion: Suggestion | None
    note: str = ""
    in_hand: bool = False
    done: bool = False
    barred: bool = False


def ordered_at(facts: PatientFacts, authored: datetime | None) -> str:
    return f" {when(facts.local(authored))}" if authored else ""


def wants_methylprednisolone(facts: PatientFacts) -> bool:
    """At grade 4, and after progress to grade 3; only that regimen then counts as running."""
    grade = facts.grade.grade if facts.grade else None
    return grade == 4 or (bool(facts.progressed) and grade == 3)
