"""The order that a card would make, and the questions that orders and words have in common."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cards.deciding.card import Suggestion
from cards.sentences.numbers_and_times import when
from fhir_mappings.facts.patient import PatientFacts


@dataclass(frozen=True)
class Offer:
    """An order that a card would make: the suggestion, or a note that says why there is none.

    `in_hand`: the order is drafted, active or running. `done`: it is running or was done of late. `barred`: the patient
    speaks against it, and not a gap in the record. `beside`: it is no treatment, and answers a card as little as it
    keeps one urgent.
    """

    key: str
    suggestion: Suggestion | None
    note: str = ""
    in_hand: bool = False
    done: bool = False
    barred: bool = False
    beside: bool = False


def ordered_at(facts: PatientFacts, authored: datetime | None) -> str:
    return f" {when(facts.local(authored))}" if authored else ""
