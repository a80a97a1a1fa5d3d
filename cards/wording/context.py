"""The context of a card's sentences: facts, verdicts, doubts, and the data that could not be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cards.deciding.data_doubts import Doubts
from cards.deciding.decision_table import CardId
from cards.deciding.dismissed import Dismissed
from cards.deciding.protocol import PACKAGE_PROTOCOL, Protocol
from cards.deciding.situation import Verdicts
from cards.deciding.steroids.regimen import Regimen
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.analytes import KINDS_FOR_DISPLAY
from fhir_mappings.facts.coverage import NOT_SUPPLIED, Completeness, Coverage, Kind
from fhir_mappings.facts.grade import CrsGrade
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import DraftOrder, DrugClass

# what is read to be shown or named, and changes no card
ONLY_NAMED = KINDS_FOR_DISPLAY | {Kind.LASTING_INFECTIONS}


@dataclass(frozen=True)
class WordingContext:
    """The values that the sentences of all cards of one answer are filled from."""

    facts: PatientFacts
    found: Verdicts
    doubts: Doubts
    t: Thresholds
    unread: tuple[Kind, ...]
    drafts: tuple[DraftOrder, ...] = ()
    protocol: Protocol = PACKAGE_PROTOCOL
    switched_off: tuple[CardId, ...] = ()
    held: tuple[Dismissed, ...] = ()
    regimen: Regimen | None = None
    long_answer: bool = False
    of_every_card: Mapping[str, object] = field(default_factory=dict)
    says_caution: CardId | None = None

    @property
    def grade(self) -> CrsGrade:
        if self.facts.grade is None:
            raise ValueError("no card is worded without an assessment of the grade")
        return self.facts.grade


def unread_kinds(facts: PatientFacts, terms: Terminology) -> tuple[Kind, ...]:
    """The kinds of data that could not all be read."""
    short = {k for k in Kind if k not in facts.coverage or facts.coverage[k].state is not Completeness.COMPLETE}
    # these kinds count as unread if one of their resources was set aside; counts and enzymes are named one by one
    cautions = {Kind.MICROBIOLOGY, Kind.ALLERGIES, Kind.CONDITIONS, Kind.MEDICATION_ORDERS, Kind.SERVICE_ORDERS}
    short |= cautions & {kind for a in facts.set_aside for kind in a.kinds}
    # an order whose drug nothing names may be any drug
    if any(
        (o.drug is None or o.drug.drug_class is DrugClass.UNIDENTIFIED) and o.reference.startswith("MedicationRequest/")
        for o in facts.pending
    ):
        short.add(Kind.MEDICATION_ORDERS)
    # A site without codes of its own for ICE and ICANS asks for none. Running infusions are among the administrations.
    moot = {Kind.NEURO} if not terms.codes("ice-score", "icans-grade") else set()
    # What is found by code is among the administrations too: it only shows a course early.
    moot |= {Kind.RUNNING} if Kind.ADMINISTRATIONS not in short else set()
    moot |= {Kind.CRS_DRUGS}
    # what is for display only and was never asked for is missed by no one
    moot |= {k for k in ONLY_NAMED if not _was_asked_for(facts.coverage.get(k, NOT_SUPPLIED))}
    return tuple(k for k in Kind if k in short - moot)


def _was_asked_for(coverage: Coverage) -> bool:
    return coverage.failed or coverage.state is not Completeness.UNREAD
