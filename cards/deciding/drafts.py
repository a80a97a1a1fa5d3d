"""The orders being written, beside those that are active and not yet charted."""

from __future__ import annotations

from datetime import datetime

from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.treatment import DraftOrder, DrugClass, PendingOrder


def drafted(drafts: tuple[DraftOrder, ...], *classes: DrugClass) -> tuple[DraftOrder, ...]:
    return tuple(d for d in drafts if d.drug is not None and d.drug.drug_class in classes)


def not_identified(draft: DraftOrder) -> bool:
    """Whether a draft is of a medication of which it cannot be told what it is."""
    return draft.is_medication and (draft.drug is None or draft.drug.drug_class is DrugClass.UNIDENTIFIED)


def uncharted_tocilizumab(facts: PatientFacts, drafts: tuple[DraftOrder, ...]) -> tuple[PendingOrder, ...]:
    """Active tocilizumab orders not yet charted, but those that a draft replaces."""
    ours = drafted(drafts, DrugClass.TOCILIZUMAB)
    replaced = {d.replaces for d in ours} | {d.reference for d in ours}
    return tuple(
        o
        for o in facts.pending
        if o.drug is not None and o.drug.drug_class is DrugClass.TOCILIZUMAB and o.reference not in replaced
    )


def counted_starts(facts: PatientFacts, drafts: tuple[DraftOrder, ...]) -> tuple[datetime, ...]:
    """Starts that a tocilizumab draft is checked against: every dose that may have been given, and, as given now,
    each order not yet charted and each draft beside the first."""
    beside = len(uncharted_tocilizumab(facts, drafts)) + len(drafted(drafts, DrugClass.TOCILIZUMAB)[1:])
    return (*facts.tocilizumab.safety_starts, *([facts.as_of] * beside))


def is_ordered(facts: PatientFacts, drafts: tuple[DraftOrder, ...], set_id: str) -> bool:
    """Whether a test, culture or image is drafted or has an active order."""
    return any(set_id in o.sets for o in facts.pending) or any(set_id in d.sets for d in drafts)
